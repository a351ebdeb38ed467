#!/usr/bin/env bash
# Checks that need no root: format, lints, documentation, tests and the rules for dependencies.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo fmt --all --check
# The blocks are modules that a macro declares, which cargo fmt does not follow.
rustfmt --check --edition 2024 crates/arch/src/block/*.rs
cargo clippy --workspace --all-targets -- -D warnings
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps
cargo test --workspace
if command -v cargo-deny > /dev/null; then
    # Advisories come from a repository on GitHub, which not every machine reaches: `cargo deny check advisories`.
    cargo-deny check bans licenses sources
else
    echo "cargo-deny is not installed: the rules for dependencies were not checked"
fi
