#!/bin/sh
# program.sh PROGRAM STUB: the built program (make build-cuda) on machines that lack something, which the stub driver in STUB
# plays, and a training that breaks off. Every failure must be an error that names what is wrong, with exit code 1, and leave
# checkpoints from which the run ends with the same weights as one that was never broken off. A line a case.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
program=$(realpath "$1") stub=$(realpath "$2")
goldens=$here/../../testdata/golden
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export MMC4_LIBCUDA=$stub/libcuda.so.1 MMC4_STUB_KERNELS=$stub/kernels MMC4_CUBLASLT=$stub/libcublasLt.so.12
cases=0

works() { # NAME, WHAT IT SAYS, COMMAND...
  name=$1 says=$2
  shift 2
  "$@" >"$work/log" 2>&1 || { echo "FAIL  $name: exit code $?"; tail -5 "$work/log"; exit 1; }
  grep -q -- "$says" "$work/log" || { echo "FAIL  $name: does not say '$says'"; tail -5 "$work/log"; exit 1; }
  cases=$((cases + 1))
  echo "ok    $name"
}
fails() { # NAME, WHAT IT SAYS, COMMAND...
  name=$1 says=$2
  shift 2
  code=0
  "$@" >"$work/log" 2>&1 || code=$?
  [ $code = 1 ] || { echo "FAIL  $name: exit code $code"; tail -5 "$work/log"; exit 1; }
  grep -q -- "$says" "$work/log" || { echo "FAIL  $name: does not say '$says'"; tail -5 "$work/log"; exit 1; }
  cases=$((cases + 1))
  echo "ok    $name: $(grep -m1 -o -- "$says.*" "$work/log" | cut -c 1-100)"
}

golden="$program golden $goldens/lm.forward --device"
none="env MMC4_LIBCUDA=$work/none"
works "no driver: version" "mmc4" $none "$program" version
works "no driver: doctor" "no NVIDIA driver here" $none "$program" doctor
works "no driver: golden --device cpu" "1 passed, 0 failed" $none $golden cpu
fails "no driver: golden --device cuda" "no NVIDIA driver here" $none $golden cuda
fails "driver too old" "driver is too old: it is one for CUDA 11.4" env MMC4_STUB_VERSION=11040 $golden cuda
fails "driver without a GPU" "driver does not start" env MMC4_STUB_DEVICES=0 $golden cuda
fails "GPU too old" "compute capability 7.0" env MMC4_STUB_ARCH=70 $golden cuda
fails "cuBLASLt missing where it was named" "is no cuBLASLt" env MMC4_CUBLASLT="$work/none" $golden cuda
fails "cuBLASLt another library" "is no cuBLASLt" env MMC4_CUBLASLT=libm.so.6 $golden cuda
fails "cuBLASLt fails" "cublasLtMatmul" env MMC4_STUB_LT=fail $golden cuda
works "cuBLASLt has no algorithm: own products" "1 passed, 0 failed" env MMC4_STUB_LT=refuse $golden cuda
works "no cuBLASLt: own products" "1 passed, 0 failed" env MMC4_CUBLASLT=none $golden cuda
works "A100: golden --device cuda" "1 passed, 0 failed" env MMC4_STUB_ARCH=80 $golden cuda
works "a later GPU: PTX" "1 passed, 0 failed" env MMC4_STUB_ARCH=120 $golden cuda
works "the device is listed" "stub, no GPU" "$program" doctor
works "goldens of models on the device" " 0 failed" "$program" golden "$goldens" --device cuda --kinds 'clip.hf,clip.image,clip.text,clip.train,nsfw.head,face.probe,lm.*,flamingo*'

# A language model on prose, eight steps, a checkpoint every second.
i=0
while [ $i -lt 400 ]; do
  echo "the $((i % 7)) lake $((i * i % 11)) bread map $((i % 5)) boat. dunes and a red kite $((i % 3)) sleep."
  i=$((i + 1))
done >"$work/prose.txt"
cat >"$work/lm.yaml" <<END
kind: lm
steps: 8
model: {model_type: gpt2, vocab_size: 600, n_embd: 16, n_layer: 2, n_head: 2, n_positions: 32}
tokenizer: {path: $goldens/of.pairs/tokenizer.json, eos: "<|endoftext|>"}
streams: [{name: prose, format: text, paths: [$work/prose.txt], batch: 80, max_tokens: 24}]
optimizer: {lr: 0.01, clip: 1}
save: {every: 2, keep: 9}
END
export MMC4_CUBLASLT=none # so that all that is launched are kernels, which MMC4_STUB_FAIL counts
train="$program train $work/lm.yaml --device cuda --out"
works "training" "8 steps" env MMC4_STUB_LOG="$work/calls" $train "$work/whole"
launches=$(awk '/^launch graph/ {n += $3; next} /^launch/ {n++} END {print n}' "$work/calls") # and those of captures, once more
fails "memory for nothing" "out of device memory" env MMC4_STUB_MEMORY=4096 $train "$work/small"
# Less than the most that the whole run had: enough for the model, not for a step.
most=$(awk '$1 == "alloc" && $2 != "host" {now += $2; if (now > most) most = now} $1 == "free" {now -= $2} END {print most}' "$work/calls")
fails "memory runs out in a step" "out of device memory" env MMC4_STUB_MEMORY=$((most * 3 / 4)) $train "$work/short"
works "the same with enough of it" "8 steps" $train "$work/short"
fails "device lost in a step" "device lost" env MMC4_STUB_FAIL=$((launches * 6 / 10)) $train "$work/broken"
[ -d "$work/broken" ] && ls "$work/broken" | grep -q '^checkpoint-' || { echo "FAIL  no checkpoint is left"; exit 1; }
works "going on after it" "going on after step" $train "$work/broken"
for run in short broken; do
  cmp "$work/whole/checkpoint-0000008/model.safetensors" "$work/$run/checkpoint-0000008/model.safetensors" || { echo "FAIL  $run: other weights"; exit 1; }
done
echo "$cases cases, launches $launches"
