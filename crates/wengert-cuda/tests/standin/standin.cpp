// A stand-in for the driver of CUDA and for NVRTC, for tests on machines without a GPU.
//
// It exports the functions that the crate uses. NVRTC is the machine's compiler of C++, the code is the name of a shared
// library, and device memory is the heap's, whose contents are junk at first and after it is freed. Nothing runs before
// somebody waits for its stream: so whatever is used without waiting, or freed too early, is found. A file beside the
// library, `NAME.conf`, has lines `key=value` for what the device is and what fails; see `conf`.

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

enum Status {
  SUCCESS = 0,
  INVALID_VALUE = 1,
  OUT_OF_MEMORY = 2,
  NO_DEVICE = 100,
  INVALID_IMAGE = 200,
  INVALID_CONTEXT = 201,
  INVALID_HANDLE = 400,
  NOT_FOUND = 500,
  ILLEGAL_ADDRESS = 700,
};

std::recursive_mutex lock;
#define LOCKED std::lock_guard<std::recursive_mutex> locked(lock)

/// Something that no program may do to a driver.
[[noreturn]] void violated(const char* what) {
  fprintf(stderr, "the stand-in for CUDA: %s\n", what);
  abort();
}

std::string file_of_this() {
  Dl_info info;
  dladdr((void*)&file_of_this, &info);
  return info.dli_fname;
}

/// A number of the configuration.
long conf(const char* key, long otherwise) {
  static std::map<std::string, long> all = [] {
    std::map<std::string, long> all;
    if (FILE* file = fopen((file_of_this() + ".conf").c_str(), "r")) {
      char line[256];
      while (fgets(line, sizeof line, file)) {
        if (char* equals = strchr(line, '=')) all[std::string(line, equals)] = atol(equals + 1);
      }
      fclose(file);
    }
    return all;
  }();
  const auto found = all.find(key);
  return found == all.end() ? otherwise : found->second;
}

struct Place { unsigned x, y, z; };

struct Module {
  void* library;
  Place* places[4];
};

struct Function {
  Module* module;
  void (*run)(void**);
  int args;
};

struct Stream {
  std::deque<std::function<void()>> waiting;
};

int contexts[8];                      // Their addresses are the contexts, their values how often they are retained.
std::map<char*, size_t> memory;       // What is allocated.
size_t used = 0;
std::set<Module*> modules;
std::set<Stream*> streams;
int broken = SUCCESS;                 // Every call fails after a kernel did.
long launches = 0;
thread_local std::vector<void*> current;

/// Runs all that waits in a stream.
int run(Stream* stream) {
  if (!streams.count(stream)) return INVALID_HANDLE;
  while (!stream->waiting.empty()) {
    auto command = stream->waiting.front();
    stream->waiting.pop_front();
    if (broken == SUCCESS) command();
  }
  return broken;
}

int begin() { return broken ? broken : current.empty() ? INVALID_CONTEXT : SUCCESS; }
#define BEGIN LOCKED; if (const int status = begin()) return status

/// Whether bytes are inside of one allocation.
bool inside(unsigned long long at, size_t bytes = 1) {
  auto next = memory.upper_bound((char*)at);
  if (next == memory.begin()) return false;
  --next;
  return (char*)at + bytes <= next->first + next->second;
}

/// Says that a command runs that uses memory.
void needed(unsigned long long at) {
  if (!inside(at)) violated("memory is freed before a command that uses it has run");
}

int allocate(unsigned long long* at, size_t bytes) {
  if (!bytes) return INVALID_VALUE;
  if (used + bytes > (size_t)conf("memory", 1L << 32)) return OUT_OF_MEMORY;
  char* p = (char*)aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (!p) return OUT_OF_MEMORY;
  memset(p, 0xa5, bytes);
  memory[p] = bytes;
  used += bytes;
  *at = (unsigned long long)p;
  return SUCCESS;
}

