/* last, meanpool, maxpool: from the steps of a sequence to one vector. B: rows, T: steps,
 * L: steps of a row, at most T; F: features of a step; x [B][T][F], y [B][F].
 *
 *     last       y = x[L - 1]
 *     meanpool   y = mean of x[t] for t < L
 *     maxpool    y = maximum of x[t] for t < L; of equal values the first has the gradient
 *
 * Without steps, L = 0, y is 0. */
#include "nn/op.h"

#include <string.h>

static int64_t length_of(const ls_op *op, const ls_op_data *d, int64_t row)
{
    const int64_t T = op->in[0].height;
    return d->lengths != NULL && d->lengths[row] < T ? d->lengths[row] : T;
}

static int64_t features_of(const ls_op *op)
{
    return op->in[0].width * op->in[0].channels;
}

static ls_status steps_configure(ls_op *op)
{
    op->out = (ls_shape){features_of(op), 1, 1};
    return LS_OK;
}

static void last_forward(const ls_op *op, const ls_op_data *d)
{
    const int64_t F = op->out.channels, T = op->in[0].height;
    for (int64_t r = 0; r < d->rows; r++) {
        const int64_t L = length_of(op, d, r);
        if (L > 0)
            memcpy(d->y + r * F, d->x[0] + (r * T + L - 1) * F, (size_t)F * sizeof(float));
        else
            memset(d->y + r * F, 0, (size_t)F * sizeof(float));
    }
}

static void last_backward(const ls_op *op, const ls_op_data *d)
{
    const int64_t F = op->out.channels, T = op->in[0].height;
    float *dx = d->dx[0];
    if (dx == NULL)
        return;
    memset(dx, 0, (size_t)(d->rows * T * F) * sizeof *dx);
    for (int64_t r = 0; r < d->rows; r++) {
        const int64_t L = length_of(op, d, r);
        if (L > 0)
            memcpy(dx + (r * T + L - 1) * F, d->dy + r * F, (size_t)F * sizeof *dx);
    }
}

static void meanpool_forward(const ls_op *op, const ls_op_data *d)
{
    const int64_t F = op->out.channels, T = op->in[0].height;
    memset(d->y, 0, (size_t)(d->rows * F) * sizeof *d->y);
    for (int64_t r = 0; r < d->rows; r++) {
        const int64_t L = length_of(op, d, r);
        const float *x = d->x[0] + r * T * F, share = L > 0 ? 1 / (float)L : 0;
        float *y = d->y + r * F;
        for (int64_t t = 0; t < L; t++, x += F)
            for (int64_t f = 0; f < F; f++)
                y[f] += x[f];
        for (int64_t f = 0; f < F; f++)
            y[f] *= share;
    }
}

static void meanpool_backward(const ls_op *op, const ls_op_data *d)
{
    const int64_t F = op->out.channels, T = op->in[0].height;
    for (int64_t r = 0; d->dx[0] != NULL && r < d->rows; r++) {
        const int64_t L = length_of(op, d, r);
        const float *dy = d->dy + r * F, share = L > 0 ? 1 / (float)L : 0;
        float *dx = d->dx[0] + r * T * F;
        for (int64_t t = 0; t < T; t++, dx += F)
            for (int64_t f = 0; f < F; f++)
                dx[f] = t < L ? share * dy[f] : 0;
    }
}

static void maxpool_forward(const ls_op *op, const ls_op_data *d)
{
    const int64_t F = op->out.channels, T = op->in[0].height;
    memset(d->y, 0, (size_t)(d->rows * F) * sizeof *d->y);
    for (int64_t r = 0; r < d->rows; r++) {
        const int64_t L = length_of(op, d, r);
        const float *x = d->x[0] + r * T * F;
        float *y = d->y + r * F;
        for (int64_t t = 0; t < L; t++, x += F)
            for (int64_t f = 0; f < F; f++)
                y[f] = t > 0 && !(x[f] > y[f]) && x[f] == x[f] ? y[f] : x[f];
    }
}

static void maxpool_backward(const ls_op *op, const ls_op_data *d)
{
    const int64_t F = op->out.channels, T = op->in[0].height;
    for (int64_t r = 0; d->dx[0] != NULL && r < d->rows; r++) {
        const int64_t L = length_of(op, d, r);
        const float *x = d->x[0] + r * T * F, *y = d->y + r * F;
        float *dx = d->dx[0] + r * T * F, *dy = d->dy + r * F;
        for (int64_t t = 0; t < T; t++, x += F, dx += F)
            for (int64_t f = 0; f < F; f++) {
                const bool first = t < L && x[f] == y[f];
                dx[f] = first ? dy[f] : 0;
                dy[f] = first ? 0 : dy[f];
            }
    }
}

const ls_op_kind ls_op_last = {.name = "last",
                               .configure = steps_configure,
                               .forward = last_forward,
                               .backward = last_backward,
                               .keeps_scale = true,
                               .needs_sequence = true,
                               .flattens = true};

const ls_op_kind ls_op_meanpool = {.name = "meanpool",
                                   .configure = steps_configure,
                                   .forward = meanpool_forward,
                                   .backward = meanpool_backward,
                                   .keeps_scale = true,
                                   .needs_sequence = true,
                                   .flattens = true};

const ls_op_kind ls_op_maxpool_steps = {.name = "maxpool",
                                        .configure = steps_configure,
                                        .forward = maxpool_forward,
                                        .backward = maxpool_backward,
                                        .keeps_scale = true,
                                        .needs_sequence = true,
                                        .flattens = true};
