#!/usr/bin/env bash
# Small programs in C and in C++ are built with the installed library, by CMake and by pkg-config.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
make_data=$2
build=$4
prefix=$PWD/prefix
cmake --install "$build" --prefix "$prefix" >log 2>&1
check "the install succeeds" [ $? = 0 ]
completions=$prefix/share/bash-completion/completions
echo another >"$completions/srun"
cmake --install "$build" --prefix "$prefix" >>log 2>&1
check "a second install succeeds" [ $? = 0 ]
check "another program's completion file is not replaced" has "$completions/srun" '^another$'
check "the program is installed" "$prefix/bin/lockstep" --version
check "a manual page is installed" [ -s "$prefix/share/man/man1/lockstep-train.1" ]
check "the manual in prose is installed" [ -n "$(find "$prefix/share" -name 'lockstep-networks*')" ]
check "completion for bash is installed" has "$completions/lockstep" '^complete -F _lockstep lockstep$'
check "completion for bash is installed for mpirun" cmp -s "$completions/lockstep" "$completions/mpirun"
check "completion for zsh is installed" has "$prefix/share/zsh/site-functions/_lockstep" '^#compdef lockstep mpirun'
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
    check "$1: a program builds with CMake" [ $? = 0 ]
    check "$1: the program built with CMake runs" [ "$("$1/build/app")" = "407050 parameters" ]
    # shellcheck disable=SC2046,SC2086
    "$2" $flags "$1/$3" -o "$1/direct" $(pkg-config --cflags --libs lockstep) >>log 2>&1
    check "$1: a program builds with pkg-config" [ $? = 0 ]
    check "$1: the program built with pkg-config runs" [ "$("$1/direct")" = "407050 parameters" ]
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
    # Each header compiles alone as C++, and declares its functions extern "C".
    for header in "$prefix"/include/lockstep/*.h; do
        echo "#include <lockstep/${header##*/}>" >header.cpp
        "${CXX:-c++}" -std=c++11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I"$prefix/include" header.cpp >>log 2>&1
        check "${header##*/} compiles alone as C++" [ $? = 0 ]
        ! grep -q ');$' "$header" || check "${header##*/} declares its functions extern \"C\"" has "$header" '^extern "C" \{$'
    done
else
    echo "skipped: C++: no compiler is installed"
fi

# A program that calls MPI itself needs nothing but the library's target.
mkdir -p train
cp "$(dirname "$0")/resume.c" train/train.c
cat >train/CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.18)
project(app LANGUAGES C)
find_package(Lockstep REQUIRED)
add_executable(app train.c)
target_link_libraries(app PRIVATE Lockstep::lockstep)
END
cmake -S train -B train/build -DCMAKE_PREFIX_PATH="$prefix" "-DCMAKE_C_FLAGS=$flags" >>log 2>&1 &&
    cmake --build train/build >>log 2>&1
check "a program that trains builds with CMake" [ $? = 0 ]

# A program that trains with the library: interrupted and resumed it gives the same bits, and it refuses the settings
# that the command refuses.
# shellcheck disable=SC2046
OMPI_CC=${CC:-cc} mpicc $flags "$(dirname "$0")/resume.c" -o resume $(pkg-config --cflags --libs lockstep) >>log 2>&1
check "a program that trains builds" [ $? = 0 ]
"$make_data" data
options=(data data/data.h5 model "dense:9 relu dense:5" batch 16 reduce fused threads 1)
whole=$(mpirun -n 2 ./resume "${options[@]}" epochs 300 run whole)
check "a program that trains succeeds" grep -qE '^300 epochs, [0-9a-f]{16}$' <<<"$whole"
for limit in 0.05 0.1 0.2 0.4 0.8 1.6; do # the first that ends within the training, not at its start
    mpirun -n 2 ./resume "${options[@]}" epochs 300 max-time ${limit}s >out 2>err
    code=$?
    ! ls run/checkpoints/*.h5 >/dev/null 2>&1 || break
done
check "an interrupted program ends with code 75" [ "$code" = 75 ]
check "an interrupted program reports the time limit and the checkpoint" has err 'stopped by the time limit.*the checkpoint is written'
check_refusal() { # DESCRIPTION PATTERN NAME VALUE ...
    local what=$1 pattern=$2
    shift 2
    mpirun -n 2 ./resume "${options[@]}" "$@" >out 2>err
    check "$what: code 2" [ $? = 2 ]
    check "$what: one line gives the reason" has err "$pattern"
}
check_refusal "other settings are refused" "with other settings: --lr is 0.5, was 0.001" epochs 300 lr 0.5
check_refusal "a wrong value is refused" "^--momentum: 1 is too large, it must be below 1" momentum 1
check_refusal "settings must go together" "^--nesterov needs a --momentum above 0" optimizer sgd nesterov true
check "a resumed program gives the same bits" [ "$(mpirun -n 2 ./resume "${options[@]}" epochs 300)" = "$whole" ]
mpirun -n 2 "$lockstep" train --config run/config.conf --resume auto --quiet 2>err
check "the command resumes the program's run" [ $? = 0 ]
[ "$failed" = 0 ] || cat log
finish
