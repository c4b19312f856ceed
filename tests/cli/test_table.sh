#!/usr/bin/env bash
# Each source file has a test, each test is registered, and the table of tests/README.md is up to date. $3: the source
# folder; $4: covers.txt
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$3" || exit 1
covers=$4

mapfile -t modules < <(awk '{ for (i = 2; i <= NF; i++) print $i }' "$covers" | sort -u)
for module in "${modules[@]}"; do
    check "the module '$module', which a test covers, exists" [ -n "$(find src -name "$module.c")" ]
done
while read -r source; do
    module=$(basename "$source" .c)
    check "a test covers $source: COVERS in tests/CMakeLists.txt" \
        [ "$(printf '%s\n' "${modules[@]}" | grep -cx "$module")" = 1 ]
done < <(find src -name '*.c')

for file in tests/unit/test_*.c tests/mpi/test_*.c tests/*/test_*.sh; do
    name=${file#tests/} name=${name%.*}
    check "$file is registered" grep -qE "^$name(_np[0-9]+)? " "$covers"
done

check "the table of tests/README.md is up to date: tests/table.sh --write" \
    [ "$(sed -n '/^<!-- table/,/^<!-- end/{/^<!--/!p}' tests/README.md)" = "$(tests/table.sh "$covers")" ]
finish
