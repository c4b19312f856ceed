/* flatten, sequence, sequence:pixels: the same floats in another shape. An image [H][W][C] is H
 * steps of W C features, or H W steps of C.
 *
 * sequence:permuted,SEED: the steps of sequence:pixels in the order p = ls_pixel_order(SEED):
 *
 *     y[t] = x[p[t]]          dx[p[t]] = dy[t] */
#include "base/rng.h"
#include "nn/op.h"

#include <string.h>

void ls_pixel_order(uint64_t seed, int64_t pixels, int32_t *order)
{
    const uint64_t key = ls_rng_key(seed, LS_RNG_PIXELS, 0);
    for (int64_t i = 0; i < pixels; i++)
        order[i] = (int32_t)i;
    for (int64_t left = pixels; left > 1; left--) { /* Fisher and Yates */
        const uint64_t at = ls_rng_at(key, (uint64_t)left) % (uint64_t)left;
        const int32_t last = order[left - 1];
        order[left - 1] = order[at];
        order[at] = last;
    }
}

static ls_status flatten_configure(ls_op *op)
{
    op->out = (ls_shape){ls_shape_size(op->in[0]), 1, 1};
    return LS_OK;
}

/* Of rows: the compiler has already read the image so. */
static ls_status sequence_configure(ls_op *op)
{
    op->out = op->in[0];
    return LS_OK;
}

static ls_status pixels_configure(ls_op *op)
{
    op->out = (ls_shape){op->in[0].channels, op->in[0].height * op->in[0].width, 1};
    return LS_OK;
}

const ls_op_kind ls_op_flatten = {
    .name = "flatten", .configure = flatten_configure, .keeps_scale = true, .flattens = true};

const ls_op_kind ls_op_sequence = {.name = "sequence",
                                   .configure = sequence_configure,
                                   .keeps_scale = true,
                                   .needs_sequence = true,
                                   .makes_sequence = true};

const ls_op_kind ls_op_pixels = {.name = "sequence",
                                 .configure = pixels_configure,
                                 .keeps_scale = true,
                                 .needs_image = true,
                                 .makes_sequence = true};

static ls_status permuted_configure(ls_op *op)
{
    if (op->in[0].height * op->in[0].width > INT32_MAX)
        return ls_fail(LS_ERR_USAGE, "the image has more than 2^31 pixels");
    return pixels_configure(op);
}

/* The order of the pixels. */
static int64_t permuted_state(const ls_op *op)
{
    return op->out.height;
}

static int32_t *order_of(const ls_op_data *d)
{
    return (int32_t *)(void *)d->state;
}

static void permuted_forward(const ls_op *op, const ls_op_data *d)
{
    const int64_t T = op->out.height, C = op->out.channels;
    const int32_t *order = order_of(d);
    ls_pixel_order(op->attributes.seed, T, order_of(d));
    for (int64_t row = 0; row < d->rows; row++)
        for (int64_t t = 0; t < T; t++)
            memcpy(d->y + (row * T + t) * C, d->x[0] + (row * T + order[t]) * C,
                   (size_t)C * sizeof(float));
}

static void permuted_backward(const ls_op *op, const ls_op_data *d)
{
    const int64_t T = op->out.height, C = op->out.channels;
    const int32_t *order = order_of(d);
    for (int64_t row = 0; d->dx[0] != NULL && row < d->rows; row++)
        for (int64_t t = 0; t < T; t++)
            memcpy(d->dx[0] + (row * T + order[t]) * C, d->dy + (row * T + t) * C,
                   (size_t)C * sizeof(float));
}

const ls_op_kind ls_op_permuted = {.name = "sequence",
                                   .configure = permuted_configure,
                                   .forward = permuted_forward,
                                   .backward = permuted_backward,
                                   .state = permuted_state,
                                   .keeps_scale = true,
                                   .needs_image = true,
                                   .makes_sequence = true};
