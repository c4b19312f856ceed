/* dropout:P. In training each value is set to 0 with probability P and otherwise divided by 1 - P,
 * so that evaluation is the identity (Srivastava et al., Dropout, 2014). The dropped values depend
 * on the key of the pass, the layer and the row's id, not on the other rows of the batch or on the
 * row's position in the batch. */
#include "base/dispatch.h"
#include "base/rng.h"
#include "nn/op.h"

/* A random number of 64 bits decides four values. */
enum { DRAWS = 4, BITS = 16 };

/* to = from * (0 or 1 / (1 - P)) */
LS_DISPATCH static void drop_row(uint64_t key, double rate, int64_t count,
                                 const float *restrict from, float *restrict to)
{
    const float factor = (float)(1 / (1 - rate));
    const uint32_t least = (uint32_t)(rate * (1 << BITS) + 0.5);
    for (int64_t i = 0; i + DRAWS <= count; i += DRAWS) {
        const uint64_t random = ls_rng_at(key, (uint64_t)i);
        for (int k = 0; k < DRAWS; k++)
            to[i + k] =
                ((uint32_t)(random >> (k * BITS)) & 0xffff) < least ? 0 : factor * from[i + k];
    }
    const int64_t rest = count / DRAWS * DRAWS;
    const uint64_t random = ls_rng_at(key, (uint64_t)rest);
    for (int64_t i = rest; i < count; i++)
        to[i] = ((uint32_t)(random >> ((i - rest) * BITS)) & 0xffff) < least ? 0 : factor * from[i];
}

/* Forward and backward: values and their gradients have the same factors. */
static void drop_rows(const ls_op *op, const ls_op_data *d, const float *from, float *to)
{
    const int64_t count = ls_shape_size(op->out);
    const double rate = d->training ? op->attributes.rate : 0;
    for (int64_t r = 0; r < d->rows; r++)
        drop_row(ls_rng_at(d->key, (uint64_t)d->ids[r]), rate, count, from + r * count,
                 to + r * count);
}

static void dropout_forward(const ls_op *op, const ls_op_data *d)
{
    drop_rows(op, d, d->x[0], d->y);
}

static void dropout_backward(const ls_op *op, const ls_op_data *d)
{
    if (d->dx[0] != NULL)
        drop_rows(op, d, d->dy, d->dx[0]);
}

const ls_op_kind ls_op_dropout = {
    .name = "dropout",
    .forward = dropout_forward,
    .backward = dropout_backward,
    .keeps_scale = true,
};
