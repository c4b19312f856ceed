/* Function multiversioning: a loop is compiled for several instruction sets, and the best one for
 * the processor is chosen at program start. Only in builds that are not for one processor
 * already. */
#ifndef LS_BASE_DISPATCH_H
#define LS_BASE_DISPATCH_H

#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__) &&   \
    !defined(__AVX2__)
#define LS_DISPATCH __attribute__((target_clones("avx512f", "arch=haswell", "default")))
#else
#define LS_DISPATCH
#endif

#endif
