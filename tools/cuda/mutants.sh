#!/bin/sh
# mutants.sh STUB TEST: plants the errors of mutants.txt in the kernels, one at a time, and runs the test program TEST
# (go test -c of kernels/cuda) on the op that each belongs to, in two orders of threads. Every one must fail. STUB is where
# stub.sh built the driver.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
stub=$1 test=$2 sources=$here/../../kernels/cuda/src
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
caught=0 alive=0
tab=$(printf '\t')
while IFS=$tab read -r name file op change; do
  case $name in ''|'#'*) continue ;; esac
  rm -rf "$work/src" "$work/kernels"
  cp -r "$sources" "$work/src"
  cp -r "$stub/kernels" "$work/kernels"
  sed -i "$change" "$work/src/$file.cu"
  if cmp -s "$work/src/$file.cu" "$sources/$file.cu"; then
    echo "FAIL  $name: changes nothing"
    alive=$((alive + 1))
    continue
  fi
  g++ -std=c++17 -O1 -fPIC -shared -w -ffp-contract=off -fno-strict-aliasing -I"$here/stub" -x c++ "$work/src/$file.cu" -x none "$stub/libcuda.so.1" -o "$work/kernels/$file.so"
  seen=no
  for order in eager reverse; do
    if ! (cd "$sources/.." && MMC4_STUB_ORDER=$order MMC4_STUB_KERNELS=$work/kernels MMC4_LIBCUDA=$stub/libcuda.so.1 MMC4_CUDA_OPS=$op MMC4_CUDA_ROUNDS=12 timeout 100 "$test" -test.run TestOneOp) >"$work/log" 2>&1; then
      seen=$order
      break
    fi
  done
  if [ $seen = no ]; then
    echo "FAIL  $name: nothing noticed it"
    alive=$((alive + 1))
  else
    echo "ok    $name (threads $seen)"
    caught=$((caught + 1))
  fi
done <"$here/mutants.txt"
echo "$caught planted errors caught, $alive not"
[ $alive = 0 ]
