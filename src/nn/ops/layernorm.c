/* layernorm: the F features of each row, or of each step of a sequence, are normalised, then scaled
 * by g and shifted by b (Ba, Kiros and Hinton, Layer normalization, 2016):
 *
 *     y = g xn + b,   xn = (x - mean) / sqrt(variance + 1e-5)
 *     dx = (e - mean(e) - xn mean(e xn)) / sqrt(variance + 1e-5)   where e = g dy
 *     dg = sum of dy xn, db = sum of dy over the rows
 *
 * Mean and variance (divided by F) are sums in double, the variance of differences from the mean;
 * LANES partial sums, so that they are vectors. xn and the divisor are kept for the backward pass:
 * F + 1 floats of each normalised vector. */
#include "base/dispatch.h"
#include "nn/op.h"

#include <math.h>
#include <string.h>

enum { SCALE, SHIFT };
enum { LANES = 8 };

#define EPSILON 1e-5

static int64_t features_of(const ls_op *op)
{
    return op->in[0].channels;
}

/* Normalised vectors of a row: the steps of a sequence, the pixels of an image, or the row. */
static int64_t vectors_of(const ls_op *op)
{
    return op->in[0].height * op->in[0].width;
}

static ls_status layernorm_configure(ls_op *op)
{
    ls_op_add_param(op, "scale", 1, (int64_t[]){features_of(op)});
    ls_op_add_param(op, "shift", 1, (int64_t[]){features_of(op)});
    return LS_OK;
}

static void layernorm_initialise(const ls_op *op, uint64_t seed, bool before_relu, float *params)
{
    (void)seed;
    (void)before_relu;
    ls_init_constant(op, SCALE, 1, params);
    ls_init_constant(op, SHIFT, 0, params);
}

/* Floats saved of a row: xn, then 1 / sqrt(variance + 1e-5) of each vector. */
static int64_t layernorm_saved(const ls_op *op)
{
    return vectors_of(op) * (features_of(op) + 1);
}

/* Sum of LANES partial sums. */
static double total(const double *partial)
{
    double sum = 0;
    for (int lane = 0; lane < LANES; lane++)
        sum += partial[lane];
    return sum;
}

/* Adds x - mean and its square to partial sums, the numbers in turn. */
LS_DISPATCH static void sum_deviations(int64_t F, const float *restrict x, double mean,
                                       double *restrict sums, double *restrict squares)
{
    double a[LANES] = {0}, b[LANES] = {0};
    int64_t f = 0;
    for (; f + LANES <= F; f += LANES)
        for (int lane = 0; lane < LANES; lane++) {
            const double off = (double)x[f + lane] - mean;
            a[lane] += off;
            b[lane] += off * off;
        }
    for (int lane = 0; f + lane < F; lane++) {
        const double off = (double)x[f + lane] - mean;
        a[lane] += off;
        b[lane] += off * off;
    }
    memcpy(sums, a, sizeof a);
    memcpy(squares, b, sizeof b);
}

LS_DISPATCH static void scale_deviations(int64_t F, const float *restrict x, double mean,
                                         double inverse, const float *restrict g,
                                         const float *restrict b, float *restrict xn,
                                         float *restrict y)
{
    for (int64_t f = 0; f < F; f++) {
        xn[f] = (float)(((double)x[f] - mean) * inverse);
        y[f] = g[f] * xn[f] + b[f];
    }
}

static void layernorm_forward(const ls_op *op, const ls_op_data *d)
{
    const int64_t F = features_of(op), count = d->rows * vectors_of(op);
    const float *x = d->x[0], *g = d->w[SCALE], *b = d->w[SHIFT];
    float *y = d->y, *xn = d->saved, *inverse = d->saved + count * F;
    for (int64_t v = 0; v < count; v++, x += F, xn += F, y += F) {
        double sums[LANES], squares[LANES];
        sum_deviations(F, x, 0, sums, squares);
        const double mean = total(sums) / (double)F;
        sum_deviations(F, x, mean, sums, squares);
        const double inverted = 1 / sqrt(total(squares) / (double)F + EPSILON);
        inverse[v] = (float)inverted;
        scale_deviations(F, x, mean, inverted, g, b, xn, y);
    }
}

/* Adds a vector to dg and db. */
LS_DISPATCH static void param_gradients(int64_t F, const float *restrict dy,
                                        const float *restrict xn, float *restrict dg,
                                        float *restrict db)
{
    for (int64_t f = 0; f < F; f++) {
        dg[f] += dy[f] * xn[f];
        db[f] += dy[f];
    }
}

/* Partial sums of e and e xn of a vector. */
LS_DISPATCH static void sum_gradients(int64_t F, const float *restrict g, const float *restrict dy,
                                      const float *restrict xn, double *restrict sums,
                                      double *restrict along)
{
    double a[LANES] = {0}, b[LANES] = {0};
    int64_t f = 0;
    for (; f + LANES <= F; f += LANES)
        for (int lane = 0; lane < LANES; lane++) {
            const double e = (double)(g[f + lane] * dy[f + lane]);
            a[lane] += e;
            b[lane] += e * (double)xn[f + lane];
        }
    for (int lane = 0; f + lane < F; lane++) {
        const double e = (double)(g[f + lane] * dy[f + lane]);
        a[lane] += e;
        b[lane] += e * (double)xn[f + lane];
    }
    memcpy(sums, a, sizeof a);
    memcpy(along, b, sizeof b);
}

LS_DISPATCH static void input_gradient(int64_t F, const float *restrict g, const float *restrict dy,
                                       const float *restrict xn, float mean, float slope,
                                       float inverse, float *restrict dx)
{
    for (int64_t f = 0; f < F; f++)
        dx[f] = (g[f] * dy[f] - mean - xn[f] * slope) * inverse;
}

static void layernorm_backward(const ls_op *op, const ls_op_data *d)
{
    const int64_t F = features_of(op), count = d->rows * vectors_of(op);
    const float *dy = d->dy, *xn = d->saved, *inverse = d->saved + count * F;
    float *dg = d->dw[SCALE], *db = d->dw[SHIFT], *dx = d->dx[0];
    if (dg != NULL) {
        memset(dg, 0, (size_t)F * sizeof *dg);
        memset(db, 0, (size_t)F * sizeof *db);
    }
    for (int64_t v = 0; v < count; v++, dy += F, xn += F) {
        double sums[LANES], along[LANES];
        if (dg != NULL)
            param_gradients(F, dy, xn, dg, db);
        if (dx == NULL)
            continue;
        sum_gradients(F, d->w[SCALE], dy, xn, sums, along);
        input_gradient(F, d->w[SCALE], dy, xn, (float)(total(sums) / (double)F),
                       (float)(total(along) / (double)F), inverse[v], dx + v * F);
    }
}

const ls_op_kind ls_op_layernorm = {
    .name = "layernorm",
    .configure = layernorm_configure,
    .initialise = layernorm_initialise,
    .forward = layernorm_forward,
    .backward = layernorm_backward,
    .saved = layernorm_saved,
    .keeps_scale = true,
    .per_channel = true,
};
