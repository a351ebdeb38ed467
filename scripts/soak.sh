#!/usr/bin/env bash
# The generated tests of whole runs, with many more cases than `cargo test` takes: any network, machine and plan ends,
# conserves and agrees, in both fidelities and any order of messages.
#
#     scripts/soak.sh [CASES]          20,000 of each test by default
set -euo pipefail
cd "$(dirname "$0")/.."
export PROPTEST_CASES=${1:-20000} PROPTEST_MAX_SHRINK_ITERS=2000
exec cargo test -p promises -- any_network on_any_machine
