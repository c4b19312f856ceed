#!/usr/bin/env bash
# Builds the fuzz targets and runs each for some seconds, starting from a copy of its corpus: fuzz.sh SECONDS. Ends with
# an error at the first crash, leak, time-out or excessive use of memory; the input is then in build/fuzz/found.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:?give the seconds for each target}
jobs/dependencies.sh fuzz
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz -j "$(nproc)" --target fuzz_{idx,config,model,augment,csv,npy,png,text} >/dev/null
# Limits in MiB of one allocation and of all memory, and in seconds: short inputs must need no more.
limits=(-malloc_limit_mb=64 -rss_limit_mb=1024 -timeout=5)
for target in idx config model augment csv npy png text; do
    rm -rf "build/fuzz/corpus/$target"
    mkdir -p build/fuzz/corpus build/fuzz/found
    cp -r "tests/fuzz/corpus/$target" build/fuzz/corpus/
    echo "fuzzing $target for $seconds s"
    "build/fuzz/tests/fuzz/fuzz_$target" -max_total_time="$seconds" -max_len=4096 "${limits[@]}" \
        -artifact_prefix=build/fuzz/found/ "build/fuzz/corpus/$target" >"build/fuzz/$target.log" 2>&1 || {
        tail -n 40 "build/fuzz/$target.log"
        exit 1
    }
    tail -n 1 "build/fuzz/$target.log"
done
