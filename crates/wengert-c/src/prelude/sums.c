//! dot_$t$s
/* A long sum of products: eight interleaved sums in each chunk of 4096 terms, and the chunks pairwise. */
static $t dot_$t$s(i64 k, $x $t* x, i64 xs, $y $t* y, i64 ys) {
  $t tree[48];
  int level = 0;
  i64 chunks = 0;
  for (i64 start = 0; start < k; start += 4096, chunks++) {
    const i64 n = k - start < 4096 ? k - start : 4096;
    $x $t* u = x + start * xs;
    $y $t* v = y + start * ys;
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
//! product_$t$s
/* A sum of products in the order of its terms, or in interleaved sums if it is that of few rows or columns. */
static $t product_$t$s(i64 k, int chains, $x $t* x, i64 xs, $y $t* y, i64 ys) {
  if (k == 0) return 0;
  if (chains) return dot_$t$s(k, x, xs, y, ys);
  $t sum = x[0] * y[0];
  for (i64 l = 1; l < k; l++) {
    const $t term = x[l * xs] * y[l * ys];
    sum = sum + term;
  }
  return sum;
}
