/* batchnorm: each channel is brought to mean 0 and variance 1, then scaled and shifted (Ioffe and
 * Szegedy, Batch Normalization, 2015). In training mean and variance are those of the global batch,
 * summed over ranks; else they are running statistics, which training keeps as parameters that
 * follow the batches', see ls_param.tracks.
 *
 * N: values of a channel in the global batch; C: channels; x, y [rows * pixels][C].
 *
 *     y = a (x - mean) + shift             a = scale / sqrt(var + EPSILON)
 *     dx = a dy + u (x - mean) + v         u = -a (sum of dy (x - mean)) / (N (var + EPSILON))
 *                                          v = -a (sum of dy) / N
 *
 * The variance is the mean square less the square of the mean, of which nothing is left where the
 * mean is much larger than the deviation: there a second pass takes the squares of deviations from
 * the mean. Means are doubles; what is lost when they become floats, for x - mean to be taken in
 * floats, is made good in shift and v. */
#include "base/dispatch.h"
#include "base/exact.h"
#include "nn/layer.h"

#include <math.h>
#include <string.h>

#define EPSILON 1e-5

/* The square of a mean in variances from which on the second pass is made. Below, 2^-33 of the
 * variance is lost in each addition. */
#define REMOTE 0x1p20

enum { SCALE, SHIFT, MEAN, VARIANCE };

/* What is added up over some rows for each channel: two numbers. */
typedef enum moments {
    OF_VALUES,     /* x and x * x */
    OF_DEVIATIONS, /* x - mean and its square */
    OF_GRADIENTS   /* dy, once the relu has been seen to, and dy * x */
} moments;

/* What a pass leaves in the scratch memory. */
typedef struct state {
    double *mine; /* [2 C] sums over some of this rank's values */
    double *sums; /* [LS_EXACT_PARTS][2 C + 1] the same of the batch, and N, see base/exact.h */
    double *mean; /* [C], and so on */
    double *variance;
    float *middle; /* the mean as a float */
    float *a, *b;  /* y = a (x - middle) + b */
    float *u, *v;  /* dx = a dy + u (x - middle) + v */
} state;

enum { DOUBLES = 2, FLOATS = 5 };

/* Numbers that are summed over ranks. */
static int64_t width_of(const ls_layer *layer)
{
    return 2 * layer->in.channels + 1;
}

/* Doubles of the scratch memory. */
static int64_t doubles_of(const ls_layer *layer)
{
    return (1 + LS_EXACT_PARTS) * width_of(layer) + DOUBLES * layer->in.channels;
}

static int64_t scratch(const ls_layer *layer)
{
    return 2 * doubles_of(layer) + FLOATS * layer->in.channels;
}

