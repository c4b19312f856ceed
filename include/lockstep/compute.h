/* The BLAS library and the processor. */
#ifndef LOCKSTEP_COMPUTE_H
#define LOCKSTEP_COMPUTE_H

#include <lockstep/choice.h>
#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Who computes the matrix products of dense layers. */
#define LS_PRODUCTS_LIST(X)                                                                        \
    X(LS_PRODUCTS_LOOPS, "loops",                                                                  \
      "loops of our own, of one thread: bits do not depend on the BLAS")                           \
    X(LS_PRODUCTS_BLAS, "blas", "the BLAS library, with --threads threads")                        \
    X(LS_PRODUCTS_AUTO, "auto", "loops where a rank has one thread and AVX-512, else blas")
typedef enum ls_products { LS_PRODUCTS_LIST(LS_CHOICE_ENUM) } ls_products;

/* Sets the number of threads of each matrix product of the BLAS library, and who computes products:
 * the choice of LS_PRODUCTS_AUTO depends on the number of threads. For all networks of the process;
 * without a call 1 and LS_PRODUCTS_AUTO. Not while one is computing.
 * Local.
 * threads  1 or more */
void ls_compute_set_products(int threads, ls_products products);

/* Returns who computes the matrix products, not LS_PRODUCTS_AUTO.
 * Local. */
ls_products ls_compute_products(void);

/* Returns "loops", "blas" or "auto".
 * Local. */
const char *ls_products_name(ls_products products);

/* Returns the speed of multiplications and additions of vectors in registers by this thread, in
 * flop/s: what a matrix product can't exceed.
 * Local; takes about a millisecond.
 * now  clock, in seconds */
double ls_compute_peak(double (*now)(void));

/* Sets this thread to treat denormal numbers (below 1.2e-38 in floats) as zeros, if the processor
 * supports this mode. Moments of vanishing gradients decay to denormal numbers, with which
 * arithmetic is many times slower. To be called before training, on all ranks.
 * Local. */
void ls_compute_flush_denormals(void);

/* Computes c = a b with the BLAS library, to measure the peak speed of a processor.
 * Local.
 * a, b, c  [n][n] */
void ls_compute_product(int n, const float *a, const float *b, float *c);

/* Self-test: compares matrix products of all transpositions and of difficult shapes, of the BLAS
 * library with the current number of threads and of our own loops, with plain loops; takes about a
 * millisecond.
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
