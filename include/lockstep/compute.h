/* The BLAS library and the processor. */
#ifndef LOCKSTEP_COMPUTE_H
#define LOCKSTEP_COMPUTE_H

#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Sets the number of threads of each matrix product.
 * Local.
 * threads  1 or more */
void ls_compute_set_threads(int threads);

/* Sets this thread to treat denormal numbers (below 1.2e-38 in floats) as zeros, if the processor
 * supports this mode. Moments of vanishing gradients decay to denormal numbers, with which
 * arithmetic is many times slower. To be called before training, on all ranks.
 * Local. */
void ls_compute_flush_denormals(void);

/* Computes c = a b, to measure the peak speed of a processor.
 * Local.
 * a, b, c  [n][n] */
void ls_compute_product(int n, const float *a, const float *b, float *c);

/* Self-test: compares matrix products of all transpositions and of difficult shapes with plain
 * loops, using the current number of threads; takes about a millisecond.
 * Local.
 * Errors: LS_ERR_FAILURE if a product is wrong, or when memory is short. */
ls_status ls_compute_check(void) LS_MUST_CHECK;

/* Returns the name of kernels that are faster on this processor than the kernels that OpenBLAS
 * chose when it was loaded, for OPENBLAS_CORETYPE at the next start of the program; NULL if the
 * choice is good. OpenBLAS identifies processors by model number: on a processor newer than the
 * library, it may choose kernels for a much older processor, or without AVX-512, at a third of the
 * speed or less.
 * Local. */
const char *ls_compute_better_kernels(void);

/* Returns the value of OPENBLAS_CORETYPE if it is the reason that there are better kernels; "" if
 * not. The value that ls_compute_better_kernels() asks for is no reason, even where the library
 * does not follow it.
 * Local.
 * set  the value; NULL: not set */
const char *ls_compute_slow_setting(const char *set);

/* Returns the name of other kernels that this processor can run, for OPENBLAS_CORETYPE.
 * Local. */
const char *ls_compute_other_kernels(void);

/* Returns the library, its version and its kernels for this processor, "OpenBLAS 0.3.21 Haswell";
 * followed by ", convolutions without FMA" if convolutions give other bits than on most processors.
 * Local. */
const char *ls_compute_version(void);

#ifdef __cplusplus
}
#endif

#endif
