/* conv:FILTERSxK[,STRIDE[,PAD]]: F filters of K x K pixels with a stride of STRIDE pixels, over
 * images with PAD zeros on each side. C: channels; w [K][K][C][F]; x, y [H][W][channels]:
 *
 *     y[h][v][f] = b[f] + sum over i, j, c of x[h STRIDE + i][v STRIDE + j][c] w[i][j][c][f]
 *
 * In the backward pass dw and dx are the same sum with x or w replaced by dy. A stride above K
 * skips pixels, whose gradient is 0. J = K * C: taps of a row of the kernel, see conv_kernel.h.
 *
 * Images are not unfolded into a matrix: the kernel reads images in place. Only if PAD > 0 are
 * images copied, a few at a time, into scratch memory with margins. */
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
    int64_t C, pad;
    int64_t in, out;                  /* floats in an image without margins, in its output */
    int64_t piece;                    /* images at a time */
    int64_t filters, taps;            /* rounded up to whole blocks of these kernels: */
    const ls_conv_kernel *of_filters; /* in blocks of filters */
    const ls_conv_kernel *of_taps;    /* in blocks of taps */
    float *by_filter;                 /* weights in the layout of `of_filters` */
    float *bias;                      /* zero-padded to whole blocks */
    float *by_tap;                    /* weights in the layout of `of_taps` */
    float *margin;                    /* [piece][image] images with margins; unused if pad is 0 */
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

/* A plan without its arrays. */
static plan make_sizes(const ls_op *op)
{
    const ls_attributes a = op->attributes;
    const int64_t K = a.window, C = op->in[0].channels, F = op->out.channels;
    const int64_t row = (op->in[0].width + 2 * a.pad) * C;
    plan p = {.shape = {.row = row,
                        .image = (op->in[0].height + 2 * a.pad) * row,
                        .K = K,
                        .taps = K * C,
                        .filters = F,
                        .height = op->out.height,
                        .width = op->out.width,
                        .down = a.stride * row,
                        .right = a.stride * C},
              .C = C,
              .pad = a.pad,
              .in = ls_shape_size(op->in[0]),
              .out = ls_shape_size(op->out),
              .of_filters = choose_kernel(F),
              .of_taps = choose_kernel(K * C)};
    const int64_t larger = p.shape.image > p.out ? p.shape.image : p.out;
    p.piece = larger < PIECE ? PIECE / larger : 1;
    p.filters = round_to_blocks(F, p.of_filters);
    p.taps = round_to_blocks(K * C, p.of_taps);
    return p;
}

static int64_t conv_scratch(const ls_op *op)
{
    const plan p = make_sizes(op);
    return p.filters * p.shape.K * p.shape.taps + p.filters + p.taps * p.shape.K * p.shape.filters +
           (p.pad > 0 ? p.piece * p.shape.image + LS_CONV_SLACK : 0);
}

static plan make_plan(const ls_op *op, float *memory)
{
    plan p = make_sizes(op);
    p.by_filter = memory;
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

static void conv_initialise(const ls_op *op, uint64_t seed, bool before_relu, float *params)
{
    const int64_t pixels = op->attributes.window * op->attributes.window;
    ls_init_uniform(op, WEIGHT, seed, before_relu, pixels * op->in[0].channels,
                    pixels * op->out.channels, params);
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

/* Copies images without margins to images with zero margins. */
static void add_margins(const plan *p, int64_t images, const float *x)
{
    const int64_t left = p->pad * p->C, line = p->shape.row - 2 * left;
    float *to = p->margin;
    memset(to, 0, (size_t)(images * p->shape.image) * sizeof *to);
    for (int64_t i = 0; i < images; i++, to += p->shape.image)
        for (int64_t at = 0; at < p->in; at += line)
            memcpy(to + (p->pad + at / line) * p->shape.row + left, x + i * p->in + at,
                   (size_t)line * sizeof *to);
}

/* Copies the gradient of an image with margins to one without. */
static void remove_margins(const plan *p, float *dx)
{
    const int64_t left = p->pad * p->C, line = p->shape.row - 2 * left;
    for (int64_t at = 0; at < p->in; at += line)
        memcpy(dx + at, p->margin + (p->pad + at / line) * p->shape.row + left,
               (size_t)line * sizeof *dx);
}

/* Images as the kernel reads them: with margins. */
static const float *with_margins(const plan *p, int64_t images, const float *x)
{
    if (p->pad == 0)
        return x;
    add_margins(p, images, x);
    return p->margin;
}

static void conv_forward(const ls_op *op, const ls_op_data *d)
{
    const plan p = make_plan(op, d->scratch);
    block_filters(&p, d->w[WEIGHT], d->w[BIAS]);
    for (int64_t r = 0; r < d->rows; r++)
        p.of_filters->forward(&p.shape, p.by_filter, p.bias, op->fused_relu,
                              with_margins(&p, 1, d->x[0] + r * p.in), d->y + r * p.out);
}

/* Computes dx of each image. */
static void input_gradients(const plan *p, int64_t images, const float *w, const float *dy,
                            float *dx)
{
    block_taps(p, w);
    for (int64_t r = 0; r < images; r++, dy += p->out, dx += p->in) {
        float *to = p->pad > 0 ? p->margin : dx;
        memset(to, 0, (size_t)p->shape.image * sizeof *to);
        p->of_taps->image(&p->shape, p->by_tap, dy, to);
        if (p->pad > 0)
            remove_margins(p, dx);
    }
}

/* Computes dw, summed over all images. */
static void weight_gradient(const plan *p, int64_t images, const float *x, const float *dy,
                            int64_t weights, float *dw)
{
    memset(dw, 0, (size_t)weights * sizeof *dw);
    for (int64_t r = 0; r < images; r += p->piece) {
        const int64_t left = images - r, some = left < p->piece ? left : p->piece;
        p->of_filters->weights(&p->shape, some, with_margins(p, some, x + r * p->in),
                               dy + r * p->out, dw);
    }
}

static void conv_backward(const ls_op *op, const ls_op_data *d)
{
    const plan p = make_plan(op, d->scratch);
    const int64_t pixels = p.shape.height * p.shape.width;
    ls_bias_sum(d->rows * pixels, p.shape.filters, op->fused_relu, d->y, d->dy, d->dw[BIAS]);
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
