#!/usr/bin/env bash
# Coverage: which lines of the heap (`src/`) the committed corpus runs: the seeds of the fuzz targets, each input by its
# target, and the recorded programs (`verify/regressions/*.ops`) by the engines that `cargo test` runs them with.
#
#   verify/coverage.sh [PERCENT]            default: exit code 1 if less than 90 percent of the lines are run
#
# Prints what is not run, by lines, then a table of files and the total; `verify/coverage.md` says why it is not.
# After fuzzing, a second total includes `fuzz/corpus/TARGET`. Needs a C++ compiler, for libFuzzer.
#
# A line counts if it is compiled, and is run if any binary runs it. Files that are no heap are left out: the
# checkers' faces of `sync` and `memory`, and `memory/tests.rs`. Other tests are not compiled, since the heap is built
# as a library. The programs also run on real threads, and those differ by a few lines from time to time.
set -euo pipefail
cd "$(dirname "$0")/.."
percent=${1:-90}
if ! [[ $percent =~ ^[0-9]+$ ]] || ((10#$percent > 100)); then
    echo "coverage.sh: '$percent' is no percentage; usage: coverage.sh [PERCENT]" >&2
    exit 2
fi
no_heap='^src/(sync/(explore|model[a-z_]*|scheduled)|memory/(simulated|tests))\.rs '

host=$(rustc -vV | sed -n 's/^host: //p')
tools=$(rustc --print sysroot)/lib/rustlib/$host/bin
[[ -x $tools/llvm-profdata && -x $tools/llvm-cov ]] || rustup component add llvm-tools

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

echo "== build"
# With debug assertions, as cargo-fuzz has it. A target is named, else build scripts would be measured too.
export RUSTFLAGS="-C instrument-coverage --cfg fuzzing" CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS=true
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}/coverage
options=(--locked --release --target "$host")
cargo build "${options[@]}" --manifest-path fuzz/Cargo.toml
cargo build "${options[@]}" --manifest-path fuzz/Cargo.toml --no-default-features --features shuttle --bin schedule_ops
# No JavaScript runs here, so its parser is not built.
replay=$(cargo test "${options[@]}" --no-default-features -p heaplab-verify --test replay --no-run \
    --message-format=json-render-diagnostics | sed -n 's|.*"executable":"\([^"]*/replay-[^"]*\)".*|\1|p')

# Runs a binary on the arguments that it reads, and writes the lines of the heap that the binary has: file, line, how
# often it was run. One binary at a time, since the counters of a generic function belong to one binary.
#
#   measured NAME BINARY [FIRST ARGUMENT...]
measured() {
    local name=$1 binary=$2
    if ! LLVM_PROFILE_FILE="$scratch/$name.%p.profraw" xargs -0 -n 1000 "${@:2}" >"$scratch/log" 2>&1; then
        echo "coverage.sh: $name fails:" >&2
        tail -n 40 "$scratch/log" >&2
        exit 1
    fi
    "$tools/llvm-profdata" merge -sparse "$scratch/$name".*.profraw -o "$scratch/$name.profdata"
    "$tools/llvm-cov" export -format=lcov -instr-profile "$scratch/$name.profdata" "$binary" "$PWD/src" |
        awk -F '[:,]' -v prefix="$PWD/" '
            /^SF:/ { file = substr($0, 4 + length(prefix)) }
            /^DA:/ { print file, $2, $3 }' |
        grep -vE "$no_heap" >"$scratch/$name.lines"
}

# The same for a fuzz target and the files of a directory.
measured_target() {
    local name=$1 target=$2 directory=$3
    find "$PWD/$directory" -type f -print0 |
        measured "$name" "$CARGO_TARGET_DIR/$host/release/$target" -artifact_prefix="$scratch/"
}

# All lines, each once, with a count that is 0 if no binary runs it.
merged() { LC_ALL=C sort -k1,1 -k2,2n -k3,3nr "$@" | awk '!seen[$1, $2]++'; }

# Lines that are run, and all lines.
counts() { awk '$3 > 0 { covered++ } END { print covered + 0, NR }' "$1"; }

printf 'recorded_programs\0' | measured replay "$replay" --exact
targets=(heap_ops interleaved_ops fault_ops hostile_config script_ops schedule_ops)
for target in "${targets[@]}"; do
    case $target in
    heap_ops | interleaved_ops) seeds=fuzz/seeds/ops ;;
    *) seeds=fuzz/seeds/$target ;;
    esac
    measured_target "$target" "$target" "$seeds"
done
merged "$scratch"/*.lines >"$scratch/corpus"

printf '\n== not run\n'
awk '
    function close_range() {
        if (first == 0) return
        for (number = 1; number <= first; number++) if ((getline text < file) <= 0) text = "?"
        close(file)
        sub(/^ +/, "", text)
        printf "%-44s %s\n", file ":" first (last > first ? "-" last : ""), substr(text, 1, 75)
        first = 0
    }
    $1 != file || $3 > 0 { close_range() }
    { file = $1 }
    $3 == 0 { if (first == 0) first = $2; last = $2 }
    END { close_range() }' "$scratch/corpus"

printf '\n== %-32s %8s %8s %8s\n' file run lines percent
awk '
    function row() { printf "   %-32s %8d %8d %8.1f\n", file, covered, lines, 100 * covered / lines }
    $1 != file { if (NR > 1) row(); file = $1; covered = lines = 0 }
    { lines++; covered += $3 > 0 }
    END { row() }' "$scratch/corpus"
read -r covered lines < <(counts "$scratch/corpus")
total() {
    awk -v what="$1" -v run="$2" -v all="$3" \
        'BEGIN { printf "   %-32s %8d %8d %8.1f\n", what, run, all, 100 * run / all }'
}
total "in all" "$covered" "$lines"

grown=()
for target in "${targets[@]}"; do
    [[ -d fuzz/corpus/$target && -n $(ls -A "fuzz/corpus/$target") ]] || continue
    measured_target "grown.$target" "$target" "fuzz/corpus/$target"
    grown+=("$target")
done
if ((${#grown[@]} != 0)); then
    merged "$scratch/corpus" "$scratch"/grown.*.lines >"$scratch/all"
    read -r grown_covered grown_lines < <(counts "$scratch/all")
    total "with fuzz/corpus" "$grown_covered" "$grown_lines"
fi

if ((100 * covered < 10#$percent * lines)); then
    echo "coverage.sh: the corpus runs less than $percent % of the lines; add programs to verify/regressions" >&2
    exit 1
fi
