/* attention:HEADS[,causal]: self-attention with several heads (Vaswani et al., Attention is all you
 * need, 2017). B: rows, T: steps, F: features, H: heads, E = F / H; x, y [B][T][F]; W [F][3 F]
 * makes queries, keys and values, V [F][F] mixes the heads:
 *
 *     [q, k, v] = x W + b             for each head E columns of each
 *     P = softmax(q k^T / sqrt(E))    [T][T], causal: of step t over the steps up to t
 *     o = P v,   y = o V + c
 *
 *     dv = P^T do,   dS = P (do v^T - D) / sqrt(E) elementwise, D = rows' sums of do o
 *     dq = dS k,     dk = dS^T q
 *
 * P is never whole: a block of QUERIES steps at a time is computed in the forward pass, and once
 * more in the backward pass from the logarithm of the sums that is kept of each step (Dao et al.,
 * FlashAttention, 2022). Steps beyond a row's length are no keys, and their o is 0. The products of
 * a head need k^T and v^T, which are made once for the head.
 *
 * Memory, in floats: kept of each row T (4 F + H); in scratch 4 T F a row and for all rows together
 * T (2 QUERIES + 2 E). Nothing grows with the square of T. */
#include "nn/matrix_kernel.h"
#include "nn/op.h"
#include "nn/product.h"

#include <math.h>
#include <string.h>

enum { WEIGHT, BIAS, MIX, MIX_BIAS };
enum { QUERIES = 64 };

/* Sizes, and the arrays of a call. */
typedef struct attention {
    int64_t T, F, H, E;
    int64_t R; /* T, rounded up for rows of scores */
    bool causal;
    const ls_matrix_kernel *kernel;
    float scale;
    float *qkv;  /* saved: [B][T][3 F] */
    float *o;    /* saved: [B][T][F] */
    float *log;  /* saved: [B][H][T] logarithms of the sums of exponentials */
    float *P;    /* scratch: [QUERIES][R] */
    float *dS;   /* scratch: [QUERIES][R] */
    float *k_t;  /* scratch: [E][R] k^T of a head */
    float *v_t;  /* scratch: [E][R] v^T */
    float *d_o;  /* scratch: [B][T][F] */
    float *dqkv; /* scratch: [B][T][3 F] */
} attention;

static ls_status attention_configure(ls_op *op)
{
    const int64_t F = op->in[0].width * op->in[0].channels, H = op->attributes.units;
    if (F % H != 0)
        return ls_fail(LS_ERR_USAGE, "%lld features can't be divided among %lld heads",
                       (long long)F, (long long)H);
    if (F > INT32_MAX / 3 / F)
        return ls_fail(LS_ERR_USAGE, "%lld x %lld weights are more than 2^31", (long long)F,
                       (long long)(3 * F));
    op->out = (ls_shape){F, op->in[0].height, 1};
    ls_op_add_param(op, "weight", 2, (int64_t[]){F, 3 * F});
    ls_op_add_param(op, "bias", 1, (int64_t[]){3 * F});
    ls_op_add_param(op, "mix_weight", 2, (int64_t[]){F, F});
    ls_op_add_param(op, "mix_bias", 1, (int64_t[]){F});
    return LS_OK;
}

static void attention_initialise(const ls_op *op, uint64_t seed, bool before_relu, float *params)
{
    const int64_t F = op->param[MIX].shape[0];
    (void)before_relu;
    ls_init_uniform(op, WEIGHT, seed, false, F, F, params);
    ls_init_constant(op, BIAS, 0, params);
    ls_init_uniform(op, MIX, seed, false, F, F, params);
    ls_init_constant(op, MIX_BIAS, 0, params);
}

static int64_t attention_saved(const ls_op *op)
{
    const int64_t T = op->out.height, F = op->out.channels;
    return T * (4 * F + op->attributes.units);
}

static int64_t round_up(int64_t scores)
{
    return (scores + LS_SCORES - 1) / LS_SCORES * LS_SCORES;
}

static int64_t attention_scratch(const ls_op *op)
{
    return 2 * (QUERIES + op->out.channels / op->attributes.units) * round_up(op->out.height);
}

static int64_t attention_scratch_row(const ls_op *op)
{
    return 4 * op->out.channels * op->out.height;
}

