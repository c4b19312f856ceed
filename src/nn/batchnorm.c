/* batchnorm: each channel is brought to mean 0 and variance 1, then scaled and shifted (Ioffe and
 * Szegedy, Batch Normalization, 2015). In training mean and variance are those of the global batch,
 * summed over ranks; else they are running statistics, which training keeps as parameters that
 * follow the batches', see ls_param.tracks.
 *
 * N: values of a channel in the global batch; C: channels; x, y [rows * pixels][C].
 *
 *     y = a x + b             a = scale / sqrt(var + EPSILON), b = shift - mean a
 *     dx = a dy + u x + v     u = -a S / (N (var + EPSILON)), S = sum of dy (x - mean)
 *                             v = -a (sum of dy) / N - u mean */
#include "base/dispatch.h"
#include "nn/layer.h"

#include <math.h>
#include <string.h>

#define EPSILON 1e-5

enum { SCALE, SHIFT, MEAN, VARIANCE };

/* Values are added up as floats this many at a time, those sums as doubles. */
enum { RUN = 16 };

/* What a pass leaves in the scratch memory. */
typedef struct state {
    double *mine;   /* [2 C] sums over this rank's values, of them, and of squares or products */
    double *sums;   /* [2 C + 1] the same of the batch, and N */
    float *partial; /* [2 C] */
    float *mean;    /* [C], and so on */
    float *variance;
    float *a, *b, *u, *v;
} state;

static int64_t scratch(const ls_layer *layer)
{
    return 2 * (4 * layer->in.channels + 1) + 8 * layer->in.channels;
}

static state state_of(const ls_layer *layer)
{
    const int64_t C = layer->in.channels;
    double *mine = (double *)(void *)layer->scratch;
    float *rest = layer->scratch + 2 * (4 * C + 1);
    return (state){.mine = mine,
                   .sums = mine + 2 * C,
                   .partial = rest,
                   .mean = rest + 2 * C,
                   .variance = rest + 3 * C,
                   .a = rest + 4 * C,
                   .b = rest + 5 * C,
                   .u = rest + 6 * C,
                   .v = rest + 7 * C};
}

static int64_t pixels_of(const ls_layer *layer)
{
    return layer->in.height * layer->in.width;
}

static ls_status configure(ls_layer *layer, const char *argument)
{
    (void)argument;
    const int64_t C = layer->in.channels;
    ls_layer_add_param(layer, "scale", 1, &C, 0, 0)->initial = 1;
    ls_layer_add_param(layer, "shift", 1, &C, 0, 0);
    ls_layer_add_param(layer, "mean", 1, &C, 0, 0)->tracks = true;
    ls_param *variance = ls_layer_add_param(layer, "variance", 1, &C, 0, 0);
    variance->tracks = true;
    variance->initial = 1;
    return LS_OK;
}

/* Adds the sums of x and x * other, over a few values of each channel. */
LS_DISPATCH static void add_run(int64_t count, int64_t C, const float *restrict x,
                                const float *restrict other, float *restrict partial,
                                double *restrict sums)
{
    memset(partial, 0, (size_t)(2 * C) * sizeof *partial);
    for (int64_t i = 0; i < count; i++, x += C, other += C)
        for (int64_t c = 0; c < C; c++) {
            partial[c] += x[c];
            partial[C + c] += x[c] * other[c];
        }
    for (int64_t c = 0; c < 2 * C; c++)
        sums[c] += (double)partial[c];
}

/* Sums of x and x * other, of this rank and of all. */
static void add_up(const ls_layer *layer, const ls_layer_pass *pass, const float *x,
                   const float *other)
{
    const state s = state_of(layer);
    const int64_t C = layer->in.channels, values = pass->rows * pixels_of(layer);
    memset(s.mine, 0, (size_t)(2 * C) * sizeof *s.mine);
    for (int64_t i = 0; i < values; i += RUN)
        add_run(values - i < RUN ? values - i : RUN, C, x + i * C, other + i * C, s.partial,
                s.mine);
    memcpy(s.sums, s.mine, (size_t)(2 * C) * sizeof *s.sums);
    s.sums[2 * C] = (double)values;
    if (pass->sum.call != NULL)
        pass->sum.call(pass->sum.user, s.sums, (int)(2 * C + 1));
}

/* to = a from + b, for each channel, and the relu that may follow. */
LS_DISPATCH static void apply(int64_t values, int64_t C, bool rectify, const float *restrict a,
                              const float *restrict b, const float *restrict from,
                              float *restrict to)
{
    for (int64_t i = 0; i < values; i++, from += C, to += C) {
        if (!rectify) {
            for (int64_t c = 0; c < C; c++)
                to[c] = a[c] * from[c] + b[c];
            continue;
        }
        for (int64_t c = 0; c < C; c++) {
            float z = a[c] * from[c] + b[c];
            to[c] = z < 0 ? 0 : z;
        }
    }
}

