#!/usr/bin/env bash
# Which share of the lines of src the quicker tests run: those in C, on 3 ranks where they have ranks, and
# some scripts. Prints the share of each file, then of all; ends with code 1 if that is below the floor.
#     coverage.sh [FLOOR]
# What they don't reach is run by the scripts that take longer: signals, errors, bench, watchdog.
set -euo pipefail
cd "$(dirname "$0")/.."
floor=${1:-90}
jobs/dependencies.sh lint
[ ! -d build/coverage ] || find build/coverage -name '*.gcda' -delete
tests/run.sh coverage -R '^unit/|^mpi/.*_np3$|^cli/test_(report|splits|doctor)$' -E algorithms
gcovr --root . --filter src/ build/coverage --sort-percentage --print-summary --fail-under-line "$floor" ||
    { echo "less than $floor % of the lines of src are covered" >&2 && exit 1; }
