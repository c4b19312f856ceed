/* noise:SIGMA. In training each value gets a random number added, of the normal distribution with
 * mean 0 and standard deviation SIGMA; evaluation is the identity. As dropout's, the numbers depend
 * on the key of the pass, the layer and the row's id, not on the row's position in the batch. */
#include "base/rng.h"
#include "nn/op.h"

#include <string.h>

static void noise_forward(const ls_op *op, const ls_op_data *d)
{
    const int64_t count = ls_shape_size(op->out);
    const double sigma = op->attributes.sigma;
    const float *x = d->x[0];
    float *y = d->y;
    if (!d->training) {
        memcpy(y, x, (size_t)(d->rows * count) * sizeof *y);
        return;
    }
    for (int64_t r = 0; r < d->rows; r++, x += count, y += count) {
        const uint64_t key = ls_rng_at(d->key, (uint64_t)d->ids[r]);
        for (int64_t i = 0; i < count; i++)
            y[i] = x[i] + (float)(sigma * ls_rng_normal(key, (uint64_t)i));
    }
}

/* dx = dy; dx is dy's buffer. */
static void noise_backward(const ls_op *op, const ls_op_data *d)
{
    (void)op, (void)d;
}

const ls_op_kind ls_op_noise = {
    .name = "noise",
    .forward = noise_forward,
    .backward = noise_backward,
    .in_place = true,
    .keeps_scale = true,
};
