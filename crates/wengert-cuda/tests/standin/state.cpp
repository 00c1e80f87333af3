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

}  // namespace
