// Compares the types and numbers that this crate uses of the driver and NVRTC with those of their headers:
//
//     c++ -fsyntax-only -std=c++17 -I CUDA/include crates/wengert-cuda/tools/signatures.cpp
//
// The headers come with the CUDA toolkit, or by `pip install nvidia-cuda-runtime-cu12 nvidia-cuda-nvrtc-cu12`. Those of
// CUDA 12.9 agree.
#include <cuda.h>
#include <nvrtc.h>

#include <cstddef>
#include <type_traits>

#define SAME(f, ...) static_assert(std::is_same<decltype(&f), __VA_ARGS__>::value, #f)
typedef CUresult R;
typedef nvrtcResult N;

SAME(cuInit, R (*)(unsigned));
SAME(cuDriverGetVersion, R (*)(int*));
SAME(cuGetErrorName, R (*)(CUresult, const char**));
SAME(cuGetErrorString, R (*)(CUresult, const char**));
SAME(cuDeviceGetCount, R (*)(int*));
SAME(cuDeviceGet, R (*)(int*, int));
SAME(cuDeviceGetName, R (*)(char*, int, int));
SAME(cuDeviceTotalMem_v2, R (*)(size_t*, int));
SAME(cuDeviceGetAttribute, R (*)(int*, CUdevice_attribute, int));
SAME(cuDevicePrimaryCtxRetain, R (*)(CUcontext*, int));
SAME(cuDevicePrimaryCtxRelease_v2, R (*)(int));
SAME(cuCtxPushCurrent_v2, R (*)(CUcontext));
SAME(cuCtxPopCurrent_v2, R (*)(CUcontext*));
SAME(cuStreamCreate, R (*)(CUstream*, unsigned));
SAME(cuStreamDestroy_v2, R (*)(CUstream));
SAME(cuStreamSynchronize, R (*)(CUstream));
SAME(cuMemAlloc_v2, R (*)(unsigned long long*, size_t));
SAME(cuMemFree_v2, R (*)(unsigned long long));
SAME(cuMemcpyHtoDAsync_v2, R (*)(unsigned long long, const void*, size_t, CUstream));
SAME(cuMemcpyDtoHAsync_v2, R (*)(void*, unsigned long long, size_t, CUstream));
SAME(cuMemsetD32Async, R (*)(unsigned long long, unsigned, size_t, CUstream));
SAME(cuModuleLoadData, R (*)(CUmodule*, const void*));
SAME(cuModuleUnload, R (*)(CUmodule));
SAME(cuModuleGetFunction, R (*)(CUfunction*, CUmodule, const char*));
SAME(cuLaunchKernel, R (*)(CUfunction, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, CUstream, void**, void**));
SAME(cuMemPoolCreate, R (*)(CUmemoryPool*, const CUmemPoolProps*));
SAME(cuMemPoolDestroy, R (*)(CUmemoryPool));
SAME(cuMemPoolSetAttribute, R (*)(CUmemoryPool, CUmemPool_attribute, void*));
SAME(cuMemPoolTrimTo, R (*)(CUmemoryPool, size_t));
SAME(cuMemAllocFromPoolAsync, R (*)(unsigned long long*, size_t, CUmemoryPool, CUstream));
SAME(cuMemFreeAsync, R (*)(unsigned long long, CUstream));
static_assert(sizeof(CUmemPoolProps) == 88, "");
static_assert(offsetof(CUmemPoolProps, location) == 8, "");
static_assert(offsetof(CUmemPoolProps, win32SecurityAttributes) == 16, "");
static_assert(offsetof(CUmemPoolProps, maxSize) == 24, "");
static_assert(sizeof(R) == 4, "");
static_assert(sizeof(N) == 4, "");
static_assert(CU_MEM_ALLOCATION_TYPE_PINNED == 1, "");
static_assert(CU_MEM_HANDLE_TYPE_NONE == 0, "");
static_assert(CU_MEM_LOCATION_TYPE_DEVICE == 1, "");
static_assert(CU_MEMPOOL_ATTR_RELEASE_THRESHOLD == 4, "");
static_assert(CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X == 5, "");
static_assert(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR == 75, "");
static_assert(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR == 76, "");
static_assert(CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED == 115, "");
static_assert(CU_STREAM_NON_BLOCKING == 1, "");
static_assert(CUDA_ERROR_NO_DEVICE == 100, "");
SAME(nvrtcVersion, N (*)(int*, int*));
SAME(nvrtcGetErrorString, const char* (*)(N));
SAME(nvrtcGetNumSupportedArchs, N (*)(int*));
SAME(nvrtcGetSupportedArchs, N (*)(int*));
SAME(nvrtcCreateProgram, N (*)(nvrtcProgram*, const char*, const char*, int, const char*const*, const char*const*));
SAME(nvrtcDestroyProgram, N (*)(nvrtcProgram*));
SAME(nvrtcCompileProgram, N (*)(nvrtcProgram, int, const char*const*));
SAME(nvrtcGetProgramLogSize, N (*)(nvrtcProgram, size_t*));
SAME(nvrtcGetProgramLog, N (*)(nvrtcProgram, char*));
SAME(nvrtcGetCUBINSize, N (*)(nvrtcProgram, size_t*));
SAME(nvrtcGetCUBIN, N (*)(nvrtcProgram, char*));
SAME(nvrtcGetPTXSize, N (*)(nvrtcProgram, size_t*));
SAME(nvrtcGetPTX, N (*)(nvrtcProgram, char*));
