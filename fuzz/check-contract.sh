#!/usr/bin/env bash
# Checks without Docker that the distributed engine gets what it needs: runs .clusterfuzzlite/build.sh on a copy of
# the tree, against local directories and with the environment of the base image, then each binary that it produced,
# from its seed corpus, with its dictionary and options.
#
#   fuzz/check-contract.sh [SECONDS]        for each target; default: 5
#
# Needs a nightly toolchain, cargo-fuzz, zip and unzip. Exit code 0 if everything is in order.
set -euo pipefail
seconds=${1:-5}
if ! [[ $seconds =~ ^[1-9][0-9]*$ ]]; then
    echo "check-contract.sh: '$seconds' is no number of seconds; usage: check-contract.sh [SECONDS]" >&2
    exit 2
fi
cd "$(dirname "$0")/.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch"/{src/heaplab,out,work,elsewhere}
# What `COPY .` copies, without what git ignores.
git ls-files -z --cached --others --exclude-standard | tar --null -T - -cf - | tar -xf - -C "$scratch/src/heaplab"
cp .clusterfuzzlite/build.sh "$scratch/src/"

echo "== build"
env -i PATH="$PATH" HOME="$HOME" CARGO_HOME="${CARGO_HOME:-$HOME/.cargo}" \
    RUSTUP_TOOLCHAIN=nightly SRC="$scratch/src" OUT="$scratch/out" WORK="$scratch/work" \
    FUZZING_LANGUAGE=rust FUZZING_ENGINE=libfuzzer SANITIZER=address ARCHITECTURE=x86_64 \
    CFLAGS="-O1 -fno-omit-frame-pointer -g" CXXFLAGS="-O1 -fno-omit-frame-pointer -g" \
    RUSTFLAGS="--cfg fuzzing -Cdebuginfo=1 -Cforce-frame-pointers" \
    bash -eu "$scratch/src/build.sh"

fail() {
    echo "check-contract.sh: $*" >&2
    exit 1
}

count=0
for target in $(cargo fuzz list); do
    binary=$scratch/out/$target
    # The two that need a checker's feature, which changes what all others would run on.
    case $target in
    schedule_ops | loom_programs) continue ;;
    esac
    echo "== $target"
    [[ -x $binary ]] || fail "$target was not built"
    [[ $target =~ ^[A-Za-z0-9_-]+$ ]] || fail "$target is no name of a target"
    corpus=$scratch/elsewhere/$target
    unzip -q "$scratch/out/${target}_seed_corpus.zip" -d "$corpus"
    [[ -n $(ls "$corpus") ]] || fail "$target has an empty seed corpus"
    # As the engine reads it: keys of the section [libfuzzer] are flags.
    flags=$(sed -n '/^\[libfuzzer\]/,/^\[/s/^\([a-z_]*\) *= *\(.*\)$/-\1=\2/p' "$scratch/out/$target.options")
    [[ $flags == *-max_len=* ]] || fail "$target.options has no max_len"
    dictionary=()
    if [[ -f $scratch/out/$target.dict ]]; then
        dictionary=(-dict="$scratch/out/$target.dict")
    elif [[ $target != script_ops ]]; then
        fail "$target has no dictionary"
    fi
    # From another directory, where none of the sources are; first only the seeds.
    # Unquoted on purpose: a list of words.
    # shellcheck disable=SC2086
    (cd "$scratch/elsewhere" && "$binary" $flags -runs=0 "$corpus") >"$scratch/log" 2>&1 ||
        fail "$target fails on its seeds: $(tail -n 40 "$scratch/log")"
    # shellcheck disable=SC2086
    (cd "$scratch/elsewhere" && "$binary" $flags "${dictionary[@]}" -rss_limit_mb=2560 \
        -max_total_time="$seconds" -print_final_stats=1 "$corpus") >"$scratch/log" 2>&1 ||
        fail "$target fails: $(tail -n 40 "$scratch/log")"
    grep -E 'average_exec_per_sec|peak_rss_mb' "$scratch/log"
    count=$((count + 1))
done
((count != 0)) || fail "no binary was built"
echo "$count targets are in order"
