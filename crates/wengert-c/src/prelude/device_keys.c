//! before_$t
/* Whether a key belongs in front of another. */
static inline int before_$t($t a, $t b, int down) { return down ? below_$t(b, a) : below_$t(a, b); }
//! sort_$t
/* Sorts rows of keys, stably, by merging runs through memory for one more row, whose elements are apart. The places may
   be absent. */
static void sort_$t(W_GLOBAL $t* x, W_GLOBAL i64* p, i64 rows, i64 n, int down, W_GLOBAL $t* keys, W_GLOBAL i64* places, i64 apart) {
  for (i64 row = 0; row < rows; row++, x += n, p = p ? p + n : p) {
    for (i64 i = 0; p && i < n; i++) p[i] = i;
    for (i64 run = 1; run < n; run *= 2) {
      for (i64 low = 0; low < n; low += 2 * run) {
        const i64 middle = low + run < n ? low + run : n, high = low + 2 * run < n ? low + 2 * run : n;
        i64 a = low, b = middle;
        for (i64 k = low; k < high; k++) {
          const int second = a >= middle || (b < high && before_$t(x[b], x[a], down));
          const i64 from = second ? b++ : a++;
          keys[k * apart] = x[from];
          if (p) places[k * apart] = p[from];
        }
      }
      for (i64 k = 0; k < n; k++) {
        x[k] = keys[k * apart];
        if (p) p[k] = places[k * apart];
      }
    }
  }
}
//! merge_$t
/* Moves one key to its place among two neighbouring runs, which it finds by searching the other run: equal keys of the
   left run come first. */
static void merge_$t(W_GLOBAL const $t* x, W_GLOBAL const i64* p, W_GLOBAL $t* to, W_GLOBAL i64* q, i64 n, i64 run, int down, i64 id) {
  const i64 first = id / n * n, i = id - first, low = i / (2 * run) * (2 * run);
  const i64 middle = low + run < n ? low + run : n, high = low + 2 * run < n ? low + 2 * run : n;
  const $t key = x[id];
  const int left = i < middle;
  i64 a = left ? middle : low, b = left ? high : middle;
  const i64 begin = a;
  while (a < b) {
    const i64 m = a + (b - a) / 2;
    const $t other = x[first + m];
    if (left ? before_$t(other, key, down) : !before_$t(key, other, down)) a = m + 1;
    else b = m;
  }
  const i64 at = first + (left ? i : low + i - middle) + (a - begin);
  to[at] = key;
  if (q) q[at] = p[id];
}
