#!/bin/sh
# wheels.sh FOLDER: puts the pinned CUDA headers, NVRTC and ptxas (requirements.txt) into FOLDER: include/, lib/, bin/.
# Does nothing if they are there. They stay under their own licence: nothing of them is stored in this repository.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
to=$1
pins=$(sha256sum "$here/requirements.txt")
[ "$(cat "$to/pins" 2>/dev/null)" = "$pins" ] && exit 0
rm -rf "$to"
mkdir -p "$to"
python3 -m pip install -q --disable-pip-version-check --root-user-action=ignore --no-deps --only-binary=:all: --require-hashes \
  --target "$to/wheels" -r "$here/requirements.txt"
from=$to/wheels/nvidia
mkdir "$to/include" "$to/lib" "$to/bin"
cp "$from/cuda_runtime/include/cuda.h" "$from/cuda_nvrtc/include/nvrtc.h" "$to/include"
cp "$from"/cuda_nvrtc/lib/libnvrtc.so.12 "$from"/cuda_nvrtc/lib/libnvrtc-builtins.so.* "$to/lib"
cp "$from/cuda_nvcc/bin/ptxas" "$to/bin"
chmod +x "$to/bin/ptxas"
rm -rf "$to/wheels"
printf '%s\n' "$pins" >"$to/pins"