static state state_of(const ls_layer *layer)
{
    const int64_t C = layer->in.channels, width = width_of(layer);
    double *mine = (double *)(void *)layer->scratch;
    float *rest = layer->scratch + 2 * doubles_of(layer);
    return (state){.mine = mine,
                   .sums = mine + width,
                   .mean = mine + (1 + LS_EXACT_PARTS) * width,
                   .variance = mine + (1 + LS_EXACT_PARTS) * width + C,
                   .middle = rest,
                   .a = rest + C,
                   .b = rest + 2 * C,
                   .u = rest + 3 * C,
                   .v = rest + 4 * C};
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

/* Adds x and x * other, of some values of each channel, to their sums. */
LS_DISPATCH static void add_values(int64_t values, int64_t C, const float *restrict x,
                                   const float *other, double *restrict sums)
{
    for (int64_t i = 0; i < values; i++, x += C, other += C)
        for (int64_t c = 0; c < C; c++) {
            sums[c] += (double)x[c];
            sums[C + c] += (double)x[c] * (double)other[c];
        }
}

/* Adds x - mean and its square. */
LS_DISPATCH static void add_deviations(int64_t values, int64_t C, const double *restrict mean,
                                       const float *restrict x, double *restrict sums)
{
    for (int64_t i = 0; i < values; i++, x += C)
        for (int64_t c = 0; c < C; c++) {
            const double deviation = (double)x[c] - mean[c];
            sums[c] += deviation;
            sums[C + c] += deviation * deviation;
        }
}

/* The mask of the relu that follows: what it is given is as large as forward() made it. */
LS_DISPATCH static void mask(int64_t values, int64_t C, const float *restrict a,
                             const float *restrict middle, const float *restrict b,
                             const float *restrict x, float *restrict dy)
{
    for (int64_t i = 0; i < values; i++, x += C, dy += C)
        for (int64_t c = 0; c < C; c++)
            dy[c] = a[c] * (x[c] - middle[c]) + b[c] > 0 ? dy[c] : 0;
}

/* How many rows from `first` on are taken at a time. */
static int64_t rows_at_once(const ls_layer_pass *pass, int64_t first)
{
    const int64_t left = pass->rows - first;
    return pass->block > 0 && pass->block < left ? pass->block : left;
}

/* Sums over some rows; dy: OF_GRADIENTS only. */
static void add_rows(const ls_layer *layer, moments of, int64_t rows, const float *x, float *dy)
{
    const state s = state_of(layer);
    const int64_t C = layer->in.channels, pixels = pixels_of(layer);
    memset(s.mine, 0, (size_t)(2 * C) * sizeof *s.mine);
    for (int64_t r = 0; r < rows; r++, x += pixels * C) {
        if (of == OF_VALUES)
            add_values(pixels, C, x, x, s.mine);
        if (of == OF_DEVIATIONS)
            add_deviations(pixels, C, s.mean, x, s.mine);
        if (of != OF_GRADIENTS)
            continue;
        if (layer->rectified)
            mask(pixels, C, s.a, s.middle, s.b, x, dy);
        add_values(pixels, C, dy, x, s.mine);
        dy += pixels * C;
    }
}

/* The same sums over the global batch. By blocks they are exact, whatever the number of ranks. */
static void add_up(const ls_layer *layer, const ls_layer_pass *pass, moments of, const float *x,
                   float *dy)
{
    const state s = state_of(layer);
    const int64_t C = layer->in.channels, row = ls_shape_size(layer->in);
    const int width = (int)width_of(layer), parts = pass->block > 0 ? LS_EXACT_PARTS : 1;
    memset(s.sums, 0, (size_t)(parts * width) * sizeof *s.sums);
    for (int64_t first = 0, rows; first < pass->rows; first += rows) {
        rows = rows_at_once(pass, first);
        add_rows(layer, of, rows, x + first * row, dy != NULL ? dy + first * row : NULL);
        for (int64_t c = 0; c < 2 * C; c++)
            if (parts > 1)
                ls_exact_add(s.mine[c], s.sums + c, width);
            else
                s.sums[c] = s.mine[c];
    }
    s.sums[2 * C] = (double)(pass->rows * pixels_of(layer));
    if (pass->sum.call != NULL)
        pass->sum.call(pass->sum.user, s.sums, parts * width);
    for (int64_t c = 0; c < 2 * C && parts > 1; c++)
        s.sums[c] = ls_exact_total(s.sums + c, width);
}

/* Makes means and variances of deviations from the means that are there; tells whether one of them
 * was too far away for that. The same on all ranks. */
static bool make_statistics(const ls_layer *layer)
{
    const state s = state_of(layer);
    const int64_t C = layer->in.channels;
    const double N = s.sums[2 * C];
    bool remote = false;
    for (int64_t c = 0; c < C; c++) {
        const double off = s.sums[c] / N, variance = s.sums[C + c] / N - off * off;
        remote = remote || off * off > REMOTE * variance;
        s.mean[c] += off;
        s.variance[c] = variance > 0 || isnan(variance) ? variance : 0;
    }
    return remote;
}

/* Mean and variance of the global batch. */
static void take_statistics(const ls_layer *layer, const ls_layer_pass *pass, const float *x)
{
    const state s = state_of(layer);
    memset(s.mean, 0, (size_t)layer->in.channels * sizeof *s.mean);
    add_up(layer, pass, OF_VALUES, x, NULL);
    if (!make_statistics(layer))
        return;
    add_up(layer, pass, OF_DEVIATIONS, x, NULL);
    (void)make_statistics(layer);
}

/* y = a (x - middle) + b, for each channel, and the relu that may follow. */
LS_DISPATCH static void apply(int64_t values, int64_t C, bool rectify, const float *restrict a,
                              const float *restrict middle, const float *restrict b,
                              const float *restrict x, float *restrict y)
{
    for (int64_t i = 0; i < values; i++, x += C, y += C) {
        if (!rectify) {
            for (int64_t c = 0; c < C; c++)
                y[c] = a[c] * (x[c] - middle[c]) + b[c];
            continue;
        }
        for (int64_t c = 0; c < C; c++) {
            const float z = a[c] * (x[c] - middle[c]) + b[c];
            y[c] = z < 0 ? 0 : z;
        }
    }
}

static void forward(const ls_layer *layer, const ls_layer_pass *pass, const float *x, float *y)
{
    const state s = state_of(layer);
    const int64_t C = layer->in.channels;
    const float *scale = pass->params + layer->param[SCALE].offset;
    const float *shift = pass->params + layer->param[SHIFT].offset;
    ls_need_call(pass->need, layer->param[SCALE].offset);
    if (pass->training)
        take_statistics(layer, pass, x);
    for (int64_t c = 0; c < C && !pass->training; c++) {
        s.mean[c] = (double)pass->params[layer->param[MEAN].offset + c];
        s.variance[c] = (double)pass->params[layer->param[VARIANCE].offset + c];
    }
    for (int64_t c = 0; c < C; c++) {
        const double a = (double)scale[c] / sqrt(s.variance[c] + EPSILON);
        s.a[c] = (float)a;
        s.middle[c] = (float)s.mean[c];
        s.b[c] = (float)((double)shift[c] + a * ((double)s.middle[c] - s.mean[c]));
    }
    apply(pass->rows * pixels_of(layer), C, layer->rectified, s.a, s.middle, s.b, x, y);
}

/* dx = a dy + u (x - middle) + v, in place of dy. */
LS_DISPATCH static void apply_back(int64_t values, int64_t C, const float *restrict a,
                                   const float *restrict middle, const float *restrict u,
                                   const float *restrict v, const float *restrict x,
                                   float *restrict dy)
{
    for (int64_t i = 0; i < values; i++, x += C, dy += C)
        for (int64_t c = 0; c < C; c++)
            dy[c] = a[c] * dy[c] + u[c] * (x[c] - middle[c]) + v[c];
}

/* The gradients of scale and shift, of some rows, from their sums of dy and dy x; and of the
 * statistics, of which the variance is that of a sample from all there is. A single value has none
 * to be followed. */
static void make_gradients(const ls_layer *layer, int64_t rows, const float *params, double N,
                           float *grads)
{
    const state s = state_of(layer);
    const int64_t C = layer->in.channels;
    const double unbiased = N > 1 ? N / (N - 1) : 1;
    for (int64_t c = 0; c < C; c++) {
        const double mean = s.mean[c], variance = s.variance[c];
        const int64_t at_mean = layer->param[MEAN].offset + c;
        const int64_t at_variance = layer->param[VARIANCE].offset + c;
        grads[layer->param[SCALE].offset + c] =
            (float)((s.mine[C + c] - mean * s.mine[c]) / sqrt(variance + EPSILON));
        grads[layer->param[SHIFT].offset + c] = (float)s.mine[c];
        const double followed = N > 1 ? (double)rows : 0;
        grads[at_mean] = (float)(followed * ((double)params[at_mean] - mean));
        grads[at_variance] =
            (float)(followed * ((double)params[at_variance] - unbiased * variance));
    }
}

/* The same for all rows, by blocks, of which the sums of the last one are at hand; the network
 * tells of its gradients. */
static void make_all_gradients(const ls_layer *layer, const ls_layer_pass *pass, const float *x,
                               float *dy, float *grads)
{
    const state s = state_of(layer);
    const int64_t C = layer->in.channels, row = ls_shape_size(layer->in);
    const double N = s.sums[2 * C];
    for (int64_t first = 0, rows; first < pass->rows; first += rows) {
        rows = rows_at_once(pass, first);
        if (rows < pass->rows)
            add_rows(layer, OF_GRADIENTS, rows, x + first * row, dy + first * row);
        make_gradients(layer, rows, pass->params, N, grads);
        if (first + rows == pass->rows)
            break;
        ls_ready_call(pass->ready, layer->param[SCALE].offset);
        ls_ready_again(pass->ready, layer->param[VARIANCE].offset + C);
    }
}

static void backward(const ls_layer *layer, const ls_layer_pass *pass, const float *x,
                     const float *y, float *dy, float *dx, float *grads)
{
    (void)y;
    const state s = state_of(layer);
    const int64_t C = layer->in.channels;
    add_up(layer, pass, OF_GRADIENTS, x, dy);
    make_all_gradients(layer, pass, x, dy, grads);
    const double N = s.sums[2 * C];
    if (dx == NULL)
        return;
    for (int64_t c = 0; c < C; c++) {
        const double a = (double)s.a[c], product = s.sums[C + c] - s.mean[c] * s.sums[c];
        const double u = -a * product / (N * (s.variance[c] + EPSILON));
        s.u[c] = (float)u;
        s.v[c] = (float)(-a * s.sums[c] / N + u * ((double)s.middle[c] - s.mean[c]));
    }
    apply_back(pass->rows * pixels_of(layer), C, s.a, s.middle, s.u, s.v, x, dx);
}

const ls_layer_kind ls_layer_batchnorm = {
    .name = "batchnorm",
    .meaning = "each channel to mean 0 and variance 1 over the global batch, then scaled, shifted",
    .takes_relu = true,
    .neutral = true,
    .channels = true,
    .spans = true,
    .in_place = true,
    .configure = configure,
    .scratch = scratch,
    .forward = forward,
    .backward = backward,
};
