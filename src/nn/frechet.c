#include "nn/frechet.h"

#include "base/memory.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* LAPACK, in OpenBLAS: eigenvalues `w`, ascending, and with jobz 'V' eigenvectors of a symmetric
 * matrix, which is overwritten by them: vector k is a[k * n .. k * n + n - 1]. */
void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w,
             double *work, const int *lwork, int *iwork, const int *liwork, int *info);

ls_status ls_moments_create(ls_moments *out, int features)
{
    ls_moments m = {.features = features,
                    .mean = ls_alloc(features, sizeof(double)),
                    .covariance = ls_alloc((int64_t)features * features, sizeof(double))};
    if (m.mean == NULL || m.covariance == NULL) {
        ls_moments_destroy(&m);
        return LS_ERR_FAILURE;
    }
    *out = m;
    return LS_OK;
}

void ls_moments_destroy(ls_moments *m)
{
    ls_free(m->mean);
    ls_free(m->covariance);
    *m = (ls_moments){0};
}

/* Computes eigenvalues [n] and, if `vectors`, eigenvectors of a symmetric matrix. */
static ls_status find_eigenvalues(int n, double *a, double *values, bool vectors)
{
    const char *jobz = vectors ? "V" : "N";
    double size;
    int integers, info, query = -1;
    dsyevd_(jobz, "U", &n, a, &n, values, &size, &query, &integers, &query, &info);
    int work_size = (int)size;
    double *work = ls_alloc(work_size, sizeof *work);
    int *iwork = ls_alloc(integers, sizeof *iwork);
    ls_status status = work == NULL || iwork == NULL ? LS_ERR_FAILURE : LS_OK;
    if (status == LS_OK) {
        dsyevd_(jobz, "U", &n, a, &n, values, work, &work_size, iwork, &integers, &info);
        if (info != 0)
            status = ls_fail(LS_ERR_NUMERIC, "the covariance of the features has no eigenvalues: "
                                             "they are not finite");
    }
    ls_free(work);
    ls_free(iwork);
    return status;
}

/* c = a b, all [n][n] */
static void multiply(int n, const double *a, const double *b, double *c)
{
    memset(c, 0, (size_t)n * (size_t)n * sizeof *c);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < n; k++) {
            const double factor = a[i * n + k];
            for (int j = 0; j < n; j++)
                c[i * n + j] += factor * b[k * n + j];
        }
}

/* Replaces a positive semidefinite matrix [n][n] by its square root; rounding may have left
 * eigenvalues below 0.
 * vectors, values  [n][n], [n] scratch */
static ls_status take_root(int n, double *a, double *vectors, double *values)
{
    memcpy(vectors, a, (size_t)n * (size_t)n * sizeof *vectors);
    const ls_status status = find_eigenvalues(n, vectors, values, true);
    if (status != LS_OK)
        return status;
    memset(a, 0, (size_t)n * (size_t)n * sizeof *a);
    for (int k = 0; k < n; k++) {
        const double *v = vectors + k * n, root = sqrt(fmax(0, values[k]));
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++)
                a[i * n + j] += root * v[i] * v[j];
    }
    return LS_OK;
}

/* The trace of (C D)^(1/2): the sum of the roots of the eigenvalues of C^(1/2) D C^(1/2).
 * room  [3][d][d] and [d] scratch */
static ls_status trace_of_root(const ls_moments *a, const ls_moments *b, double *room, double *out)
{
    const int n = a->features;
    const size_t size = (size_t)n * (size_t)n;
    double *root = room, *left = room + size, *product = room + 2 * size, *values = room + 3 * size;
    memcpy(root, a->covariance, size * sizeof *root);
    ls_status status = take_root(n, root, left, values);
    if (status != LS_OK)
        return status;
    multiply(n, root, b->covariance, left);
    multiply(n, left, root, product);
    status = find_eigenvalues(n, product, values, false);
    *out = 0;
    for (int k = 0; status == LS_OK && k < n; k++)
        *out += sqrt(fmax(0, values[k]));
    return status;
}

ls_status ls_frechet_distance(const ls_moments *a, const ls_moments *b, double *out)
{
    const int n = a->features;
    double *room = ls_alloc(3 * (int64_t)n * n + n, sizeof *room), root = 0;
    const ls_status status = room == NULL ? LS_ERR_FAILURE : trace_of_root(a, b, room, &root);
    ls_free(room);
    if (status != LS_OK)
        return status;
    double sum = -2 * root;
    for (int i = 0; i < n; i++) {
        const double between = a->mean[i] - b->mean[i];
        sum += between * between + a->covariance[i * n + i] + b->covariance[i * n + i];
    }
    *out = fmax(0, sum);
    return LS_OK;
}
