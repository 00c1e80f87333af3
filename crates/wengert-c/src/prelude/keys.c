//! sort_$t
/* Sorts rows of keys, stably, by merging runs through memory for one more row. The places may be absent. */
static void sort_$t($t* x, i64* p, i64 rows, i64 n, int down, $t* keys, i64* places) {
  for (i64 row = 0; row < rows; row++, x += n, p = p ? p + n : p) {
    for (i64 i = 0; p && i < n; i++) p[i] = i;
    for (i64 run = 1; run < n; run *= 2) {
      for (i64 low = 0; low < n; low += 2 * run) {
        const i64 middle = low + run < n ? low + run : n, high = low + 2 * run < n ? low + 2 * run : n;
        i64 a = low, b = middle;
        for (i64 k = low; k < high; k++) {
          const int second = a >= middle || (b < high && (down ? below_$t(x[a], x[b]) : below_$t(x[b], x[a])));
          const i64 from = second ? b++ : a++;
          keys[k] = x[from];
          if (p) places[k] = p[from];
        }
      }
      memcpy(x, keys, (size_t)n * sizeof(*x));
      if (p) memcpy(p, places, (size_t)n * sizeof(*p));
    }
  }
}
//! top_k_$t
/* The k largest keys of each row and their places, from the largest on; of equal ones the first. */
static void top_k_$t(i64 k, i64 rows, i64 n, const $t* x, $t* best, i64* places) {
  for (i64 row = 0; row < rows; row++, x += n, best += k, places += k) {
    for (i64 i = 0; i < n; i++) {
      i64 j = i < k ? i : k;
      if (j == k && (k == 0 || !below_$t(best[k - 1], x[i]))) continue;
      if (j == k) j--;
      for (; j > 0 && below_$t(best[j - 1], x[i]); j--) {
        best[j] = best[j - 1];
        places[j] = places[j - 1];
      }
      best[j] = x[i];
      places[j] = i;
    }
  }
}
