#!/usr/bin/env bash
# Formatting, static analysis and shell scripts: lint.sh [FILE.c ...]
# Without files all of src and tests. Builds the preset dev, whose compile_commands.json and generated files it
# uses.
set -euo pipefail
cd "$(dirname "$0")/.."
jobs/dependencies.sh lint
git ls-files '*.[ch]' | xargs clang-format --dry-run -Werror
# clang-format leaves comments alone.
if git ls-files '*.[ch]' | grep -v '^tests/reference/' | xargs grep -nE '^.{101,}'; then
    echo "lint.sh: lines of more than 100 characters" >&2
    exit 1
fi
cmake --preset dev >/dev/null
cmake --build --preset dev -j "$(nproc)" >/dev/null
files=("$@")
# The fuzz targets and what only another MPI needs are not in the preset.
[ $# -gt 0 ] || mapfile -t files < <(git ls-files 'src/*.c' 'tests/*.c' | grep -vE '^tests/(fuzz/|yield\.c)')
printf '%s\n' "${files[@]}" | xargs -P "$(nproc)" -n 4 clang-tidy -p build/dev --quiet 2>/dev/null
mapfile -t scripts < <(git ls-files '*.sh' '*.sbatch' .ci/run)
shellcheck -x "${scripts[@]}"
