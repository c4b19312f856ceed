/* dense:UNITS. B: rows, D: inputs, U: units; W [D][U], b [U].
 *
 *     y = x W + b
 *     dx = dy W^T         db = sum of dy over the rows         dW = x^T dy
 *
 * There is no b if a batch normalisation follows. Of a sequence each step is a row. */
#include "nn/op.h"
#include "nn/product.h"

enum { WEIGHT, BIAS };

static ls_status dense_configure(ls_op *op)
{
    const int64_t D = ls_shape_size(op->in[0]), U = op->attributes.units;
    if (U > INT32_MAX / D)
        return ls_fail(LS_ERR_USAGE, "%lld x %lld weights are more than 2^31", (long long)D,
                       (long long)U);
    op->out = (ls_shape){U, 1, 1};
    ls_op_add_param(op, "weight", 2, (int64_t[]){D, U});
    ls_op_add_param(op, "bias", 1, (int64_t[]){U});
    return LS_OK;
}

static void dense_initialise(const ls_op *op, uint64_t seed, bool before_relu, float *params)
{
    const int64_t D = op->param[WEIGHT].shape[0], U = op->param[WEIGHT].shape[1];
    ls_init_uniform(op, WEIGHT, seed, before_relu, D, U, params);
    ls_init_constant(op, BIAS, 0, params);
}

static void dense_forward(const ls_op *op, const ls_op_data *d)
{
    const int64_t D = op->param[WEIGHT].shape[0], U = op->param[WEIGHT].shape[1];
    const bool add = d->part.first + d->part.count < D; /* all calls but the first add to y */
    ls_product_forward(op->product, d->rows, d->part, d->x[0], d->w[WEIGHT], add, d->y);
    if (d->part.first == 0)
        ls_bias_add(d->rows, U, op->fused_relu, d->w[BIAS], d->y);
}

static void dense_backward(const ls_op *op, const ls_op_data *d)
{
    const int64_t D = op->param[WEIGHT].shape[0], U = op->param[WEIGHT].shape[1];
    if (d->part.first + d->part.count == D) { /* the first call */
        ls_bias_sum(d->rows, U, op->fused_relu, d->y, d->dy, d->dw[BIAS]);
        if (d->dx[0] != NULL)
            ls_product_backward(op->product, d->rows, (ls_range){0, D}, d->dy, d->w[WEIGHT],
                                d->dx[0]);
    }
    if (d->dw[WEIGHT] != NULL)
        ls_product_gradient(op->product, d->rows, d->part, d->x[0], d->dy, d->dw[WEIGHT]);
}

static double dense_flops(const ls_op *op)
{
    return 2.0 * (double)op->param[WEIGHT].count;
}

const ls_op_kind ls_op_dense = {
    .name = "dense",
    .configure = dense_configure,
    .initialise = dense_initialise,
    .forward = dense_forward,
    .backward = dense_backward,
    .flops = dense_flops,
    .has_matrix = true,
    .has_bias = true,
    .fuses_relu = true,
    .flattens = true,
    .of_steps = &ls_op_dense_steps,
};

static ls_status dense_steps_configure(ls_op *op)
{
    const ls_shape in = op->in[0];
    op->in[0] = (ls_shape){in.channels, 1, 1};
    const ls_status status = dense_configure(op);
    op->in[0] = in;
    op->out = (ls_shape){op->attributes.units, in.height, 1};
    return status;
}

static void dense_steps_forward(const ls_op *op, const ls_op_data *d)
{
    const int64_t D = op->param[WEIGHT].shape[0], U = op->param[WEIGHT].shape[1];
    const int64_t rows = d->rows * op->in[0].height;
    ls_product_of_rows(rows, D, U, d->x[0], D, d->w[WEIGHT], U, false, d->y, U);
    ls_bias_add(rows, U, op->fused_relu, d->w[BIAS], d->y);
}

static void dense_steps_backward(const ls_op *op, const ls_op_data *d)
{
    const int64_t D = op->param[WEIGHT].shape[0], U = op->param[WEIGHT].shape[1];
    const int64_t rows = d->rows * op->in[0].height;
    ls_bias_sum(rows, U, op->fused_relu, d->y, d->dy, d->dw[BIAS]);
    if (d->dx[0] != NULL)
        ls_product_of_transposed(rows, D, U, d->dy, U, d->w[WEIGHT], U, false, d->dx[0], D);
    if (d->dw[WEIGHT] != NULL)
        ls_product_of_columns(rows, D, U, d->x[0], D, d->dy, U, false, d->dw[WEIGHT], U);
}

static double dense_steps_flops(const ls_op *op)
{
    return dense_flops(op) * (double)op->in[0].height;
}

const ls_op_kind ls_op_dense_steps = {
    .name = "dense",
    .configure = dense_steps_configure,
    .initialise = dense_initialise,
    .forward = dense_steps_forward,
    .backward = dense_steps_backward,
    .flops = dense_steps_flops,
    .has_bias = true,
    .fuses_relu = true,
};
