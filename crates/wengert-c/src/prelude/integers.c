//! add_$t
static inline $t add_$t($t a, $t b) { return $to(($u)(($u)a + ($u)b)); }
//! sub_$t
static inline $t sub_$t($t a, $t b) { return $to(($u)(($u)a - ($u)b)); }
//! mul_$t
static inline $t mul_$t($t a, $t b) { return $to(($u)(($u)a * ($u)b)); }
//! neg_$t
static inline $t neg_$t($t a) { return $to(($u)(($u)0 - ($u)a)); }
//! min_$t
static inline $t min_$t($t a, $t b) { return a < b ? a : b; }
//! max_$t
static inline $t max_$t($t a, $t b) { return a > b ? a : b; }
//! lt_$t
static inline u8 lt_$t($t a, $t b) { return a < b; }
//! le_$t
static inline u8 le_$t($t a, $t b) { return a <= b; }
//! shl_$t
static inline $t shl_$t($t a, $t b) { return $to(($u)(($u)a << (($u)b & ($w - 1)))); }
//! ushr_$t
static inline $t ushr_$t($t a, $t b) { return $to(($u)(($u)a >> (($u)b & ($w - 1)))); }
//! rotl_$t
static inline $t rotl_$t($t a, $t b) { const $u n = ($u)b & ($w - 1), x = ($u)a; return $to(n ? ($u)(($u)(x << n) | x >> ($w - n)) : x); }
//! below_$t
static inline int below_$t($t a, $t b) { return a < b; }
