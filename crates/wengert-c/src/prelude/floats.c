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
      $t sum = 0;
      if (chains) {
        sum = dot_$t(k, x, ac, y, br);
      } else {
        for (i64 l = 0; l < k; l++) {
          const $t term = x[l * ac] * y[l * br];
          sum = l ? sum + term : term;
        }
      }
      c[i * cr + j * cc] = sum;
    }
  }
}
//! dot_$t
/* A long sum of products: eight interleaved sums in each chunk of 4096 terms, and the chunks pairwise. */
static $t dot_$t(i64 k, const $t* x, i64 xs, const $t* y, i64 ys) {
  $t tree[48];
  int level = 0;
  i64 chunks = 0;
  for (i64 start = 0; start < k; start += 4096, chunks++) {
    const i64 n = k - start < 4096 ? k - start : 4096;
    const $t* u = x + start * xs;
    const $t* v = y + start * ys;
    $t sum;
    if (n < 64) {
      sum = u[0] * v[0];
      for (i64 i = 1; i < n; i++) {
        const $t term = u[i * xs] * v[i * ys];
        sum = sum + term;
      }
    } else {
      $t p[8];
      for (int j = 0; j < 8; j++) p[j] = u[j * xs] * v[j * ys];
      for (i64 i = 8; i < n; i++) {
        const $t term = u[i * xs] * v[i * ys];
        p[i & 7] = p[i & 7] + term;
      }
      sum = ((p[0] + p[1]) + (p[2] + p[3])) + ((p[4] + p[5]) + (p[6] + p[7]));
    }
    for (i64 bit = chunks; bit & 1; bit >>= 1) sum = tree[--level] + sum;
    tree[level++] = sum;
  }
  $t total = tree[--level];
  while (level) total = tree[--level] + total;
  return total;
}
//! below_$t
/* The order of keys: NaN comes last. */
static inline int below_$t($t a, $t b) { return a < b || (b != b && a == a); }
