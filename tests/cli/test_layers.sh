#!/usr/bin/env bash
# The layer rules: includes point down only, and the libraries stay in their rooms.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$3" || exit 1

# Files of a folder that match a pattern, but for the named ones: none_match WHAT PATTERN FILES...
none_match() {
    local what=$1 pattern=$2 found
    shift 2
    found=$(grep -nE "$pattern" "$@")
    check "$what: $found" [ -z "$found" ]
}
except() { find src include -name '*.[ch]' | grep -vE "$1"; }

# Third-party headers, each where it belongs.
# shellcheck disable=SC2046
{
    none_match "mpi.h only in the parallel layer and main.c" '#include <mpi.h>' $(except '^src/parallel/|^src/cli/main.c')
    none_match "hdf5.h only in h5*.c and its inner headers" '#include <hdf5.h>' $(except '^src/data/h5(_check|_attribute|_table|_type)?.c|^src/data/h5_(check|file).h')
    none_match "which only they include" '#include "data/h5_(check|file).h"' $(except '^src/data/h5(_check|_attribute|_table|_type)?.c')
    none_match "cblas.h only in the compute layer" '#include <cblas.h>' $(except '^src/nn/')
    none_match "zlib.h only in idx.c" '#include <zlib.h>' $(except '^src/data/idx.c')
    none_match "png.h only in png.c" '#include <png.h>' $(except '^src/cli/png.c')
    none_match "exit and argv only in the program" '\b(exit|_exit|abort)\(|\bargv\b' $(except '^src/cli/|^src/base/child.c')
    none_match "nothing is printed below the program" '\b(f?printf|puts)\((std|")|\bperror\(' $(except '^src/cli/')
}

# Our own headers: layer by layer, what may not be included.
up() { none_match "src/$1 includes nothing of: $2" "#include [\"<]($2)/" src/"$1"/*.[ch]; }
up base 'data|nn|parallel|train|cli'
up data 'nn|parallel|train|cli'
up nn 'data|parallel|train|cli'
up parallel 'nn|train|cli'
up train 'cli'
public() { none_match "src/$1 includes no public header of: $2" "#include <lockstep/($2)\.h>" src/"$1"/*.[ch]; }
above='bench|settings|trainer|checkpoint|evaluate|early_stop|metrics|mistakes'
public base "dataset|plan|import|network|augment|optimizer|compute|comm|reducer|topology|$above|lockstep"
public data "network|augment|optimizer|compute|comm|reducer|topology|$above|lockstep"
public nn "dataset|plan|import|comm|reducer|topology|$above|lockstep"
public parallel "network|augment|optimizer|compute|$above|lockstep"

# The compute layer is pure.
none_match "no clock, files or environment in the compute layer" '\b(fopen|open|clock_gettime|time|getenv|rand)\(' src/nn/*.c

# Public headers stand alone and need no private one.
# shellcheck disable=SC2317
compiles() {
    printf '#include <%s>\nextern int unused;\n' "$1" |
        "${CC:-cc}" -std=c11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -Iinclude -x c -
}
for header in include/lockstep/*.h; do
    check "$header compiles alone" compiles "${header#include/}"
done
finish
