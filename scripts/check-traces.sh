#!/usr/bin/env bash
# What a trace, a waveform and a page show is what the report of the same run says, read with other people's programs:
# Perfetto's Python classes, GTKWave's fst2vcd, Chromium.
#
# Needs Debian's chromium, chromium-driver and gtkwave, and PyPI's perfetto, protobuf and selenium for the Python that
# PYTHON names (python3). AQUASIM names the program, by default target/release/aquasim.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
export AQUASIM=${AQUASIM:-$root/target/release/aquasim}
python=${PYTHON:-python3}
work=$(mktemp -d)
trap 'umount -q "$work/small" || true; rm -rf "$work"' EXIT
cd "$work"

tiny=(run --arch tiny --network tiny --images 2)
for fidelity in operation iteration; do
    for detail in layer tile ima crossbar; do
        echo "tiny, $fidelity fidelity, $detail detail"
        options=("${tiny[@]}" --fidelity $fidelity --trace-detail $detail --json run.json)
        "$AQUASIM" "${options[@]}" --trace run.pftrace > /dev/null
        "$python" "$root/scripts/check-trace.py" run.pftrace run.json
        case $detail in ima | crossbar)
            for ending in fst vcd; do
                "$AQUASIM" "${options[@]}" --trace run.$ending > /dev/null
                "$python" "$root/scripts/check-waveform.py" run.$ending run.json
            done
            ;;
        esac
    done
done

echo "VGG16, tile detail: buses, buffers, meshes and links of 15 chips"
"$AQUASIM" run --trace vgg16.pftrace --trace-detail tile --json vgg16.json > /dev/null
"$python" "$root/scripts/check-trace.py" vgg16.pftrace vgg16.json

echo "a disk that is full while the trace is written"
mkdir small
if mount -t tmpfs -o size=1m none small 2> /dev/null; then
    for ending in pftrace fst vcd csv; do
        status=0
        "$AQUASIM" run --trace small/vgg16.$ending --trace-detail ima --json full.json > full.txt 2> error.txt || status=$?
        [ $status -eq 1 ] || { echo "exit code $status"; exit 1; }
        grep -q "small/vgg16.$ending could not be written: No space left on device" error.txt
        grep -q "conv5_3" full.txt && cmp full.json vgg16.json
        [ -z "$(ls small)" ] || { echo "half a trace was left"; exit 1; }
    done
    umount small
else
    echo "no file system can be mounted here; the tests of the workspace use /dev/full"
fi

# A network of many layers: the page must work for 5 and for 160.
{
    echo 'name = "deep"'
    echo 'input = { height = 6, width = 6, channels = 8 }'
    for layer in $(seq 160); do
        printf '[[layers]]\nname = "conv%d"\nkind = "convolution"\nkernel = 1\nchannels = 8\n' "$layer"
    done
} > deep.toml
for network in tiny deep; do
    echo "the page of $network"
    arch=tiny
    file=tiny
    if [ $network = deep ]; then arch=isaac-ce file=deep.toml; fi
    "$AQUASIM" run --arch $arch --network $file --html $network.html --trace $network.csv --trace-detail ima \
        --json $network.json > /dev/null
    "$python" "$root/scripts/check-page.py" $network.html $network.json $network.csv ${PICTURES:+"$PICTURES/$network"}
done
echo "traces, waveforms and pages agree with their reports"
