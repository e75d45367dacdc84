#!/bin/sh
# sanitize.sh TRACES WORK [SOURCES]: runs the launches in the folder TRACES (stub/trace.h) under two sanitizers: once under
# AddressSanitizer and UndefinedBehaviorSanitizer, once under ThreadSanitizer, which needs no luck with the order of threads.
# The kernels of SOURCES are built for it in WORK. A line for each; what a sanitizer says, and exit code 1, at the first
# that it finds.
# MMC4_SANITIZE=address or thread runs one of both.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
traces=$1 work=$2 sources=${3:-$here/../../kernels/cuda/src}
flags="-std=c++17 -O1 -g1 -w -ffp-contract=off -fno-strict-aliasing -I$here/stub"

# Only kernels are instrumented; what runs them is not. The race checker's runtime wants addresses that are not spread.
build() { # NAME FLAGS
  mkdir -p "$work/$1"
  g++ $flags -c "$here/stub/fibers.cpp" -o "$work/$1/fibers.o"
  g++ $flags -c "$here/stub/sanitize.cpp" -o "$work/$1/sanitize.o"
  ls "$sources"/*.cu | xargs -P 2 -I{} sh -c 'g++ '"$flags $2"' -x c++ -c {} -o '"$work/$1"'/$(basename {} .cu).o'
  g++ $2 -rdynamic "$work/$1"/*.o -o "$work/$1/sanitize" -ldl
}
run() { # NAME ORDER OPTIONS...
  name=$1 order=$2
  shift 2
  if ! env MMC4_STUB_ORDER="$order" "$@" setarch -R "$work/$name/sanitize" "$traces"/* >"$work/log" 2>&1; then
    tail -40 "$work/log"
    exit 1
  fi
  echo "$name, threads $order: $(tail -1 "$work/log")"
}

if [ "${MMC4_SANITIZE:-address}" = address ]; then
  build address "-fsanitize=address,undefined -fno-sanitize-recover=all -fno-sanitize=vptr"
  run address forward ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=0
fi
if [ "${MMC4_SANITIZE:-thread}" = thread ]; then
  build thread "-fsanitize=thread"
  run thread eager TSAN_OPTIONS=halt_on_error=1:report_signal_unsafe=0
fi
