/* Joins of two branches: +NAME adds two values, &NAME concatenates their channels. Values are
 * [pixels][channels]. */
#include "nn/op.h"

#include <string.h>

static ls_status add_configure(ls_op *op)
{
    const ls_shape a = op->in[0], b = op->in[1];
    op->out = a;
    if (a.channels == b.channels && a.height == b.height && a.width == b.width)
        return LS_OK;
    return ls_fail(LS_ERR_USAGE,
                   "can't add %lldx%lldx%lld to %lldx%lldx%lld: the shapes must be equal",
                   (long long)b.channels, (long long)b.height, (long long)b.width,
                   (long long)a.channels, (long long)a.height, (long long)a.width);
}

/* y = x0 + x1, then the fused relu if there is one. */
static void add_forward(const ls_op *op, const ls_op_data *d)
{
    const int64_t n = d->rows * ls_shape_size(op->out);
    const float *a = d->x[0], *b = d->x[1];
    float *y = d->y;
    for (int64_t i = 0; i < n; i++)
        y[i] = a[i] + b[i];
    for (int64_t i = 0; op->fused_relu && i < n; i++)
        y[i] = y[i] < 0 ? 0 : y[i]; /* passes NaN on */
}

/* dx0 = dx1 = dy; dx0 is dy's buffer. */
static void add_backward(const ls_op *op, const ls_op_data *d)
{
    const int64_t n = d->rows * ls_shape_size(op->out);
    const float *y = d->y;
    float *dy = d->dy;
    for (int64_t i = 0; op->fused_relu && i < n; i++)
        dy[i] = y[i] > 0 ? dy[i] : 0;
    if (d->dx[1] != NULL)
        memcpy(d->dx[1], dy, (size_t)n * sizeof *dy);
}

const ls_op_kind ls_op_add = {
    .name = "add",
    .configure = add_configure,
    .forward = add_forward,
    .backward = add_backward,
    .in_place = true,
    .fuses_relu = true,
    .keeps_scale = true,
};

static ls_status concat_configure(ls_op *op)
{
    const ls_shape a = op->in[0], b = op->in[1];
    op->out = (ls_shape){a.channels + b.channels, a.height, a.width};
    if (a.height == b.height && a.width == b.width)
        return LS_OK;
    return ls_fail(
        LS_ERR_USAGE,
        "can't concatenate the channels of %lldx%lld and %lldx%lld pixels: the sizes must be equal",
        (long long)a.height, (long long)a.width, (long long)b.height, (long long)b.width);
}

/* y[p] = x0[p] followed by x1[p], for each pixel p. */
static void concat_forward(const ls_op *op, const ls_op_data *d)
{
    const int64_t C0 = op->in[0].channels, C1 = op->in[1].channels;
    const int64_t pixels = d->rows * op->out.height * op->out.width;
    const float *a = d->x[0], *b = d->x[1];
    float *y = d->y;
    for (int64_t p = 0; p < pixels; p++, a += C0, b += C1, y += C0 + C1) {
        memcpy(y, a, (size_t)C0 * sizeof *y);
        memcpy(y + C0, b, (size_t)C1 * sizeof *y);
    }
}

/* dx [pixels][C] = C channels of dy from `first` on. */
static void copy_channels(const ls_op *op, const ls_op_data *d, int64_t first, int64_t C, float *dx)
{
    const int64_t width = op->out.channels;
    const int64_t pixels = d->rows * op->out.height * op->out.width;
    for (int64_t p = 0; dx != NULL && p < pixels; p++)
        memcpy(dx + p * C, d->dy + p * width + first, (size_t)C * sizeof *dx);
}

static void concat_backward(const ls_op *op, const ls_op_data *d)
{
    copy_channels(op, d, 0, op->in[0].channels, d->dx[0]);
    copy_channels(op, d, op->in[0].channels, op->in[1].channels, d->dx[1]);
}

const ls_op_kind ls_op_concat = {
    .name = "concat",
    .configure = concat_configure,
    .forward = concat_forward,
    .backward = concat_backward,
    .keeps_scale = true,
    .per_channel = true,
};
