#!/usr/bin/env bash
# An installed library builds a small program, in C and in C++ alone, with CMake and with pkg-config.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
make_data=$2
build=$4
prefix=$PWD/prefix
cmake --install "$build" --prefix "$prefix" >log 2>&1
check "install" [ $? = 0 ]
completions=$prefix/share/bash-completion/completions
echo another >"$completions/srun"
cmake --install "$build" --prefix "$prefix" >>log 2>&1
check "install again" [ $? = 0 ]
check "another's completion stays" has "$completions/srun" '^another$'
check "the program is installed" "$prefix/bin/lockstep" --version
check "a manual page is installed" [ -s "$prefix/share/man/man1/lockstep-train.1" ]
check "prose, too, as a page or as it is" [ -n "$(find "$prefix/share" -name 'lockstep-networks*')" ]
check "completion of bash" has "$completions/lockstep" '^complete -F _lockstep lockstep$'
check "behind mpirun" cmp -s "$completions/lockstep" "$completions/mpirun"
check "completion of zsh" has "$prefix/share/zsh/site-functions/_lockstep" '^#compdef lockstep mpirun'
libdir=$(dirname "$(find "$prefix" -name lockstep.pc)")
export PKG_CONFIG_PATH=$libdir

flags=
# A library that was built with sanitizers needs them in the program too.
grep -q 'LOCKSTEP_SANITIZE:BOOL=ON' "$build/CMakeCache.txt" && flags=-fsanitize=address,undefined
export ASAN_OPTIONS=detect_leaks=0

consume() { # LANGUAGE COMPILER SOURCE
    mkdir -p "$1"
    cat >"$1/$3"
    cat >"$1/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.18)
project(app LANGUAGES $1)
find_package(Lockstep REQUIRED)
add_executable(app $3)
target_link_libraries(app PRIVATE Lockstep::lockstep)
END
    cmake -S "$1" -B "$1/build" -DCMAKE_PREFIX_PATH="$prefix" "-DCMAKE_$1_FLAGS=$flags" >>log 2>&1 &&
        cmake --build "$1/build" >>log 2>&1
    check "$1: builds with CMake" [ $? = 0 ]
    check "$1: runs" [ "$("$1/build/app")" = "407050 parameters" ]
    # shellcheck disable=SC2046,SC2086
    "$2" $flags "$1/$3" -o "$1/direct" $(pkg-config --cflags --libs lockstep) >>log 2>&1
    check "$1: builds with pkg-config" [ $? = 0 ]
    check "$1: runs" [ "$("$1/direct")" = "407050 parameters" ]
}

consume C "${CC:-cc}" main.c <<'C'
#include <lockstep/lockstep.h>
#include <stdio.h>
int main(void)
{
    ls_network *network = NULL;
    ls_status status = ls_network_create(&network, "dense:512 relu dense:10", (ls_shape){1, 28, 28}, 10, LS_CROSS_ENTROPY, 1);
    return status != LS_OK || printf("%lld parameters\n", (long long)ls_network_size(network)) < 0;
}
C
if command -v "${CXX:-c++}" >/dev/null; then
    consume CXX "${CXX:-c++}" main.cpp <<'C'
#include <lockstep/lockstep.h>
#include <iostream>
int main()
{
    ls_network *network = nullptr;
    if (ls_network_create(&network, "dense:512 relu dense:10", ls_shape{1, 28, 28}, 10, LS_CROSS_ENTROPY, 1) != LS_OK)
        return 1;
    std::cout << ls_network_size(network) << " parameters\n";
    ls_network_destroy(&network);
}
C
    # Each header by itself, and each of their functions by the name that C gives it.
    for header in "$prefix"/include/lockstep/*.h; do
        echo "#include <lockstep/${header##*/}>" >header.cpp
        "${CXX:-c++}" -std=c++11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I"$prefix/include" header.cpp >>log 2>&1
        check "C++ takes ${header##*/}" [ $? = 0 ]
        ! grep -q ');$' "$header" || check "${header##*/} says extern \"C\"" has "$header" '^extern "C" \{$'
    done
else
    echo "skipped: C++, for there is no compiler"
fi

# A program that trains: interrupted it resumes to the same bits, and refuses what the command refuses.
# shellcheck disable=SC2046
OMPI_CC=${CC:-cc} mpicc $flags "$(dirname "$0")/resume.c" -o resume $(pkg-config --cflags --libs lockstep) >>log 2>&1
check "a program that trains builds" [ $? = 0 ]
"$make_data" data
options=(data data/data.h5 model "dense:9 relu dense:5" batch 16 reduce fused threads 1)
whole=$(mpirun -n 2 ./resume "${options[@]}" epochs 30 run whole)
check "it trains" grep -qE '^30 epochs, [0-9a-f]{16}$' <<<"$whole"
mpirun -n 2 ./resume "${options[@]}" epochs 30 max-time 0.05s >out 2>err
check "interrupted it ends with 75" [ $? = 75 ]
check "and says so" has err 'stopped by the time limit.*the checkpoint is written'
refuses_to() { # WHAT PATTERN NAME VALUE ...
    local what=$1 pattern=$2
    shift 2
    mpirun -n 2 ./resume "${options[@]}" "$@" >out 2>err
    check "$what: code 2" [ $? = 2 ]
    check "$what: one line says why" has err "$pattern"
}
refuses_to "other settings are refused" "with other settings: --lr is 0.5, was 0.001" epochs 30 lr 0.5
refuses_to "a wrong value is refused" "^--momentum: 1 is too large, it must be below 1" momentum 1
refuses_to "settings must go together" "^--nesterov needs a --momentum above 0" optimizer sgd nesterov true
check "it resumes to the same bits" [ "$(mpirun -n 2 ./resume "${options[@]}" epochs 30)" = "$whole" ]
mpirun -n 2 "$lockstep" train --config run/config.conf --resume auto --quiet 2>err
check "the command takes it for its own" [ $? = 0 ]
[ "$failed" = 0 ] || cat log
finish
