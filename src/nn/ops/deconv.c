/* deconv:FILTERSxK[,STRIDE[,PAD]]: transposed convolution, the gradient of a convolution as a layer
 * of its own: each input pixel adds its K x K filters to the output, at a distance of STRIDE
 * pixels; PAD pixels are cut from each side. C: channels of the input, F: filters; w [K][K][F][C];
 * x [h][w][C]; y [H][W][F], H = (h - 1) STRIDE - 2 PAD + K:
 *
 *     y[h STRIDE + i - PAD][v STRIDE + j - PAD][f] += x[h][v][c] w[i][j][f][c]
 *
 * So y is the image and x the pixels of a convolution, see convolution.h, from F channels to C:
 * y is computed as conv's dx, dx as conv's y. */
#include "nn/op.h"
#include "nn/ops/convolution.h"

enum { WEIGHT, BIAS };

static ls_convolution make_sizes(const ls_op *op)
{
    const ls_attributes a = op->attributes;
    return ls_convolution_make(&(ls_frame){.image = op->out,
                                           .pixels = op->in[0],
                                           .lines = a.window,
                                           .window = a.window,
                                           .stride = a.stride,
                                           .top = a.pad,
                                           .bottom = a.pad,
                                           .left = a.pad,
                                           .right = a.pad},
                               NULL);
}

static int64_t deconv_scratch(const ls_op *op)
{
    const ls_convolution p = make_sizes(op);
    return ls_convolution_scratch(&p, false);
}

static ls_convolution make_plan(const ls_op *op, const ls_op_data *d)
{
    ls_convolution p = make_sizes(op);
    ls_convolution_place(&p, d->scratch);
    return p;
}

static ls_status deconv_configure(ls_op *op)
{
    const ls_attributes a = op->attributes;
    const int64_t K = a.window, F = a.units, C = op->in[0].channels;
    const int64_t height = (op->in[0].height - 1) * a.stride - 2 * a.pad + K;
    const int64_t width = (op->in[0].width - 1) * a.stride - 2 * a.pad + K;
    if (height < 1 || width < 1)
        return ls_fail(LS_ERR_USAGE, "PAD %lld leaves nothing of an image of %lld x %lld",
                       (long long)a.pad, (long long)(height + 2 * a.pad),
                       (long long)(width + 2 * a.pad));
    if (F * K * K > INT32_MAX / C)
        return ls_fail(LS_ERR_USAGE, "the layer has more than 2^31 weights");
    if (height > INT32_MAX / F || width > INT32_MAX / F / height)
        return ls_fail(LS_ERR_USAGE, "the image would have more than 2^31 values");
    op->out = (ls_shape){F, height, width};
    ls_op_add_param(op, "weight", 4, (int64_t[]){K, K, F, C});
    ls_op_add_param(op, "bias", 1, (int64_t[]){F});
    return LS_OK;
}

/* An output is the sum of K K C / STRIDE^2 products. */
static void deconv_initialise(const ls_op *op, uint64_t seed, bool before_relu, float *params)
{
    const int64_t weights = op->param[WEIGHT].count, stride = op->attributes.stride;
    const int64_t fan_in = weights / op->out.channels / (stride * stride);
    ls_init_uniform(op, WEIGHT, seed, before_relu, fan_in > 0 ? fan_in : 1,
                    weights / op->in[0].channels, params);
    ls_init_constant(op, BIAS, 0, params);
}

static void deconv_forward(const ls_op *op, const ls_op_data *d)
{
    const ls_convolution p = make_plan(op, d);
    ls_convolution_images(&p, d->rows, d->w[WEIGHT], d->x[0], d->y);
    ls_bias_add(d->rows * op->out.height * op->out.width, op->out.channels, op->fused_relu,
                d->w[BIAS], d->y);
}

static void deconv_backward(const ls_op *op, const ls_op_data *d)
{
    const ls_convolution p = make_plan(op, d);
    ls_bias_sum(d->rows * op->out.height * op->out.width, op->out.channels, op->fused_relu, d->y,
                d->dy, d->dw[BIAS]);
    if (d->dw[WEIGHT] != NULL)
        ls_convolution_weights(&p, d->rows, d->dy, d->x[0], d->dw[WEIGHT]);
    if (d->dx[0] != NULL)
        ls_convolution_pixels(&p, d->rows, d->w[WEIGHT], NULL, false, d->dy, d->dx[0]);
}

static double deconv_flops(const ls_op *op)
{
    return 2.0 * (double)op->param[WEIGHT].count * (double)(op->in[0].height * op->in[0].width);
}

const ls_op_kind ls_op_deconv = {
    .name = "deconv",
    .configure = deconv_configure,
    .initialise = deconv_initialise,
    .forward = deconv_forward,
    .backward = deconv_backward,
    .flops = deconv_flops,
    .scratch = deconv_scratch,
    .has_bias = true,
    .fuses_relu = true,
    .needs_image = true,
};
