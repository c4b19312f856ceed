#!/usr/bin/env bash
# The tests under the sanitizers, and which share of the lines of src they run. Prints the share of each file,
# then of all; ends with an error if a test fails or the share is below the floor.
#     coverage.sh [FLOOR]
# Excluded: tests that depend on the machine's speed, scripts that start many processes, the MPI library's own
# algorithms, and numbers of ranks other than 3, which run the same code.
set -euo pipefail
cd "$(dirname "$0")/.."
floor=${1:-90}
jobs/dependencies.sh lint
rm -rf build/coverage # what an older build counted may not fit the sources
LOCKSTEP_TEST_STRIDE=10 tests/run.sh coverage \
    -E 'algorithms|soak|sweep|quickstart|watchdog|signals|errors|two_hosts|link|slurm|experiment|install|layers|table|bench|_np(1|2|4|7|20)$'
gcovr --root . --filter src/ build/coverage --gcov-ignore-parse-errors --sort-percentage --print-summary \
    --fail-under-line "$floor"
