/* rnn:UNITS, lstm:UNITS, gru:UNITS, with the options all (the output is the state after each step,
 * not after the last), reverse (from the last step to the first) and both (two layers in one, the
 * second from the last step to the first; their states side by side).
 *
 * B: rows, T: steps, I: inputs of a step, H: units, Z = I + H, G: gates (rnn 1, gru 3, lstm 4), S:
 * floats saved of a step's gates (rnn H, else 4 H). x [B][T][I]; W [I][G H], U [H][G H], b [G H],
 * for gru [2][G H]: one for the inputs, one for the state. The equations are in
 * recurrent_kernel.h.
 *
 * Within the operation steps come first: row (t, b) of z [T + 1][B][Z] is the input of step t and
 * the state before it. So the products of all steps are few:
 *
 *     forward    for each step    sums = z[t] [W; U] + b; gates; state into z[t + 1]
 *     backward   for each step    dgates; dx[t] = dgates[t] W^T; dh += dgates[t] U^T
 *                at the end       [dW; dU] = z^T dgates; db = sum of dgates
 *
 * Rows with fewer steps than T hold their state after their last step, and in reverse the initial
 * state 0 until their last step comes. Held steps have no gates, and no gradient reaches their
 * inputs.
 *
 * Memory, in floats: kept of each row and direction (T + 1) Z + T S, for lstm also (T + 1) H for
 * the cells: for lstm:128 on the rows of MNIST 28 x 128 x 7.2. In scratch 4 H a row, and for all
 * rows together the weights twice, packed for both passes. */
#include "nn/op.h"
#include "nn/ops/recurrent_kernel.h"
#include "nn/product.h"

#include <string.h>

enum { WEIGHT, STATE_WEIGHT, BIAS, PARAMS };

/* Sizes of a layer. */
typedef struct sizes {
    ls_recurrent kind;
    int directions;
    int64_t T, I, H, Z;
    int64_t gates; /* G */
    int64_t S;
    bool all;
    const ls_recurrent_kernel *kernel;
} sizes;

/* Arrays of one direction in a call. */
typedef struct direction {
    sizes n;
    int64_t B, steps; /* rows; steps up to the longest row's end */
    const int32_t *lengths;
    bool reverse;
    const float *W, *U, *b;
    float *z, *c, *gates;        /* saved: [T + 1][B][Z], [T + 1][B][H], [T][B][S] */
    float *packed;               /* scratch: weights for the forward pass */
    float *of_inputs, *of_state; /* scratch: weights for dx, dh */
    float *dh, *dc;              /* scratch: [B][H] */
    float *kept;                 /* scratch: [2][B][H] dh and dc of rows that hold their state */
} direction;

static const ls_recurrent_kernel *choose_kernel(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f"))
        return &ls_recurrent_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return &ls_recurrent_avx2;
#endif
    return &ls_recurrent_any;
}

static ls_recurrent kind_of(const ls_op *op)
{
    return op->kind == &ls_op_lstm ? LS_LSTM : op->kind == &ls_op_gru ? LS_GRU : LS_RNN;
}

static sizes sizes_of(const ls_op *op)
{
    const ls_recurrent kind = kind_of(op);
    const int64_t I = op->in[0].width * op->in[0].channels, H = op->attributes.units;
    return (sizes){.kind = kind,
                   .directions = op->attributes.both ? 2 : 1,
                   .T = op->in[0].height,
                   .I = I,
                   .H = H,
                   .Z = I + H,
                   .gates = kind == LS_LSTM  ? 4
                            : kind == LS_GRU ? 3
                                             : 1,
                   .S = kind == LS_RNN ? H : 4 * H,
                   .all = op->attributes.all,
                   .kernel = choose_kernel()};
}

