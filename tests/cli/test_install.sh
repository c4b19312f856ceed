#!/usr/bin/env bash
# An installed library builds a small program, with CMake and with pkg-config.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
build=$4
prefix=$PWD/prefix
cmake --install "$build" --prefix "$prefix" >log 2>&1
check "install" [ $? = 0 ]
check "the program is installed" "$prefix/bin/lockstep" --version

mkdir -p app
cat >app/main.c <<'C'
#include <lockstep/lockstep.h>
#include <stdio.h>
int main(void)
{
    ls_network *network = NULL;
    ls_status status = ls_network_create(&network, "dense:512 relu dense:10", (ls_shape){1, 28, 28}, 10, LS_CROSS_ENTROPY, 1);
    return status != LS_OK || printf("%lld parameters\n", (long long)ls_network_size(network)) < 0;
}
C
cat >app/CMakeLists.txt <<'C'
cmake_minimum_required(VERSION 3.18)
project(app LANGUAGES C)
find_package(Lockstep REQUIRED)
add_executable(app main.c)
target_link_libraries(app PRIVATE Lockstep::lockstep)
C
flags=
# A library that was built with sanitizers needs them in the program too.
grep -q 'LOCKSTEP_SANITIZE:BOOL=ON' "$build/CMakeCache.txt" && flags=-fsanitize=address,undefined
cmake -S app -B app/build -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_FLAGS="$flags" >>log 2>&1 &&
    cmake --build app/build >>log 2>&1
check "builds with CMake" [ $? = 0 ]
export ASAN_OPTIONS=detect_leaks=0
check "runs" [ "$(app/build/app)" = "407050 parameters" ]

libdir=$(dirname "$(find "$prefix" -name lockstep.pc)")
export PKG_CONFIG_PATH=$libdir
# shellcheck disable=SC2046,SC2086
"${CC:-cc}" $flags app/main.c -o app/direct $(pkg-config --cflags --libs lockstep) >>log 2>&1
check "builds with pkg-config" [ $? = 0 ]
check "runs" [ "$(app/direct)" = "407050 parameters" ]
[ "$failed" = 0 ] || cat log
finish
