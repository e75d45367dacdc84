#!/bin/sh
# budget.sh CUDA: a line a kernel and architecture, from the committed PTX: registers a thread and static shared memory a
# block, as ptxas assigns them. Stops if ptxas refuses the PTX, or a kernel spills or needs a stack.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for arch in sm_80 sm_90; do
  "$1/bin/ptxas" -v -arch=$arch -o /dev/null "$here/../../kernels/cuda/image/compute_80.ptx" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
  awk -v arch=$arch '
    /Compiling entry function/ {split($0, part, "\047"); name = part[2]}
    /bytes stack frame/ && !/ 0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads/ {print name, arch, $0 >"/dev/stderr"; bad = 1}
    /Used [0-9]+ registers/ {
      match($0, /Used [0-9]+ registers/); registers = substr($0, RSTART + 5, RLENGTH - 15)
      shared = match($0, /[0-9]+ bytes smem/) ? substr($0, RSTART, RLENGTH - 11) : 0
      print name, arch, registers, shared
    }
    END {exit bad}' "$work/log" >>"$work/all"
done
LC_ALL=C sort "$work/all"
