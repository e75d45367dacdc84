#!/bin/sh
# Installs what `mmc4 bench` measures against, in pinned versions: a Python environment and one Go program.
#
# usage: bench/peers/install.sh DIR
#
# Needs python3 (3.10 or newer) with venv, and go. About 6 GB, most of it what torch brings along; MMC4_PEERS=light leaves
# torch out, and rows that need it then say so. Running again is quick.
set -eu
[ $# -eq 1 ] || { sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
dir=$(cd "$1" && pwd)

[ -x "$dir/bin/python" ] || python3 -m venv "$dir"
pip() { "$dir/bin/python" -m pip install --quiet --disable-pip-version-check "$@"; }
pip numpy==2.4.6 scipy==1.17.1 nltk==3.8.1 lapjv==1.3.29 warcio==1.8.1 lxml==6.1.3 pillow==13.0.0 \
    tokenizers==0.23.3 onnx==1.23.2 onnxruntime==1.32.0 ml_dtypes==0.6.0 safetensors==0.8.0
pip --no-deps pycocoevalcap==1.2 # its tokenizer asks for java when it runs
if [ "${MMC4_PEERS:-all}" != light ]; then
    pip torch==2.15.0 transformers==5.23.0
    # open_flamingo lives with libraries of its time, in a folder that its scripts put before the others; torch is shared.
    [ -d "$dir/open_flamingo/open_flamingo-2.0.1.dist-info" ] || pip --no-deps --target "$dir/open_flamingo" \
        transformers==4.33.3 tokenizers==0.13.3 huggingface_hub==0.17.3 requests==2.34.2 urllib3==2.8.0 certifi==2026.10.18 \
        charset_normalizer==3.5.2 open_clip_torch==2.20.0 timm==0.9.16 torchvision==0.29.2 ftfy==6.3.1 wcwidth==0.9.4 \
        einops==0.8.2 einops_exts==0.0.4 scikit-learn==1.9.1 braceexpand==0.1.7 webdataset==1.0.2 open_flamingo==2.0.1
fi
# img2dataset wants other versions of what the rest uses: an environment of its own, 800 MB.
[ -x "$dir/img2dataset/bin/python" ] || python3 -m venv "$dir/img2dataset"
"$dir/img2dataset/bin/python" -m pip install --quiet --disable-pip-version-check img2dataset==1.47.0 numpy==2.4.6 \
    opencv-python-headless==4.14.0.94 albumentations==1.4.24 pyarrow==26.0.1 pandas==2.3.3 webdataset==0.2.111 wandb==0.31.0 \
    scipy==1.17.1 ExifRead-nocycle==3.0.1 fsspec==2026.9.0
(cd "$here/arrowgo" && go build -o "$dir/bin/arrowgo" .)
echo "peers are in $dir"
