#!/usr/bin/env bash
# Which share of the lines of src has been run by the tests under the sanitizers, since they were built:
#     rm -rf build/asan && tests/run.sh asan && tests/coverage.sh [FLOOR]
# Prints the share of each file, then of all; ends with an error if that is below the floor.
set -euo pipefail
cd "$(dirname "$0")/.."
floor=${1:-90}
jobs/dependencies.sh lint
gcovr --root . --filter src/ build/asan --gcov-ignore-parse-errors --sort-percentage --print-summary \
    --fail-under-line "$floor"
