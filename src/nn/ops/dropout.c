/* dropout:P. In training each value is set to 0 with probability P and otherwise divided by 1 - P,
 * so that evaluation is the identity (Srivastava et al., Dropout, 2014). The dropped values depend
 * on the key of the pass, the layer and the row's id, not on the other rows of the batch or on the
 * row's position in the batch. */
#include "base/dispatch.h"
#include "base/rng.h"
#include "nn/op.h"

#include <endian.h>
#include <string.h>

/* A random number of 64 bits decides four values: its bytes are their draws, in the order of a
 * little-endian processor. Numbers are drawn for a piece of a row at a time, before its values are
 * computed: neither loop has a branch, so both are vectorised. */
enum { DRAWS = 4, BITS = 16, PIECE = 256 };

/* Draws the random numbers of the piece of a row that begins at value `first`. */
LS_DISPATCH static void draw_piece(uint64_t key, int64_t first, uint64_t random[PIECE / DRAWS])
{
    for (int64_t i = 0; i < PIECE / DRAWS; i++)
        random[i] = htole64(ls_rng_at(key, (uint64_t)(first + i * DRAWS)));
}

/* to = 0 where the draw is below `least`, else factor * from */
LS_DISPATCH static void drop_piece(int64_t count, const uint16_t *restrict draw, uint32_t least,
                                   float factor, const float *restrict from, float *restrict to)
{
    for (int64_t i = 0; i < count; i++) {
        const float kept = factor * from[i];
        to[i] = le16toh(draw[i]) < least ? 0 : kept;
    }
}

static void drop_row(uint64_t key, double rate, int64_t count, const float *from, float *to)
{
    const float factor = (float)(1 / (1 - rate));
    const uint32_t least = (uint32_t)(rate * (1 << BITS) + 0.5);
    uint64_t random[PIECE / DRAWS];
    uint16_t draw[PIECE];
    for (int64_t first = 0; first < count; first += PIECE) {
        const int64_t left = count - first;
        draw_piece(key, first, random);
        memcpy(draw, random, sizeof draw);
        drop_piece(left < PIECE ? left : PIECE, draw, least, factor, from + first, to + first);
    }
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
