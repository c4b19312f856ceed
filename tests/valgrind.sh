#!/usr/bin/env bash
# Runs all unit tests, or the named ones (plan, checkpoint, ...), under valgrind's memcheck. Tests with many cases run every
# 25th case; LOCKSTEP_TEST_STRIDE=1 runs all.
set -euo pipefail
cd "$(dirname "$0")/.."
jobs/dependencies.sh tests
cmake --preset dev >/dev/null
cmake --build --preset dev -j "$(nproc)" >/dev/null

export LOCKSTEP_TEST_STRIDE=${LOCKSTEP_TEST_STRIDE:-25}
# `definitely lost`: no pointer points into the block. `possibly lost` is no error here, because arenas are referenced by
# pointers into their middle.
memcheck=(valgrind --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite
    --errors-for-leak-kinds=definite --num-callers=30 --suppressions="$PWD/tests/valgrind.supp")
openmpi=/usr/share/openmpi/openmpi-valgrind.supp
[ ! -f "$openmpi" ] || memcheck+=(--suppressions="$openmpi")

# Runs one test in its own empty folder; prints its output if it fails.
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
if [ $# -gt 0 ]; then
    tests=("$@")
else
    tests=(gradients) # takes longest
    for source in tests/unit/test_*.c; do
        name=${source##*/test_}
        # Files are read in child processes that have a limit of processor time, which large chunks exceed under
        # valgrind; the sanitizers check these reads.
        [[ $name =~ ^(damaged|fields|gradients).c$ ]] || tests+=("${name%.c}")
    done
fi
for name in "${tests[@]}"; do
    while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do
        wait -n || true
    done
    run "$name" &
done
wait
[ ! -s "$failures" ]
