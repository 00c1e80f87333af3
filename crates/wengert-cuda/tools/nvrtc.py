"""Compiles texts of CUDA by NVRTC for two architectures with the options of the runtime, looks for instructions that would
change bits and for kernels that are missing, and prints registers and spills where ptxas is found.

    pip install nvidia-cuda-nvrtc-cu12 nvidia-cuda-nvcc-cu12
    WENGERT_CUDA_TEXTS=/tmp/cuda cargo test --workspace --test cuda -- texts
    python crates/wengert-cuda/tools/nvrtc.py /tmp/cuda

Without the library it says so and does nothing. No GPU is needed.
"""

import ctypes
import glob
import os
import re
import subprocess
import sys
import tempfile
import time


# The options of `src/nvrtc.rs`.
EXACT = [b"--fmad=false", b"--ftz=false", b"--prec-div=true", b"--prec-sqrt=true"]

# Instructions that do not round once to nearest, or flush subnormal numbers to zero.
INEXACT = re.compile(r"\b\w+(?:\.\w+)*\.(?:ftz|approx|full)(?:\.\w+)*\b")


def found(pattern):
    """The first file of that name in the packages of this Python."""
    for folder in sys.path:
        files = glob.glob(os.path.join(folder, "nvidia", "*", pattern))
        if files:
            return files[0]
    return None


def compiled(nvrtc, text, architecture):
    """The PTX of a text, or what the compiler said."""
    program = ctypes.c_void_p()
    source = text.encode()
    nvrtc.nvrtcCreateProgram(ctypes.byref(program), source, b"kernels.cu", 0, None, None)
    flags = [f"--gpu-architecture=compute_{architecture}".encode(), *EXACT]
    status = nvrtc.nvrtcCompileProgram(program, len(flags), (ctypes.c_char_p * len(flags))(*flags))
    size = ctypes.c_size_t()
    nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    nvrtc.nvrtcGetProgramLog(program, log)
    if status:
        return None, log.value.decode()
    nvrtc.nvrtcGetPTXSize(program, ctypes.byref(size))
    ptx = ctypes.create_string_buffer(size.value)
    nvrtc.nvrtcGetPTX(program, ptx)
    nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    return ptx.value, log.value.decode()


def usage(ptxas, ptx, architecture):
    """What ptxas says of the kernels: registers, stack and spills."""
    with tempfile.NamedTemporaryFile(suffix=".ptx") as file:
        file.write(ptx)
        file.flush()
        run = [ptxas, "-v", f"-arch=sm_{architecture}", file.name, "-o", os.devnull]
        said = subprocess.run(run, capture_output=True, text=True)
    if said.returncode:
        return [f"ptxas failed: {said.stderr}"]
    kernels = re.findall(r"Compiling entry function '(\w+)'", said.stderr)
    spills = re.findall(r"(\d+) bytes stack frame, (\d+) bytes spill stores", said.stderr)
    registers = re.findall(r"Used (\d+) registers", said.stderr)
    # Functions that are called have a stack of their own; those of kernels come first.
    rows = zip(kernels, registers, spills)
    return [f"{k}: {r} registers, {stack} bytes of stack, {spill} spilled" for k, r, (stack, spill) in rows]


def main():
    library = found("lib/libnvrtc.so.*")
    if library is None:
        print("NVRTC is not installed: nothing was compiled")
        return 0
    nvrtc, ptxas = ctypes.CDLL(library), found("bin/ptxas")
    wrong = 0
    for path in sorted(glob.glob(os.path.join(sys.argv[1], "*.cu"))):
        text, name = open(path).read(), os.path.basename(path)
        for architecture in (80, 90):
            start = time.time()
            ptx, log = compiled(nvrtc, text, architecture)
            if ptx is None:
                print(f"{name}, sm_{architecture}: {log[:2000]}")
                wrong += 1
                continue
            print(f"{name}, sm_{architecture}: {len(ptx)} bytes of PTX in {time.time() - start:.2f} s")
            said = ptx.decode(errors="replace")
            inexact = sorted(set(INEXACT.findall(said)))
            kernels = re.findall(r"W_KERNEL void (\w+)\(", text)
            missing = [k for k in kernels if f".entry {k}(" not in said]
            if inexact or missing:
                print(f"    inexact instructions: {inexact}, missing kernels: {missing}")
                wrong += 1
            if ptxas and not name.startswith(("operations", "functions", "files", "programs")):
                for line in usage(ptxas, ptx.rstrip(b"\0"), architecture):
                    print(f"    {line}")
    print(f"{wrong} of the compilations are wrong")
    return wrong != 0


if __name__ == "__main__":
    sys.exit(main())
