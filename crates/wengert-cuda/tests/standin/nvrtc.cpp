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
  int number;
  {
    LOCKED;
    number = made++;
  }
  if (number >= conf("accepts", 1L << 30)) {
    p.log = "kernels.cu(7): error: it is refused\n";
    return 6;
  }
  const std::string self = file_of_this(), folder = self.substr(0, self.rfind('/') + 1);
  const std::string base = self + "." + std::to_string(getpid()) + "." + std::to_string(number);
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
