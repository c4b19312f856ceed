/* conv:FILTERSxK[,STRIDE[,PAD]]: F filters of K x K pixels with a stride of STRIDE pixels, over
 * images with PAD zeros on each side. C: channels; w [K][K][C][F]; x, y [H][W][channels]:
 *
 *     y[h][v][f] = b[f] + sum over i, j, c of x[h STRIDE + i][v STRIDE + j][c] w[i][j][c][f]
 *
 * In the backward pass dw and dx are the same sum with x or w replaced by dy. A stride above K
 * skips pixels, whose gradient is 0. J = K * C: taps of a row of the kernel, see conv_kernel.h.
 *
 * conv1d:FILTERSxK[,causal]: F filters of K steps over a sequence with as many zeros around it that
 * the number of steps stays, an image of height 1: (K - 1) / 2 zeros, rounded down, before the
 * first step and the others after the last; causal: all before. Steps beyond a row's length count
 * as zeros, and their dx is 0. w [K][C][F]; x, y [T][channels].
 *
 * Images are not unfolded into a matrix: the kernel reads images in place. Only images with
 * margins, and sequences that end early, are copied, a few at a time, into scratch memory. */
#include "nn/op.h"
#include "nn/ops/conv_kernel.h"

#include <string.h>

enum { WEIGHT, BIAS };

/* The gradient of the weights is computed from chunks of images. A chunk has at most this number of
 * floats in x, and in dy, so that the chunk stays in the cache while each block of weights reads
 * it. */
enum { PIECE = 1 << 16 };

/* Sizes, kernels and scratch arrays of a call. */
typedef struct plan {
    ls_conv_shape shape;
    int64_t C;
    int64_t top, left;                /* lines above an image, floats before each line: zeros */
    int64_t line;                     /* floats in a line without margins */
    int64_t in, out;                  /* floats in an image without margins, in its output */
    bool copies;                      /* images are copied into `margin` */
    const int32_t *lengths;           /* steps of each row of sequences; NULL: all */
    int64_t piece;                    /* images at a time */
    int64_t filters, taps;            /* rounded up to whole blocks of these kernels: */
    const ls_conv_kernel *of_filters; /* in blocks of filters */
    const ls_conv_kernel *of_taps;    /* in blocks of taps */
    float *by_filter;                 /* weights in the layout of `of_filters` */
    float *bias;                      /* zero-padded to whole blocks */
    float *by_tap;                    /* weights in the layout of `of_taps` */
    float *margin;                    /* [piece][image] images with margins, if `copies` */
} plan;

/* The kernel for this processor and blocks of `width` floats: a wide kernel pays only if its
 * vectors are full. */
static const ls_conv_kernel *choose_kernel(int64_t width)
{
#if defined(__x86_64__)
    enum { NARROW = 8 };
    if (width > NARROW && __builtin_cpu_supports("avx512f"))
        return &ls_conv_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return &ls_conv_avx2;
#endif
    (void)width;
    return &ls_conv_any;
}

bool ls_conv_fuses(void)
{
#if defined(__x86_64__)
    return choose_kernel(1) != &ls_conv_any;
#else
    return true;
#endif
}

/* `count`, rounded up to whole blocks. */
static int64_t round_to_blocks(int64_t count, const ls_conv_kernel *kernel)
{
    return (count + kernel->block - 1) / kernel->block * kernel->block;
}

/* Images, and the kernel on them; lines and pixels of zeros. */
typedef struct frame {
    int64_t height, width, out_height, out_width, K;
    int64_t top, bottom, left, right;
} frame;

static frame frame_of(const ls_op *op)
{
    const ls_attributes a = op->attributes;
    const ls_shape in = op->in[0], out = op->out;
    if (op->kind != &ls_op_conv1d)
        return (frame){in.height, in.width, out.height, out.width, a.window,
                       a.pad,     a.pad,    a.pad,      a.pad};
    const int64_t around = a.window - 1, before = a.causal ? around : around / 2;
    return (frame){1, in.height, 1, out.height, 1, 0, 0, before, around - before};
}

