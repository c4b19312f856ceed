/* embedding:WIDTH[,VOCABULARY]: the vector of each token, y[t] = W[x[t]]. B: rows, T: tokens of a
 * row, V: vocabulary, E: width; x [B][T] tokens, 0 .. V-1; W [V][E]; y [B][T][E]; dW[v] = sum of
 * dy[t] over the tokens v.
 *
 * The loader checks tokens; here others than those of the vocabulary have the vector 0. Tokens
 * beyond a row's length have it, too, and no gradient. Tokens have no derivative: dx is 0. */
#include "nn/op.h"

#include <math.h>
#include <string.h>

static ls_status embedding_configure(ls_op *op)
{
    const int64_t T = ls_shape_size(op->in[0]);
    const int64_t V = op->attributes.vocabulary, E = op->attributes.units;
    if (V < 1)
        return ls_fail(LS_ERR_USAGE, "the vocabulary is not known here: "
                                     "write it as embedding:WIDTH,VOCABULARY");
    if (E > INT32_MAX / V)
        return ls_fail(LS_ERR_USAGE, "%lld x %lld weights are more than 2^31", (long long)V,
                       (long long)E);
    op->out = (ls_shape){E, T, 1};
    ls_op_add_param(op, "weight", 2, (int64_t[]){V, E});
    return LS_OK;
}

/* Uniform in [-sqrt(3 / E), sqrt(3 / E)]: the expected squared length of a vector is 1. */
static void embedding_initialise(const ls_op *op, uint64_t seed, bool before_relu, float *params)
{
    (void)before_relu;
    const int64_t E = op->param[0].shape[1];
    ls_init_uniform(op, 0, seed, false, E, E, params);
}

/* The vector's place in an array [V][E]; -1: the token has none. */
static int64_t place_of(const ls_op *op, const ls_op_data *d, int64_t row, int64_t t)
{
    const int64_t V = op->param[0].shape[0], E = op->param[0].shape[1], T = op->out.height;
    const float token = d->x[0][row * T + t];
    if ((d->lengths != NULL && t >= d->lengths[row]) || !(token >= 0 && token < (float)V))
        return -1;
    return (int64_t)token * E;
}

static void embedding_forward(const ls_op *op, const ls_op_data *d)
{
    const int64_t E = op->out.channels, T = op->out.height;
    float *y = d->y;
    for (int64_t row = 0; row < d->rows; row++)
        for (int64_t t = 0; t < T; t++, y += E) {
            const int64_t at = place_of(op, d, row, t);
            if (at >= 0)
                memcpy(y, d->w[0] + at, (size_t)E * sizeof *y);
            else
                memset(y, 0, (size_t)E * sizeof *y);
        }
}

static void embedding_backward(const ls_op *op, const ls_op_data *d)
{
    const int64_t E = op->out.channels, T = op->out.height;
    const float *dy = d->dy;
    if (d->dw[0] != NULL)
        memset(d->dw[0], 0, (size_t)op->param[0].count * sizeof(float));
    for (int64_t row = 0; d->dw[0] != NULL && row < d->rows; row++)
        for (int64_t t = 0; t < T; t++, dy += E) {
            const int64_t at = place_of(op, d, row, t);
            for (int64_t e = 0; at >= 0 && e < E; e++)
                d->dw[0][at + e] += dy[e];
        }
    if (d->dx[0] != NULL)
        memset(d->dx[0], 0, (size_t)(d->rows * T) * sizeof(float));
}

const ls_op_kind ls_op_embedding = {
    .name = "embedding",
    .configure = embedding_configure,
    .initialise = embedding_initialise,
    .forward = embedding_forward,
    .backward = embedding_backward,
    .makes_sequence = true,
};
