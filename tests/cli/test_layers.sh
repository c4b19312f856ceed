#!/usr/bin/env bash
# The layer rules: a layer includes only the layers that the table of src/README.md allows; third-party headers are
# included only in their own files.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$3" || exit 1

# Checks that no line of the files matches a pattern: none_match DESCRIPTION PATTERN FILE ...
none_match() {
    local what=$1 pattern=$2 found
    shift 2
    found=$(grep -nE "$pattern" "$@")
    check "$what: $found" [ -z "$found" ]
}
# Prints all source files except those that match a pattern.
except() { find src include -name '*.[ch]' | grep -vE "$1"; }

# Third-party headers, exit and output.
# shellcheck disable=SC2046
{
    none_match "mpi.h only in the parallel layer and main.c" '#include <mpi.h>' $(except '^src/parallel/|^src/cli/main.c')
    none_match "hdf5.h only in h5*.c and its inner headers" '#include <hdf5.h>' $(except '^src/data/h5(_check|_attribute|_list|_table|_texts|_type)?.c|^src/data/h5_(check|file).h')
    none_match "the inner headers of h5*.c are included only by h5*.c" '#include "data/h5_(check|file).h"' $(except '^src/data/h5(_check|_attribute|_list|_table|_texts|_type)?.c')
    none_match "cblas.h only in product.c and compute*.c" '#include <cblas.h>' $(except '^src/nn/(product|compute|compute_check).c')
    none_match "operations use no hooks, groups of ranks, slices or zero columns" '\b(ls_\w*hook|ls_group\w*|slices?|ls_nonzero\w*)\b' src/nn/ops/*.[ch]
    none_match "zlib.h only in magic.c, idx.c, csv.c and zip.c" '#include <zlib.h>' $(except '^src/data/magic.c|^src/sources/(idx|csv|zip).c')
    none_match "png.h only in png.c and png_read.c" '#include <png.h>' $(except '^src/cli/png.c|^src/sources/png_read.c')
    none_match "exit and argv only in the program" '\b(exit|_exit|abort)\(|\bargv\b' $(except '^src/cli/|^src/base/child.c')
    none_match "nothing is printed below the program" '\b(f?printf|puts)\((std|")|\bperror\(' $(except '^src/cli/')
}

# Our own headers: the table of src/README.md lists which layers a layer may include, and its public headers.
declare -A allowed owner
while IFS='|' read -r _ _ folder _ may headers _; do
    folder=${folder//[ \`]/}
    folder=${folder#src/}
    allowed[$folder]=" $folder $may "
    for header in $headers; do
        owner[$header]=$folder
    done
done < <(sed -n '/^| layer | folder /,/^$/{/`src\//p}' src/README.md)
check "the table of layers is found" [ "${#allowed[@]}" -gt 1 ]
for folder in src/*/; do
    folder=$(basename "$folder")
    check "src/$folder is a row of the table of layers" [ -n "${allowed[$folder]:-}" ]
done
for header in include/lockstep/*.h; do
    header=$(basename "$header" .h)
    check "lockstep/$header.h belongs to a layer of the table" [ -n "${owner[$header]:-}" ]
done

# Prints the layer of a source file or of a public header.
layer_of() { # src/nn/x.c or include/lockstep/x.h
    case $1 in
        src/*) cut -d/ -f2 <<<"$1" ;;
        *) echo "${owner[$(basename "$1" .h)]:-}" ;;
    esac
}
wrong=''
while IFS=: read -r file _ included; do
    included=${included#*[\"<]}
    from=$(layer_of "$file")
    to=${included%%/*}
    [ "$to" != lockstep ] || to=$(layer_of "include/$included")
    [[ $file == include/lockstep/lockstep.h || ${allowed[$from]:-} == *" $to "* ||
        ($included == lockstep/* && ${allowed[$from]:-} == *" lockstep "*) ]] || wrong+="$file includes $included; "
done < <(grep -rnE '#include ["<]([a-z]+/)+[a-z0-9_]+\.h' --include='*.[ch]' --only-matching src include |
    grep -E "[\"<](lockstep|$(IFS='|' && echo "${!allowed[*]}"))/")
check "a layer includes only layers that its row allows: $wrong" [ -z "$wrong" ]

# The compute layer depends on its arguments only.
none_match "no clock, files or environment in the compute layer" '\b(fopen|open|clock_gettime|time|getenv|rand)\(' src/nn/*.c

# Each function of a public header has a contract: a comment before it or before its group of functions.
undocumented=$(awk '
    FNR == 1 { documented = continues = 0 }
    continues { continues = !/;$/; next }
    /^[a-z].*\(/ && !/^(typedef|static|extern|enum|struct)/ {
        if (!documented)
            print FILENAME ":" FNR
        continues = !/;$/
        next
    }
    /\*\/$/ { documented = 1; next }
    /^$/ { documented = 0 }' include/lockstep/*.h)
check "each public function has a contract: $undocumented" [ -z "$undocumented" ]

# Public headers compile alone and include no private header.
# shellcheck disable=SC2317
compiles() {
    printf '#include <%s>\nextern int unused;\n' "$1" |
        "${CC:-cc}" -std=c11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -Iinclude -x c -
}
for header in include/lockstep/*.h; do
    check "$header compiles alone" compiles "${header#include/}"
done
finish
