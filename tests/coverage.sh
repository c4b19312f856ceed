#!/usr/bin/env bash
# Measures the line coverage of src by the faster tests: the tests in C (MPI tests on 3 ranks) and some scripts. Prints
# the coverage of each file and the total; ends with an error if the total is below FLOOR percent.
#     coverage.sh [FLOOR]
# Slower scripts cover other lines: commands, signals, errors, bench, watchdog.
set -euo pipefail
cd "$(dirname "$0")/.."
floor=${1:-90}
jobs/dependencies.sh lint
rm -rf build/coverage # counters of an older build may not match the sources
tests/run.sh coverage -R '^unit/|^mpi/.*_np3$|^cli/test_(report|splits|doctor)$' -E algorithms
gcovr --root . --filter src/ build/coverage --gcov-ignore-parse-errors --sort-percentage --print-summary \
    --fail-under-line "$floor"
