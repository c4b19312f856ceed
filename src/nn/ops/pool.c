/* maxpool:K and avgpool:K: maximum and mean of each window of K x K pixels; windows do not overlap,
 * and rows and columns at the border that do not fill a window are ignored. globalpool: mean of
 * each channel over the image. */
#include "base/dispatch.h"
#include "nn/op.h"

#include <string.h>

static ls_status pool_configure(ls_op *op)
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

/* A row of windows. C: channels. Its pixels are sorted into K x K planes, one for each position in
 * a window, so that all windows are computed as one long vector even if there are few channels. */
typedef struct windows {
    int64_t K, C;
    int64_t row;   /* floats from one row of the input to the next */
    int64_t count; /* windows */
    int64_t plane; /* floats of a plane, plus spare floats for a chunk beyond its end */
    float *planes; /* [K * K][plane] scratch memory */
} windows;

/* Channels that are copied at a time; the last chunk may reach beyond a pixel's end. */
enum { CHUNK = 8 };

static windows windows_of(const ls_op *op, float *planes)
{
    const int64_t C = op->in[0].channels, count = op->out.width;
    return (windows){.K = op->attributes.window,
                     .C = C,
                     .row = op->in[0].width * C,
                     .count = count,
                     .plane = count * C + CHUNK,
                     .planes = planes};
}

static int64_t pool_scratch(const ls_op *op)
{
    return op->attributes.window * op->attributes.window * windows_of(op, NULL).plane;
}

static inline void copy_group(float *to, const float *from)
{
    memcpy(to, from, CHUNK * sizeof *to);
}

/* First channel of a pixel's last chunk. Chunks are copied from the last to the first, each for all
 * pixels in the order of memory, so that floats copied beyond a pixel's end are overwritten. */
static inline int64_t last_chunk(int64_t C)
{
    return (C - 1) / CHUNK * CHUNK;
}

/* Copies a row of windows that begins at x into the planes. */
LS_DISPATCH static void gather_planes(windows s, const float *restrict x)
{
    float *to = s.planes;
    for (int64_t i = 0; i < s.K * s.K; i++, to += s.plane) {
        const float *from = x + i / s.K * s.row + i % s.K * s.C;
        for (int64_t c = last_chunk(s.C); c >= 0; c -= CHUNK)
            for (int64_t w = 0; w < s.count; w++)
                copy_group(to + w * s.C + c, from + w * s.K * s.C + c);
    }
}

/* Copies the planes back to dx. The last pixels of a row are copied without exceeding its end. */
LS_DISPATCH static void scatter_planes(windows s, float *restrict dx)
{
    const int64_t exact = s.C % CHUNK > 0 ? CHUNK / s.C + 1 : 0;
    const int64_t pixels = s.count * s.K, grouped = pixels > exact ? pixels - exact : 0;
    for (int64_t i = 0; i < s.K; i++, dx += s.row) {
        const float *plane = s.planes + i * s.K * s.plane;
        for (int64_t c = last_chunk(s.C); c >= 0; c -= CHUNK)
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

/* y [count][C] = maximum over the planes. Passes NaN on. */
LS_DISPATCH static void max_of_planes(windows s, float *restrict y)
{
    const int64_t n = s.count * s.C;
    memcpy(y, s.planes, (size_t)n * sizeof *y);
    for (int64_t i = 1; i < s.K * s.K; i++) {
        const float *x = s.planes + i * s.plane;
        for (int64_t t = 0; t < n; t++)
            y[t] = x[t] > y[t] || x[t] != x[t] ? x[t] : y[t];
    }
}

/* y [count][C] = mean over the planes. */
LS_DISPATCH static void mean_of_planes(windows s, float *restrict y)
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

/* Replaces the planes by their gradients: dy goes to the first position that has the maximum; dy
 * becomes 0 there, so that later positions with the maximum get nothing. */
LS_DISPATCH static void max_gradient(windows s, const float *restrict y, float *restrict dy)
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

/* Sets the planes to their gradients: each position gets the same share of dy. */
LS_DISPATCH static void mean_gradient(windows s, const float *restrict dy)
{
    const float share = 1 / (float)(s.K * s.K);
    const int64_t n = s.count * s.C;
    for (int64_t i = 0; i < s.K * s.K; i++) {
        float *x = s.planes + i * s.plane;
        for (int64_t t = 0; t < n; t++)
            x[t] = share * dy[t];
    }
}

static void pool_forward(const ls_op *op, const ls_op_data *d)
{
    const windows s = windows_of(op, d->scratch);
    const int64_t in = ls_shape_size(op->in[0]);
    const float *x = d->x[0];
    float *y = d->y;
    for (int64_t r = 0; r < d->rows; r++, x += in)
        for (int64_t h = 0; h < op->out.height; h++, y += s.count * s.C) {
            gather_planes(s, x + h * s.K * s.row);
            (op->kind == &ls_op_maxpool ? max_of_planes : mean_of_planes)(s, y);
        }
}

static void pool_backward(const ls_op *op, const ls_op_data *d)
{
    const windows s = windows_of(op, d->scratch);
    const int64_t in = ls_shape_size(op->in[0]), out = ls_shape_size(op->out);
    const float *x = d->x[0], *y = d->y;
    float *dy = d->dy, *dx = d->dx[0];
    const bool all = out * s.K * s.K == in;
    if (dx == NULL)
        return;
    if (!all) /* some pixels are in no window */
        memset(dx, 0, (size_t)(d->rows * in) * sizeof *dx);
    for (int64_t r = 0; r < d->rows; r++, x += in, dx += in)
        for (int64_t h = 0; h < op->out.height; h++, y += s.count * s.C, dy += s.count * s.C) {
            if (op->kind == &ls_op_maxpool) {
                gather_planes(s, x + h * s.K * s.row);
                max_gradient(s, y, dy);
            } else {
                mean_gradient(s, dy);
            }
            scatter_planes(s, dx + h * s.K * s.row);
        }
}

const ls_op_kind ls_op_maxpool = {
    .name = "maxpool",
    .configure = pool_configure,
    .forward = pool_forward,
    .backward = pool_backward,
    .scratch = pool_scratch,
    .keeps_scale = true,
    .needs_image = true,
};

const ls_op_kind ls_op_avgpool = {
    .name = "avgpool",
    .configure = pool_configure,
    .forward = pool_forward,
    .backward = pool_backward,
    .scratch = pool_scratch,
    .keeps_scale = true,
    .needs_image = true,
};

static ls_status globalpool_configure(ls_op *op)
{
    op->out = (ls_shape){op->in[0].channels, 1, 1};
    return LS_OK;
}

/* y[c] = mean of x[p][c] over the pixels p */
static void globalpool_forward(const ls_op *op, const ls_op_data *d)
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

static void globalpool_backward(const ls_op *op, const ls_op_data *d)
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
    .configure = globalpool_configure,
    .forward = globalpool_forward,
    .backward = globalpool_backward,
    .keeps_scale = true,
    .needs_image = true,
    .of_steps = &ls_op_meanpool,
    .flattens = true,
};
