#!/usr/bin/env bash
# Makes the tables and figures of examples/digits anew from its pictures and weights: tuning.csv, figure3 to figure5,
# trace.csv. Minutes on two cores. scripts/train_digits.py makes the pictures and weights themselves.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release
aquasim=$PWD/target/release/aquasim
cd examples/digits

case=(--network network.toml --weights-file weights.safetensors)
tuning=(--images tuning --labels tuning/labels.csv)
test=(--images test --labels test/labels.csv)

# The settings that the program has as its defaults were chosen by this, on the tuning pictures alone.
"$aquasim" predict "${case[@]}" "${tuning[@]}" --tune .
"$aquasim" predict "${case[@]}" "${test[@]}" --evaluate . > /dev/null
"$aquasim" tolerance "${case[@]}" "${test[@]}" --weight-sets 16 12 float --out trace.csv --figures .
for policy in "--policy none" "--policy oracle" "--policy predicted" "--policy predicted --precisions 16,0" \
    "--policy predicted --precisions 16,8,4,0"; do
    echo "infer $policy"
    # shellcheck disable=SC2086
    "$aquasim" infer "${case[@]}" "${test[@]}" $policy | sed -n '/^pictures/,$p'
done
