#!/bin/sh
# mutants.sh CUDA STUB TEST TRACES: plants the errors of mutants.txt in the kernels, one at a time, and runs the checker that each
# belongs to. Every one must find it. CUDA is what wheels.sh made, STUB is where stub.sh built the driver, TEST the test
# program of kernels/cuda (go test -c), TRACES launches of it without errors (stub/trace.h). MMC4_MUTANTS is a pattern of
# names, to plant some of them. All cores are used: for each error the script runs itself, with its line as one more argument.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ $# = 4 ]; then
  grep -v '^#' "$here/mutants.txt" | grep -- "${MMC4_MUTANTS:-.}" | tr '\n' '\0' | xargs -0 -n 1 -P "$(nproc)" "$0" "$@" | tee "$work/found"
  echo "$(grep -c '^ok ' "$work/found") planted errors caught, $(grep -c '^FAIL ' "$work/found" || true) not"
  ! grep -q '^FAIL ' "$work/found" && grep -q '^ok ' "$work/found"
  exit
fi

cuda=$1 stub=$(realpath "$2") test=$(realpath "$3") traces=$(realpath "$4") sources=$here/../../kernels/cuda/src
tab=$(printf '\t')
IFS=$tab read -r name file checker op change <<LINE
$5
LINE

# The op against ref.
by_ops() {
  tests=TestOneOp
  [ "$op" != cores ] || tests=TestAttentionOnCores
  cp -r "$stub/kernels" "$work/kernels"
  g++ -std=c++17 -O1 -fPIC -shared -w -ffp-contract=off -fno-strict-aliasing -I"$here/stub" -x c++ "$work/src/$file.cu" -x none "$stub/libcuda.so.1" -o "$work/kernels/$file.so"
  for order in eager reverse; do
    (cd "$sources/.." && MMC4_STUB_ORDER=$order MMC4_STUB_KERNELS=$work/kernels MMC4_LIBCUDA=$stub/libcuda.so.1 MMC4_CUBLASLT=none MMC4_CUDA_OPS=$op MMC4_CUDA_ROUNDS=${MMC4_MUTANT_ROUNDS:-40} \
      timeout 100 "$test" -test.run $tests) >"$work/log" 2>&1 || return 0
  done
  return 1
}
# The launches of the file's kernels under a sanitizer.
by_sanitizer() {
  mkdir "$work/traces" "$work/only"
  cp "$work/src/$file.cu" "$work/only"
  cp -r "$work/src/include" "$work/only"
  for kernel in $(sed -n 's/^.*emu_kernel_//p' "$work/names"); do
    for t in "$traces/$kernel"-*; do [ ! -e "$t" ] || cp "$t" "$work/traces"; done
  done
  ! MMC4_SANITIZE=$checker "$here/sanitize.sh" "$work/traces" "$work/sanitize" "$work/only" >"$work/log" 2>&1 && grep -q 'Sanitizer\|runtime error' "$work/log"
}
found_by() {
  case $checker in
  ops) by_ops ;;
  thread | address)
    nm -D --defined-only "$stub/kernels/$file.so" | grep emu_kernel_ >"$work/names"
    by_sanitizer
    ;;
  sass)
    python3 "$here/nvrtc.py" "$cuda" "$work/image" "$work/src" >"$work/log" 2>&1 || return 1
    ! "$here/sass.sh" "$cuda" "$work/image" >"$work/log" 2>&1
    ;;
  *) echo "no checker is called $checker" && return 1 ;;
  esac
}

cp -r "$sources" "$work/src"
sed -i "$change" "$work/src/$file.cu"
if cmp -s "$work/src/$file.cu" "$sources/$file.cu"; then
  echo "FAIL  $name: changes nothing"
elif found_by; then
  echo "ok    $checker: $name"
else
  echo "FAIL  $checker: $name: nothing noticed it: $(tail -1 "$work/log")"
fi
