#!/usr/bin/env bash
# Installs what the tests need, builds a preset (dev, unless another is named: asan, coverage) and
# runs its tests; mpich: with MPICH instead of Open MPI. More arguments go to ctest: tests/run.sh dev -R plan
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:-dev}
[ $# -eq 0 ] || shift
jobs/dependencies.sh tests
[ "$preset" != mpich ] || jobs/dependencies.sh mpich
echo "building $preset: a minute or two on 2 cores; then its tests, some minutes" >&2
cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset" -j "$(nproc)" | grep -E 'warning|error' || true
cmake --build --preset "$preset" >/dev/null
ctest --preset "$preset" --no-tests=error -j "$(nproc)" "$@"
