#!/usr/bin/env bash
# Instructions of whole runs, counted by callgrind: they repeat, where times do not. Fails if a run takes over 5 % more than
# scripts/instructions.csv says. A change that is worth it changes the file; --write does so.
set -euo pipefail
cd "$(dirname "$0")/.."

numbers=scripts/instructions.csv
program=${1:-target/release/aquasim}
count() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$@" 2>&1 > /dev/null | sed -n 's/.*I *refs: *//p' | tr -d ,
}

failed=0
written="arguments,instructions"
while IFS=, read -r arguments before; do
    read -ra words <<< "$arguments"
    now=$(count "${words[@]}")
    written+=$'\n'"$arguments,$now"
    printf '%-45s %15s %15s\n' "$arguments" "$before" "$now"
    if [[ ${2:-} != --write ]] && ((now * 100 > before * 105)); then
        echo "aquasim $arguments takes $now instructions, over 5 % more than $before" >&2
        failed=1
    fi
done < <(tail -n +2 "$numbers")
if [[ ${2:-} == --write ]]; then
    echo "$written" > "$numbers"
    exit 0
fi
exit $failed
