/* The Frechet distance of two normal distributions: how far generated rows are from real ones, by
 * mean and covariance of their features (Dowson and Landau, The Frechet distance between
 * multivariate normal distributions, 1982; Heusel et al., GANs trained by a two time-scale update
 * rule converge to a local Nash equilibrium, 2017). All functions are Local. */
#ifndef LS_NN_FRECHET_H
#define LS_NN_FRECHET_H

#include <lockstep/status.h>

enum { LS_FRECHET_MOST = 2048 /* features */ };

/* Mean and covariance of features. */
typedef struct ls_moments {
    int features;       /* d */
    double *mean;       /* [d], owned */
    double *covariance; /* [d][d] symmetric, owned */
} ls_moments;

/* Allocates moments of so many features, all 0. Errors: LS_ERR_FAILURE; *out is left alone. */
ls_status ls_moments_create(ls_moments *out, int features) LS_MUST_CHECK;

/* Frees and zeroes. Accepts zeroed moments. */
void ls_moments_destroy(ls_moments *moments);

/* Computes |m - n|^2 + trace(C + D - 2 (C D)^(1/2)) of means m, n and covariances C, D of as many
 * features.
 * Errors: LS_ERR_FAILURE if memory is short; LS_ERR_NUMERIC if the eigenvalues can't be found. */
ls_status ls_frechet_distance(const ls_moments *a, const ls_moments *b, double *out) LS_MUST_CHECK;

#endif
