#!/bin/sh
# stub.sh CUDA TO [SOURCES]: builds the stub driver TO/libcuda.so.1, a stub of cuBLASLt TO/libcublasLt.so.12 that works with
# it and, from the .cu files in SOURCES, the kernels TO/kernels/*.so that it runs. CUDA is what wheels.sh made. Only what is older than its sources is built.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cuda=$1 to=$2 sources=${3:-$here/../../kernels/cuda/src}
flags="-std=c++17 -O2 -fPIC -shared -Wall -Wextra -Werror -ffp-contract=off -fno-strict-aliasing -I$here/stub"
mkdir -p "$to/kernels"
newer() { [ ! -e "$1" ] || [ -n "$(find "$2" "$here/stub" -newer "$1" \( -name '*.cu*' -o -name '*.h' -o -name '*.cpp' \) 2>/dev/null | head -1)" ]; }
if newer "$to/libcuda.so.1" "$here/stub"; then
  g++ $flags -I"$cuda/include" -Wl,-soname,libcuda.so.1 "$here/stub/fibers.cpp" "$here/stub/driver.cpp" "$here/stub/graphs.cpp" "$here/stub/trace.cpp" -o "$to/libcuda.so.1" -ldl
  g++ $flags -Wl,-soname,libcublasLt.so.12 "$here/stub/lt.cpp" "$to/libcuda.so.1" -o "$to/libcublasLt.so.12"
fi
for file in "$sources"/*.cu; do
  so=$to/kernels/$(basename "$file" .cu).so
  newer "$so" "$file" || newer "$so" "$sources/include" || continue
  g++ $flags -Wno-unknown-pragmas -x c++ "$file" -x none "$to/libcuda.so.1" -o "$so"
done
