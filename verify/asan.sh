#!/usr/bin/env bash
# AddressSanitizer: a test that the sanitizer sees a use after free in the heap; then the properties, and recorded and
# drawn programs with real threads.
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
# A target is named, else build scripts would be built with the sanitizer too.
target=$(rustc +nightly -vV | sed -n 's/^host: //p')
export RUSTFLAGS="-Zsanitizer=address" PROPTEST_CASES=$cases
# No JavaScript runs here, so its parser is not built.
cargo +nightly test --locked --no-default-features --target "$target" -p heaplab -p heaplab-verify \
    --test poison --test props --test replay
