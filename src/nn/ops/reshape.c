/* reshape:CxHxW: a vector as an image, whose features are in the order [C][H][W], as those of a
 * flattened image are in other programs. C: channels, P: pixels, H W; x [C][P], y [P][C]:
 *
 *     y[p][c] = x[c][p]          dx[c][p] = dy[p][c]
 *
 * A single channel or pixel makes it a view. */
#include "base/dispatch.h"
#include "nn/op.h"

/* Returns the shape as text, for errors. */
#define TEXT_OF(shape)                                                                             \
    (long long)(shape).channels, (long long)(shape).height, (long long)(shape).width

static const ls_op_kind view;

static ls_status reshape_configure(ls_op *op)
{
    const ls_shape to = op->attributes.shape;
    const int64_t size = ls_shape_size(op->in[0]);
    /* Division, as the product may be above the largest number. */
    if (size % to.channels != 0 || size / to.channels % to.height != 0 ||
        size / to.channels / to.height != to.width)
        return ls_fail(LS_ERR_USAGE, "%lldx%lldx%lld are not the %lld values before it",
                       TEXT_OF(to), (long long)size);
    op->out = to;
    if (to.channels == 1 || to.height * to.width == 1)
        op->kind = &view;
    return LS_OK;
}

/* to [columns][rows] = the transpose of from [rows][columns]. */
LS_DISPATCH static void transpose(int64_t rows, int64_t columns, const float *restrict from,
                                  float *restrict to)
{
    for (int64_t j = 0; j < columns; j++)
        for (int64_t i = 0; i < rows; i++)
            to[j * rows + i] = from[i * columns + j];
}

static void reshape_forward(const ls_op *op, const ls_op_data *d)
{
    const int64_t size = ls_shape_size(op->out), C = op->out.channels;
    for (int64_t r = 0; r < d->rows; r++)
        transpose(C, size / C, d->x[0] + r * size, d->y + r * size);
}

static void reshape_backward(const ls_op *op, const ls_op_data *d)
{
    const int64_t size = ls_shape_size(op->out), C = op->out.channels;
    for (int64_t r = 0; d->dx[0] != NULL && r < d->rows; r++)
        transpose(size / C, C, d->dy + r * size, d->dx[0] + r * size);
}

static const ls_op_kind view = {
    .name = "reshape", .configure = reshape_configure, .keeps_scale = true, .needs_vector = true};

const ls_op_kind ls_op_reshape = {
    .name = "reshape",
    .configure = reshape_configure,
    .forward = reshape_forward,
    .backward = reshape_backward,
    .keeps_scale = true,
    .needs_vector = true,
};
