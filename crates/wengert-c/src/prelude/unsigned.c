//! abs_$t
static inline $t abs_$t($t a) { return a; }
//! div_$t
static inline $t div_$t($t a, $t b) { return ($t)(b == 0 ? 0 : a / b); }
//! rem_$t
static inline $t rem_$t($t a, $t b) { return ($t)(b == 0 ? 0 : a % b); }
//! shr_$t
static inline $t shr_$t($t a, $t b) { return ($t)(a >> (b & ($w - 1))); }
