/* gaussian:BETA. The latent variables of a variational autoencoder (Kingma and Welling,
 * Auto-encoding variational Bayes, 2013). The 2 L inputs are the means m and the logarithms v of
 * the variances of L normal distributions; the outputs are a sample of each,
 *
 *     z = m + exp(v / 2) e
 *
 * where e is of the standard normal distribution: as dropout's random numbers it depends on the key
 * of the pass, the layer and the row's id. Where nothing is sampled, z = m. The divergence of a row
 * from the standard normal distribution,
 *
 *     KL = sum over L of (m^2 + exp(v) - 1 - v) / 2,
 *
 * times BETA (Higgins et al., beta-VAE, 2017) is added to the row's loss. */
#include "base/rng.h"
#include "nn/op.h"

#include <math.h>

static ls_status gaussian_configure(ls_op *op)
{
    const ls_shape in = op->in[0];
    if (op->sequence || in.height * in.width > 1)
        return ls_fail(LS_ERR_USAGE, "needs a vector, as the output of dense");
    if (in.channels % 2 != 0)
        return ls_fail(LS_ERR_USAGE,
                       "needs an even number of inputs, a mean and the logarithm of a variance for "
                       "each output, not %lld",
                       (long long)in.channels);
    op->out = (ls_shape){in.channels / 2, 1, 1};
    return LS_OK;
}

/* Floats saved per row: exp(v / 2) e of each output. */
static int64_t gaussian_saved(const ls_op *op)
{
    return op->out.channels;
}

static void gaussian_forward(const ls_op *op, const ls_op_data *d)
{
    const int64_t L = op->out.channels;
    for (int64_t r = 0; r < d->rows; r++) {
        const float *m = d->x[0] + 2 * r * L, *v = m + L;
        float *z = d->y + r * L, *deviation = d->saved + r * op->saved_row;
        const uint64_t key = ls_rng_at(d->key, (uint64_t)d->ids[r]);
        for (int64_t i = 0; i < L; i++) {
            deviation[i] =
                d->sampling ? (float)(exp((double)v[i] / 2) * ls_rng_normal(key, (uint64_t)i)) : 0;
            z[i] = m[i] + deviation[i];
        }
    }
}

static double weight_of(const ls_op_data *d, int64_t row)
{
    return d->weights != NULL ? (double)d->weights[row] : 1;
}

/* dm = dz + w BETA m, dv = dz exp(v / 2) e / 2 + w BETA (exp(v) - 1) / 2, where w is the weight of
 * the row. */
static void gaussian_backward(const ls_op *op, const ls_op_data *d)
{
    const int64_t L = op->out.channels;
    for (int64_t r = 0; d->dx[0] != NULL && r < d->rows; r++) {
        const float *m = d->x[0] + 2 * r * L, *v = m + L;
        const float *dz = d->dy + r * L, *deviation = d->saved + r * op->saved_row;
        float *dm = d->dx[0] + 2 * r * L, *dv = dm + L;
        const double factor = weight_of(d, r) * op->attributes.beta;
        for (int64_t i = 0; i < L; i++) {
            dm[i] = dz[i] + (float)(factor * (double)m[i]);
            dv[i] = dz[i] * deviation[i] / 2 + (float)(factor * expm1((double)v[i]) / 2);
        }
    }
}

static double gaussian_divergence(const ls_op *op, const ls_op_data *d)
{
    const int64_t L = op->out.channels;
    double sum = 0;
    for (int64_t r = 0; r < d->rows; r++) {
        const float *m = d->x[0] + 2 * r * L, *v = m + L;
        double of_row = 0;
        for (int64_t i = 0; i < L; i++)
            of_row += ((double)m[i] * (double)m[i] + expm1((double)v[i]) - (double)v[i]) / 2;
        sum += weight_of(d, r) > 0 ? weight_of(d, r) * of_row : 0;
    }
    return sum;
}

const ls_op_kind ls_op_gaussian = {
    .name = "gaussian",
    .configure = gaussian_configure,
    .forward = gaussian_forward,
    .backward = gaussian_backward,
    .divergence = gaussian_divergence,
    .saved = gaussian_saved,
};
