#!/usr/bin/env bash
# The tests: the suite on real threads, then the same sources under the model checker.
#
# Needs a stable Rust toolchain (see rust-version in Cargo.toml) and nothing else; cargo fetches the crates.
set -euo pipefail
cd "$(dirname "$0")"

if ! command -v cargo >/dev/null; then
    echo "test.sh: cargo is not installed; see https://rustup.rs" >&2
    exit 1
fi

cargo test --locked
# The explorer and the parser have no such feature, and the explorer's tests have run.
cargo test --locked --features loom --workspace --exclude heaplab-explorer --exclude heaplab-parser