static void forward(const ls_layer *layer, const ls_layer_pass *pass, const float *x, float *y)
{
    const state s = state_of(layer);
    const int64_t C = layer->in.channels;
    const float *params = pass->params;
    ls_need_call(pass->need, layer->param[SCALE].offset);
    if (pass->training) {
        add_up(layer, pass, x, x);
        const double N = s.sums[2 * C];
        for (int64_t c = 0; c < C; c++) {
            const double mean = s.sums[c] / N, variance = s.sums[C + c] / N - mean * mean;
            s.mean[c] = (float)mean;
            s.variance[c] = (float)(variance > 0 || isnan(variance) ? variance : 0);
        }
    } else {
        memcpy(s.mean, params + layer->param[MEAN].offset, (size_t)C * sizeof *s.mean);
        memcpy(s.variance, params + layer->param[VARIANCE].offset, (size_t)C * sizeof *s.variance);
    }
    for (int64_t c = 0; c < C; c++) {
        s.a[c] = (float)((double)params[layer->param[SCALE].offset + c] /
                         sqrt((double)s.variance[c] + EPSILON));
        s.b[c] = params[layer->param[SHIFT].offset + c] - s.mean[c] * s.a[c];
    }
    apply(pass->rows * pixels_of(layer), C, layer->rectified, s.a, s.b, x, y);
}

/* dx = a dy + u x + v. */
LS_DISPATCH static void apply_back(int64_t values, int64_t C, const float *restrict a,
                                   const float *restrict u, const float *restrict v,
                                   const float *restrict dy, const float *restrict x,
                                   float *restrict dx)
{
    for (int64_t i = 0; i < values; i++, dy += C, x += C, dx += C)
        for (int64_t c = 0; c < C; c++)
            dx[c] = a[c] * dy[c] + u[c] * x[c] + v[c];
}

/* The mask of the relu that follows. */
LS_DISPATCH static void mask(int64_t count, const float *restrict y, float *restrict dy)
{
    for (int64_t i = 0; i < count; i++)
        dy[i] = y[i] > 0 ? dy[i] : 0;
}

/* The gradients of scale and shift, of this rank's rows, from its sums of dy and dy x; and of the
 * statistics, of which the variance is that of a sample from all there is. */
static void make_gradients(const ls_layer *layer, int64_t rows, const float *params, double N,
                           float *grads)
{
    const state s = state_of(layer);
    const int64_t C = layer->in.channels;
    const double unbiased = N > 1 ? N / (N - 1) : 1;
    for (int64_t c = 0; c < C; c++) {
        const double mean = (double)s.mean[c], variance = (double)s.variance[c];
        const int64_t at_mean = layer->param[MEAN].offset + c;
        const int64_t at_variance = layer->param[VARIANCE].offset + c;
        grads[layer->param[SCALE].offset + c] =
            (float)((s.mine[C + c] - mean * s.mine[c]) / sqrt(variance + EPSILON));
        grads[layer->param[SHIFT].offset + c] = (float)s.mine[c];
        grads[at_mean] = (float)((double)rows * ((double)params[at_mean] - mean));
        grads[at_variance] =
            (float)((double)rows * ((double)params[at_variance] - unbiased * variance));
    }
}

static void backward(const ls_layer *layer, const ls_layer_pass *pass, const float *x,
                     const float *y, float *dy, float *dx, float *grads)
{
    const state s = state_of(layer);
    const int64_t C = layer->in.channels, values = pass->rows * pixels_of(layer);
    if (layer->rectified)
        mask(values * C, y, dy);
    add_up(layer, pass, dy, x);
    const double N = s.sums[2 * C];
    make_gradients(layer, pass->rows, pass->params, N, grads);
    if (dx == NULL)
        return;
    for (int64_t c = 0; c < C; c++) {
        const double a = (double)s.a[c], mean = (double)s.mean[c];
        const double product = s.sums[C + c] - mean * s.sums[c];
        const double u = -a * product / (N * ((double)s.variance[c] + EPSILON));
        s.u[c] = (float)u;
        s.v[c] = (float)(-a * s.sums[c] / N - u * mean);
    }
    apply_back(values, C, s.a, s.u, s.v, dy, x, dx);
}

const ls_layer_kind ls_layer_batchnorm = {
    .name = "batchnorm",
    .meaning = "each channel to mean 0 and variance 1 over the global batch, then scaled, shifted",
    .takes_relu = true,
    .neutral = true,
    .spans = true,
    .configure = configure,
    .scratch = scratch,
    .forward = forward,
    .backward = backward,
};
