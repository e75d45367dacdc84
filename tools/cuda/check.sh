#!/bin/sh
# check.sh CUDA STUB: what can be known of the CUDA device without a GPU. CUDA is what wheels.sh made, STUB is where the
# stub driver is built. A line a check with its time; the first that fails ends it. MMC4_SHARED may name a tree with more
# goldens.
#
#   trampolines  symbols.h lists the driver functions that are called
#   headers      the host side compiles with the headers of CUDA 13.0 too
#   start        without a driver there is no device, and the error speaks of the driver
#   ops          every op against ref on the stub driver, in three orders of threads, with cuBLASLt's stub and without
#   sanitizers   small launches of that under AddressSanitizer, UndefinedBehaviorSanitizer and ThreadSanitizer
#   steps        20 training steps equal to cpu; the calls of a step, and of decoding as one graph a token, are those of bench/gpu/testdata; none waits
#   faults       a device that is lost in the middle of work gives that error
#   program      the built program on machines that lack something; a training that breaks off and goes on
#   goldens      mmc4 golden --device cuda over MMC4_SHARED's models
#   images       the committed PTX and machine code are what NVRTC makes of the sources
#   budget       ptxas: nothing spilled, no stack, registers and shared memory as in budget.txt
#   sass         tensor cores, wide loads and stores where they are meant to be
#   mutants      planted errors, each of which its checker must find
#   docs         the list of planted errors in docs/cuda.md is that of mutants.txt
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cuda=$1 stub=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$here/../.."

began=$(date +%s)
begin=$began
passed() {
  now=$(date +%s)
  printf 'ok  %-12s %4d s  %s\n' "$1" $((now - begin)) "$2"
  begin=$now
}
quietly() { "$@" >"$work/log" 2>&1 || { tail -60 "$work/log"; exit 1; }; }

tools/cuda/symbols.sh | cmp - kernels/cuda/driver/symbols.h || { echo "run: make kernels"; exit 1; }
passed trampolines "$(grep -c '^X(' kernels/cuda/driver/symbols.h) driver functions"

CGO_CFLAGS="-O2 -I$here/cuda13 -I$(realpath "$cuda")/include13 -Wno-deprecated-declarations" quietly go build -tags cuda gorgonia.org/cu ./kernels/cuda/driver
passed headers "12.9 and 13.0"

MMC4_LIBCUDA=$work/none quietly go test -tags cuda ./kernels/device ./kernels/cuda/driver
passed start "no driver, no device, a clear error"

tools/cuda/stub.sh "$cuda" "$stub"
go test -tags cuda -c -o "$work/cuda.test" ./kernels/cuda
export MMC4_LIBCUDA="$stub/libcuda.so.1" MMC4_STUB_KERNELS="$stub/kernels"
mkdir "$work/traces"
ops() { # ORDER, CUBLASLT, more variables
  order=$1 library=$2
  shift 2
  (cd kernels/cuda && quietly env "$@" MMC4_STUB_ORDER="$order" MMC4_CUBLASLT="$library" MMC4_CUDA_ROUNDS=24 "$work/cuda.test" -test.v) || exit 1
  passed ops "threads $order, cuBLASLt $(basename "$library"): $(grep -o '[0-9]* instances ran' "$work/log")"
}
ops eager "$stub/libcublasLt.so.12"
ops reverse none MMC4_STUB_TRACE="$work/traces"
ops 1 none

tools/cuda/sanitize.sh "$work/traces" "$work/sanitize" >"$work/log" 2>&1 || { tail -60 "$work/log"; exit 1; }
passed sanitizers "$(paste -s -d ';' "$work/log")"

go test -tags cuda -c -o "$work/gpu.test" ./bench/gpu
(cd bench/gpu && quietly env MMC4_STUB_LOG="$work/calls" MMC4_CUBLASLT="$stub/libcublasLt.so.12" "$work/gpu.test" -test.run "TestSteps|TestDecoding|TestCounts" -test.v) || exit 1
passed steps "$(grep -o '[a-z0-9]*: [0-9]* calls a step.*' "$work/log" | paste -s -d ';')"

(cd kernels/cuda && MMC4_STUB_FAIL=2 "$work/cuda.test" -test.run TestLostDevice -test.v) >"$work/log" 2>&1 && grep -q '^--- PASS: TestLostDevice' "$work/log" || { cat "$work/log"; exit 1; }
passed faults "a lost device is named"

go build -tags cuda -o "$work/mmc4" ./cmd/mmc4
quietly tools/cuda/program.sh "$work/mmc4" "$stub"
passed program "$(tail -1 "$work/log")"

if [ -d "${MMC4_SHARED:-}/golden/models" ]; then
  MMC4_CUBLASLT="$stub/libcublasLt.so.12" quietly "$work/mmc4" golden --device cuda "$MMC4_SHARED/golden/models"
  passed goldens "$(tail -1 "$work/log")"
fi

python3 tools/cuda/nvrtc.py "$cuda" "$work/image"
for image in "$work"/image/*; do
  cmp "$image" "kernels/cuda/image/$(basename "$image")" || { echo "the sources changed; run: make kernels"; exit 1; }
done
passed images "$(ls "$work/image" | tr '\n' ' ')"

tools/cuda/budget.sh "$cuda" >"$work/budget"
diff tools/cuda/budget.txt "$work/budget" || { echo "if that is meant, run: make kernels"; exit 1; }
passed budget "$(grep -c . "$work/budget") kernels"

quietly tools/cuda/sass.sh "$cuda"
passed sass "$(paste -s -d ';' "$work/log")"

quietly tools/cuda/mutants.sh "$cuda" "$stub" "$work/cuda.test" "$work/traces"
passed mutants "$(tail -1 "$work/log")"

tools/cuda/planted.sh docs/cuda.md >"$work/docs"
cmp "$work/docs" docs/cuda.md || { echo "run: make kernels"; exit 1; }
passed docs "docs/cuda.md"
echo "all in $(($(date +%s) - began)) s"
