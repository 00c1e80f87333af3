//! gemm_tile_$t
/* 64 x 64 elements of c = a b by a group of 256 threads, each sum in the order of its terms. */
static void gemm_tile_$t(i64 m, i64 n, i64 k, W_GLOBAL $t* c, i64 cr, i64 cc, W_GLOBAL const $t* a, i64 ar, i64 ac, W_GLOBAL const $t* b, i64 br, i64 bc, i64 tile, W_SHARED_MEMORY $t* x, W_SHARED_MEMORY $t* y) {
  const i64 across = (n + 63) / 64, row = tile / across * 64, column = tile % across * 64;
  const int t = W_THREAD, down = t / 16, along = t % 16;
  $t sum[4][4];
  for (int i = 0; i < 4; i++) {
    for (int j = 0; j < 4; j++) sum[i][j] = 0;
  }
  for (i64 first = 0; first < k; first += 16) {
    W_BARRIER;
    for (int e = t; e < 1024; e += 256) {
      const int i = e / 16, l = e % 16, g = e / 64, j = e % 64;
      x[l * 64 + i] = row + i < m && first + l < k ? a[(row + i) * ar + (first + l) * ac] : 0;
      y[g * 64 + j] = column + j < n && first + g < k ? b[(first + g) * br + (column + j) * bc] : 0;
    }
    W_BARRIER;
    const int terms = k - first < 16 ? (int)(k - first) : 16;
    for (int l = 0; l < terms; l++) {
      for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 4; j++) {
          const $t term = x[l * 64 + down * 4 + i] * y[l * 64 + along * 4 + j];
          sum[i][j] = first + l ? sum[i][j] + term : term;
        }
      }
    }
  }
  for (int i = 0; i < 4; i++) {
    for (int j = 0; j < 4; j++) {
      const i64 p = row + down * 4 + i, q = column + along * 4 + j;
      if (p < m && q < n) c[p * cr + q * cc] = sum[i][j];
    }
  }
}
