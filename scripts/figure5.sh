#!/bin/sh
# The batch behind AQuA's Figure 5, start to finish: builds, simulates every weight set under every crop, and writes the
# figure with all other tables and figures of the paper.
#
#     scripts/figure5.sh [DIR]      results in DIR, figure5 by default
#
# It can be stopped and started again: finished points are kept.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
out=${1:-figure5}

cargo build --release --manifest-path "$root/Cargo.toml"
aquasim=${CARGO_TARGET_DIR:-$root/target}/release/aquasim

"$aquasim" sweep "$root/sweeps/figure5.toml" --out "$out/sweep"
"$aquasim" paper --out "$out/paper" ${TRACE:+--trace "$TRACE"}
# What was found stands before the first section.
sed '/^## /,$d' "$out/paper/paper.md"
if python3 -c 'import matplotlib, pandas' 2>/dev/null; then
    python3 "$root/scripts/plot_figure5.py" "$out/sweep" "$out/paper/oracle.csv" --out "$out/figure5.pdf"
fi
echo "$out/paper/figure5.svg and figure5.csv are there, and the runs behind them in $out/sweep"
