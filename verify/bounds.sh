#!/usr/bin/env bash
# The lower bounds of dependencies are true: everything compiles with the oldest versions that the manifests allow.
#
#   verify/bounds.sh
#
# Works on a copy, since it is the lock file that it changes. Needs a nightly cargo, and the network.
set -euo pipefail
cd "$(dirname "$0")/.."

target_directory=${CARGO_TARGET_DIR:-$PWD/target}/bounds
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z --cached --others --exclude-standard | tar --null --files-from=- --create | tar --extract --directory "$copy"

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

# A target that needs a checker is the only one that is built with it.
cd "$copy/fuzz"
cargo +nightly update -Z direct-minimal-versions
check --bins
check --no-default-features --features loom --bin loom_programs
check --no-default-features --features shuttle --bin schedule_ops
