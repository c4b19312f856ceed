/* The compute library below the networks. */
#ifndef LOCKSTEP_COMPUTE_H
#define LOCKSTEP_COMPUTE_H

#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Sets how many threads each matrix product uses.
 * Local.
 * threads  1 or more */
void ls_compute_set_threads(int threads);

/* Makes this thread treat denormal numbers (below 1.2e-38 in floats) as zeros, as far as the
 * processor can. Moments of gradients that vanish decay into that range, where arithmetic is many
 * times slower. To be called before training, on all ranks alike.
 * Local. */
void ls_compute_flush_denormals(void);

/* Computes c = a b, to measure a processor's peak.
 * Local.
 * a, b, c  [n][n] */
void ls_compute_product(int n, const float *a, const float *b, float *c);

/* Self-test: compares some products of all forms and awkward shapes with plain loops, with the
 * threads that are set; takes about a millisecond.
 * Local.
 * Errors: LS_ERR_FAILURE if one is wrong, or when memory is short. */
ls_status ls_compute_check(void) LS_MUST_CHECK;

/* The name of kernels that suit this processor better than those that the library chose when it was
 * loaded, for OPENBLAS_CORETYPE at the next start of the program; NULL if the choice is good.
 * OpenBLAS knows processors by their model numbers, and takes one that is newer than itself for a
 * much older one, or for one without AVX-512, at a third of its speed or less.
 * Local. */
const char *ls_compute_better_kernels(void);

/* The name of kernels other than those in use that this processor can run, for OPENBLAS_CORETYPE.
 * Local. */
const char *ls_compute_other_kernels(void);

/* The library, its version and its kernels for this processor, "OpenBLAS 0.3.21 Haswell"; and a
 * remark if convolutions give other bits than on most processors.
 * Local. */
const char *ls_compute_version(void);

#ifdef __cplusplus
}
#endif

#endif
