#!/bin/sh
# wheels.sh FOLDER: puts the pinned CUDA headers, NVRTC, ptxas and nvdisasm (requirements.txt) into FOLDER: include/, lib/,
# bin/, and the headers of CUDA 13.0 into include13/. Does nothing if they are there. They stay under their own licence: nothing of them is stored in this repository.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
to=$1
pins=$(sha256sum "$here/requirements.txt")
[ "$(cat "$to/pins" 2>/dev/null)" = "$pins" ] && exit 0
new=$to.new # the folder changes at once: somebody may be compiling
rm -rf "$new"
mkdir -p "$new"
python3 -m pip install -q --disable-pip-version-check --root-user-action=ignore --no-deps --only-binary=:all: --require-hashes \
  --target "$new/wheels" -r "$here/requirements.txt"
from=$new/wheels/nvidia
mkdir "$new/include" "$new/include13" "$new/lib" "$new/bin"
cp "$from/cuda_runtime/include/cuda.h" "$from/cuda_nvrtc/include/nvrtc.h" "$new/include"
cp "$from/cu13/include/cuda.h" "$new/include13"
cp "$from"/cuda_nvrtc/lib/libnvrtc.so.12 "$from"/cuda_nvrtc/lib/libnvrtc-builtins.so.* "$new/lib"
cp "$from/cuda_nvcc/bin/ptxas" "$from/cu13/bin/nvdisasm" "$new/bin"
chmod +x "$new"/bin/*
rm -rf "$new/wheels"
printf '%s\n' "$pins" >"$new/pins"
rm -rf "$to"
mv "$new" "$to"
