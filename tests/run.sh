#!/usr/bin/env bash
# Installs the packages that the tests need, builds a preset (dev by default; asan; mpich: with MPICH instead of
# Open MPI) and runs its tests. Further arguments are passed to ctest; only the targets of the selected tests are built:
#     tests/run.sh dev -R plan        tests whose name matches
#     tests/run.sh dev -L '^conv$'    tests that cover src/.../conv.c
#     tests/run.sh dev -LE slow       all tests except those that take more than 20 s
# If the packages are installed and the preset is built, `ctest --preset dev -R plan` does the same.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:-dev}
[ $# -eq 0 ] || shift
jobs/dependencies.sh tests
[ "$preset" != mpich ] || jobs/dependencies.sh mpich
cmake --preset "$preset" >/dev/null
chosen=$(ctest --preset "$preset" -N "$@")
count=$(sed -n 's/^Total Tests: //p' <<<"$chosen")
[ "$count" != 0 ] || {
    echo "no test matches: $*" >&2
    exit 1
}
# A test in C is a target of the same name; a script needs the program, and some scripts need tests in C.
targets=()
if ! grep -qE ' cli/| mpi/test_(algorithms|two_hosts)' <<<"$chosen"; then
    mapfile -t targets < <(sed -nE 's#.* (unit|mpi)/(test_[a-z_]+)(_np[0-9]+)?$#\2#p' <<<"$chosen" | sort -u)
    targets=(--target "${targets[@]}")
fi
echo "building $preset, a minute or two on 2 cores; then it runs tests: $count; all of them take some minutes" >&2
cmake --build --preset "$preset" -j "$(nproc)" "${targets[@]}" | grep -E 'warning|error' || true
cmake --build --preset "$preset" "${targets[@]}" >/dev/null
# Twice the cores: tests wait for starting and ending processes for much of their time.
ctest --preset "$preset" --no-tests=error -j "$((2 * $(nproc)))" "$@"
