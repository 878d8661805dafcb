#!/bin/bash -eu
# Builds every fuzz target into $OUT, each with its seed corpus, dictionary and options. The contract is that of OSS-Fuzz
# and ClusterFuzzLite: $SRC has the sources, $WORK is for what is thrown away. Without Docker: fuzz/check-contract.sh.
cd "$SRC/heaplab"
cargo fuzz build -O --debug-assertions --target-dir "$WORK/target"

host=$(rustc -vV | sed -n 's/^host: //p')
for target in $(cargo fuzz list); do
    binary=$WORK/target/$host/release/$target
    if [[ ! -x $binary ]]; then
        # A target that runs under a model checker needs a feature which changes what all others would run on.
        echo "left out: $target, which needs a feature"
        continue
    fi
    cp "$binary" "$OUT/$target"
    # The recorded programs are the seeds of a target that has none of its own, and their steps its dictionary; a grammar
    # takes no words.
    seeds=fuzz/seeds/$target
    [[ -d $seeds ]] || seeds=fuzz/seeds/ops
    zip -q -j "$OUT/${target}_seed_corpus.zip" "$seeds"/*
    dictionary=fuzz/$target.dict
    [[ -f $dictionary ]] || dictionary=fuzz/ops.dict
    if [[ $target != script_ops ]]; then
        cp "$dictionary" "$OUT/$target.dict"
    fi
    cp "fuzz/$target.options" "$OUT/$target.options"
done
