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

/* Where the windows lie: K, C as above; `row` floats from one row of the input to the next. */
typedef struct windows {
    int64_t K, C, row, width;
} windows;

static windows windows_of(const ls_layer *layer)
{
    return (windows){.K = layer->window,
                     .C = layer->in.channels,
                     .row = layer->in.width * layer->in.channels,
                     .width = layer->out.width};
}

/* The forward passes: y [width][C] of a row of windows that begins at x. NaN goes through. */
LS_DISPATCH static void max_row(windows s, const float *restrict x, float *restrict y)
{
    for (int64_t w = 0; w < s.width; w++, x += s.K * s.C, y += s.C) {
        memcpy(y, x, (size_t)s.C * sizeof *y);
        for (int64_t i = 1; i < s.K * s.K; i++) {
            const float *at = x + i / s.K * s.row + i % s.K * s.C;
            for (int64_t c = 0; c < s.C; c++)
                y[c] = at[c] <= y[c] ? y[c] : at[c];
        }
    }
}

LS_DISPATCH static void mean_row(windows s, const float *restrict x, float *restrict y)
{
    const float share = 1 / (float)(s.K * s.K);
    for (int64_t w = 0; w < s.width; w++, x += s.K * s.C, y += s.C) {
        memset(y, 0, (size_t)s.C * sizeof *y);
        for (int64_t i = 0; i < s.K * s.K; i++) {
            const float *at = x + i / s.K * s.row + i % s.K * s.C;
            for (int64_t c = 0; c < s.C; c++)
                y[c] += at[c];
        }
        for (int64_t c = 0; c < s.C; c++)
            y[c] *= share;
    }
}

/* And back: the gradient goes to the first pixel that has the largest value. dy is used up. */
LS_DISPATCH static void max_row_back(windows s, const float *restrict x, const float *restrict y,
                                     float *restrict dy, float *restrict dx)
{
    for (int64_t w = 0; w < s.width; w++, x += s.K * s.C, dx += s.K * s.C, y += s.C, dy += s.C)
        for (int64_t i = 0; i < s.K * s.K; i++) {
            const int64_t at = i / s.K * s.row + i % s.K * s.C;
            for (int64_t c = 0; c < s.C; c++) {
                const int here = x[at + c] == y[c];
                dx[at + c] = here ? dy[c] : 0;
                dy[c] = here ? 0 : dy[c];
            }
        }
}

LS_DISPATCH static void mean_row_back(windows s, const float *restrict dy, float *restrict dx)
{
    const float share = 1 / (float)(s.K * s.K);
    for (int64_t w = 0; w < s.width; w++, dx += s.K * s.C, dy += s.C)
        for (int64_t i = 0; i < s.K * s.K; i++)
            for (int64_t c = 0; c < s.C; c++)
                dx[i / s.K * s.row + i % s.K * s.C + c] = share * dy[c];
}

/* Goes through the rows of windows of all images. */
static void max_forward(const ls_layer *layer, const ls_layer_pass *pass, const float *x, float *y)
{
    const windows s = windows_of(layer);
    for (int64_t r = 0; r < pass->rows; r++, x += ls_shape_size(layer->in))
        for (int64_t h = 0; h < layer->out.height; h++, y += s.width * s.C)
            max_row(s, x + h * s.K * s.row, y);
}

static void mean_forward(const ls_layer *layer, const ls_layer_pass *pass, const float *x, float *y)
{
    const windows s = windows_of(layer);
    for (int64_t r = 0; r < pass->rows; r++, x += ls_shape_size(layer->in))
        for (int64_t h = 0; h < layer->out.height; h++, y += s.width * s.C)
            mean_row(s, x + h * s.K * s.row, y);
}

/* Zeros where pixels are in no window. */
static void clear_rest(const ls_layer *layer, int64_t rows, float *dx)
{
    const bool all = layer->out.height * layer->window == layer->in.height &&
                     layer->out.width * layer->window == layer->in.width;
    if (!all)
        memset(dx, 0, (size_t)(rows * ls_shape_size(layer->in)) * sizeof *dx);
}

static void max_backward(const ls_layer *layer, const ls_layer_pass *pass, const float *x,
                         const float *y, float *dy, float *dx, float *grads)
{
    (void)grads;
    const windows s = windows_of(layer);
    if (dx == NULL)
        return;
    clear_rest(layer, pass->rows, dx);
    for (int64_t r = 0; r < pass->rows; r++) {
        for (int64_t h = 0; h < layer->out.height; h++, y += s.width * s.C, dy += s.width * s.C)
            max_row_back(s, x + h * s.K * s.row, y, dy, dx + h * s.K * s.row);
        x += ls_shape_size(layer->in);
        dx += ls_shape_size(layer->in);
    }
}

static void mean_backward(const ls_layer *layer, const ls_layer_pass *pass, const float *x,
                          const float *y, float *dy, float *dx, float *grads)
{
    (void)x, (void)y, (void)grads;
    const windows s = windows_of(layer);
    if (dx == NULL)
        return;
    clear_rest(layer, pass->rows, dx);
    for (int64_t r = 0; r < pass->rows; r++, dx += ls_shape_size(layer->in))
        for (int64_t h = 0; h < layer->out.height; h++, dy += s.width * s.C)
            mean_row_back(s, dy, dx + h * s.K * s.row);
}

const ls_layer_kind ls_layer_maxpool = {
    .name = "maxpool",
    .argument = "K",
    .meaning = "the largest of each K x K pixels",
    .images = true,
    .neutral = true,
    .configure = configure,
    .forward = max_forward,
    .backward = max_backward,
};

const ls_layer_kind ls_layer_avgpool = {
    .name = "avgpool",
    .argument = "K",
    .meaning = "the mean of each K x K pixels",
    .images = true,
    .neutral = true,
    .configure = configure,
    .forward = mean_forward,
    .backward = mean_backward,
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
