/* upsample:K: each pixel K times in height and width, the nearest neighbour. x [H][W][C],
 * y [K H][K W][C]:
 *
 *     y[h][v] = x[h / K][v / K]          dx[h][v] = sum of dy over the K x K pixels made from it */
#include "base/dispatch.h"
#include "nn/op.h"

#include <string.h>

static ls_status upsample_configure(ls_op *op)
{
    const int64_t K = op->attributes.window;
    const ls_shape in = op->in[0];
    if (ls_shape_size(in) > INT32_MAX / (K * K))
        return ls_fail(LS_ERR_USAGE, "the image would have more than 2^31 values");
    op->out = (ls_shape){in.channels, K * in.height, K * in.width};
    return LS_OK;
}

/* Copies each pixel of a line K times. */
LS_DISPATCH static void widen_line(int64_t K, int64_t pixels, int64_t C, const float *restrict x,
                                   float *restrict y)
{
    for (int64_t p = 0; p < pixels; p++, x += C)
        for (int64_t k = 0; k < K; k++, y += C)
            for (int64_t c = 0; c < C; c++)
                y[c] = x[c];
}

/* Lines are those of all rows, one after the other. */
static void upsample_forward(const ls_op *op, const ls_op_data *d)
{
    const int64_t K = op->attributes.window, C = op->in[0].channels, W = op->in[0].width;
    const int64_t lines = d->rows * op->in[0].height, wide = K * W * C;
    float *y = d->y;
    for (int64_t line = 0; line < lines; line++, y += K * wide) {
        widen_line(K, W, C, d->x[0] + line * W * C, y);
        for (int64_t k = 1; k < K; k++)
            memcpy(y + k * wide, y, (size_t)wide * sizeof *y);
    }
}

/* Adds a line of dy to the line of dx that it was made from. */
LS_DISPATCH static void narrow_line(int64_t K, int64_t pixels, int64_t C, const float *restrict dy,
                                    float *restrict dx)
{
    for (int64_t p = 0; p < pixels; p++, dx += C)
        for (int64_t k = 0; k < K; k++, dy += C)
            for (int64_t c = 0; c < C; c++)
                dx[c] += dy[c];
}

static void upsample_backward(const ls_op *op, const ls_op_data *d)
{
    const int64_t K = op->attributes.window, C = op->in[0].channels, W = op->in[0].width;
    const int64_t lines = d->rows * op->in[0].height;
    const float *dy = d->dy;
    float *dx = d->dx[0];
    if (dx == NULL)
        return;
    memset(dx, 0, (size_t)(lines * W * C) * sizeof *dx);
    for (int64_t line = 0; line < lines; line++, dx += W * C)
        for (int64_t k = 0; k < K; k++, dy += K * W * C)
            narrow_line(K, W, C, dy, dx);
}

const ls_op_kind ls_op_upsample = {
    .name = "upsample",
    .configure = upsample_configure,
    .forward = upsample_forward,
    .backward = upsample_backward,
    .keeps_scale = true,
    .needs_image = true,
};
