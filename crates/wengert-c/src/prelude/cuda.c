/* Every operation below is rounded once, as IEEE 754 says: compile with -fmad=false, without -use_fast_math. */
#ifdef __FAST_MATH__
#error "without -use_fast_math: it changes results"
#endif
typedef double f64;
typedef float f32;
typedef long long i64;
typedef unsigned long long u64;
typedef int i32;
typedef unsigned u32;
typedef unsigned char u8;
#define INT64_C(x) x##LL
#define UINT64_C(x) x##ULL
#define UINT32_C(x) x##U
#define INT64_MAX 0x7fffffffffffffffLL
#define INT64_MIN (-0x7fffffffffffffffLL - 1)
#define UINT64_MAX 0xffffffffffffffffULL
#define INT32_MAX 0x7fffffff
#define INT32_MIN (-0x7fffffff - 1)
#define UINT32_MAX 0xffffffffU
#define W_EXACT_DIVISION
#define W_FUNCTION static __device__ inline
#define W_CONSTANT static __device__
#define W_CONSTANT_MEMORY
#define W_GLOBAL
#define W_SHARED __shared__
#define W_SHARED_MEMORY
#define W_KERNEL extern "C" __global__
#define restrict __restrict__
#define W_ID ((i64)blockIdx.x * blockDim.x + threadIdx.x)
#define W_IDS ((i64)gridDim.x * blockDim.x)
#define W_GROUP ((i64)blockIdx.x)
#define W_THREAD ((int)threadIdx.x)
#define W_BARRIER __syncthreads()
#define W_ADD(p, n) atomicAdd(p, n)
#define W_FAIL(p, code) atomicCAS((i32*)(p), 0, code)
#define W_LOG(x) (63 - __clzll((i64)(x)))
#define W_BITS64(x) ((u64)__double_as_longlong(x))
#define W_BITS32(x) __float_as_uint(x)
#define W_F64(x) __longlong_as_double((i64)(x))
#define W_F32(x) __uint_as_float(x)
#define W_FMA32(x, y, z) fmaf(x, y, z)
#define W_SQRT32(x) __fsqrt_rn(x)
/* Memory of a thread's own: neighbouring threads lie side by side. */
#define W_APART W_IDS
#define W_OWN(p, at, all) (p + (at) * W_IDS + W_ID)