static attention make_attention(const ls_op *op, const ls_op_data *d)
{
    attention a = {.T = op->out.height,
                   .F = op->out.channels,
                   .H = op->attributes.units,
                   .E = op->out.channels / op->attributes.units,
                   .R = round_up(op->out.height),
                   .kernel = ls_matrix_kernel_choose(),
                   .causal = op->attributes.causal};
    const int64_t steps = d->rows * a.T;
    a.scale = 1 / sqrtf((float)a.E);
    a.qkv = d->saved;
    a.o = a.qkv + steps * 3 * a.F;
    a.log = a.o + steps * a.F;
    a.P = d->scratch;
    a.dS = a.P + QUERIES * a.R;
    a.k_t = a.dS + QUERIES * a.R;
    a.v_t = a.k_t + a.E * a.R;
    a.d_o = a.v_t + a.E * a.R;
    a.dqkv = a.d_o + steps * a.F;
    return a;
}

static int64_t length_of(const attention *a, const ls_op_data *d, int64_t row)
{
    return d->lengths != NULL && d->lengths[row] < a->T ? d->lengths[row] : a->T;
}

/* Keys of a query: those of the row, causal up to itself. */
static int64_t keys_of(const attention *a, int64_t length, int64_t query)
{
    return a->causal && query + 1 < length ? query + 1 : length;
}

/* to [E][R] = the transpose of E columns of `length` steps, at a distance of 3 F. */
static void transpose(const attention *a, int64_t length, const float *from, float *to)
{
    for (int64_t t = 0; t < length; t++)
        for (int64_t e = 0; e < a->E; e++)
            to[e * a->R + t] = from[t * 3 * a->F + e];
}

/* P of queries first .. first+count-1 of a head: with the logarithms given if `known`, else they
 * are computed. */
static void make_scores(const attention *a, const float *q, int64_t first, int64_t count,
                        int64_t length, bool known, float *log)
{
    const int64_t row = 3 * a->F, most = keys_of(a, length, first + count - 1);
    a->kernel->product(count, a->E, most, (ls_operand){q + first * row, row, 1},
                       (ls_operand){a->k_t, a->R, 1}, false, a->P, a->R);
    for (int64_t i = 0; i < count; i++) {
        float *P = a->P + i * a->R;
        const int64_t keys = keys_of(a, length, first + i), end = round_up(keys);
        if (known)
            a->kernel->softmax_again(keys, a->scale, log[first + i], P);
        else
            log[first + i] = a->kernel->softmax(keys, a->scale, P);
        if (end < most)
            memset(P + end, 0, (size_t)(most - end) * sizeof *P);
    }
}

static void forward_head(const attention *a, const float *q, int64_t length, float *log, float *o)
{
    const int64_t row = 3 * a->F;
    transpose(a, length, q + a->F, a->k_t);
    for (int64_t first = 0; first < length; first += QUERIES) {
        const int64_t count = length - first < QUERIES ? length - first : QUERIES;
        make_scores(a, q, first, count, length, false, log);
        ls_product_of_rows(count, keys_of(a, length, first + count - 1), a->E, a->P, a->R,
                           q + 2 * a->F, row, false, o + first * a->F, a->F);
    }
}

static void attention_forward(const ls_op *op, const ls_op_data *d)
{
    const attention a = make_attention(op, d);
    const int64_t steps = d->rows * a.T, F = a.F;
    ls_product_of_rows(steps, F, 3 * F, d->x[0], F, d->w[WEIGHT], 3 * F, false, a.qkv, 3 * F);
    ls_bias_add(steps, 3 * F, false, d->w[BIAS], a.qkv);
    memset(a.o, 0, (size_t)(steps * F) * sizeof *a.o);
    for (int64_t row = 0; row < d->rows; row++)
        for (int64_t h = 0; h < a.H; h++)
            forward_head(&a, a.qkv + row * a.T * 3 * F + h * a.E, length_of(&a, d, row),
                         a.log + (row * a.H + h) * a.T, a.o + row * a.T * F + h * a.E);
    ls_product_of_rows(steps, F, F, a.o, F, d->w[MIX], F, false, d->y, F);
    ls_bias_add(steps, F, false, d->w[MIX_BIAS], d->y);
}

