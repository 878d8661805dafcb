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
for workspace in . fuzz; do
    cd "$copy/$workspace"
    cargo +nightly update -Z direct-minimal-versions
    for features in "" loom shuttle; do
        echo "== $workspace, features: ${features:-default}"
        cargo check --locked --workspace --all-targets --features "$features"
    done
done
