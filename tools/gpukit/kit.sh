#!/bin/sh
# kit.sh TO GOLDENS...: packs what a Linux machine with an NVIDIA GPU needs to check and measure this program, and nothing
# that it must have beside a driver: TO/gpu-kit.tar.gz with the program (which holds the device code), the goldens of models
# in the folders GOLDENS and gpu-check.sh. Needs CGO_CFLAGS as the Makefile sets it. Fails above 40 MB.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
to=$1
shift
kit=$to/gpu-kit
rm -rf "$kit" "$to/gpu-kit.tar.gz"
mkdir -p "$kit/goldens"
(cd "$here/../.." && ${GO:-go} build -tags cuda -trimpath -ldflags "-s -w" -o "$kit/mmc4" ./cmd/mmc4)
cp "$here/gpu-check.sh" "$here/README.txt" "$kit"
n=0
for from in "$@"; do
  [ -d "$from" ] || continue
  n=$((n + 1))
  cp -r "$from" "$kit/goldens/$n"
done
# One folder, sorted, without the names of this machine: the same tree gives the same bytes.
tar -C "$to" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -cf - gpu-kit | gzip -9n >"$to/gpu-kit.tar.gz"
bytes=$(wc -c <"$to/gpu-kit.tar.gz")
echo "$to/gpu-kit.tar.gz: $bytes bytes, $n folders of goldens"
[ "$bytes" -le 40000000 ] || { echo "more than 40 MB"; exit 1; }
