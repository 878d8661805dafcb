#!/usr/bin/env bash
# AddressSanitizer: that it sees a use after free in the heap; then the properties, and recorded and drawn programs with
# real threads.
#
#   verify/asan.sh [CASES]                  default: 128 programs a property
#
# 512 CASES are what `cargo test` runs; 100000 take a night.
set -euo pipefail
cd "$(dirname "$0")/.."
cases=${1:-128}
if ! [[ $cases =~ ^[0-9]+$ ]]; then
    echo "asan.sh: '$cases' is no number; usage: asan.sh [CASES]" >&2
    exit 2
fi
# The sanitizer needs a target of its own, else build scripts are built with it.
target=$(rustc +nightly -vV | sed -n 's/^host: //p')
export RUSTFLAGS="-Zsanitizer=address" PROPTEST_CASES=$cases
# No script is run here, so their parser is not built.
cargo +nightly test --locked --no-default-features --target "$target" -p heaplab -p heaplab-verify --test poison --test props --test replay
