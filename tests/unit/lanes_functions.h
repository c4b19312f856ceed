/* The functions of lanes_math.h over arrays, for each kind of processor. */
#ifndef TEST_LANES_FUNCTIONS_H
#define TEST_LANES_FUNCTIONS_H

#include <stdint.h>

/* count  a multiple of 16; all arrays [count] */
typedef void lanes_functions(int64_t count, const float *x, float *of_exp, float *of_sigmoid,
                             float *of_tanh, float *of_normal);

lanes_functions lanes_functions_any;
#if defined(__x86_64__)
lanes_functions lanes_functions_avx2, lanes_functions_avx512;
#endif

#endif
