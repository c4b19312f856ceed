/* position: adds to each step of a sequence a vector that tells its place, of sines and cosines of
 * wavelengths from 2 pi to 20000 pi (Vaswani et al., Attention is all you need, 2017). F: features,
 * even or odd; x, y [B][T][F]:
 *
 *     y[t][2 i] = x[t][2 i] + sin(t / 10000^(2 i / F)),   y[t][2 i + 1] = ... + cos(the same)
 *     dx = dy
 *
 * The vectors are made once for each call, in scratch memory: those of step t from those of t - 1,
 * by sin(a + d) = sin a cos d + cos a sin d and cos(a + d) = cos a cos d - sin a sin d, in double;
 * their error grows with t, by 1e-16 a step. */
#include "nn/op.h"

#include <math.h>
#include <string.h>

static int64_t position_scratch(const ls_op *op)
{
    return ls_shape_size(op->out);
}

static ls_status position_configure(ls_op *op)
{
    op->out = (ls_shape){op->in[0].width * op->in[0].channels, op->in[0].height, 1};
    return LS_OK;
}

void ls_position_vectors(int64_t steps, int64_t features, float *out)
{
    for (int64_t f = 0; f < features; f += 2) {
        const double angle = 1 / pow(10000, (double)f / (double)features);
        const double sine = sin(angle), cosine = cos(angle);
        double s = 0, c = 1;
        for (int64_t t = 0; t < steps; t++) {
            const double turned = s * cosine + c * sine;
            out[t * features + f] = (float)s;
            if (f + 1 < features)
                out[t * features + f + 1] = (float)c;
            c = c * cosine - s * sine;
            s = turned;
        }
    }
}

static void position_forward(const ls_op *op, const ls_op_data *d)
{
    const int64_t F = op->out.channels, T = op->out.height;
    float *place = d->scratch;
    ls_position_vectors(T, F, place);
    for (int64_t row = 0; row < d->rows; row++)
        for (int64_t i = 0; i < T * F; i++)
            d->y[row * T * F + i] = d->x[0][row * T * F + i] + place[i];
}

static void position_backward(const ls_op *op, const ls_op_data *d)
{
    if (d->dx[0] != NULL)
        memcpy(d->dx[0], d->dy, (size_t)(d->rows * ls_shape_size(op->out)) * sizeof(float));
}

const ls_op_kind ls_op_position = {
    .name = "position",
    .configure = position_configure,
    .forward = position_forward,
    .backward = position_backward,
    .scratch = position_scratch,
    .needs_sequence = true,
    .makes_sequence = true,
    .keeps_scale = true,
};
