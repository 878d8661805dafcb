#!/usr/bin/env bash
# Miri: the heap's unit tests, recorded and drawn programs on tiny heaps with real threads, and the mission's
# scenarios with a rival, interpreted: undefined behaviour, data races, some weak memory. Weak compare-exchanges fail
# three times in ten.
#
#   verify/miri.sh [SEEDS [FIRST]]          default: 1 seed, from 0
#
# Each seed is another schedule, draws other programs, and takes some minutes. From two seeds on, more is run for
# each: integration tests of the heap, the engines for one thread, and all scenarios that a tiny heap is large enough
# for, which takes far longer.
set -euo pipefail
cd "$(dirname "$0")/.."
seeds=${1:-1}
first=${2:-0}
for number in "$seeds" "$first"; do
    if ! [[ $number =~ ^[0-9]+$ ]]; then
        echo "miri.sh: '$number' is no number; usage: miri.sh [SEEDS [FIRST]]" >&2
        exit 2
    fi
done
cargo +nightly miri --version >/dev/null 2>&1 || rustup component add --toolchain nightly miri rust-src

flags="-Zmiri-disable-isolation -Zmiri-compare-exchange-weak-failure-rate=0.3"
for ((seed = first; seed < first + seeds; seed++)); do
    echo "== seed $seed"
    export MIRIFLAGS="$flags -Zmiri-seed=$seed" HEAPLAB_REPLAY_SEED=$seed
    if ((seeds > 1)); then
        export HEAPLAB_REPLAY_ENGINES=3 HEAPLAB_REPLAY_PROGRAMS=20
        cargo +nightly miri test --locked -p heaplab --features internals --lib --test programs \
            --test collections --test limits --test input --test survey
    else
        cargo +nightly miri test --locked -p heaplab --lib
    fi
    # No JavaScript runs here, so its parser is not built.
    suite=(cargo +nightly miri test --locked --no-default-features -p heaplab-verify)
    "${suite[@]}" --test replay
    if ((seeds > 1)); then
        "${suite[@]}" --test scenarios
    else
        "${suite[@]}" --test scenarios -- --exact on_with_one_rival
    fi
done
