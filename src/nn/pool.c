/* maxpool:K and avgpool:K: the largest value, or the mean, of windows of K x K pixels side by side;
 * rows and columns that fill no window are left out. flatten: an image as one long row. */
#include "base/dispatch.h"
#include "nn/layer.h"

#include <string.h>

static ls_status configure(ls_layer *layer, const char *argument)
{
    int64_t K;
    ls_status status = ls_layer_argument_count(argument, "size of the window", &K);
    if (status != LS_OK)
        return status;
    if (K > layer->in.height || K > layer->in.width)
        return ls_fail(
            LS_ERR_USAGE, "a window of %lld x %lld does not fit into an image of %lld x %lld",
            (long long)K, (long long)K, (long long)layer->in.height, (long long)layer->in.width);
    layer->window = K;
    layer->out = (ls_shape){layer->in.channels, layer->in.height / K, layer->in.width / K};
    return LS_OK;
}

/* A row of windows that begins at x. C: channels. Its pixels are sorted into K x K planes, one for
 * each place in a window, so that all windows are worked on as one long vector, however few
 * channels there are. */
typedef struct windows {
    int64_t K, C;
    int64_t row;   /* floats from one row of the input to the next */
    int64_t count; /* windows */
    int64_t plane; /* floats of a plane, and what a group reaches beyond its end */
    float *planes; /* [K * K][plane] in the layer's scratch memory */
} windows;

/* Channels are copied so many at a time, also beyond a pixel's end. */
enum { GROUP = 8 };

static windows windows_of(const ls_layer *layer)
{
    const int64_t C = layer->in.channels, count = layer->out.width;
    return (windows){.K = layer->window,
                     .C = C,
                     .row = layer->in.width * C,
                     .count = count,
                     .plane = count * C + GROUP,
                     .planes = layer->scratch};
}

static int64_t scratch(const ls_layer *layer)
{
    return layer->window * layer->window * windows_of(layer).plane;
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

/* y [count][C] of the planes. NaN goes through. */
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

static void forward(const ls_layer *layer, const ls_layer_pass *pass, const float *x, float *y)
{
    const windows s = windows_of(layer);
    for (int64_t r = 0; r < pass->rows; r++, x += ls_shape_size(layer->in))
        for (int64_t h = 0; h < layer->out.height; h++, y += s.count * s.C) {
            sort_in(s, x + h * s.K * s.row);
            (layer->kind == &ls_layer_maxpool ? largest : mean)(s, y);
        }
}

static void backward(const ls_layer *layer, const ls_layer_pass *pass, const float *x,
                     const float *y, float *dy, float *dx, float *grads)
{
    (void)grads;
    const windows s = windows_of(layer);
    const int64_t in = ls_shape_size(layer->in), out = ls_shape_size(layer->out);
    const bool all = out * s.K * s.K == in;
    if (dx == NULL)
        return;
    if (!all) /* pixels that are in no window */
        memset(dx, 0, (size_t)(pass->rows * in) * sizeof *dx);
    for (int64_t r = 0; r < pass->rows; r++, x += in, dx += in)
        for (int64_t h = 0; h < layer->out.height; h++, y += s.count * s.C, dy += s.count * s.C) {
            if (layer->kind == &ls_layer_maxpool) {
                sort_in(s, x + h * s.K * s.row);
                give_to_largest(s, y, dy);
            } else {
                give_to_all(s, dy);
            }
            sort_out(s, dx + h * s.K * s.row);
        }
}

const ls_layer_kind ls_layer_maxpool = {
    .name = "maxpool",
    .argument = "K",
    .meaning = "the largest of each K x K pixels",
    .images = true,
    .neutral = true,
    .configure = configure,
    .scratch = scratch,
    .forward = forward,
    .backward = backward,
};

const ls_layer_kind ls_layer_avgpool = {
    .name = "avgpool",
    .argument = "K",
    .meaning = "the mean of each K x K pixels",
    .images = true,
    .neutral = true,
    .configure = configure,
    .scratch = scratch,
    .forward = forward,
    .backward = backward,
};

static ls_status configure_flatten(ls_layer *layer, const char *argument)
{
    (void)argument;
    layer->out = (ls_shape){ls_shape_size(layer->in), 1, 1};
    return LS_OK;
}

const ls_layer_kind ls_layer_flatten = {
    .name = "flatten",
    .meaning = "an image as one row; dense does so itself",
    .neutral = true,
    .reshapes = true,
    .configure = configure_flatten,
};