void release(unsigned long long at) {
  const auto found = memory.find((char*)at);
  if (found == memory.end()) violated("memory is freed that is not there");
  memset(found->first, 0xde, found->second);
  used -= found->second;
  free(found->first);
  memory.erase(found);
}

// Threads of a block. Those that meet at a barrier each have a stack of their own.

struct Fibre {
  ucontext_t at;
  std::vector<char> stack;
  unsigned thread;
};

struct Block {
  const Function* function;
  void** args;
  unsigned next, size;
  ucontext_t scheduler;
  Fibre* running;
  std::vector<Fibre*> waiting;
};

Block block;
std::vector<Fibre*> idle;

void wait_for_others() {
  Fibre* self = block.running;
  self->thread = block.function->module->places[1]->x;
  block.waiting.push_back(self);
  swapcontext(&self->at, &block.scheduler);
  block.function->module->places[1]->x = self->thread;
}

void run_threads() {
  while (block.next < block.size) {
    block.function->module->places[1]->x = block.next++;
    block.function->run(block.args);
  }
  idle.push_back(block.running);
  swapcontext(&block.running->at, &block.scheduler);
}

void resume(Fibre* fibre) {
  block.running = fibre;
  swapcontext(&block.scheduler, &fibre->at);
}

void run_block(const Function& function, void** args, unsigned size) {
  block.function = &function;
  block.args = args;
  block.next = 0;
  block.size = size;
  while (block.next < size || !block.waiting.empty()) {
    if (block.next < size) {
      if (idle.empty()) {
        idle.push_back(new Fibre);
        idle.back()->stack.reserve(1 << 20);
      }
      Fibre* fibre = idle.back();
      idle.pop_back();
      getcontext(&fibre->at);
      fibre->at.uc_stack.ss_sp = fibre->stack.data();
      fibre->at.uc_stack.ss_size = 1 << 20;
      fibre->at.uc_link = nullptr;
      makecontext(&fibre->at, run_threads, 0);
      resume(fibre);
      continue;
    }
    // All that are left wait at the barrier.
    std::vector<Fibre*> all;
    all.swap(block.waiting);
    for (Fibre* fibre : all) resume(fibre);
  }
}

void run_kernel(const Function& function, std::vector<unsigned long long> values, unsigned blocks, unsigned size) {
  Module* module = function.module;
  if (!modules.count(module)) violated("a kernel runs whose module is unloaded");
  std::vector<void*> args;
  for (auto& value : values) args.push_back(&value);
  *module->places[2] = {size, 1, 1};
  *module->places[3] = {blocks, 1, 1};
  for (unsigned i = 0; i < blocks; i++) {
    *module->places[0] = {i, 0, 0};
    *module->places[1] = {0, 0, 0};
    run_block(function, args.data(), size);
  }
}

}  // namespace

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

// NVRTC.

namespace {

struct Program {
  std::string source, log, code;
};

std::string text_of(const std::string& path) {
  std::string text;
  if (FILE* file = fopen(path.c_str(), "r")) {
    char part[4096];
    while (const size_t n = fread(part, 1, sizeof part, file)) text.append(part, n);
    fclose(file);
  }
  return text;
}

/// What calls each kernel of a source.
std::string entries(const std::string& source) {
  const std::string begin = "W_KERNEL void ";
  std::string text;
  for (size_t at = source.find(begin); at != std::string::npos; at = source.find(begin, at + 1)) {
    const size_t from = at + begin.size();
    const std::string name = source.substr(from, source.find('(', from) - from);
    text += "extern \"C\" void standin_run_" + name + "(void** p) { standin_call(" + name + ", p); }\n";
    text += "extern \"C\" const int standin_args_" + name + " = standin_count(" + name + ");\n";
  }
  return text;
}

}  // namespace

EXPORT int nvrtcVersion(int* major, int* minor) {
  *major = 12;
  *minor = 4;
  return 0;
}

