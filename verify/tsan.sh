#!/usr/bin/env bash
# ThreadSanitizer: programs on real threads, the stress, and the mission's scenarios, with every access watched.
#
#   verify/tsan.sh [SECONDS]                default: 0, and of the scenarios two tests with rivals, without scripts
#
# With SECONDS, all scenarios, then SECONDS of stress with seeds from the clock, printed, one after the other. The
# standard library is built along, so that its locks are watched too. A report of a race ends the run.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-0}
if ! [[ $seconds =~ ^[0-9]+$ ]]; then
    echo "tsan.sh: '$seconds' is no number of seconds; usage: tsan.sh [SECONDS]" >&2
    exit 2
fi
rustup component list --toolchain nightly | grep -q '^rust-src.*installed' ||
    rustup component add --toolchain nightly rust-src

target=$(rustc +nightly -vV | sed -n 's/^host: //p')
export RUSTFLAGS="-Zsanitizer=thread" TSAN_OPTIONS="halt_on_error=1"
# A short run leaves scripts out: building their parser takes longer than the rest of such a run.
features=()
if ((seconds == 0)); then
    features=(--no-default-features)
fi
sanitized() {
    cargo +nightly "$1" --locked -Zbuild-std --target "$target" -p heaplab-verify "${features[@]}" "${@:2}"
}

sanitized test --test replay
# One test at a time, as each has threads of its own, and threads that wait for a processor meet nobody.
sanitized test --test stress -- --test-threads=1
if ((seconds == 0)); then
    sanitized test --test scenarios -- --exact with_the_stress_flag one_heap_serves_all_scenarios
else
    sanitized test --test scenarios
    end=$((SECONDS + seconds))
    while ((SECONDS < end)); do
        seed=$(date +%s)
        echo "== stress, seed $seed"
        sanitized run --bin heaplab -- --seconds 20 --heap-mib 8 --threads 4 --seed "$seed" --no-report
    done
fi