static ls_status recurrent_configure(ls_op *op)
{
    const sizes n = sizes_of(op);
    if (n.H > INT32_MAX / (4 * n.Z))
        return ls_fail(LS_ERR_USAGE, "%lld x %lld weights are more than 2^31", (long long)n.Z,
                       (long long)(n.gates * n.H));
    op->out = (ls_shape){n.directions * n.H, n.all ? n.T : 1, 1};
    op->flattens = !n.all;
    op->sequence = n.all;
    for (int d = 0; d < n.directions; d++) {
        const char *const names[][PARAMS] = {
            {"weight", "recurrent", "bias"},
            {"reverse_weight", "reverse_recurrent", "reverse_bias"}};
        ls_op_add_param(op, names[d][WEIGHT], 2, (int64_t[]){n.I, n.gates * n.H});
        ls_op_add_param(op, names[d][STATE_WEIGHT], 2, (int64_t[]){n.H, n.gates * n.H});
        if (n.kind == LS_GRU)
            ls_op_add_param(op, names[d][BIAS], 2, (int64_t[]){2, n.gates * n.H});
        else
            ls_op_add_param(op, names[d][BIAS], 1, (int64_t[]){n.gates * n.H});
    }
    return LS_OK;
}

/* Biases of the gates that keep the state, for memories of 1 to T - 1 steps: a gate of bias log u
 * keeps the share u / (1 + u) in each step. Those of lstm's input gates are the opposite (Tallec
 * and Ollivier, Can recurrent neural networks warp time?, 2018). */
static void initialise_chrono(const ls_op *op, int at, const sizes *n, uint64_t seed, float *params)
{
    float *b = params + op->param[at].offset;
    float *keep = n->kind == LS_LSTM ? b + n->H : b; /* gru: of the inputs, gate z */
    ls_init_log_uniform(op, at, seed, n->H, (double)(n->T > 2 ? n->T - 1 : 1), keep);
    for (int64_t j = 0; n->kind == LS_LSTM && j < n->H; j++)
        b[j] = -keep[j];
}

/* W as of a dense layer, rows of U orthonormal (Saxe, McClelland and Ganguli, Exact solutions to
 * the nonlinear dynamics of learning in deep linear neural networks, 2014), biases 0, those of
 * lstm's forget gates 1 (Gers et al., 2000). */
static void recurrent_initialise(const ls_op *op, uint64_t seed, bool before_relu, float *params)
{
    const sizes n = sizes_of(op);
    (void)before_relu;
    for (int at = 0; at < op->params; at += PARAMS) {
        ls_init_uniform(op, at + WEIGHT, seed, false, n.I, n.gates * n.H, params);
        ls_init_orthogonal(op, at + STATE_WEIGHT, seed, params);
        ls_init_constant(op, at + BIAS, 0, params);
        float *b = params + op->param[at + BIAS].offset;
        for (int64_t j = n.H; n.kind == LS_LSTM && j < 2 * n.H; j++)
            b[j] = 1;
        if (op->attributes.chrono)
            initialise_chrono(op, at + BIAS, &n, seed, params);
    }
}

static int64_t recurrent_saved(const ls_op *op)
{
    const sizes n = sizes_of(op);
    const int64_t cells = n.kind == LS_LSTM ? (n.T + 1) * n.H : 0;
    return n.directions * ((n.T + 1) * n.Z + cells + n.T * n.S);
}

/* Floats of the arrays in scratch memory that do not depend on the rows. */
static int64_t packed_size(const sizes *n)
{
    return n->kernel->packed(n->kind, n->I, n->H);
}

static int64_t inputs_size(const sizes *n)
{
    return n->kernel->product_packed(n->gates * n->H, n->I);
}

static int64_t state_size(const sizes *n)
{
    return n->kernel->product_packed(n->gates * n->H, n->H);
}

static int64_t recurrent_scratch(const ls_op *op)
{
    const sizes n = sizes_of(op);
    return packed_size(&n) + inputs_size(&n) + state_size(&n);
}

static int64_t recurrent_scratch_row(const ls_op *op)
{
    return 4 * op->attributes.units;
}

/* Steps up to the end of the longest row. */
static int64_t count_steps(int64_t T, int64_t B, const int32_t *lengths)
{
    int64_t most = 0;
    if (lengths == NULL)
        return T;
    for (int64_t b = 0; b < B; b++)
        most = lengths[b] > most ? lengths[b] : most;
    return most < T ? most : T;
}

