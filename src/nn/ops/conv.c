/* conv:FILTERSxK[,STRIDE[,PAD]]: F filters of K x K pixels with a stride of STRIDE pixels, over
 * images with PAD zeros on each side, see convolution.h. C: channels; w [K][K][C][F]; x, y
 * [H][W][channels]. In the backward pass dw and dx are the same sum with x or w replaced by dy. A
 * stride above K skips pixels, whose gradient is 0.
 *
 * conv1d:FILTERSxK[,causal]: F filters of K steps over a sequence with as many zeros around it that
 * the number of steps stays, an image of height 1: (K - 1) / 2 zeros, rounded down, before the
 * first step and the others after the last; causal: all before. Steps beyond a row's length count
 * as zeros, and their dx is 0. w [K][C][F]; x, y [T][channels]. */
#include "nn/op.h"
#include "nn/ops/convolution.h"

enum { WEIGHT, BIAS };

static ls_frame frame_of(const ls_op *op)
{
    const ls_attributes a = op->attributes;
    const ls_shape in = op->in[0], out = op->out;
    if (op->kind != &ls_op_conv1d)
        return (ls_frame){in, out, a.window, a.window, a.stride, a.pad, a.pad, a.pad, a.pad};
    const int64_t around = a.window - 1, before = a.causal ? around : around / 2;
    return (ls_frame){{in.channels, 1, in.height},
                      {out.channels, 1, out.height},
                      1,
                      a.window,
                      1,
                      0,
                      0,
                      before,
                      around - before};
}

static ls_convolution make_plan(const ls_op *op, const ls_op_data *d)
{
    const ls_frame frame = frame_of(op);
    ls_convolution p = ls_convolution_make(&frame, op->kind == &ls_op_conv1d ? d->lengths : NULL);
    ls_convolution_place(&p, d->scratch);
    return p;
}

static int64_t conv_scratch(const ls_op *op)
{
    const ls_frame frame = frame_of(op);
    const ls_convolution p = ls_convolution_make(&frame, NULL);
    return ls_convolution_scratch(&p, op->kind == &ls_op_conv1d);
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

static void conv_forward(const ls_op *op, const ls_op_data *d)
{
    const ls_convolution p = make_plan(op, d);
    ls_convolution_pixels(&p, d->rows, d->w[WEIGHT], d->w[BIAS], op->fused_relu, d->x[0], d->y);
}

static void conv_backward(const ls_op *op, const ls_op_data *d)
{
    const ls_convolution p = make_plan(op, d);
    const int64_t pixels = op->out.height * op->out.width;
    ls_bias_sum(d->rows * pixels, op->out.channels, op->fused_relu, d->y, d->dy, d->dw[BIAS]);
    if (d->dw[WEIGHT] != NULL)
        ls_convolution_weights(&p, d->rows, d->x[0], d->dy, d->dw[WEIGHT]);
    if (d->dx[0] != NULL)
        ls_convolution_images(&p, d->rows, d->w[WEIGHT], d->dy, d->dx[0]);
}

static double conv_flops(const ls_op *op)
{
    return 2.0 * (double)op->param[WEIGHT].count * (double)(op->out.height * op->out.width);
}

/* What both kinds have in common. */
#define CONVOLUTION                                                                                \
    .initialise = conv_initialise, .forward = conv_forward, .backward = conv_backward,             \
    .flops = conv_flops, .scratch = conv_scratch, .has_bias = true, .fuses_relu = true

const ls_op_kind ls_op_conv = {
    .name = "conv", .configure = conv_configure, .needs_image = true, CONVOLUTION};

const ls_op_kind ls_op_conv1d = {.name = "conv1d",
                                 .configure = conv1d_configure,
                                 .needs_sequence = true,
                                 .makes_sequence = true,
                                 CONVOLUTION};
