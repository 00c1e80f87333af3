//! min_$t
static inline $t min_$t($t a, $t b) { return a != a ? a : b != b ? b : a < b || (a == b && bits_$t(a) >> ($w - 1)) ? a : b; }
//! max_$t
static inline $t max_$t($t a, $t b) { return a != a ? a : b != b ? b : a > b || (a == b && !(bits_$t(a) >> ($w - 1))) ? a : b; }
//! i64_of_$t
static inline i64 i64_of_$t($t x) { return x != x ? 0 : x >= ($t)9223372036854775808.0 ? INT64_MAX : x < ($t)-9223372036854775808.0 ? INT64_MIN : (i64)x; }
//! u64_of_$t
static inline u64 u64_of_$t($t x) { return !(x > 0) ? 0 : x >= ($t)18446744073709551616.0 ? UINT64_MAX : (u64)x; }
//! i32_of_$t
static inline i32 i32_of_$t($t x) { const f64 y = x; return y != y ? 0 : y >= 2147483648.0 ? INT32_MAX : y < -2147483648.0 ? INT32_MIN : (i32)y; }
//! u32_of_$t
static inline u32 u32_of_$t($t x) { const f64 y = x; return !(y > 0) ? 0 : y >= 4294967296.0 ? UINT32_MAX : (u32)y; }
//! u8_of_$t
static inline u8 u8_of_$t($t x) { return !(x > 0) ? 0 : x >= ($t)256.0 ? 255 : (u8)x; }
//! gemm_$t
/* c = a b, each sum in the order of its terms, or in eight interleaved sums if there are few rows or columns. */
static void gemm_$t(i64 m, i64 n, i64 k, int chains, $t* c, i64 cr, i64 cc, const $t* a, i64 ar, i64 ac, const $t* b, i64 br, i64 bc) {
  for (i64 i = 0; i < m; i++) {
    for (i64 j = 0; j < n; j++) {
      const $t* x = a + i * ar;
      const $t* y = b + j * bc;
      c[i * cr + j * cc] = product_$t(k, chains, x, ac, y, br);
    }
  }
}
//! below_$t
/* The order of keys: NaN comes last. */
static inline int below_$t($t a, $t b) { return a < b || (b != b && a == a); }