/* dS of a block, in place of do v^T. */
static void scores_gradient(const attention *a, int64_t first, int64_t count, int64_t length,
                            const float *o, const float *d_o)
{
    const int64_t most = keys_of(a, length, first + count - 1);
    for (int64_t i = 0; i < count; i++) {
        float *dS = a->dS + i * a->R;
        const int64_t keys = keys_of(a, length, first + i), end = round_up(keys);
        a->kernel->softmax_gradient(keys, a->scale, a->P + i * a->R, a->E, o + i * a->F,
                                    d_o + i * a->F, dS);
        if (end < most)
            memset(dS + end, 0, (size_t)(most - end) * sizeof *dS);
    }
}

static void backward_head(const attention *a, const float *q, int64_t length, float *log,
                          const float *o, const float *d_o, float *dq)
{
    const int64_t row = 3 * a->F, F = a->F, E = a->E, R = a->R;
    transpose(a, length, q + F, a->k_t);
    transpose(a, length, q + 2 * F, a->v_t);
    for (int64_t first = 0; first < length; first += QUERIES) {
        const int64_t count = length - first < QUERIES ? length - first : QUERIES;
        const int64_t keys = keys_of(a, length, first + count - 1);
        const float *of = d_o + first * F;
        make_scores(a, q, first, count, length, true, log);
        ls_product_of_columns(count, keys, E, a->P, R, of, F, true, dq + 2 * F, row);
        ls_product_of_rows(count, E, keys, of, F, a->v_t, R, false, a->dS, R);
        scores_gradient(a, first, count, length, o + first * F, of);
        ls_product_of_rows(count, keys, E, a->dS, R, q + F, row, false, dq + first * row, row);
        ls_product_of_columns(count, keys, E, a->dS, R, q + first * row, row, true, dq + F, row);
    }
}

static void attention_backward(const ls_op *op, const ls_op_data *d)
{
    const attention a = make_attention(op, d);
    const int64_t steps = d->rows * a.T, F = a.F;
    ls_bias_sum(steps, F, false, d->y, d->dy, d->dw[MIX_BIAS]);
    if (d->dw[MIX] != NULL)
        ls_product_of_columns(steps, F, F, a.o, F, d->dy, F, false, d->dw[MIX], F);
    ls_product_of_transposed(steps, F, F, d->dy, F, d->w[MIX], F, false, a.d_o, F);
    memset(a.dqkv, 0, (size_t)(steps * 3 * F) * sizeof *a.dqkv);
    for (int64_t row = 0; row < d->rows; row++)
        for (int64_t h = 0; h < a.H; h++) {
            const int64_t at = row * a.T * F + h * a.E;
            backward_head(&a, a.qkv + row * a.T * 3 * F + h * a.E, length_of(&a, d, row),
                          a.log + (row * a.H + h) * a.T, a.o + at, a.d_o + at,
                          a.dqkv + row * a.T * 3 * F + h * a.E);
        }
    ls_bias_sum(steps, 3 * F, false, a.qkv, a.dqkv, d->dw[BIAS]);
    if (d->dw[WEIGHT] != NULL)
        ls_product_of_columns(steps, F, 3 * F, d->x[0], F, a.dqkv, 3 * F, false, d->dw[WEIGHT],
                              3 * F);
    if (d->dx[0] != NULL)
        ls_product_of_transposed(steps, F, 3 * F, a.dqkv, 3 * F, d->w[WEIGHT], 3 * F, false,
                                 d->dx[0], F);
}

static double attention_flops(const ls_op *op)
{
    const double T = (double)op->out.height, F = (double)op->out.channels;
    return 2 * T * F * (4 * F + 2 * T * (op->attributes.causal ? 0.5 : 1));
}

/* All but dx: the gradients of o, P, q, k and v. */
static double attention_flops_inside(const ls_op *op)
{
    const double T = (double)op->out.height, F = (double)op->out.channels;
    return attention_flops(op) - 2 * T * F * 3 * F;
}

const ls_op_kind ls_op_attention = {
    .name = "attention",
    .configure = attention_configure,
    .initialise = attention_initialise,
    .forward = attention_forward,
    .backward = attention_backward,
    .flops = attention_flops,
    .flops_inside = attention_flops_inside,
    .saved = attention_saved,
    .scratch = attention_scratch,
    .scratch_row = attention_scratch_row,
    .needs_sequence = true,
    .makes_sequence = true,
};
