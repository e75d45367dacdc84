#!/bin/sh
# symbols.sh: writes kernels/cuda/driver/symbols.h to stdout: the driver functions that gorgonia.org/cu and
# kernels/cuda/driver call. Taken from the compiled packages, because cuda.h gives many functions another name (_v2).
# Needs CGO_CFLAGS as the Makefile sets it.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for package in gorgonia.org/cu mmc4/kernels/cuda/driver; do
  mkdir "$work/objects"
  archive=$(go list -tags cuda -export -f '{{.Export}}' $package)
  (cd "$work/objects" && go tool pack x "$archive" && rm -f _go_.o && nm -u ./*.o) | awk 'NF == 2 {print $2}' >>"$work/calls"
  rm -r "$work/objects"
done
echo "// The driver functions that are called. Written by tools/cuda/symbols.sh."
# Three are C functions of cu itself.
grep -E '^cu[A-Z]' "$work/calls" | grep -vE '^cu(AllocAndCopy|DeviceGetAttributes|LaunchAndSync)$' | sort -u | sed 's/.*/X(&)/'
