#!/usr/bin/env bash
# Shuttle: whole heaps, and programs of up to eight threads, in random and PCT schedules, and in ones that hold
# threads in the heap's shortest windows.
#
#   verify/shuttle.sh [SCALE [SEED]]        default: 1 time, the committed seed
#
# SCALE times as many programs and schedules: 1 takes about a minute, 100 an hour and a half. Another SEED draws
# others. From a SCALE of 2 on, the bodies of the models run too, in random schedules. The files tests/shuttle.rs and
# tests/shuttle_ops.rs say how to replay a failure.
set -euo pipefail
cd "$(dirname "$0")/.."
scale=${1:-1}
seed=${2:-427}
for number in "$scale" "$seed"; do
    if ! [[ $number =~ ^[0-9]+$ ]]; then
        echo "shuttle.sh: '$number' is no number; usage: shuttle.sh [SCALE [SEED]]" >&2
        exit 2
    fi
done
if ((scale == 0)); then
    echo "shuttle.sh: nothing to do 0 times" >&2
    exit 2
fi
export HEAPLAB_SHUTTLE_SCALE=$scale
[[ -n ${2:-} ]] && export SHUTTLE_RANDOM_SEED=$seed
cargo test --locked -p heaplab-verify --features shuttle --test shuttle --test shuttle_ops -- --nocapture
if ((scale > 1)); then
    cargo test --locked -p heaplab-models --features shuttle --test loom
fi
