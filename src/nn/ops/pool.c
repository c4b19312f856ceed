/* maxpool:K and avgpool:K: the largest value, or the mean, of each window of K x K pixels; windows do
 * not overlap, and rows and columns that fill no window are left out. globalpool: the mean of each
 * channel over the image. */
#include "base/dispatch.h"
#include "nn/op.h"

#include <string.h>

static ls_status configure(ls_op *op)
{
    const int64_t K = op->attributes.window;
    const ls_shape in = op->in[0];
    if (K > in.height || K > in.width)
        return ls_fail(LS_ERR_USAGE,
                       "a window of %lld x %lld does not fit into an image of %lld x %lld",
                       (long long)K, (long long)K, (long long)in.height, (long long)in.width);
    op->out = (ls_shape){in.channels, in.height / K, in.width / K};
    return LS_OK;
}

/* A row of windows that begins at x. C: channels. Its pixels are sorted into K x K planes, one for
 * each place in a window, so that all windows are computed as one long vector, however few channels
 * there are. */
typedef struct windows {
    int64_t K, C;
    int64_t row;   /* floats from one row of the input to the next */
    int64_t count; /* windows */
    int64_t plane; /* floats of a plane, and what a group reaches beyond its end */
    float *planes; /* [K * K][plane] scratch memory */
} windows;

/* Channels that are copied at a time, also beyond a pixel's end. */
enum { GROUP = 8 };

static windows windows_of(const ls_op *op, float *planes)
{
    const int64_t C = op->in[0].channels, count = op->out.width;
    return (windows){.K = op->attributes.window,
                     .C = C,
                     .row = op->in[0].width * C,
                     .count = count,
                     .plane = count * C + GROUP,
                     .planes = planes};
}

static int64_t scratch(const ls_op *op)
{
    return op->attributes.window * op->attributes.window * windows_of(op, NULL).plane;
}

static inline void copy_group(float *to, const float *from)
{
    memcpy(to, from, GROUP * sizeof *to);
}

/* The last of the groups that a pixel is copied in. They are taken from there down, each of all
 * pixels in the order of memory, so that what is copied beyond a pixel's end is overwritten. */
static inline int64_t last_group(int64_t C)
{
    return (C - 1) / GROUP * GROUP;
}

LS_DISPATCH static void sort_in(windows s, const float *restrict x)
{
    float *to = s.planes;
    for (int64_t i = 0; i < s.K * s.K; i++, to += s.plane) {
        const float *from = x + i / s.K * s.row + i % s.K * s.C;
        for (int64_t c = last_group(s.C); c >= 0; c -= GROUP)
            for (int64_t w = 0; w < s.count; w++)
                copy_group(to + w * s.C + c, from + w * s.K * s.C + c);
    }
}

/* The last pixels of a row are copied as they are, not beyond its end. */
LS_DISPATCH static void sort_out(windows s, float *restrict dx)
{
    const int64_t exact = s.C % GROUP > 0 ? GROUP / s.C + 1 : 0;
    const int64_t pixels = s.count * s.K, grouped = pixels > exact ? pixels - exact : 0;
    for (int64_t i = 0; i < s.K; i++, dx += s.row) {
        const float *plane = s.planes + i * s.K * s.plane;
        for (int64_t c = last_group(s.C); c >= 0; c -= GROUP)
            for (int64_t p = 0, w = 0, j = 0; p < grouped; p++) {
                copy_group(dx + p * s.C + c, plane + j * s.plane + w * s.C + c);
                if (++j == s.K) {
                    j = 0;
                    w++;
                }
            }
        for (int64_t p = grouped; p < pixels; p++)
            for (int64_t c = 0; c < s.C; c++)
                dx[p * s.C + c] = plane[p % s.K * s.plane + p / s.K * s.C + c];
    }
}

/* y [count][C] of the planes. A NaN passes. */
LS_DISPATCH static void largest(windows s, float *restrict y)
{
    const int64_t n = s.count * s.C;
    memcpy(y, s.planes, (size_t)n * sizeof *y);
    for (int64_t i = 1; i < s.K * s.K; i++) {
        const float *x = s.planes + i * s.plane;
        for (int64_t t = 0; t < n; t++)
            y[t] = x[t] > y[t] || x[t] != x[t] ? x[t] : y[t];
    }
}

LS_DISPATCH static void mean(windows s, float *restrict y)
{
    const float share = 1 / (float)(s.K * s.K);
    const int64_t n = s.count * s.C;
    memset(y, 0, (size_t)n * sizeof *y);
    for (int64_t i = 0; i < s.K * s.K; i++) {
        const float *x = s.planes + i * s.plane;
        for (int64_t t = 0; t < n; t++)
            y[t] += share * x[t];
    }
}