static direction make_direction(const ls_op *op, const ls_op_data *data, int at)
{
    const sizes n = sizes_of(op);
    const int64_t B = data->rows;
    direction d = {.n = n,
                   .B = B,
                   .steps = count_steps(n.T, B, data->lengths),
                   .lengths = data->lengths,
                   .reverse = op->attributes.reverse != (at == 1),
                   .W = data->w[at * PARAMS + WEIGHT],
                   .U = data->w[at * PARAMS + STATE_WEIGHT],
                   .b = data->w[at * PARAMS + BIAS]};
    const int64_t cells = n.kind == LS_LSTM ? (n.T + 1) * n.H : 0;
    d.z = data->saved + at * B * ((n.T + 1) * n.Z + cells + n.T * n.S);
    d.c = d.z + B * (n.T + 1) * n.Z;
    d.gates = d.c + B * cells;
    d.packed = data->scratch;
    d.of_inputs = d.packed + packed_size(&n);
    d.of_state = d.of_inputs + inputs_size(&n);
    d.dh = d.of_state + state_size(&n);
    d.dc = d.dh + B * n.H;
    d.kept = d.dc + B * n.H;
    return d;
}

/* Step of a sequence that is computed as number s. */
static int64_t step_at(const direction *d, int64_t s)
{
    return d->reverse ? d->steps - 1 - s : s;
}

static bool holds(const direction *d, int64_t row, int64_t t)
{
    return d->lengths != NULL && t >= d->lengths[row];
}

static ls_recurrent_step make_step(const direction *d, int64_t s)
{
    const sizes *n = &d->n;
    const bool cells = n->kind == LS_LSTM;
    return (ls_recurrent_step){.kind = n->kind,
                               .rows = d->B,
                               .inputs = n->I,
                               .units = n->H,
                               .z = d->z + s * d->B * n->Z,
                               .h = d->z + (s + 1) * d->B * n->Z + n->I,
                               .c = cells ? d->c + s * d->B * n->H : NULL,
                               .c_next = cells ? d->c + (s + 1) * d->B * n->H : NULL,
                               .gates = d->gates + s * d->B * n->S,
                               .dh = d->dh,
                               .dc = d->dc};
}

static void copy(float *to, const float *from, int64_t count)
{
    memcpy(to, from, (size_t)count * sizeof *to);
}

static void clear(float *to, int64_t count)
{
    memset(to, 0, (size_t)count * sizeof *to);
}

/* Copies the inputs of step t into z, before the states. */
static void gather_inputs(const direction *d, const float *x, int64_t t, float *z)
{
    for (int64_t b = 0; b < d->B; b++)
        copy(z + b * d->n.Z, x + (b * d->n.T + t) * d->n.I, d->n.I);
}

/* Rows that are over before step t keep the state before the step. */
static void hold_states(const direction *d, const ls_recurrent_step *step, int64_t t)
{
    const sizes *n = &d->n;
    for (int64_t b = 0; b < d->B; b++) {
        if (!holds(d, b, t))
            continue;
        copy(step->h + b * n->Z, step->z + b * n->Z + n->I, n->H);
        if (n->kind == LS_LSTM)
            copy(step->c_next + b * n->H, step->c + b * n->H, n->H);
    }
}

/* Copies the states after a step to step t of the outputs, or to all of them from t on if
 * `rest`. */
static void put_states(const direction *d, const float *h, int64_t t, bool rest, float *y)
{
    const sizes *n = &d->n;
    const int64_t O = n->directions * n->H, T = n->all ? n->T : 1;
    for (int64_t b = 0; b < d->B; b++)
        for (int64_t k = t; k < (rest ? T : t + 1); k++)
            copy(y + (b * T + k) * O, h + b * n->Z, n->H);
}

