//! f64_of
static inline f64 f64_of(u64 b) { f64 x; memcpy(&x, &b, 8); return x; }
//! f32_of
static inline f32 f32_of(u32 b) { f32 x; memcpy(&x, &b, 4); return x; }
//! bits_f64
static inline u64 bits_f64(f64 x) { u64 b; memcpy(&b, &x, 8); return b; }
//! bits_f32
static inline u32 bits_f32(f32 x) { u32 b; memcpy(&b, &x, 4); return b; }
//! i64_of_bits
static inline i64 i64_of_bits(u64 b) { i64 x; memcpy(&x, &b, 8); return x; }
//! i32_of_bits
static inline i32 i32_of_bits(u32 b) { i32 x; memcpy(&x, &b, 4); return x; }
//! abs_f64
static inline f64 abs_f64(f64 x) { return f64_of(bits_f64(x) & UINT64_C(0x7fffffffffffffff)); }
//! abs_f32
static inline f32 abs_f32(f32 x) { return f32_of(bits_f32(x) & UINT32_C(0x7fffffff)); }
//! signed_f64
/* The magnitude of x with the sign of s. */
static inline f64 signed_f64(f64 x, f64 s) {
  const u64 m = UINT64_C(0x7fffffffffffffff);
  return f64_of((bits_f64(x) & m) | (bits_f64(s) & ~m));
}
//! round_f64
/* To the nearest integer, ties to even: adding 2^52 leaves no fraction. */
static inline f64 round_f64(f64 x) {
#if defined(__SSE4_1__) || defined(__aarch64__)
  return __builtin_rint(x);
#else
  const f64 a = abs_f64(x), big = 4503599627370496.0;
  return a < big ? signed_f64((a + big) - big, x) : x;
#endif
}
//! trunc_f64
static inline f64 trunc_f64(f64 x) {
#if defined(__SSE4_1__) || defined(__aarch64__)
  return __builtin_trunc(x);
#else
  return abs_f64(x) < 4503599627370496.0 ? signed_f64((f64)(i64)x, x) : x;
#endif
}
//! floor_f64
static inline f64 floor_f64(f64 x) {
#if defined(__SSE4_1__) || defined(__aarch64__)
  return __builtin_floor(x);
#else
  const f64 r = round_f64(x);
  return r != r ? r : signed_f64(r > x ? r - 1.0 : r, x);
#endif
}
//! ceil_f64
static inline f64 ceil_f64(f64 x) {
#if defined(__SSE4_1__) || defined(__aarch64__)
  return __builtin_ceil(x);
#else
  const f64 r = round_f64(x);
  return r != r ? r : signed_f64(r < x ? r + 1.0 : r, x);
#endif
}
//! round_f32
static inline f32 round_f32(f32 x) { return (f32)round_f64((f64)x); }
//! trunc_f32
static inline f32 trunc_f32(f32 x) { return (f32)trunc_f64((f64)x); }
//! floor_f32
static inline f32 floor_f32(f32 x) { return (f32)floor_f64((f64)x); }
//! ceil_f32
static inline f32 ceil_f32(f32 x) { return (f32)ceil_f64((f64)x); }
//! parts_f64
/* A positive finite number as m * 2^e, where m has 53 bits. */
static inline u64 parts_f64(u64 bits, int* e) {
  const int exponent = (int)(bits >> 52);
  u64 m = bits & UINT64_C(0xfffffffffffff);
  if (exponent) {
    *e = exponent - 1075;
    return m | UINT64_C(0x10000000000000);
  }
  *e = -1074;
  while (!(m >> 52)) {
    m <<= 1;
    *e -= 1;
  }
  return m;
}
//! sqrt_f64
#if defined(__OPTIMIZE__) && __STDC_HOSTED__ && defined(__GNUC__) && (defined(__SSE2__) || defined(__aarch64__))
/* A root that sets no errno is an instruction, for one number or for several side by side. */
extern double sqrt(double) __attribute__((const, nothrow));
extern float sqrtf(float) __attribute__((const, nothrow));
#define W_SQRT
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif
static inline f64 sqrt_f64(f64 x) {
#if defined(W_SQRT)
  return sqrt(x);
#elif defined(__SSE2__)
  return _mm_cvtsd_f64(_mm_sqrt_pd(_mm_set1_pd(x)));
#elif defined(__GNUC__) && defined(__aarch64__)
  f64 root;
  __asm__("fsqrt %d0, %d1" : "=w"(root) : "w"(x));
  return root;
#elif defined(WENGERT_LIBM)
  return sqrt(x);
#else
  /* Digit by digit: 53 bits of the root, and one to round by. No root lies in the middle. */
  if (!(x > 0.0) || x - x != 0.0) return x < 0.0 ? x * 0.0 / 0.0 : x;
  int e;
  u64 m = parts_f64(bits_f64(x), &e), root = 0, rest = 0;
  if (e & 1) {
    m <<= 1;
    e -= 1;
  }
  for (int i = 0; i < 54; i++) {
    rest = rest << 2 | (i < 27 ? m >> (52 - 2 * i) & 3 : 0);
    const u64 t = root << 2 | 1;
    root <<= 1;
    if (rest >= t) {
      rest -= t;
      root |= 1;
    }
  }
  return f64_of(((u64)(e / 2 + 1048) << 52) + (root >> 1) + (root & 1));
#endif
}
//! sqrt_f32
/* A root in twice the precision is rounded to the root of the single precision. */
static inline f32 sqrt_f32(f32 x) {
#if defined(W_SQRT)
  return sqrtf(x);
#else
  return (f32)sqrt_f64((f64)x);
#endif
}
//! mul_high_u64
static inline u64 mul_high_u64(u64 a, u64 b) {
  const u64 m = UINT64_C(0xffffffff), al = a & m, ah = a >> 32, bl = b & m, bh = b >> 32;
  const u64 low = al * bl, x = ah * bl + (low >> 32), y = al * bh + (x & m);
  return ah * bh + (x >> 32) + (y >> 32);
}
//! mul_high_i64
static inline i64 mul_high_i64(i64 a, i64 b) {
  return i64_of_bits(mul_high_u64((u64)a, (u64)b) - (a < 0 ? (u64)b : 0) - (b < 0 ? (u64)a : 0));
}
//! mul_high_u32
static inline u32 mul_high_u32(u32 a, u32 b) { return (u32)((u64)a * b >> 32); }
//! mul_high_i32
static inline i32 mul_high_i32(i32 a, i32 b) { return i32_of_bits((u32)((u64)((i64)a * b) >> 32)); }
//! mul_high_u8
static inline u8 mul_high_u8(u8 a, u8 b) { return (u8)(a * b >> 8); }
//! fma_f64
#if !defined(__FP_FAST_FMA) && !defined(__FMA__) && !defined(__aarch64__) && !defined(WENGERT_LIBM)
/* x*y + z of finite numbers that are not zero, with one rounding, in integers of 128 bits. */
static f64 soft_fma_f64(f64 x, f64 y, f64 z) {
  const u64 sign = UINT64_C(0x8000000000000000);
  const u64 xb = bits_f64(x), yb = bits_f64(y), zb = bits_f64(z), ps = (xb ^ yb) & sign;
  int ex, ey, ez;
  const u64 mx = parts_f64(xb & ~sign, &ex), my = parts_f64(yb & ~sign, &ey), mz = parts_f64(zb & ~sign, &ez);
  /* Both with their highest bit near 2^125. */
  const u64 ph = mul_high_u64(mx, my), pl = mx * my;
  u64 ah = ph << 20 | pl >> 44, al = pl << 20, bh = mz << 9, bl = 0, s = ps;
  int e = ex + ey - 20, d = e - (ez - 73);
  if (d < 0 || (d == 0 && (ah < bh || (ah == bh && al < bl)))) {
    const u64 h = ah, l = al;
    ah = bh;
    al = bl;
    bh = h;
    bl = l;
    e = ez - 73;
    d = -d;
    s = zb & sign;
  }
  if (d >= 128) {
    bh = 0;
    bl = 1;
  } else if (d >= 64) {
    const u64 lost = bl | (d > 64 ? bh << (128 - d) : 0);
    bl = (d > 64 ? bh >> (d - 64) : bh) | (lost != 0);
    bh = 0;
  } else if (d > 0) {
    const u64 lost = bl << (64 - d);
    bl = (bl >> d | bh << (64 - d)) | (lost != 0);
    bh >>= d;
  }
  if (ps == (zb & sign)) {
    al += bl;
    ah += bh + (al < bl);
  } else {
    if (ah < bh || (ah == bh && al < bl)) {
      const u64 h = ah, l = al;
      ah = bh;
      al = bl;
      bh = h;
      bl = l;
      s ^= sign;
    }
    ah -= bh + (al < bl);
    al -= bl;
    if (!(ah | al)) return 0.0;
  }
  if (!ah) {
    ah = al;
    al = 0;
    e -= 64;
  }
  while (!(ah >> 63)) {
    ah = ah << 1 | al >> 63;
    al <<= 1;
    e -= 1;
  }
  ah |= al != 0;
  /* ah * 2^(e + 64), and its exponent as a double has it. */
  const int exponent = e + 64 + 63 + 1023, drop = exponent > 0 ? 11 : 12 - exponent;
  if (exponent >= 2047) return f64_of(s | UINT64_C(0x7ff0000000000000));
  if (drop > 64) return f64_of(s);
  const u64 half = UINT64_C(1) << (drop - 1), rest = drop < 64 ? ah & ((half << 1) - 1) : ah;
  u64 q = drop < 64 ? ah >> drop : 0;
  q += rest > half || (rest == half && (q & 1));
  return f64_of(s | (exponent > 0 ? ((u64)(exponent - 1) << 52) + q : q));
}
#endif
static inline f64 fma_f64(f64 x, f64 y, f64 z) {
#if defined(__FP_FAST_FMA) || defined(__FMA__) || defined(__aarch64__)
  return __builtin_fma(x, y, z);
#elif defined(WENGERT_LIBM)
  return fma(x, y, z);
#else
  if (x - x != 0.0 || y - y != 0.0 || x == 0.0 || y == 0.0) return x * y + z;
  if (z - z != 0.0) return z;
  return z == 0.0 ? x * y : soft_fma_f64(x, y, z);
#endif
}
//! fma_f32
static inline f32 fma_f32(f32 x, f32 y, f32 z) {
#if defined(__FP_FAST_FMAF) || defined(__FMA__) || defined(__aarch64__)
  return __builtin_fmaf(x, y, z);
#else
  /* The product is exact in twice the precision. The sum is rounded to odd there, so that what follows is right. */
  const f64 p = (f64)x * (f64)y, c = (f64)z, s = p + c;
  if (s - s != 0.0) return (f32)s;
  const f64 t = s - p, error = (p - (s - t)) + (c - t);
  u64 bits = bits_f64(s);
  if (error != 0.0 && !(bits & 1)) bits += ((error > 0.0) == (s > 0.0)) ? 1 : UINT64_MAX;
  return (f32)f64_of(bits);
#endif
}
//! rem_f64
/* The remainder with the sign of x, exactly: by long division of the integers. */
static inline f64 rem_f64(f64 x, f64 y) {
  const f64 a = abs_f64(x), b = abs_f64(y);
  if (x != x || y != y || a - a != 0.0 || b == 0.0) return (x * y) / (x * y);
  if (a < b) return x;
  int ea, eb;
  u64 m = parts_f64(bits_f64(a), &ea);
  const u64 n = parts_f64(bits_f64(b), &eb);
  for (;; ea--) {
    if (m >= n) m -= n;
    if (!m) return signed_f64(0.0, x);
    if (ea == eb) break;
    m <<= 1;
  }
  while (!(m >> 52) && ea > -1074) {
    m <<= 1;
    ea--;
  }
  const u64 bits = ea < -1074 ? m >> (-1074 - ea) : ((u64)(ea + 1074) << 52) + m;
  return signed_f64(f64_of(bits), x);
}
//! rem_f32
static inline f32 rem_f32(f32 x, f32 y) { return (f32)rem_f64((f64)x, (f64)y); }
//! list_slot
/* A list in the making: where its rows begin, how many there are, and how many have room. */
typedef struct { i64 at, rows, room; } list_slot;
/* The memory of lists: its bytes, how many are taken, and how many there are. */
typedef struct { unsigned char* bytes; i64 top, size; } list_memory;
//! list_take
static i64 list_take(list_memory* m, i64 bytes) {
  if (bytes > m->size - m->top) return 0;
  m->top += bytes;
  return m->top - bytes;
}
//! list_push
static int list_push(list_memory* m, list_slot* l, i64 row, i64 size) {
  if (row >= l->room) {
    const i64 held = l->room * size, most = m->size / size;
    i64 room = l->room ? 2 * l->room : 8;
    if (row >= most) return 1;
    if (l->room && l->at + held == m->top) {
      if (room > (m->size - l->at) / size) room = (m->size - l->at) / size;
      if (room <= row) return 1;
      m->top = l->at + room * size;
    } else {
      if (room > (m->size - m->top) / size) room = (m->size - m->top) / size;
      if (room <= row) return 1;
      const i64 at = list_take(m, room * size);
      if (held) memcpy(m->bytes + at, m->bytes + l->at, (size_t)held);
      l->at = at;
    }
    l->room = room;
  }
  l->rows = row + 1;
  return 0;
}
//! list_post
/* Where the rows of a finished list are: how many, the first, and the bytes of each. 0 if there is no memory. */
static i64 list_post(list_memory* m, i64 rows, i64 first, i64 size) {
  const i64 post[3] = {rows, first, size}, at = list_take(m, 24);
  if (at) memcpy(m->bytes + at, post, 24);
  return at;
}
//! list_finish
static i64 list_finish(list_memory* m, list_slot* l, i64 rows, i64 size) {
  if (l->room && l->at + l->room * size == m->top) m->top = l->at + l->rows * size;
  return list_post(m, rows, l->at, size);
}
//! list_word
static inline i64 list_word(const list_memory* m, i64 at) {
  i64 x;
  memcpy(&x, m->bytes + at, 8);
  return x;
}
//! list_handle
/* A handle of a field, 0 for a list without rows, and -1 if there is no memory. */
static i64 list_handle(list_memory* m, i64 built, i64 field) {
  if (!list_word(m, built)) return 0;
  const i64 at = list_post(m, list_word(m, built), list_word(m, built + 8) + field, list_word(m, built + 16));
  return at ? at : -1;
}
//! list_row
static inline const unsigned char* list_row(const list_memory* m, i64 post, i64 row) {
  return m->bytes + list_word(m, post + 8) + row * list_word(m, post + 16);
}
//! w_nan
static inline f64 w_nan(void) { return f64_of(UINT64_C(0x7ff8000000000000)); }
//! casadi_in
/* A matrix by columns, or nothing for zeros, by rows. */
static void casadi_in(const f64* from, f64* to, i64 rows, i64 columns) {
  for (i64 i = 0; i < rows; i++) {
    for (i64 j = 0; j < columns; j++) to[i * columns + j] = from ? from[j * rows + i] : 0.0;
  }
}
//! casadi_out
/* A matrix by rows, by columns, for whoever wants it. */
static void casadi_out(const f64* from, f64* to, i64 rows, i64 columns) {
  for (i64 i = 0; to && i < rows; i++) {
    for (i64 j = 0; j < columns; j++) to[j * rows + i] = from[i * columns + j];
  }
}
//! casadi_block
/* The Jacobian of an a by b matrix by a c by d one, each numbered by rows, with each numbered by columns, by columns. */
static void casadi_block(const f64* from, f64* to, i64 a, i64 b, i64 c, i64 d) {
  for (i64 i = 0; to && i < a * b; i++) {
    const i64 row = i % b * a + i / b;
    for (i64 j = 0; j < c * d; j++) to[(j % d * c + j / d) * (a * b) + row] = from[i * (c * d) + j];
  }
}
