/* The inner loops of gelu, sigmoid, tanh and silu (activation.c), compiled for several processors.
 * Their functions take longer than the products around them unless they are vectors. */
#ifndef LS_NN_ACTIVATION_KERNEL_H
#define LS_NN_ACTIVATION_KERNEL_H

#include <stdint.h>

typedef struct ls_activation_kernel {
    /* y = x Phi(x), and Phi(x), of n numbers. */
    void (*gelu_forward)(int64_t n, const float *x, float *Phi, float *y);

    /* dx = dy (Phi(x) + x phi(x)). */
    void (*gelu_backward)(int64_t n, const float *x, const float *Phi, const float *dy, float *dx);

    /* y = 1 / (1 + exp(-x)), y = tanh x, of n numbers. */
    void (*sigmoid)(int64_t n, const float *x, float *y);
    void (*tanh)(int64_t n, const float *x, float *y);
} ls_activation_kernel;

extern const ls_activation_kernel ls_activation_any;
#if defined(__x86_64__)
extern const ls_activation_kernel ls_activation_avx2;
extern const ls_activation_kernel ls_activation_avx512;
#endif

#endif
