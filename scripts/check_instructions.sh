#!/usr/bin/env bash
# Instructions of whole runs, counted by callgrind: they repeat, where times do not. Fails if a run takes over 5 % more than
# scripts/instructions.csv says, or an image of ResNet-18 over 60 MB. A change that is worth it changes the file; --write
# does so.
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
memory=$(python3 -c '
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(1024 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$program" run --network resnet18)
printf '%-45s %15s %15s\n' "run --network resnet18, bytes at most" 60000000 "$memory"
if ((memory > 60000000)); then
    echo "aquasim run --network resnet18 takes $memory bytes of memory, over 60 MB" >&2
    failed=1
fi
exit $failed
