#!/usr/bin/env bash
# Runs the unit tests, or those named (plan, checkpoint, ...), under valgrind's memcheck. Of tests
# that go through many cases it takes every 25th; LOCKSTEP_TEST_STRIDE=1 takes all.
set -euo pipefail
cd "$(dirname "$0")/.."
jobs/dependencies.sh tests
cmake --preset dev >/dev/null
cmake --build --preset dev -j "$(nproc)" >/dev/null

export LOCKSTEP_TEST_STRIDE=${LOCKSTEP_TEST_STRIDE:-25}
# A block is lost for sure if nothing points into it. Arenas are pointed to beyond their beginning, so
# `possibly lost` says nothing here.
memcheck=(valgrind --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite
    --errors-for-leak-kinds=definite --num-callers=30 --suppressions="$PWD/tests/valgrind.supp")
openmpi=/usr/share/openmpi/openmpi-valgrind.supp
[ ! -f "$openmpi" ] || memcheck+=(--suppressions="$openmpi")

# Runs one test in an empty folder of its own; its output is shown if it is not clean.
run() {
    local name=$1 begin=$SECONDS log=build/dev/tests/valgrind_$1.log
    if tests/in_scratch.sh "$PWD/build/dev/tests/scratch/valgrind_$name" \
        "${memcheck[@]}" "$PWD/build/dev/tests/test_$name" >"$log" 2>&1; then
        echo "$name: clean, $((SECONDS - begin)) s"
    else
        cat "$log"
        echo "$name: FAILED"
        echo "$name" >>"$failures"
    fi
}

failures=$PWD/build/dev/tests/valgrind_failures
: >"$failures"
tests=("$@")
[ $# -gt 0 ] || for source in tests/unit/test_*.c; do
    name=${source##*/test_}
    # What HDF5 makes of damaged files is seen in child processes, and by the sanitizers.
    [ "$name" = damaged.c ] || tests+=("${name%.c}")
done
for name in "${tests[@]}"; do
    while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do
        wait -n || true
    done
    run "$name" &
done
wait
[ ! -s "$failures" ]
