#include <float.h>
#include <stdint.h>
#include <string.h>
#ifdef WENGERT_LIBM
#include <math.h>
#endif

/* Every operation below is rounded once, as IEEE 754 says, and no two are contracted. */
#ifdef __FAST_MATH__
#error "without -ffast-math and -Ofast: they change results"
#endif
/* 16 speaks of numbers of 16 bits, of which there are none here. */
#if FLT_EVAL_METHOD != 0 && FLT_EVAL_METHOD != 16
#error "floats must be computed in their own precision: on x86 with -mfpmath=sse"
#endif
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#else
#pragma STDC FP_CONTRACT OFF
#endif
#if defined(__clang__)
/* A loop that is not vectorized is no mistake. */
#pragma clang diagnostic ignored "-Wpass-failed"
#define W_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define W_INDEPENDENT _Pragma("GCC ivdep")
#else
#define W_INDEPENDENT
#endif

typedef double f64;
typedef float f32;
typedef int64_t i64;
typedef uint64_t u64;
typedef int32_t i32;
typedef uint32_t u32;
typedef uint8_t u8;
