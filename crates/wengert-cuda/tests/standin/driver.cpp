// The driver.

EXPORT int cuInit(unsigned) { return (int)conf("init", SUCCESS); }

EXPORT int cuDriverGetVersion(int* version) {
  *version = (int)conf("version", 12040);
  return SUCCESS;
}

EXPORT int cuGetErrorName(int status, const char** name) {
  switch (status) {
    case INVALID_VALUE: *name = "CUDA_ERROR_INVALID_VALUE"; return SUCCESS;
    case OUT_OF_MEMORY: *name = "CUDA_ERROR_OUT_OF_MEMORY"; return SUCCESS;
    case INVALID_CONTEXT: *name = "CUDA_ERROR_INVALID_CONTEXT"; return SUCCESS;
    case NOT_FOUND: *name = "CUDA_ERROR_NOT_FOUND"; return SUCCESS;
    case ILLEGAL_ADDRESS: *name = "CUDA_ERROR_ILLEGAL_ADDRESS"; return SUCCESS;
  }
  *name = nullptr;
  return INVALID_VALUE;
}

EXPORT int cuGetErrorString(int status, const char** text) {
  *text = status == ILLEGAL_ADDRESS ? "an illegal memory access was encountered" : nullptr;
  return *text ? SUCCESS : INVALID_VALUE;
}

EXPORT int cuDeviceGetCount(int* n) {
  *n = (int)conf("devices", 1);
  return SUCCESS;
}

EXPORT int cuDeviceGet(int* device, int number) {
  if (number < 0 || number >= conf("devices", 1)) return INVALID_VALUE;
  *device = number;
  return SUCCESS;
}

EXPORT int cuDeviceGetName(char* name, int size, int) {
  snprintf(name, size, "Stand-in");
  return SUCCESS;
}

EXPORT int cuDeviceTotalMem_v2(size_t* bytes, int) {
  *bytes = (size_t)conf("memory", 1L << 32);
  return SUCCESS;
}

EXPORT int cuDeviceGetAttribute(int* value, int what, int) {
  switch (what) {
    case 5: *value = (int)conf("blocks", 2147483647); return SUCCESS;
    case 75: *value = (int)conf("capability", 90) / 10; return SUCCESS;
    case 76: *value = (int)conf("capability", 90) % 10; return SUCCESS;
    case 115: *value = (int)conf("pools", 1); return SUCCESS;
  }
  return INVALID_VALUE;
}

EXPORT int cuDevicePrimaryCtxRetain(void** context, int device) {
  LOCKED;
  contexts[device]++;
  *context = &contexts[device];
  return SUCCESS;
}

EXPORT int cuDevicePrimaryCtxRelease_v2(int device) {
  LOCKED;
  if (--contexts[device] < 0) violated("a context is released that is not retained");
  return SUCCESS;
}

EXPORT int cuCtxPushCurrent_v2(void* context) {
  LOCKED;
  const int* p = (const int*)context;
  if (p < contexts || p >= contexts + 8 || !*p) return INVALID_CONTEXT;
  current.push_back(context);
  if (current.size() > 8) violated("a thread is left in a context that it was not in");
  return SUCCESS;
}

EXPORT int cuCtxPopCurrent_v2(void** context) {
  if (current.empty()) return INVALID_CONTEXT;
  *context = current.back();
  current.pop_back();
  return SUCCESS;
}

EXPORT int cuStreamCreate(void** stream, unsigned) {
  BEGIN;
  Stream* made = new Stream;
  streams.insert(made);
  *stream = made;
  return SUCCESS;
}

EXPORT int cuStreamSynchronize(void* stream) {
  BEGIN;
  return run((Stream*)stream);
}

EXPORT int cuStreamDestroy_v2(void* stream) {
  BEGIN;
  const int status = run((Stream*)stream);
  streams.erase((Stream*)stream);
  delete (Stream*)stream;
  return status;
}

EXPORT int cuMemAlloc_v2(unsigned long long* at, size_t bytes) {
  BEGIN;
  return allocate(at, bytes);
}

EXPORT int cuMemFree_v2(unsigned long long at) {
  BEGIN;
  release(at);
  return SUCCESS;
}

EXPORT int cuMemcpyHtoDAsync_v2(unsigned long long to, const void* from, size_t bytes, void* stream) {
  BEGIN;
  if (!inside(to, bytes) || !streams.count((Stream*)stream)) return INVALID_VALUE;
  ((Stream*)stream)->waiting.push_back([=] {
    needed(to);
    memcpy((void*)to, from, bytes);
  });
  return SUCCESS;
}