/* A plan without its arrays. */
static plan make_sizes(const ls_op *op, const int32_t *lengths)
{
    const ls_attributes a = op->attributes;
    const frame f = frame_of(op);
    const int64_t C = op->in[0].channels, F = op->out.channels, J = a.window * C;
    const int64_t row = (f.left + f.width + f.right) * C;
    plan p = {.shape = {.row = row,
                        .image = (f.top + f.height + f.bottom) * row,
                        .K = f.K,
                        .taps = J,
                        .filters = F,
                        .height = f.out_height,
                        .width = f.out_width,
                        .down = a.stride * row,
                        .right = a.stride * C},
              .C = C,
              .top = f.top,
              .left = f.left * C,
              .line = f.width * C,
              .in = ls_shape_size(op->in[0]),
              .out = ls_shape_size(op->out),
              .lengths = op->kind == &ls_op_conv1d ? lengths : NULL,
              .of_filters = choose_kernel(F),
              .of_taps = choose_kernel(J)};
    p.copies = p.shape.image > p.in || p.lengths != NULL;
    const int64_t larger = p.shape.image > p.out ? p.shape.image : p.out;
    p.piece = larger < PIECE ? PIECE / larger : 1;
    p.filters = round_to_blocks(F, p.of_filters);
    p.taps = round_to_blocks(J, p.of_taps);
    return p;
}

static int64_t conv_scratch(const ls_op *op)
{
    const plan p = make_sizes(op, NULL);
    const bool copies = p.copies || op->kind == &ls_op_conv1d;
    return p.filters * p.shape.K * p.shape.taps + p.filters + p.taps * p.shape.K * p.shape.filters +
           (copies ? p.piece * p.shape.image + LS_CONV_SLACK : 0);
}

static plan make_plan(const ls_op *op, const ls_op_data *d)
{
    plan p = make_sizes(op, d->lengths);
    p.by_filter = d->scratch;
    p.bias = p.by_filter + p.filters * p.shape.K * p.shape.taps;
    p.by_tap = p.bias + p.filters;
    p.margin = p.by_tap + p.taps * p.shape.K * p.shape.filters;
    return p;
}

static ls_status conv_configure(ls_op *op)
{
    const ls_attributes a = op->attributes;
    const int64_t K = a.window, F = a.units, C = op->in[0].channels;
    const int64_t height = op->in[0].height + 2 * a.pad, width = op->in[0].width + 2 * a.pad;
    if (K > height || K > width)
        return ls_fail(LS_ERR_USAGE,
                       "a kernel of %lld x %lld does not fit into an image of %lld x %lld",
                       (long long)K, (long long)K, (long long)height, (long long)width);
    if (F * K * K > INT32_MAX / C)
        return ls_fail(LS_ERR_USAGE, "the layer has more than 2^31 weights");
    op->out = (ls_shape){F, (height - K) / a.stride + 1, (width - K) / a.stride + 1};
    ls_op_add_param(op, "weight", 4, (int64_t[]){K, K, C, F});
    ls_op_add_param(op, "bias", 1, (int64_t[]){F});
    return LS_OK;
}

static ls_status conv1d_configure(ls_op *op)
{
    const int64_t K = op->attributes.window, F = op->attributes.units, C = op->in[0].channels;
    if (F * K > INT32_MAX / C)
        return ls_fail(LS_ERR_USAGE, "the layer has more than 2^31 weights");
    op->out = (ls_shape){F, op->in[0].height, 1};
    ls_op_add_param(op, "weight", 3, (int64_t[]){K, C, F});
    ls_op_add_param(op, "bias", 1, (int64_t[]){F});
    return LS_OK;
}

static void conv_initialise(const ls_op *op, uint64_t seed, bool before_relu, float *params)
{
    const int64_t weights = op->param[WEIGHT].count;
    ls_init_uniform(op, WEIGHT, seed, before_relu, weights / op->out.channels,
                    weights / op->in[0].channels, params);
    ls_init_constant(op, BIAS, 0, params);
}

/* Copies weights [K][J][F] and bias into the layout of `of_filters`. */
static void block_filters(const plan *p, const float *w, const float *bias)
{
    const int64_t F = p->shape.filters, rows = p->shape.K * p->shape.taps;
    const int64_t block = p->of_filters->block;
    float *to = p->by_filter;
    for (int64_t f = 0; f < F; f += block) {
        const int64_t count = F - f < block ? F - f : block;
        for (int64_t r = 0; r < rows; r++, to += block) {
            memcpy(to, w + r * F + f, (size_t)count * sizeof *to);
            memset(to + count, 0, (size_t)(block - count) * sizeof *to);
        }
    }
    memset(p->bias, 0, (size_t)p->filters * sizeof *bias);
    if (bias != NULL)
        memcpy(p->bias, bias, (size_t)F * sizeof *bias);
}

/* Copies weights [K][J][F] into the layout of `of_taps`. */
static void block_taps(const plan *p, const float *w)
{
    const int64_t F = p->shape.filters, J = p->shape.taps, block = p->of_taps->block;
    float *to = p->by_tap;
    for (int64_t j = 0; j < J; j += block)
        for (int64_t k = 0; k < p->shape.K; k++)
            for (int64_t f = 0; f < F; f++, to += block)
                for (int64_t i = 0; i < block; i++)
                    to[i] = j + i < J ? w[(k * J + j + i) * F + f] : 0;
}