/* The planes become their gradients: dy goes to the first place that has the largest value, and is
 * used up there. */
LS_DISPATCH static void give_to_largest(windows s, const float *restrict y, float *restrict dy)
{
    const int64_t n = s.count * s.C;
    for (int64_t i = 0; i < s.K * s.K; i++) {
        float *x = s.planes + i * s.plane;
        for (int64_t t = 0; t < n; t++) {
            const float given = x[t] == y[t] ? dy[t] : 0;
            x[t] = given;
            dy[t] -= given;
        }
    }
}

LS_DISPATCH static void give_to_all(windows s, const float *restrict dy)
{
    const float share = 1 / (float)(s.K * s.K);
    const int64_t n = s.count * s.C;
    for (int64_t i = 0; i < s.K * s.K; i++) {
        float *x = s.planes + i * s.plane;
        for (int64_t t = 0; t < n; t++)
            x[t] = share * dy[t];
    }
}

static void forward(const ls_op *op, const ls_op_data *d)
{
    const windows s = windows_of(op, d->scratch);
    const int64_t in = ls_shape_size(op->in[0]);
    const float *x = d->x[0];
    float *y = d->y;
    for (int64_t r = 0; r < d->rows; r++, x += in)
        for (int64_t h = 0; h < op->out.height; h++, y += s.count * s.C) {
            sort_in(s, x + h * s.K * s.row);
            (op->kind == &ls_op_maxpool ? largest : mean)(s, y);
        }
}

static void backward(const ls_op *op, const ls_op_data *d)
{
    const windows s = windows_of(op, d->scratch);
    const int64_t in = ls_shape_size(op->in[0]), out = ls_shape_size(op->out);
    const float *x = d->x[0], *y = d->y;
    float *dy = d->dy, *dx = d->dx[0];
    const bool all = out * s.K * s.K == in;
    if (dx == NULL)
        return;
    if (!all) /* pixels that are in no window */
        memset(dx, 0, (size_t)(d->rows * in) * sizeof *dx);
    for (int64_t r = 0; r < d->rows; r++, x += in, dx += in)
        for (int64_t h = 0; h < op->out.height; h++, y += s.count * s.C, dy += s.count * s.C) {
            if (op->kind == &ls_op_maxpool) {
                sort_in(s, x + h * s.K * s.row);
                give_to_largest(s, y, dy);
            } else {
                give_to_all(s, dy);
            }
            sort_out(s, dx + h * s.K * s.row);
        }
}

const ls_op_kind ls_op_maxpool = {
    .name = "maxpool",
    .configure = configure,
    .forward = forward,
    .backward = backward,
    .scratch = scratch,
    .keeps_scale = true,
    .needs_image = true,
};

const ls_op_kind ls_op_avgpool = {
    .name = "avgpool",
    .configure = configure,
    .forward = forward,
    .backward = backward,
    .scratch = scratch,
    .keeps_scale = true,
    .needs_image = true,
};

static ls_status configure_global(ls_op *op)
{
    op->out = (ls_shape){op->in[0].channels, 1, 1};
    return LS_OK;
}

/* y[c] = mean of x[p][c] over the pixels p */
static void global_forward(const ls_op *op, const ls_op_data *d)
{
    const int64_t C = op->out.channels, pixels = op->in[0].height * op->in[0].width;
    const float *x = d->x[0], share = 1 / (float)pixels;
    float *y = d->y;
    for (int64_t r = 0; r < d->rows; r++, y += C) {
        memset(y, 0, (size_t)C * sizeof *y);
        for (int64_t p = 0; p < pixels; p++, x += C)
            for (int64_t c = 0; c < C; c++)
                y[c] += x[c];
        for (int64_t c = 0; c < C; c++)
            y[c] *= share;
    }
}

static void global_backward(const ls_op *op, const ls_op_data *d)
{
    const int64_t C = op->out.channels, pixels = op->in[0].height * op->in[0].width;
    const float *dy = d->dy, share = 1 / (float)pixels;
    float *dx = d->dx[0];
    for (int64_t r = 0; dx != NULL && r < d->rows; r++, dy += C)
        for (int64_t p = 0; p < pixels; p++, dx += C)
            for (int64_t c = 0; c < C; c++)
                dx[c] = share * dy[c];
}

const ls_op_kind ls_op_globalpool = {
    .name = "globalpool",
    .configure = configure_global,
    .forward = global_forward,
    .backward = global_backward,
    .keeps_scale = true,
    .needs_image = true,
    .flattens = true,
};
