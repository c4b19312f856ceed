/* Loops compiled for several processors, of which the one that the program runs on is chosen when
 * it starts: for builds that are not made for one processor anyhow. */
#ifndef LS_BASE_DISPATCH_H
#define LS_BASE_DISPATCH_H

#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__) &&   \
    !defined(__AVX2__)
#define LS_DISPATCH __attribute__((target_clones("avx512f", "arch=haswell", "default")))
#else
#define LS_DISPATCH
#endif

#endif
