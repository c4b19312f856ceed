/* The compute library below the networks. */
#ifndef LOCKSTEP_COMPUTE_H
#define LOCKSTEP_COMPUTE_H

/* Sets how many threads each matrix product uses. Local. threads: 1 or more. */
void ls_compute_set_threads(int threads);

/* Lets this thread take numbers below the smallest normal one (1.2e-38 in floats) for zeros, as far
 * as the processor can. Moments of gradients that vanish decay into that range, where arithmetic is
 * many times slower. To be called before training, on all ranks alike. Local. */
void ls_compute_flush_denormals(void);

/* c = a b, square matrices [n][n] of floats: what a processor's peak is measured with. Local. */
void ls_compute_product(int n, const float *a, const float *b, float *c);

/* The library, its version and its kernels for this processor, "OpenBLAS 0.3.21 Haswell". Local. */
const char *ls_compute_version(void);

#endif
