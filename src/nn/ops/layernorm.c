/* layernorm: the F features of each row, or of each step of a sequence, are normalised, then scaled
 * by g and shifted by b (Ba, Kiros and Hinton, Layer normalization, 2016):
 *
 *     y = g xn + b,   xn = (x - mean) / sqrt(variance + 1e-5)
 *     dx = (e - mean(e) - xn mean(e xn)) / sqrt(variance + 1e-5)   where e = g dy
 *     dg = sum of dy xn, db = sum of dy over the rows
 *
 * Mean and variance (divided by F) are sums in double, the variance of differences from the mean.
 * xn and the divisor are kept for the backward pass. */
#include "nn/op.h"

#include <math.h>
#include <string.h>

enum { SCALE, SHIFT };

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

/* Normalises a vector; returns 1 / sqrt(variance + 1e-5). */
static float normalise(int64_t F, const float *x, float *xn)
{
    double sum = 0, squares = 0;
    for (int64_t f = 0; f < F; f++)
        sum += (double)x[f];
    const double mean = sum / (double)F;
    for (int64_t f = 0; f < F; f++)
        squares += ((double)x[f] - mean) * ((double)x[f] - mean);
    const double inverse = 1 / sqrt(squares / (double)F + EPSILON);
    for (int64_t f = 0; f < F; f++)
        xn[f] = (float)(((double)x[f] - mean) * inverse);
    return (float)inverse;
}

static void layernorm_forward(const ls_op *op, const ls_op_data *d)
{
    const int64_t F = features_of(op), count = d->rows * vectors_of(op);
    const float *x = d->x[0], *g = d->w[SCALE], *b = d->w[SHIFT];
    float *y = d->y, *xn = d->saved, *inverse = d->saved + count * F;
    for (int64_t v = 0; v < count; v++, x += F, xn += F, y += F) {
        inverse[v] = normalise(F, x, xn);
        for (int64_t f = 0; f < F; f++)
            y[f] = g[f] * xn[f] + b[f];
    }
}

/* dx of a vector. */
static void input_gradient(int64_t F, const float *g, const float *dy, const float *xn,
                           float inverse, float *dx)
{
    double sum = 0, along = 0;
    for (int64_t f = 0; f < F; f++) {
        sum += (double)(g[f] * dy[f]);
        along += (double)(g[f] * dy[f]) * (double)xn[f];
    }
    const float mean = (float)(sum / (double)F), slope = (float)(along / (double)F);
    for (int64_t f = 0; f < F; f++)
        dx[f] = (g[f] * dy[f] - mean - xn[f] * slope) * inverse;
}

static void layernorm_backward(const ls_op *op, const ls_op_data *d)
{
    const int64_t F = features_of(op), count = d->rows * vectors_of(op);
    const float *dy = d->dy, *xn = d->saved, *inverse = d->saved + count * F;
    float *dg = d->dw[SCALE], *db = d->dw[SHIFT], *dx = d->dx[0];
    memset(dg, 0, (size_t)F * sizeof *dg);
    memset(db, 0, (size_t)F * sizeof *db);
    for (int64_t v = 0; v < count; v++, dy += F, xn += F) {
        for (int64_t f = 0; f < F; f++) {
            dg[f] += dy[f] * xn[f];
            db[f] += dy[f];
        }
        if (dx != NULL)
            input_gradient(F, d->w[SCALE], dy, xn, inverse[v], dx + v * F);
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
