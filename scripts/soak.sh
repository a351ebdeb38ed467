#!/usr/bin/env bash
# The generated tests with many more cases than `cargo test` takes. Whole runs: any network, machine and plan ends,
# conserves and agrees, in both fidelities and any order of messages. Malformed files: read or refused, whatever is in them.
#
#     scripts/soak.sh [CASES]          20,000 of each test by default
set -euo pipefail
cd "$(dirname "$0")/.."
export PROPTEST_CASES=${1:-20000} PROPTEST_MAX_SHRINK_ITERS=2000
cargo test -p promises --test malformed
cargo test -p promises --test promises -- any_network on_any_machine