EXPORT const char* nvrtcGetErrorString(int status) {
  return status == 5 ? "NVRTC_ERROR_INVALID_OPTION" : status == 6 ? "NVRTC_ERROR_COMPILATION" : "NVRTC_ERROR";
}

EXPORT int nvrtcGetNumSupportedArchs(int* n) {
  *n = 3;
  return 0;
}

EXPORT int nvrtcGetSupportedArchs(int* all) {
  all[0] = 50;
  all[1] = 80;
  all[2] = 90;
  return 0;
}

EXPORT int nvrtcCreateProgram(void** program, const char* source, const char*, int, const char* const*,
                              const char* const*) {
  *program = new Program{source, "", ""};
  return 0;
}

EXPORT int nvrtcDestroyProgram(void** program) {
  delete (Program*)*program;
  *program = nullptr;
  return 0;
}

EXPORT int nvrtcCompileProgram(void* program, int n, const char* const* options) {
  static int made = 0;
  Program& p = *(Program*)program;
  std::set<std::string> given(options, options + n);
  const long capability = conf("capability", 90);
  const std::string target = capability == 90   ? "--gpu-architecture=sm_90"
                             : capability == 80 ? "--gpu-architecture=sm_80"
                             : capability > 80  ? "--gpu-architecture=compute_80"
                                                : "--gpu-architecture=compute_50";
  for (const char* option : {"--fmad=false", "--ftz=false", "--prec-div=true", "--prec-sqrt=true", target.c_str()}) {
    if (!given.erase(option)) p.log += std::string("the option is missing: ") + option + "\n";
  }
  for (const std::string& option : given) p.log += "an option that is not known: " + option + "\n";
  if (!p.log.empty()) return 5;
  if (conf("refuses", 0)) {
    p.log = "kernels.cu(7): error: it is refused\n";
    return 6;
  }
  const std::string self = file_of_this(), folder = self.substr(0, self.rfind('/') + 1);
  std::string base;
  {
    LOCKED;
    base = self + "." + std::to_string(getpid()) + "." + std::to_string(made++);
  }
  FILE* file = fopen((base + ".cpp").c_str(), "w");
  if (!file) return 1;
  fprintf(file, "#include \"%sshim.h\"\n#line 1 \"kernels.cu\"\n%s\n%s", folder.c_str(), p.source.c_str(),
          entries(p.source).c_str());
  fclose(file);
  const std::string command = "c++ -x c++ -std=c++17 -O" + std::to_string(conf("optimise", 0)) +
                              " -w -fPIC -shared -ffp-contract=off -o '" + base + ".so' '" + base + ".cpp' 2> '" +
                              base + ".log'";
  const int status = system(command.c_str());
  p.log = text_of(base + ".log");
  unlink((base + ".log").c_str());
  if (!getenv("WENGERT_CUDA_KEEP")) unlink((base + ".cpp").c_str());
  p.code = "standin:" + base + ".so";
  return status ? 6 : 0;
}

EXPORT int nvrtcGetProgramLogSize(void* program, size_t* n) {
  *n = ((Program*)program)->log.size() + 1;
  return 0;
}

EXPORT int nvrtcGetProgramLog(void* program, char* to) {
  strcpy(to, ((Program*)program)->log.c_str());
  return 0;
}

EXPORT int nvrtcGetCUBINSize(void* program, size_t* n) {
  // There is machine code of architectures alone that were asked for by their own names.
  const long capability = conf("capability", 90);
  *n = capability == 90 || capability == 80 ? ((Program*)program)->code.size() : 0;
  return 0;
}

EXPORT int nvrtcGetCUBIN(void* program, char* to) {
  memcpy(to, ((Program*)program)->code.data(), ((Program*)program)->code.size());
  return 0;
}

EXPORT int nvrtcGetPTXSize(void* program, size_t* n) {
  *n = ((Program*)program)->code.size() + 1;
  return 0;
}

EXPORT int nvrtcGetPTX(void* program, char* to) {
  strcpy(to, ((Program*)program)->code.c_str());
  return 0;
}
