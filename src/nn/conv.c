/* conv:FILTERSxK[,STRIDE,PAD]: F filters of K x K pixels, moved by the stride over an image with
 * that many zeros around it. A stride above K passes over pixels, whose gradient is 0. C: channels;
 * J = K * C: taps of a row of the kernel, see conv_kernel.h. Weights are [K][K][C][F].
 *
 * Nothing is laid out for a product of matrices: the kernel works on images in place. Only where
 * there is a margin images are copied, a few at a time, into scratch memory that has it. */
#include "nn/conv_kernel.h"
#include "nn/layer.h"

#include <stdio.h>
#include <string.h>

enum { WEIGHT };

/* The weights' gradient is computed of so many floats of images, or of their outputs' gradients, at
 * a time: they stay in the cache while they are gone through for each block of weights. */
enum { PIECE = 1 << 16 };

/* What a layer works with; arrays lie in its scratch memory. */
typedef struct plan {
    ls_conv_shape shape;
    int64_t C, pad;
    int64_t in, out;                  /* floats in an image, without margins, and in its output */
    int64_t piece;                    /* images at a time */
    int64_t filters, taps;            /* filled up to whole blocks of the next two */
    const ls_conv_kernel *of_filters; /* in blocks of filters */
    const ls_conv_kernel *of_taps;    /* in blocks of taps */
    float *by_filter;                 /* weights as the one wants them */
    float *bias;                      /* filled up to whole blocks */
    float *by_tap;                    /* weights as the other wants them */
    float *margin;                    /* [piece][image] with margins, where there are any */
} plan;

/* The kernel for this processor and so many floats side by side: a wide one pays if it is filled.
 */
static const ls_conv_kernel *choose(int64_t width)
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
    return choose(1) != &ls_conv_any;
#else
    return true;
#endif
}

/* So many, filled up to whole blocks. */
static int64_t in_blocks(int64_t count, const ls_conv_kernel *kernel)
{
    return (count + kernel->block - 1) / kernel->block * kernel->block;
}

/* All but where the arrays are. */
static plan make_sizes(const ls_layer *layer)
{
    const int64_t K = layer->window, C = layer->in.channels, F = layer->out.channels;
    const int64_t row = (layer->in.width + 2 * layer->pad) * C;
    plan p = {.shape = {.row = row,
                        .image = (layer->in.height + 2 * layer->pad) * row,
                        .K = K,
                        .taps = K * C,
                        .filters = F,
                        .height = layer->out.height,
                        .width = layer->out.width,
                        .down = layer->stride * row,
                        .right = layer->stride * C},
              .C = C,
              .pad = layer->pad,
              .in = ls_shape_size(layer->in),
              .out = ls_shape_size(layer->out),
              .of_filters = choose(F),
              .of_taps = choose(K * C)};
    const int64_t larger = p.shape.image > p.out ? p.shape.image : p.out;
    p.piece = larger < PIECE ? PIECE / larger : 1;
    p.filters = in_blocks(F, p.of_filters);
    p.taps = in_blocks(K * C, p.of_taps);
    return p;
}

static int64_t scratch(const ls_layer *layer)
{
    const plan p = make_sizes(layer);
    return p.filters * p.shape.K * p.shape.taps + p.filters + p.taps * p.shape.K * p.shape.filters +
           (p.pad > 0 ? p.piece * p.shape.image + LS_CONV_SLACK : 0);
}

static plan make_plan(const ls_layer *layer)
{
    plan p = make_sizes(layer);
    p.by_filter = layer->scratch;
    p.bias = p.by_filter + p.filters * p.shape.K * p.shape.taps;
    p.by_tap = p.bias + p.filters;
    p.margin = p.by_tap + p.taps * p.shape.K * p.shape.filters;
    return p;
}

static ls_status configure(ls_layer *layer, const char *argument)
{
    enum { MOST_FILTERS = 1 << 16, MOST_PIXELS = 1 << 10 /* also of a stride */ };
    int used = 0;
    long long F = 0, K = 0, stride = 1, pad = 0;
    const int got = sscanf(argument, "%9lldx%9lld%n,%9lld%n,%9lld%n", &F, &K, &used, &stride, &used,
                           &pad, &used);
    if (got < 2 || argument[used] != '\0')
        return ls_fail(LS_ERR_USAGE,
                       "write it as conv:FILTERSxK[,STRIDE[,PAD]], all whole numbers");
    if (F < 1 || F > MOST_FILTERS || K < 1 || K > MOST_PIXELS)
        return ls_fail(LS_ERR_USAGE, "FILTERS must be from 1 to %d, K from 1 to %d", MOST_FILTERS,
                       MOST_PIXELS);
    if (stride < 1 || stride > MOST_PIXELS || pad < 0 || pad >= K)
        return ls_fail(LS_ERR_USAGE, "STRIDE must be from 1 to %d, PAD from 0 to K-1", MOST_PIXELS);
    const int64_t C = layer->in.channels;
    const int64_t height = layer->in.height + 2 * pad, width = layer->in.width + 2 * pad;
    if (K > height || K > width)
        return ls_fail(LS_ERR_USAGE,
                       "a kernel of %lld x %lld does not fit into an image of %lld x %lld", K, K,
                       (long long)height, (long long)width);
    if (F * K * K > INT32_MAX / C)
        return ls_fail(LS_ERR_USAGE, "its weights are more than 2^31");
    layer->window = K;
    layer->stride = stride;
    layer->pad = pad;
    layer->out = (ls_shape){F, (height - K) / stride + 1, (width - K) / stride + 1};
    ls_layer_add_param(layer, "weight", 4, (int64_t[]){K, K, C, F}, K * K * C, K * K * F);
    ls_layer_add_param(layer, "bias", 1, (int64_t[]){F}, 0, 0);
    return LS_OK;
}

