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
if [ "${MMC4_PEERS:-all}" != light ]; then
    pip torch==2.15.0 transformers==5.23.0
fi
(cd "$here/arrowgo" && go build -o "$dir/bin/arrowgo" .)
echo "peers are in $dir"