/* Floats of a line that are in use: those of a row's steps. */
static int64_t line_of(const plan *p, int64_t row)
{
    const int64_t used = p->lengths != NULL ? p->lengths[row] * p->C : p->line;
    return used < p->line ? used : p->line;
}

/* Copies images without margins, of rows from `row` on, to images with zero margins. */
static void add_margins(const plan *p, int64_t row, int64_t images, const float *x)
{
    float *to = p->margin + p->top * p->shape.row + p->left;
    memset(p->margin, 0, (size_t)(images * p->shape.image) * sizeof *to);
    for (int64_t i = 0; i < images; i++, to += p->shape.image)
        for (int64_t at = 0; at < p->in; at += p->line)
            memcpy(to + at / p->line * p->shape.row, x + (row + i) * p->in + at,
                   (size_t)line_of(p, row + i) * sizeof *to);
}

/* Copies the gradient of a row's image with margins to one without; floats not in use get 0. */
static void remove_margins(const plan *p, int64_t row, float *dx)
{
    const float *from = p->margin + p->top * p->shape.row + p->left;
    const int64_t used = line_of(p, row);
    for (int64_t at = 0; at < p->in; at += p->line, from += p->shape.row) {
        memcpy(dx + at, from, (size_t)used * sizeof *dx);
        memset(dx + at + used, 0, (size_t)(p->line - used) * sizeof *dx);
    }
}

/* Images of rows from `row` on as the kernel reads them: with margins. */
static const float *with_margins(const plan *p, int64_t row, int64_t images, const float *x)
{
    if (!p->copies)
        return x + row * p->in;
    add_margins(p, row, images, x);
    return p->margin;
}

static void conv_forward(const ls_op *op, const ls_op_data *d)
{
    const plan p = make_plan(op, d);
    block_filters(&p, d->w[WEIGHT], d->w[BIAS]);
    for (int64_t r = 0; r < d->rows; r++)
        p.of_filters->forward(&p.shape, p.by_filter, p.bias, op->fused_relu,
                              with_margins(&p, r, 1, d->x[0]), d->y + r * p.out);
}

/* Computes dx of each image. */
static void input_gradients(const plan *p, int64_t images, const float *w, const float *dy,
                            float *dx)
{
    block_taps(p, w);
    for (int64_t r = 0; r < images; r++, dy += p->out, dx += p->in) {
        float *to = p->copies ? p->margin : dx;
        memset(to, 0, (size_t)p->shape.image * sizeof *to);
        p->of_taps->image(&p->shape, p->by_tap, dy, to);
        if (p->copies)
            remove_margins(p, r, dx);
    }
}

/* Computes dw, summed over all images. */
static void weight_gradient(const plan *p, int64_t images, const float *x, const float *dy,
                            int64_t weights, float *dw)
{
    memset(dw, 0, (size_t)weights * sizeof *dw);
    for (int64_t r = 0; r < images; r += p->piece) {
        const int64_t left = images - r, some = left < p->piece ? left : p->piece;
        p->of_filters->weights(&p->shape, some, with_margins(p, r, some, x), dy + r * p->out, dw);
    }
}

static void conv_backward(const ls_op *op, const ls_op_data *d)
{
    const plan p = make_plan(op, d);
    const int64_t pixels = p.shape.height * p.shape.width;
    ls_bias_sum(d->rows * pixels, p.shape.filters, op->fused_relu, d->y, d->dy, d->dw[BIAS]);
    if (d->dw[WEIGHT] != NULL)
        weight_gradient(&p, d->rows, d->x[0], d->dy, op->param[WEIGHT].count, d->dw[WEIGHT]);
    if (d->dx[0] != NULL)
        input_gradients(&p, d->rows, d->w[WEIGHT], d->dy, d->dx[0]);
}

static double conv_flops(const ls_op *op)
{
    return 2.0 * (double)op->param[WEIGHT].count * (double)(op->out.height * op->out.width);
}

const ls_op_kind ls_op_conv = {
    .name = "conv",
    .configure = conv_configure,
    .initialise = conv_initialise,
    .forward = conv_forward,
    .backward = conv_backward,
    .flops = conv_flops,
    .scratch = conv_scratch,
    .has_bias = true,
    .fuses_relu = true,
    .needs_image = true,
};

const ls_op_kind ls_op_conv1d = {
    .name = "conv1d",
    .configure = conv1d_configure,
    .initialise = conv_initialise,
    .forward = conv_forward,
    .backward = conv_backward,
    .flops = conv_flops,
    .scratch = conv_scratch,
    .has_bias = true,
    .fuses_relu = true,
    .needs_sequence = true,
    .makes_sequence = true,
};