/* Weights [K][J][F], and the bias, for the kernel that works in blocks of filters. */
static void pack_filters(const plan *p, const float *w, const float *bias)
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

/* The same weights for the one that works in blocks of taps. */
static void pack_taps(const plan *p, const float *w)
{
    const int64_t F = p->shape.filters, J = p->shape.taps, block = p->of_taps->block;
    float *to = p->by_tap;
    for (int64_t j = 0; j < J; j += block)
        for (int64_t k = 0; k < p->shape.K; k++)
            for (int64_t f = 0; f < F; f++, to += block)
                for (int64_t i = 0; i < block; i++)
                    to[i] = j + i < J ? w[(k * J + j + i) * F + f] : 0;
}

/* Copies images into the middle of ones with margins, or out of there. */
static void copy_in(const plan *p, int64_t images, const float *x)
{
    const int64_t left = p->pad * p->C, line = p->shape.row - 2 * left;
    float *to = p->margin;
    memset(to, 0, (size_t)(images * p->shape.image) * sizeof *to);
    for (int64_t i = 0; i < images; i++, to += p->shape.image)
        for (int64_t at = 0; at < p->in; at += line)
            memcpy(to + (p->pad + at / line) * p->shape.row + left, x + i * p->in + at,
                   (size_t)line * sizeof *to);
}

static void copy_out(const plan *p, float *dx)
{
    const int64_t left = p->pad * p->C, line = p->shape.row - 2 * left;
    for (int64_t at = 0; at < p->in; at += line)
        memcpy(dx + at, p->margin + (p->pad + at / line) * p->shape.row + left,
               (size_t)line * sizeof *dx);
}

/* Some images as the kernel wants them: with margins. */
static const float *images_of(const plan *p, int64_t images, const float *x)
{
    if (p->pad == 0)
        return x;
    copy_in(p, images, x);
    return p->margin;
}

static void forward(const ls_layer *layer, const ls_layer_pass *pass, const float *x, float *y)
{
    const plan p = make_plan(layer);
    ls_need_call(pass->need, layer->param[WEIGHT].offset);
    pack_filters(&p, pass->params + layer->param[WEIGHT].offset,
                 ls_layer_bias(layer, pass->params));
    for (int64_t r = 0; r < pass->rows; r++)
        p.of_filters->forward(&p.shape, p.by_filter, p.bias, layer->rectified,
                              images_of(&p, 1, x + r * p.in), y + r * p.out);
}

static void image_gradient(const ls_layer *layer, const ls_layer_pass *pass, const plan *p,
                           const float *dy, float *dx)
{
    pack_taps(p, pass->params + layer->param[WEIGHT].offset);
    for (int64_t r = 0; r < pass->rows; r++, dy += p->out, dx += p->in) {
        float *to = p->pad > 0 ? p->margin : dx;
        memset(to, 0, (size_t)p->shape.image * sizeof *to);
        p->of_taps->image(&p->shape, p->by_tap, dy, to);
        if (p->pad > 0)
            copy_out(p, dx);
    }
}

static void backward(const ls_layer *layer, const ls_layer_pass *pass, const float *x,
                     const float *y, float *dy, float *dx, float *grads)
{
    const plan p = make_plan(layer);
    const int64_t pixels = p.shape.height * p.shape.width;
    float *dw = grads + layer->param[WEIGHT].offset;
    ls_bias_sum(pass->rows * pixels, p.shape.filters, layer->rectified, y, dy,
                ls_layer_bias_gradient(layer, grads));
    memset(dw, 0, (size_t)layer->param[WEIGHT].count * sizeof *dw);
    for (int64_t r = 0; r < pass->rows; r += p.piece) {
        const int64_t left = pass->rows - r, images = left < p.piece ? left : p.piece;
        p.of_filters->weights(&p.shape, images, images_of(&p, images, x + r * p.in), dy + r * p.out,
                              dw);
    }
    if (dx != NULL)
        image_gradient(layer, pass, &p, dy, dx);
}

static double flops(const ls_layer *layer)
{
    return 2.0 * (double)layer->param[WEIGHT].count *
           (double)(layer->out.height * layer->out.width);
}

const ls_layer_kind ls_layer_conv = {
    .name = "conv",
    .argument = "FILTERSxK[,STRIDE[,PAD]]",
    .meaning = "convolution, filters of K x K pixels, STRIDE (1) apart; bias as dense",
    .takes_relu = true,
    .ends_with_bias = true,
    .images = true,
    .configure = configure,
    .flops = flops,
    .scratch = scratch,
    .forward = forward,
    .backward = backward,
};
