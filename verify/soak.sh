#!/usr/bin/env bash
# The soak: one-second stresses of the heap with seeds FIRST..LAST, threads and heaps varying with the seed.
#
#   verify/soak.sh [FIRST [LAST [JOBS]]]        default: 0 3599 2
#
# Runs JOBS at once, stops at the first finding, prints it and the command that repeats it. The exit code is 0 if
# there is no finding. HEAPLAB_SOAK_SECONDS sets the seconds of each stress (default 1); HEAPLAB_BINARY a binary that
# is already built.
set -u
first=${1:-0}
last=${2:-3599}
jobs=${3:-2}
seconds=${HEAPLAB_SOAK_SECONDS:-1}
for number in "$first" "$last" "$jobs" "$seconds"; do
    if ! [[ $number =~ ^[0-9]+$ ]]; then
        echo "soak.sh: '$number' is no number; usage: soak.sh [FIRST [LAST [JOBS]]]" >&2
        exit 2
    fi
done
if ((jobs == 0 || first > last)); then
    echo "soak.sh: nothing to do with seeds $first..$last and $jobs jobs" >&2
    exit 2
fi
cd "$(dirname "$0")/.." || exit 2

binary=${HEAPLAB_BINARY:-}
if [[ -z $binary ]]; then
    cargo build --release --quiet -p heaplab-verify --bin heaplab || exit 2
    binary=${CARGO_TARGET_DIR:-target}/release/heaplab
fi

# Heaps from small to comfortable, each with as many threads as its pages allow; small pages meet their ends more often.
worlds=(
    "--heap-mib 4 --threads 8"
    "--heap-mib 4 --threads 4 --page-bytes 1024"
    "--heap-mib 16 --threads 3"
    "--heap-mib 1 --threads 2 --page-bytes 512"
    "--heap-mib 64 --threads 4"
    "--heap-mib 8 --threads 1"
    "--heap-mib 2 --threads 6 --page-bytes 4096"
    "--heap-mib 32 --threads 12"
    "--heap-mib 4 --threads 2"
)

scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT

# Every JOBS-th seed from $1 on, until the end or until somebody has a finding.
walk() {
    local seed arguments
    for ((seed = $1; seed <= last; seed += jobs)); do
        [[ -e $scratch/stop ]] && return
        arguments="--no-report --stress-only --seconds $seconds --seed $seed ${worlds[seed % ${#worlds[@]}]}"
        # Unquoted on purpose: a list of words.
        # shellcheck disable=SC2086
        if ! "$binary" $arguments >"$scratch/out.$1" 2>&1; then
            touch "$scratch/stop"
            {
                echo "finding with seed $seed (exit code not 0):"
                cat "$scratch/out.$1"
                echo "repeat: cargo run --release -- $arguments"
            } >"$scratch/finding.$1"
            return
        fi
        echo >>"$scratch/done.$1"
        (((seed - $1) / jobs % 30 == 29)) && echo "soak: seed $seed passed"
    done
}

start=$SECONDS
for ((job = 0; job < jobs; job++)); do
    walk $((first + job)) &
done
wait
passed=$(cat "$scratch"/done.* 2>/dev/null | wc -l)
if compgen -G "$scratch/finding.*" >/dev/null; then
    cat "$scratch"/finding.*
    echo "soak: stopped after $passed stresses that passed"
    exit 1
fi
echo "soak: $passed stresses passed in $((SECONDS - start)) s, no finding"
