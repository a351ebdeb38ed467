#!/usr/bin/env bash
# Makes the example dumps beside this script, or in another folder.
#
#     traces/make.sh [DIR]
#
# AQUASIM names the program, by default target/release/aquasim.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here}
aquasim=${AQUASIM:-$here/../target/release/aquasim}

for example in clean-pipeline bus-bound full-buffer mesh-hot-spot; do
    from=$here/$example
    to=$out/$example
    mkdir -p "$to"
    run=(--network "$from/network.toml" --mapping "$from/mapping.toml")
    if [ -e "$from/arch.toml" ]; then run+=(--arch "$from/arch.toml"); else run+=(--arch tiny); fi
    if [ -e "$from/plan.toml" ]; then run+=(--plan "$from/plan.toml"); fi
    # The clean pipeline is short enough to show what is inside an IMA.
    detail=ima
    if [ "$example" = clean-pipeline ]; then detail=crossbar; fi
    "$aquasim" run "${run[@]}" --trace "$to/run.pftrace" --trace-detail $detail > /dev/null
    "$aquasim" run "${run[@]}" --trace "$to/run.fst" --trace-detail $detail > /dev/null
    "$aquasim" stalls "${run[@]}" > "$to/stalls.txt"
done
