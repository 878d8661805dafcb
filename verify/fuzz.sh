#!/usr/bin/env bash
# Fuzzing: each target, or those that are named, one after the other, with its options and its dictionary, from its
# seeds.
#
#   verify/fuzz.sh [SECONDS [TARGET...]]    default: 10 seconds for every target
#
# 600 seconds are a good look, a night is better. Inputs that run something new are kept in fuzz/corpus/TARGET; an
# input that fails ends the run and is kept in fuzz/artifacts/TARGET: `heaplab replay FILE` shows what it does.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-10}
if ! [[ $seconds =~ ^[1-9][0-9]*$ ]]; then
    echo "fuzz.sh: '$seconds' is no number of seconds; usage: fuzz.sh [SECONDS [TARGET...]]" >&2
    exit 2
fi
cargo fuzz --version >/dev/null 2>&1 || cargo install --locked cargo-fuzz
mapfile -t all < <(cargo fuzz list)
targets=("${@:2}")
if ((${#targets[@]} == 0)); then
    targets=("${all[@]}")
fi
for target in "${targets[@]}"; do
    if [[ " ${all[*]} " != *" $target "* ]]; then
        echo "fuzz.sh: there is no target '$target'; there are ${all[*]}" >&2
        exit 2
    fi
done

for target in "${targets[@]}"; do
    echo "== $target"
    # Two targets need a checker's feature, and a binary without a sanitizer: see fuzz/README.md.
    case $target in
    schedule_ops) build=(--no-default-features --features shuttle --sanitizer none) ;;
    loom_programs) build=(--no-default-features --features loom --sanitizer none) ;;
    *) build=() ;;
    esac
    # The recorded programs are the seeds of a target that has none of its own, and the words of their steps its
    # dictionary. `script_ops` has a grammar instead of words.
    seeds=fuzz/seeds/$target
    [[ -d $seeds ]] || seeds=fuzz/seeds/ops
    dictionary=(-dict=fuzz/ops.dict)
    if [[ -f fuzz/$target.dict ]]; then
        dictionary=(-dict="fuzz/$target.dict")
    elif [[ $target == script_ops ]]; then
        dictionary=()
    fi
    # The time limit of an input is left out, since it suits only a machine that does nothing else; libFuzzer's own
    # limit of twenty minutes stays.
    mapfile -t options < <(sed -n '/^timeout/d; s/^\([a-z_]*\) *= *\(.*\)$/-\1=\2/p' "fuzz/$target.options")
    mkdir -p "fuzz/corpus/$target"
    cargo +nightly fuzz run "${build[@]}" "$target" "fuzz/corpus/$target" "$seeds" -- \
        "${options[@]}" "${dictionary[@]}" -max_total_time="$seconds" -print_final_stats=1
done
