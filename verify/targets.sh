#!/usr/bin/env bash
# Other targets: the heap's tests as a 32-bit program, and what compiles for other processors and systems.
#
#   verify/targets.sh
#
# A target whose standard library is not installed and cannot be had is skipped, by name; so is running 32-bit programs
# where the linker has no 32-bit libraries (Debian's gcc-multilib). HEAPLAB_TARGETS_ALL=1 makes a skip an error.
set -euo pipefail
cd "$(dirname "$0")/.."

tested=i686-unknown-linux-gnu
checked=(aarch64-unknown-linux-gnu x86_64-pc-windows-gnu x86_64-apple-darwin aarch64-apple-darwin)
skipped=()

# Whether the standard library of a target is there, or can be had.
is_installed() {
    rustup target list --installed 2>/dev/null | grep -qx "$1" || rustup target add "$1" >/dev/null 2>&1
}

# Whether programs of the tested target can be linked and run.
runs_32_bits() {
    local program
    program=$(mktemp)
    printf 'int main(void) { return 0; }\n' | ${CC:-cc} -m32 -x c -o "$program" - 2>/dev/null && "$program"
    local result=$?
    rm -f "$program"
    return "$result"
}

if ! is_installed "$tested"; then
    skipped+=("$tested: no standard library")
elif runs_32_bits; then
    echo "== $tested: tests"
    cargo test --locked -p heaplab --features internals --target "$tested"
else
    echo "== $tested: check only"
    cargo check --locked -p heaplab --features internals --tests --target "$tested"
    skipped+=("$tested: tests, since the linker has no 32-bit libraries; install gcc-multilib")
fi

for target in "${checked[@]}"; do
    if is_installed "$target"; then
        echo "== $target: check"
        cargo check --locked -p heaplab --target "$target"
        cargo check --locked -p heaplab --features internals --tests --target "$target"
    else
        skipped+=("$target: no standard library")
    fi
done

if ((${#skipped[@]})); then
    printf 'SKIPPED %s\n' "${skipped[@]}"
    [[ -z ${HEAPLAB_TARGETS_ALL:-} ]]
fi