/* Outputs of the steps beyond the longest row's end: the last state; in reverse the first, 0. */
static void forward_direction(const direction *d, const float *x, float *y)
{
    const sizes *n = &d->n;
    const float *last = d->z + (d->reverse && n->all ? 0 : d->steps) * d->B * n->Z + n->I;
    n->kernel->pack(n->kind, n->I, n->H, d->W, d->U, d->b, d->packed);
    for (int64_t b = 0; b < d->B; b++)
        clear(d->z + b * n->Z + n->I, n->H);
    if (n->kind == LS_LSTM)
        clear(d->c, d->B * n->H);
    for (int64_t s = 0; s < d->steps; s++) {
        const ls_recurrent_step step = make_step(d, s);
        const int64_t t = step_at(d, s);
        gather_inputs(d, x, t, d->z + s * d->B * n->Z);
        n->kernel->forward(&step, d->packed);
        hold_states(d, &step, t);
        if (n->all)
            put_states(d, step.h, t, false, y);
    }
    put_states(d, last, n->all ? d->steps : 0, true, y);
}

static void recurrent_forward(const ls_op *op, const ls_op_data *data)
{
    for (int at = 0; at < op->params / PARAMS; at++) {
        const direction d = make_direction(op, data, at);
        forward_direction(&d, data->x[0], data->y + at * d.n.H);
    }
}

/* Adds the gradients of the outputs of steps t .. end-1 to dh. */
static void add_outputs(const direction *d, int64_t t, int64_t end, const float *dy, float *dh)
{
    const sizes *n = &d->n;
    const int64_t O = n->directions * n->H, T = n->all ? n->T : 1;
    for (int64_t b = 0; b < d->B; b++)
        for (int64_t k = t; k < end; k++) {
            const float *from = dy + (b * T + k) * O;
            float *to = dh + b * n->H;
            for (int64_t j = 0; j < n->H; j++)
                to[j] += from[j];
        }
}

/* Keeps dh and dc of the rows that hold their state in step t, or restores them and clears the
 * gradients of their gates. */
static void keep_held(const direction *d, int64_t t, bool restore, float *gates)
{
    const int64_t H = d->n.H, all = d->B * H;
    for (int64_t b = 0; b < d->B; b++) {
        if (!holds(d, b, t))
            continue;
        float *dh = d->dh + b * H, *dc = d->dc + b * H, *kept = d->kept + b * H;
        copy(restore ? dh : kept, restore ? kept : dh, H);
        copy(restore ? dc : kept + all, restore ? kept + all : dc, H);
        if (restore)
            clear(gates + b * d->n.S, d->n.S);
    }
}

/* dx of step t, and what reaches dh through U. */
static void backward_products(const direction *d, int64_t t, const float *gates, bool add,
                              float *dx)
{
    const sizes *n = &d->n;
    const int64_t K = n->gates * n->H, split = n->kind == LS_GRU ? 2 * n->H : K;
    const ls_recurrent_kernel *kernel = n->kernel;
    if (dx != NULL)
        kernel->product(d->B, K, n->I, gates, n->S, d->of_inputs, add, dx + t * n->I, n->T * n->I);
    kernel->product(d->B, split, n->H, gates, n->S, d->of_state, true, d->dh, n->H);
    if (split < K) /* gru: the gradient of h U_n, behind that of x W_n */
        kernel->product(d->B, n->H, n->H, gates + K, n->S,
                        d->of_state + kernel->product_packed(split, n->H), true, d->dh, n->H);
}

static void pack_backward(const direction *d, bool dx)
{
    const sizes *n = &d->n;
    const int64_t K = n->gates * n->H, split = n->kind == LS_GRU ? 2 * n->H : K;
    if (dx)
        n->kernel->product_pack(K, n->I, d->W, K, d->of_inputs);
    n->kernel->product_pack(split, n->H, d->U, K, d->of_state);
    if (split < K)
        n->kernel->product_pack(n->H, n->H, d->U + split, K,
                                d->of_state + n->kernel->product_packed(split, n->H));
}

