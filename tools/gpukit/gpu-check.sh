#!/bin/sh
# gpu-check.sh --phase ops|sanitizer|models|speed|build|train|all --budget SECONDS [option of `mmc4 gpu-check` ...]
#
# Checks and measures this program on this machine. Everything is in this folder; the record goes to records/ in the folder
# it is started from, a JSON line a check, written as it goes. What the machine has is found here: the driver, cuBLASLt, a
# Python with torch, compute-sanitizer. Variables that are set already are kept: MMC4_LIBCUDA, MMC4_CUBLASLT, PYTHON,
# SANITIZER.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
first() { for f in "$@"; do [ -e "$f" ] && { echo "$f"; return; }; done; return 0; }

# The loader finds most drivers; containers put them elsewhere.
if [ -z "${MMC4_LIBCUDA:-}" ] && ! /sbin/ldconfig -p 2>/dev/null | grep -q 'libcuda\.so\.1 '; then
  found=$(first /usr/local/nvidia/lib64/libcuda.so.1 /usr/lib/x86_64-linux-gnu/libcuda.so.1 /usr/lib64/libcuda.so.1)
  [ -z "$found" ] || export MMC4_LIBCUDA="$found" LD_LIBRARY_PATH="$(dirname "$found")${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
fi

python=${PYTHON:-}
if [ -z "$python" ]; then
  for p in python3 python /opt/*/bin/python3 /usr/local/bin/python3 "${HOME:-/root}"/*/bin/python3; do
    if command -v "$p" >/dev/null 2>&1 && "$p" -c 'import torch, numpy' >/dev/null 2>&1; then
      python=$(command -v "$p")
      break
    fi
  done
fi

# cuBLASLt: torch's own, of the major version that the driver came with.
if [ -z "${MMC4_CUBLASLT:-}" ] && [ -n "$python" ]; then
  site=$("$python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
  found=$(first "$site"/nvidia/cu13/lib/libcublasLt.so.13 "$site"/nvidia/cublas/lib/libcublasLt.so.1? /usr/local/cuda/lib64/libcublasLt.so.1?)
  [ -z "$found" ] || export MMC4_CUBLASLT="$found"
fi

sanitizer=${SANITIZER:-}
[ -n "$sanitizer" ] || sanitizer=$(command -v compute-sanitizer || first /usr/local/cuda/bin/compute-sanitizer /usr/local/cuda/compute-sanitizer/compute-sanitizer)

name=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null | head -1 | tr 'A-Z' 'a-z' | tr -cs 'a-z0-9' '-' | sed 's/^-*//; s/-*$//')
record=$PWD/records/gpu-${name:-none}-$(date -u +%Y-%m-%d).json
set -- --out "$record" --dir "$PWD/work" --goldens "$here/goldens" "$@"
[ -z "$python" ] || set -- --python "$python" "$@"
[ -z "$sanitizer" ] || set -- --sanitize "$sanitizer" "$@"
echo "record: $record; python: ${python:-none}; cuBLASLt: ${MMC4_CUBLASLT:-as the loader finds it}; compute-sanitizer: ${sanitizer:-none}"
exec "$here/mmc4" gpu-check "$@"
