// What CUDA C++ has beside C++, for a compiler of C++: threads of a block are run one after the other.
#include <cmath>
#include <cstddef>
#include <utility>
#define __device__
#define __global__
#define __shared__ static
#define __noinline__
struct Place { unsigned x, y, z; };
static Place blockIdx, blockDim, threadIdx, gridDim;
static void (*standin_wait)();
extern "C" void standin_bind(Place** places, void (*wait)()) {
  places[0] = &blockIdx;
  places[1] = &threadIdx;
  places[2] = &blockDim;
  places[3] = &gridDim;
  standin_wait = wait;
}
static void __syncthreads() { standin_wait(); }
template <typename T> static T atomicAdd(T* p, T n) {
  const T old = *p;
  *p = old + n;
  return old;
}
static int atomicCAS(int* p, int expected, int n) {
  const int old = *p;
  if (old == expected) *p = n;
  return old;
}
template <typename To, typename From> static To standin_bits(From x) {
  static_assert(sizeof(To) == sizeof(From), "the same bits");
  To y;
  __builtin_memcpy(&y, &x, sizeof(y));
  return y;
}
static int __clzll(long long x) { return x ? __builtin_clzll((unsigned long long)x) : 64; }
static long long __double_as_longlong(double x) { return standin_bits<long long>(x); }
static unsigned __float_as_uint(float x) { return standin_bits<unsigned>(x); }
static double __longlong_as_double(long long x) { return standin_bits<double>(x); }
static float __uint_as_float(unsigned x) { return standin_bits<float>(x); }
static float __fsqrt_rn(float x) { return sqrtf(x); }
// A kernel of any parameters as a function of places of their values.
template <typename... A, size_t... I>
static void standin_spread(void (*kernel)(A...), void** args, std::index_sequence<I...>) {
  kernel(*(A*)args[I]...);
}
template <typename... A> static void standin_call(void (*kernel)(A...), void** args) {
  standin_spread(kernel, args, std::make_index_sequence<sizeof...(A)>());
}
template <typename... A> static constexpr int standin_count(void (*)(A...)) { return sizeof...(A); }
