#pragma OPENCL EXTENSION cl_khr_fp64 : enable
/* Every operation below is rounded once, as IEEE 754 says, and no two are contracted. */
#pragma OPENCL FP_CONTRACT OFF
typedef double f64;
typedef float f32;
typedef long i64;
typedef ulong u64;
typedef int i32;
typedef uint u32;
typedef uchar u8;
#define INT64_C(x) x##L
#define UINT64_C(x) x##UL
#define UINT32_C(x) x##U
#define INT64_MAX 0x7fffffffffffffffL
#define INT64_MIN (-0x7fffffffffffffffL - 1)
#define UINT64_MAX 0xffffffffffffffffUL
#define INT32_MAX 0x7fffffff
#define INT32_MIN (-0x7fffffff - 1)
#define UINT32_MAX 0xffffffffU
#define W_FUNCTION static inline
#define W_CONSTANT __constant
#define W_CONSTANT_MEMORY __constant
#define W_GLOBAL __global
#define W_SHARED __local
#define W_SHARED_MEMORY __local
#define W_KERNEL __kernel
#define W_ID ((i64)get_global_id(0))
#define W_IDS ((i64)get_global_size(0))
#define W_GROUP ((i64)get_group_id(0))
#define W_THREAD ((int)get_local_id(0))
#define W_BARRIER barrier(CLK_LOCAL_MEM_FENCE)
#define W_ADD(p, n) atomic_add(p, n)
#define W_FAIL(p, code) atomic_cmpxchg(p, 0, code)
#define W_LOG(x) (63 - (int)clz((u64)(x)))
#define W_BITS64(x) as_ulong(x)
#define W_BITS32(x) as_uint(x)
#define W_F64(x) as_double(x)
#define W_F32(x) as_float(x)
#define W_FMA32(x, y, z) fma(x, y, z)
#define W_SQRT32(x) sqrt(x)
/* Memory of a thread's own: neighbouring threads lie side by side, or each by itself. */
#ifdef W_BY_THREAD
#define W_APART 1
#define W_OWN(p, at, all) (p + W_ID * (all) + (at))
#else
#define W_APART W_IDS
#define W_OWN(p, at, all) (p + (at) * W_IDS + W_ID)
#endif
