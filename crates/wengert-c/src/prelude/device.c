//! f64_of
static inline f64 f64_of(u64 b) { return W_F64(b); }
//! f32_of
static inline f32 f32_of(u32 b) { return W_F32(b); }
//! bits_f64
static inline u64 bits_f64(f64 x) { return W_BITS64(x); }
//! bits_f32
static inline u32 bits_f32(f32 x) { return W_BITS32(x); }
//! i64_of_bits
static inline i64 i64_of_bits(u64 b) { return (i64)b; }
//! i32_of_bits
static inline i32 i32_of_bits(u32 b) { return (i32)b; }
//! round_f64
static inline f64 round_f64(f64 x) { return rint(x); }
//! trunc_f64
static inline f64 trunc_f64(f64 x) { return trunc(x); }
//! floor_f64
static inline f64 floor_f64(f64 x) { return floor(x); }
//! ceil_f64
static inline f64 ceil_f64(f64 x) { return ceil(x); }
//! round_f32
static inline f32 round_f32(f32 x) { return rint(x); }
//! trunc_f32
static inline f32 trunc_f32(f32 x) { return trunc(x); }
//! floor_f32
static inline f32 floor_f32(f32 x) { return floor(x); }
//! ceil_f32
static inline f32 ceil_f32(f32 x) { return ceil(x); }
//! fma_f64
static inline f64 fma_f64(f64 x, f64 y, f64 z) { return fma(x, y, z); }
//! fma_f32
static inline f32 fma_f32(f32 x, f32 y, f32 z) { return W_FMA32(x, y, z); }
//! sqrt_f64
static inline f64 sqrt_f64(f64 x) { return sqrt(x); }
//! sqrt_f32
/* A root or a quotient in twice the precision is rounded to that of the single precision. */
#ifdef W_EXACT_DIVISION
static inline f32 sqrt_f32(f32 x) { return W_SQRT32(x); }
#else
static inline f32 sqrt_f32(f32 x) { return (f32)sqrt((f64)x); }
#endif
//! div_f32
#ifdef W_EXACT_DIVISION
static inline f32 div_f32(f32 a, f32 b) { return a / b; }
#else
static inline f32 div_f32(f32 a, f32 b) { return (f32)((f64)a / (f64)b); }
#endif
//! list_slot
/* A list in the making: segments of a pool, the first with room for four rows and each of the others with room for
   twice as many as the one before it. */
typedef struct { u32 segment[28]; i64 rows; } list_slot;
/* The pool of lists: its words, how many units of eight words are taken, and how many there are. */
typedef struct { W_GLOBAL u64* words; W_GLOBAL u32* top; u32 size; } list_memory;
//! list_take
/* Units of the pool; 0 if there are none. */
static u32 list_take(const list_memory* m, u64 words) {
  const u64 units = (words + 7) / 8;
  if (units > m->size) {
    W_ADD(m->top, m->size);
    return 0;
  }
  const u32 at = W_ADD(m->top, (u32)units);
  return at > m->size - (u32)units ? 0 : at;
}
//! list_push
static int list_push(const list_memory* m, list_slot* l, i64 row, i64 size) {
  const u64 q = (u64)row / 4 + 1;
  if ((row & 3) == 0 && (q & (q - 1)) == 0) {
    const int s = W_LOG(q);
    const u32 at = s < 28 ? list_take(m, (u64)(4 * size) << s) : 0;
    if (!at) return 1;
    l->segment[s] = at;
  }
  l->rows = row + 1;
  return 0;
}
//! list_row
/* The first word of a row of a list in the making. */
static inline i64 list_row(const list_slot* l, i64 row, i64 size) {
  const int s = W_LOG((u64)row / 4 + 1);
  return (i64)l->segment[s] * 8 + (row - 4 * ((INT64_C(1) << s) - 1)) * size;
}
//! list_finish
/* The unit of a finished list: its rows, the words of each, and its segments. 0 if there is no memory. */
static i64 list_finish(const list_memory* m, const list_slot* l, i64 rows, i64 size) {
  int n = 0;
  while (4 * ((INT64_C(1) << n) - 1) < l->rows) n++;
  const u32 at = list_take(m, (u64)(2 + n));
  if (!at) return 0;
  W_GLOBAL u64* head = m->words + (u64)at * 8;
  head[0] = (u64)rows;
  head[1] = (u64)size;
  for (int s = 0; s < n; s++) head[2 + s] = l->segment[s];
  return at;
}
//! list_at
/* The first word of a row of a finished list. */
static inline i64 list_at(const list_memory* m, i64 list, i64 row) {
  W_GLOBAL const u64* head = m->words + list * 8;
  const int s = W_LOG((u64)row / 4 + 1);
  return (i64)head[2 + s] * 8 + (row - 4 * ((INT64_C(1) << s) - 1)) * (i64)head[1];
}
//! list_rows
static inline i64 list_rows(const list_memory* m, i64 list) { return (i64)m->words[list * 8]; }
//! list_keep
/* A list in the making between two kernels. */
static void list_keep(W_GLOBAL u64* to, i64 step, const list_slot* l) {
  for (int s = 0; s < 28; s++) to[s * step] = l->segment[s];
  to[28 * step] = (u64)l->rows;
}
//! list_again
static void list_again(W_GLOBAL const u64* from, i64 step, list_slot* l) {
  for (int s = 0; s < 28; s++) l->segment[s] = (u32)from[s * step];
  l->rows = (i64)from[28 * step];
}
