#!/usr/bin/env bash
# The table of tests/README.md, which lists the tests that cover each source file. It is made from COVERS in
# tests/CMakeLists.txt, which CMake writes to build/dev/tests/covers.txt, a line "TEST MODULE ..." per test.
#
#     table.sh [COVERS]    prints the table
#     table.sh --write     configures the preset dev and writes the table into tests/README.md
set -euo pipefail
root=$(realpath "$(dirname "$0")/..")
cd "$root"

table() { # COVERS
    echo '| source | tests |'
    echo '|---|---|'
    find src -name '*.c' | LC_ALL=C sort | awk '
        FNR == NR {
            sub(/_np[0-9]+$/, "", $1)
            for (i = 2; i <= NF; i++)
                if (!seen[$i, $1]++)
                    tests[$i] = tests[$i] " " $1
            next
        }
        {
            module = $1
            gsub(/.*\/|\.c$/, "", module)
            print "| " $1 " |" tests[module] " |"
        }' "$1" -
}

if [ "${1:-}" != --write ]; then
    table "${1:-build/dev/tests/covers.txt}"
    exit
fi
cmake --preset dev >/dev/null
table build/dev/tests/covers.txt >build/dev/tests/table.md
awk -v table=build/dev/tests/table.md '
    /^<!-- end of table -->$/ { inside = 0 }
    !inside
    /^<!-- table, by tests\/table.sh --write -->$/ { inside = 1; while ((getline line <table) > 0) print line }
' tests/README.md >build/dev/tests/README.md
cp build/dev/tests/README.md tests/README.md