/* Steps in the order of the backward pass. */
static void backward_steps(const direction *d, const float *dy, bool add, float *dx)
{
    const sizes *n = &d->n;
    clear(d->dh, 2 * d->B * n->H); /* and dc */
    pack_backward(d, dx != NULL);
    if (!n->all)
        add_outputs(d, 0, 1, dy, d->dh);
    else if (!d->reverse)
        add_outputs(d, d->steps, n->T, dy, d->dh);
    for (int64_t s = d->steps - 1; s >= 0; s--) {
        const ls_recurrent_step step = make_step(d, s);
        const int64_t t = step_at(d, s);
        if (n->all)
            add_outputs(d, t, t + 1, dy, d->dh);
        keep_held(d, t, false, step.gates);
        n->kernel->backward(&step);
        keep_held(d, t, true, step.gates);
        backward_products(d, t, step.gates, add, dx);
    }
    for (int64_t b = 0; dx != NULL && !add && b < d->B; b++)
        clear(dx + (b * n->T + d->steps) * n->I, (n->T - d->steps) * n->I);
}

/* db [columns] = sums of the columns of dgates. */
static void sum_columns(const direction *d, int64_t first, int64_t columns, float *db)
{
    clear(db, columns);
    for (int64_t r = 0; r < d->steps * d->B; r++)
        for (int64_t j = 0; j < columns; j++)
            db[j] += d->gates[r * d->n.S + first + j];
}

static void weight_gradients(const direction *d, float *dW, float *dU, float *db)
{
    const sizes *n = &d->n;
    const int64_t rows = d->steps * d->B, K = n->gates * n->H, twice = 2 * n->H;
    sum_columns(d, 0, K, db);
    if (n->kind != LS_GRU) { /* U follows W in the arena */
        ls_product_of_columns(rows, n->Z, K, d->z, n->Z, d->gates, n->S, false, dW, K);
        return;
    }
    copy(db + K, db, twice);
    sum_columns(d, K, n->H, db + K + twice);
    ls_product_of_columns(rows, n->I, K, d->z, n->Z, d->gates, n->S, false, dW, K);
    ls_product_of_columns(rows, n->H, twice, d->z + n->I, n->Z, d->gates, n->S, false, dU, K);
    ls_product_of_columns(rows, n->H, n->H, d->z + n->I, n->Z, d->gates + K, n->S, false,
                          dU + twice, K);
}

static void recurrent_backward(const ls_op *op, const ls_op_data *data)
{
    for (int at = 0; at < op->params / PARAMS; at++) {
        const direction d = make_direction(op, data, at);
        backward_steps(&d, data->dy + at * d.n.H, at > 0, data->dx[0]);
        if (data->dw[at * PARAMS] != NULL)
            weight_gradients(&d, data->dw[at * PARAMS + WEIGHT],
                             data->dw[at * PARAMS + STATE_WEIGHT], data->dw[at * PARAMS + BIAS]);
    }
}

static double recurrent_flops(const ls_op *op)
{
    const sizes n = sizes_of(op);
    return 2.0 * (double)(n.directions * n.T) * (double)(n.Z * n.gates * n.H);
}

/* The gradient of the state before each step. */
static double recurrent_flops_inside(const ls_op *op)
{
    const sizes n = sizes_of(op);
    return 2.0 * (double)(n.directions * n.T) * (double)(n.H * n.gates * n.H);
}

#define RECURRENT(kind)                                                                            \
    const ls_op_kind ls_op_##kind = {.name = #kind,                                                \
                                     .configure = recurrent_configure,                             \
                                     .initialise = recurrent_initialise,                           \
                                     .forward = recurrent_forward,                                 \
                                     .backward = recurrent_backward,                               \
                                     .flops = recurrent_flops,                                     \
                                     .flops_inside = recurrent_flops_inside,                       \
                                     .saved = recurrent_saved,                                     \
                                     .scratch = recurrent_scratch,                                 \
                                     .scratch_row = recurrent_scratch_row,                         \
                                     .needs_sequence = true,                                       \
                                     .bounded = true}

RECURRENT(rnn);
RECURRENT(lstm);
RECURRENT(gru);
