#!/bin/sh
# check.sh CUDA STUB: what can be known of the CUDA device without a GPU. CUDA is what wheels.sh made, STUB is where the
# stub driver is built. A line a check with its time; the first that fails ends it.
#
#   trampolines  symbols.h lists the driver functions that are called
#   start        without a driver there is no device, and the error speaks of the driver
#   ops          every op against ref on the stub driver, in three orders of threads
#   faults       a device that is lost in the middle of work gives that error
#   images       the committed PTX and machine code are what NVRTC makes of the sources
#   budget       ptxas: nothing spilled, no stack, registers and shared memory as in budget.txt
#   mutants      planted errors, each of which must show
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cuda=$1 stub=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$here/../.."

begin=$(date +%s)
passed() {
  now=$(date +%s)
  printf 'ok  %-12s %4d s  %s\n' "$1" $((now - begin)) "$2"
  begin=$now
}

tools/cuda/symbols.sh | cmp - kernels/cuda/driver/symbols.h || { echo "run: make kernels"; exit 1; }
passed trampolines "$(grep -c '^X(' kernels/cuda/driver/symbols.h) driver functions"

MMC4_LIBCUDA=$work/none go test -tags cuda ./kernels/device ./kernels/cuda/driver >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
passed start "no driver, no device, a clear error"

tools/cuda/stub.sh "$cuda" "$stub"
go test -tags cuda -c -o "$work/cuda.test" ./kernels/cuda
export MMC4_LIBCUDA="$stub/libcuda.so.1" MMC4_STUB_KERNELS="$stub/kernels"
for order in eager reverse 1; do
  (cd kernels/cuda && MMC4_STUB_ORDER=$order MMC4_CUDA_ROUNDS=24 "$work/cuda.test" -test.v) >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
  passed ops "threads $order: $(grep -o '[0-9]* instances ran' "$work/log")"
done

(cd kernels/cuda && MMC4_STUB_FAIL=2 "$work/cuda.test" -test.run TestLostDevice -test.v) >"$work/log" 2>&1 && grep -q '^--- PASS: TestLostDevice' "$work/log" || { cat "$work/log"; exit 1; }
passed faults "a lost device is named"

python3 tools/cuda/nvrtc.py "$cuda" "$work/image"
for image in "$work"/image/*; do
  cmp "$image" "kernels/cuda/image/$(basename "$image")" || { echo "the sources changed; run: make kernels"; exit 1; }
done
passed images "$(ls "$work/image" | tr '\n' ' ')"

tools/cuda/budget.sh "$cuda" >"$work/budget"
diff tools/cuda/budget.txt "$work/budget" || { echo "if that is meant, run: make kernels"; exit 1; }
passed budget "$(grep -c . "$work/budget") kernels"

tools/cuda/mutants.sh "$stub" "$work/cuda.test" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
passed mutants "$(tail -1 "$work/log")"
