"""nvrtc.py CUDA TO [SOURCES]: compiles kernels/cuda/src/*.cu, as one program, into TO/sm_80.cubin, TO/sm_90.cubin and
TO/compute_80.ptx, with the NVRTC that wheels.sh put into CUDA. No GPU and no driver is needed. Equal sources give equal
bytes. Of other SOURCES (mutants.sh) only TO/sm_80.cubin is made.
"""

import ctypes
import pathlib
import re
import sys

SOURCES = pathlib.Path(__file__).resolve().parents[2] / "kernels" / "cuda" / "src"

# The PTX is for chips that no cubin is for, whose drivers all read version 8.3; the compiler writes its own, but uses
# nothing newer.
PTX_VERSION = b".version 8.3"


def main() -> None:
    cuda, to, others = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]
    sources = pathlib.Path(others[0]) if others else SOURCES
    nvrtc = ctypes.CDLL(str(cuda / "lib" / "libnvrtc.so.12"))
    to.mkdir(parents=True, exist_ok=True)
    names = sorted(path.name for path in sources.glob("*.cu"))
    program = "".join(f'#include "{name}"\n' for name in names).encode()
    for arch in ("sm_80",) if others else ("sm_80", "sm_90"):
        (to / f"{arch}.cubin").write_bytes(compile_for(nvrtc, program, sources, arch, "CUBIN"))
    if others:
        return
    ptx = compile_for(nvrtc, program, sources, "compute_80", "PTX").rstrip(b"\0")
    ptx, found = re.subn(rb"^\.version \d+\.\d+", PTX_VERSION, ptx, count=1, flags=re.MULTILINE)
    if found != 1:
        sys.exit("nvrtc.py: the PTX names no version")
    (to / "compute_80.ptx").write_bytes(ptx)


def compile_for(nvrtc: ctypes.CDLL, program: bytes, sources: pathlib.Path, arch: str, kind: str) -> bytes:
    handle = ctypes.c_void_p()
    check(nvrtc.nvrtcCreateProgram(ctypes.byref(handle), program, b"kernels.cu", 0, None, None))
    options = [f"--gpu-architecture={arch}".encode(), b"--std=c++17", f"-I{sources}".encode()]
    result = nvrtc.nvrtcCompileProgram(handle, len(options), (ctypes.c_char_p * len(options))(*options))
    log = fetch(nvrtc, handle, "ProgramLog").rstrip(b"\0").decode()
    if result != 0 or log.strip():  # a warning is an error
        sys.exit(f"nvrtc.py: {arch}\n{log}")
    return fetch(nvrtc, handle, kind)


def fetch(nvrtc: ctypes.CDLL, handle: ctypes.c_void_p, what: str) -> bytes:
    size = ctypes.c_size_t()
    check(getattr(nvrtc, f"nvrtcGet{what}Size")(handle, ctypes.byref(size)))
    buffer = ctypes.create_string_buffer(size.value)
    check(getattr(nvrtc, f"nvrtcGet{what}")(handle, buffer))
    return buffer.raw


def check(result: int) -> None:
    if result != 0:
        sys.exit(f"nvrtc.py: NVRTC answers {result}")


main()