EXPORT int cuMemcpyDtoHAsync_v2(void* to, unsigned long long from, size_t bytes, void* stream) {
  BEGIN;
  if (!inside(from, bytes) || !streams.count((Stream*)stream)) return INVALID_VALUE;
  ((Stream*)stream)->waiting.push_back([=] {
    needed(from);
    memcpy(to, (const void*)from, bytes);
  });
  return SUCCESS;
}

EXPORT int cuMemsetD32Async(unsigned long long to, unsigned word, size_t words, void* stream) {
  BEGIN;
  if (!inside(to, 4 * words) || !streams.count((Stream*)stream)) return INVALID_VALUE;
  ((Stream*)stream)->waiting.push_back([=] {
    needed(to);
    for (size_t i = 0; i < words; i++) ((unsigned*)to)[i] = word;
  });
  return SUCCESS;
}

EXPORT int cuMemPoolCreate(void** pool, const void* properties) {
  BEGIN;
  const int* words = (const int*)properties;
  // Pinned memory of the device, for this process alone.
  if (words[0] != 1 || words[1] != 0 || words[2] != 1 || words[3] < 0 || words[3] >= conf("devices", 1)) {
    return INVALID_VALUE;
  }
  *pool = new size_t(0);
  return SUCCESS;
}

EXPORT int cuMemPoolDestroy(void* pool) {
  BEGIN;
  delete (size_t*)pool;
  return SUCCESS;
}

EXPORT int cuMemPoolSetAttribute(void* pool, int what, void* value) {
  BEGIN;
  if (what != 4) return INVALID_VALUE;
  *(size_t*)pool = *(size_t*)value;
  return SUCCESS;
}

EXPORT int cuMemPoolTrimTo(void*, size_t) {
  BEGIN;
  return SUCCESS;
}

EXPORT int cuMemAllocFromPoolAsync(unsigned long long* at, size_t bytes, void* pool, void* stream) {
  BEGIN;
  if (!pool || !streams.count((Stream*)stream)) return INVALID_VALUE;
  return allocate(at, bytes);
}

EXPORT int cuMemFreeAsync(unsigned long long at, void* stream) {
  BEGIN;
  if (!inside(at) || !streams.count((Stream*)stream)) return INVALID_VALUE;
  ((Stream*)stream)->waiting.push_back([=] { release(at); });
  return SUCCESS;
}

EXPORT int cuModuleLoadData(void** module, const void* code) {
  BEGIN;
  if (strncmp((const char*)code, "standin:", 8) != 0) return INVALID_IMAGE;
  const std::string path = (const char*)code + 8;
  Module* made = new Module;
  made->library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  unlink(path.c_str());
  if (!made->library) {
    fprintf(stderr, "%s\n", dlerror());
    delete made;
    return INVALID_IMAGE;
  }
  auto bind = (void (*)(Place**, void (*)()))dlsym(made->library, "standin_bind");
  bind(made->places, wait_for_others);
  modules.insert(made);
  *module = made;
  return SUCCESS;
}

EXPORT int cuModuleUnload(void* module) {
  BEGIN;
  if (!modules.erase((Module*)module)) return INVALID_HANDLE;
  dlclose(((Module*)module)->library);
  return SUCCESS;
}

EXPORT int cuModuleGetFunction(void** function, void* module, const char* name) {
  BEGIN;
  Module* of = (Module*)module;
  if (!modules.count(of)) return INVALID_HANDLE;
  void* run = dlsym(of->library, (std::string("standin_run_") + name).c_str());
  void* args = dlsym(of->library, (std::string("standin_args_") + name).c_str());
  if (!run || !args) return NOT_FOUND;
  *function = new Function{of, (void (*)(void**))run, *(int*)args};
  return SUCCESS;
}

EXPORT int cuLaunchKernel(void* function, unsigned x, unsigned y, unsigned z, unsigned size, unsigned size_y,
                          unsigned size_z, unsigned shared, void* stream, void** args, void** extra) {
  BEGIN;
  const Function of = *(Function*)function;
  if (x < 1 || x > conf("blocks", 2147483647) || y != 1 || z != 1) return INVALID_VALUE;
  if (size < 1 || size > 1024 || size_y != 1 || size_z != 1 || shared || extra) return INVALID_VALUE;
  if (!streams.count((Stream*)stream)) return INVALID_HANDLE;
  // Arguments are copied, whatever their sizes: each has a place of eight bytes.
  std::vector<unsigned long long> values, pointers;
  for (int i = 0; i < of.args; i++) {
    values.push_back(*(unsigned long long*)args[i]);
    if (inside(values.back())) pointers.push_back(values.back());
  }
  const bool fails = ++launches == conf("fails", 0);
  ((Stream*)stream)->waiting.push_back([=] {
    for (const auto pointer : pointers) needed(pointer);
    if (fails) broken = ILLEGAL_ADDRESS;
    else run_kernel(of, values, x, size);
  });
  return SUCCESS;
}
