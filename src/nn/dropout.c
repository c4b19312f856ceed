/* dropout:P: in training each value is set to 0 with probability P, and the others are divided by
 * 1 - P, so that nothing is to be done later (Srivastava et al., Dropout, 2014). Which ones depends
 * on the pass's key, the layer, and the row's id: not on what other rows there are, nor where. */
#include "base/dispatch.h"
#include "base/rng.h"
#include "nn/layer.h"

#include <stdlib.h>

/* A random number of 64 bits decides on four values. */
enum { DRAWS = 4, BITS = 16 };

static ls_status configure(ls_layer *layer, const char *argument)
{
    char *end;
    const double P = strtod(argument, &end);
    if (*end != '\0' || !(P >= 0 && P < 1))
        return ls_fail(LS_ERR_USAGE, "the probability must be from 0 to below 1, not '%s'",
                       argument);
    layer->rate = P;
    return LS_OK;
}

/* What a row's values are multiplied by: to = from * (0 or 1 / (1 - P)). */
LS_DISPATCH static void drop(uint64_t key, double rate, int64_t count, const float *restrict from,
                             float *restrict to)
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

static void drop_rows(const ls_layer *layer, const ls_layer_pass *pass, const float *from,
                      float *to)
{
    const int64_t count = ls_shape_size(layer->in);
    for (int64_t r = 0; r < pass->rows; r++)
        drop(ls_rng_at(pass->key, (uint64_t)pass->ids[r]), pass->training ? layer->rate : 0, count,
             from + r * count, to + r * count);
}

static void forward(const ls_layer *layer, const ls_layer_pass *pass, const float *x, float *y)
{
    drop_rows(layer, pass, x, y);
}

static void backward(const ls_layer *layer, const ls_layer_pass *pass, const float *x,
                     const float *y, float *dy, float *dx, float *grads)
{
    (void)x, (void)y, (void)grads;
    if (dx != NULL)
        drop_rows(layer, pass, dy, dx);
}

const ls_layer_kind ls_layer_dropout = {
    .name = "dropout",
    .argument = "P",
    .meaning = "in training, zeros with probability P",
    .neutral = true,
    .configure = configure,
    .forward = forward,
    .backward = backward,
};
