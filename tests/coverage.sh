#!/usr/bin/env bash
# Which share of the lines of src the quicker tests run: those in C, on 3 ranks where they have ranks, and
# some scripts. Prints the share of each file, then of all; ends with an error if that is below the floor.
#     coverage.sh [FLOOR]
# Scripts that take longer run the rest: commands, signals, errors, bench, watchdog.
set -euo pipefail
cd "$(dirname "$0")/.."
floor=${1:-90}
jobs/dependencies.sh lint
rm -rf build/coverage # what an older build counted may not fit the sources
tests/run.sh coverage -R '^unit/|^mpi/.*_np3$|^cli/test_(report|splits|doctor|docs|scores|sources|tasks|predict)$' -E algorithms
gcovr --root . --filter src/ build/coverage --gcov-ignore-parse-errors --sort-percentage --print-summary \
    --fail-under-line "$floor"
