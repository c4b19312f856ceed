#!/usr/bin/env bash
# Checks formatting and shell scripts, and runs static analysis on the given files, or on all of src and tests:
#     lint.sh [FILE.c ...]
# Builds the preset dev, whose compile_commands.json and generated files the analysis needs.
set -euo pipefail
cd "$(dirname "$0")/.."
jobs/dependencies.sh lint
git ls-files '*.[ch]' | xargs clang-format --dry-run -Werror
# clang-format does not wrap comments.
if git ls-files '*.[ch]' | grep -v '^tests/reference/' | xargs grep -nE '^.{101,}'; then
    echo "lint.sh: lines of more than 100 characters" >&2
    exit 1
fi
mapfile -t scripts < <(git ls-files '*.sh' '*.sbatch' '*.pbs' '*.lsf' '*.flux' .ci/run)
shellcheck -x "${scripts[@]}"
cmake --preset dev >/dev/null
cmake --build --preset dev -j "$(nproc)" >/dev/null
files=("$@")
# The preset does not build the fuzz targets and yield.c, which is for MPICH.
[ $# -gt 0 ] || mapfile -t files < <(git ls-files 'src/*.c' 'tests/*.c' | grep -vE '^tests/(fuzz/|yield\.c)')
# Which compiler's warnings are errors is not for clang-tidy: without the option it reports clang's own.
printf '%s\n' "${files[@]}" |
    xargs -P "$(nproc)" -n 4 clang-tidy -p build/dev --quiet --extra-arg=-Wno-error 2>/dev/null
