#!/usr/bin/env bash
# Lower bounds of dependencies: everything has to compile with the oldest versions that the manifests allow.
#
#   verify/bounds.sh
#
# Works on a copy, since the lock file changes. Needs a nightly cargo, and the network.
set -euo pipefail
cd "$(dirname "$0")/.."

target_directory=${CARGO_TARGET_DIR:-$PWD/target}/bounds
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z --cached --others --exclude-standard | tar --null --files-from=- --create |
    tar --extract --directory "$copy"

export CARGO_TARGET_DIR=$target_directory
check() {
    echo "== .${PWD#"$copy"}: $*"
    cargo check --locked "$@"
}

cd "$copy"
cargo +nightly update -Z direct-minimal-versions
for features in "" loom shuttle; do
    check --workspace --all-targets --features "$features"
done

# A fuzz target that needs a checker is built alone, with the checker's feature.
cd "$copy/fuzz"
cargo +nightly update -Z direct-minimal-versions
check --bins
check --no-default-features --features loom --bin loom_programs
check --no-default-features --features shuttle --bin schedule_ops
