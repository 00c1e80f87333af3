//! abs_$t
static inline $t abs_$t($t a) { return a < 0 ? neg_$t(a) : a; }
//! div_$t
static inline $t div_$t($t a, $t b) { return b == 0 ? 0 : b == -1 ? neg_$t(a) : a / b; }
//! rem_$t
static inline $t rem_$t($t a, $t b) { return b == 0 || b == -1 ? 0 : a % b; }
//! shr_$t
static inline $t shr_$t($t a, $t b) { const $u n = ($u)b & ($w - 1), x = ($u)a; return $to(a < 0 ? ($u)~(($u)~x >> n) : x >> n); }
