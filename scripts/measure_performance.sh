#!/usr/bin/env bash
# Prints the rows of the tables in docs/performance.md. Instructions are those of whole processes by callgrind, and repeat;
# times are medians of five runs and want a quiet machine.
#
#     cargo build --release
#     scripts/measure_performance.sh [--instructions] [PROGRAM]
#
# --instructions leaves times and memory out. Needs valgrind and, for times, GNU time.
set -euo pipefail
cd "$(dirname "$0")/.."

timed=1
if [[ ${1:-} == --instructions ]]; then
    timed=0
    shift
fi
program=$(realpath "${1:-target/release/aquasim}")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

# Instructions of the program with these arguments. The profile stays in the file `profile`.
count() {
    rm -rf out
    valgrind --tool=callgrind --callgrind-out-file=profile "$program" "$@" 2>&1 > /dev/null | sed -n 's/.*Collected *: *//p'
}

# Median seconds, and MB at most.
seconds() {
    for _ in 1 2 3 4 5; do
        rm -rf out
        /usr/bin/time --format "%e %M" --output measured "$program" "$@" > /dev/null 2>&1
        cat measured
    done | sort -n | awk 'NR == 3 { time = $1 } $2 > most { most = $2 } END { printf "%s | %.0f", time, most / 1024 }'
}

row() {
    local instructions
    instructions=$(count "$@")
    printf '| `%s` | %d M |' "$*" $(((instructions + 500000) / 1000000))
    if ((timed)); then
        printf ' %s |' "$(seconds "$@")"
    fi
    printf '\n'
}

if ((timed)); then
    printf '| run | instructions | s | MB |\n| --- | --- | --- | --- |\n'
else
    printf '| run | instructions |\n| --- | --- |\n'
fi
for images in 1 2 4 8 16 100 1000 10000; do
    row run --images "$images"
done
row run --fidelity iteration
row run --network resnet18
row map

echo
echo "| sweep, one thread | first point | each further |"
echo "| --- | --- | --- |"
# A key that no run depends on, one that no mapping depends on, and one that mappings depend on.
for key in adc.bits router.clock_ghz bus.bytes_per_cycle; do
    case $key in
        adc.bits) values=(8 7 6 5) ;;
        router.clock_ghz) values=(1.0 1.05 1.1 1.15) ;;
        bus.bytes_per_cycle) values=(1024 1032 1040 1048) ;;
    esac
    for images in 1 60; do
        echo "arch.$key = ${values[0]}; images = $images" | tr ';' '\n' > one.toml
        echo "arch.$key = [$(IFS=,; echo "${values[*]}")]; images = $images" | tr ';' '\n' > four.toml
        one=$(count sweep one.toml --threads 1 --out out)
        four=$(count sweep four.toml --threads 1 --out out)
        printf '| `%s`, %s image(s) | %d M | %d M |\n' "$key" "$images" $((one / 1000000)) $(((four - one) / 3000000))
    done
done

echo
echo "| part of \`run\` | share |"
echo "| --- | --- |"
count run > /dev/null
parts="layout::Layout::(new|on)|trees::Trees::new|Wiring::|Schedule<O>::step|queue::drive|Mesh as|PartialSums::pass_on"
parts+="|TileInputs::write|LayerControl::look_ahead|bound::Bound::(new|of)"
callgrind_annotate --inclusive=yes profile | grep -E "$parts" |
    sed -E 's/^ *[0-9,]+ \( *([0-9.]+%)\) +[^:]*:(.*) \[.*$/| `\2` | \1 |/'
