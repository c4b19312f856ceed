/* Forward and backward passes through a network: the order of operations, micro-batches and hooks.
 * Operations do not depend on any of these.
 *
 *     forward    for each operation              sum the batch statistics, if there are any
 *                    for each micro-batch
 *                        for each part           wait for parameters; forward
 *     backward   for each operation, from last to first
 *                                                sum the batch statistics, if there are any
 *                    for each micro-batch
 *                        for each part           backward; report final gradients
 *
 * Only the first operation with parameters waits part by part: parameters are updated from the
 * arena's end down, so that all other operations are up to date as soon as its last part is. */
#include "nn/pass.h"

#include "base/exact.h"
#include "base/rng.h"
#include "nn/loss.h"
#include "nn/network_state.h"
#include "nn/tensor_parallel.h"

#include <assert.h>
#include <string.h>

/* Arguments of one pass. */
typedef struct run {
    ls_network *network;
    const float *params;
    float *grads; /* NULL: of parameters that are not needed */
    const ls_batch *batch;
    const ls_pass *pass;
    bool training, backward;
    bool scoring; /* the loss is computed without a backward pass */
} run;

/* Rows of the micro-batch that begins at `first`. */
static int64_t micro_batch(const run *r, int64_t first)
{
    const int64_t left = r->batch->rows - first, block = r->pass->block;
    return block > 0 && block < left ? block : left;
}

/* Output of an operation, or the batch's rows. */
static const float *value_of(const ls_network *network, int op)
{
    return op == LS_OP_BATCH ? network->x : network->op[op].y;
}

/* Returns true if the gradient with respect to input k of an operation is needed. */
static bool wants_dx(const run *r, const ls_op *op, int k)
{
    return r->pass->input_gradient != NULL ||
           (op->input[k] != LS_OP_BATCH && r->network->op[op->input[k]].trains);
}

/* The arguments of an operation for `rows` rows from `first` on. */
static ls_op_data make_op_data(const run *r, const ls_op *op, int64_t first, int64_t rows)
{
    const ls_network *network = r->network;
    const int64_t out = ls_shape_size(op->out);
    ls_op_data d = {.rows = rows,
                    .y = op->y + first * out,
                    .part = {0, op->matrix >= 0 ? network->matrix[op->matrix].rows : 0},
                    .saved = op->saved + first * op->saved_row,
                    .state = op->state,
                    .scratch = network->scratch,
                    .sums = network->sums,
                    .training = r->training,
                    .sampling = r->training || r->scoring,
                    .key = ls_rng_at(r->pass->key, op->number),
                    .ids = r->batch->ids + first,
                    .weights = r->batch->weights != NULL ? r->batch->weights + first : NULL,
                    .lengths = r->batch->lengths != NULL ? r->batch->lengths + first : NULL};
    for (int k = 0; k < op->inputs; k++)
        d.x[k] = value_of(network, op->input[k]) + first * ls_shape_size(op->in[k]);
    for (int k = 0; k < op->params; k++)
        d.w[k] = r->params + op->param[k].offset;
    if (!r->backward)
        return d;
    d.dy = network->gradient[op->dy] + first * out;
    for (int k = 0; k < op->inputs; k++)
        if (wants_dx(r, op, k))
            d.dx[k] = network->gradient[op->dx[k]] + first * ls_shape_size(op->in[k]);
    for (int k = 0; r->grads != NULL && k < op->params; k++)
        d.dw[k] = r->grads + op->param[k].offset;
    return d;
}

/* The part of an operation's matrix that ends before row `end`. Operations without a matrix have a
 * single, empty part. Products are computed in parts so that communication overlaps with the next
 * part's product. */
static ls_range part_below(const run *r, const ls_op *op, int64_t end)
{
    if (op->matrix < 0)
        return (ls_range){0, 0};
    const int64_t slice = ls_matrix_slice(&r->network->matrix[op->matrix]);
    const int64_t first = (end - 1) / slice * slice;
    return (ls_range){first, end - first};
}

/* Offset of a part's first parameter in the arena. */
static int64_t offset_of(const run *r, const ls_op *op, ls_range part)
{
    const int64_t columns = op->matrix >= 0 ? r->network->matrix[op->matrix].columns : 0;
    return op->param[0].offset + part.first * columns;
}

/* Sums one round of an operation's batch statistics over the micro-batches of this rank and over
 * the ranks. With micro-batches the sums are exact for any number of ranks: each is a sum of parts,
 * part p of sum i at total[p * count + i], see base/exact.h. Collective on the ranks of the pass.
 * total  [count] on return the sums; room for LS_EXACT_PARTS of each */
static void sum_round(const run *r, const ls_op *op, ls_statistics_of of, int count, double *total)
{
    const int parts = r->pass->block > 0 ? LS_EXACT_PARTS : 1;
    double *of_micro_batch = r->network->sums;
    memset(total, 0, (size_t)(parts * count) * sizeof *total);
    for (int64_t first = 0, rows; first < r->batch->rows; first += rows) {
        rows = micro_batch(r, first);
        const ls_op_data d = make_op_data(r, op, first, rows);
        op->kind->statistics->add(op, &d, of, of_micro_batch);
        for (int i = 0; i < count; i++)
            if (parts > 1)
                ls_exact_add(of_micro_batch[i], total + i, count);
            else
                total[i] = of_micro_batch[i];
    }
    if (r->pass->sum.call != NULL)
        r->pass->sum.call(r->pass->sum.user, total, parts * count);
    for (int i = 0; i < count && parts > 1; i++)
        total[i] = ls_exact_total(total + i, count);
}

/* Sums the batch statistics of an operation, in as many rounds as it asks for. Collective on the
 * ranks of the pass. */
static void sum_statistics(const run *r, const ls_op *op, ls_statistics_of of)
{
    const int count = op->kind->statistics->count(op);
    double *total = r->network->sums + count; /* after the sums of a micro-batch */
    const ls_op_data all = make_op_data(r, op, 0, r->batch->rows);
    for (bool again = true; again; of = LS_STATISTICS_OF_INPUTS_AGAIN) {
        sum_round(r, op, of, count, total);
        again = op->kind->statistics->finish(op, &all, of, total);
    }
}

/* Computes the output of an operation for the rows of a micro-batch.
 * hook  parameter hook; zeroed unless this is the first operation with parameters */
static void forward_rows(const run *r, const ls_op *op, ls_op_data *d, ls_param_hook hook)
{
    if (op->product != NULL)
        ls_product_prepare(op->product, d->rows, d->part, d->x[0]);
    if (hook.call == NULL) {
        op->kind->forward(op, d);
        return;
    }
    int64_t end = d->part.count;
    do {
        d->part = part_below(r, op, end);
        ls_wait_params(hook, offset_of(r, op, d->part));
        op->kind->forward(op, d);
        end = d->part.first;
    } while (end > 0);
}

static void forward_op(const run *r, const ls_op *op, ls_param_hook hook)
{
    if (ls_is_split(op, &r->network->layout, r->pass->group)) {
        const ls_op_data d = make_op_data(r, op, 0, r->batch->rows);
        ls_split_forward(op, &d, &r->network->layout, r->pass->group, r->pass->slot);
        return;
    }
    if (op->kind->statistics != NULL && r->training) {
        ls_wait_params(hook, op->param[0].offset);
        sum_statistics(r, op, LS_STATISTICS_OF_INPUTS);
    }
    for (int64_t first = 0, rows; first < r->batch->rows; first += rows) {
        rows = micro_batch(r, first);
        ls_op_data d = make_op_data(r, op, first, rows);
        forward_rows(r, op, &d, hook);
    }
}

/* Computes all operations in order. Returns the outputs. */
static const float *forward_ops(const run *r)
{
    ls_network *network = r->network;
    const ls_batch *batch = r->batch;
    assert(batch->rows <= network->max_rows);
    network->x = batch->x;
    ls_param_hook hook = r->pass->param_hook;
    for (int i = 0; i < network->ops; i++) {
        const bool has_params = network->op[i].params > 0;
        forward_op(r, &network->op[i], has_params ? hook : (ls_param_hook){0});
        if (has_params)
            hook = (ls_param_hook){0};
    }
    return network->op[network->ops - 1].y;
}

const float *ls_network_forward(ls_network *network, const float *params, const ls_batch *batch)
{
    const ls_pass alone = {0};
    return forward_ops(
        &(run){.network = network, .params = params, .batch = batch, .pass = &alone});
}

/* The buffer of the gradient with respect to the outputs. */
static float *output_gradient(const ls_network *network)
{
    return network->gradient[network->op[network->ops - 1].dy];
}

static ls_loss_terms terms_of(const ls_network *network, double smoothing)
{
    return (ls_loss_terms){.loss = network->loss,
                           .outputs = network->outputs,
                           .smoothing = smoothing,
                           .delta = network->delta,
                           .scale = network->scale,
                           .regression = network->reconstructs,
                           .summed = ls_network_latent(network) > 0};
}

/* Adds the divergence of latent variables to the score of rows first .. first+rows-1. */
static void add_divergence(const run *r, int64_t first, int64_t rows, ls_score *score)
{
    const ls_op *op = ls_network_latent_op(r->network);
    if (op == NULL || rows == 0)
        return;
    const ls_op_data d = make_op_data(r, op, first, rows);
    score->reconstruction = score->loss;
    score->kl = op->kind->divergence(op, &d);
    score->loss += op->attributes.beta * score->kl;
}

const float *ls_network_forward_training(ls_network *network, const float *params,
                                         const ls_batch *batch, const ls_pass *pass)
{
    const float *output = forward_ops(&(run){
        .network = network, .params = params, .batch = batch, .pass = pass, .training = true});
    ls_wait_params(pass->param_hook, 0); /* wait for all remaining parameters */
    return output;
}

ls_score ls_network_loss(ls_network *network, const float *params, const ls_batch *batch,
                         const ls_pass *pass)
{
    const ls_loss_terms terms = terms_of(network, pass->label_smoothing);
    const run r = {
        .network = network, .params = params, .batch = batch, .pass = pass, .training = true};
    const float *output = ls_network_forward_training(network, params, batch, pass);
    float *dy = output_gradient(network);
    ls_score score = {0}, dropped = {0};
    for (int64_t first = 0, rows; first < batch->rows; first += rows) {
        rows = micro_batch(&r, first);
        const int64_t at = first * network->steps * network->outputs;
        ls_score part =
            pass->loss.call != NULL
                ? pass->loss.call(pass->loss.user, batch, first, rows, output + at, dy + at)
                : ls_loss_score(&terms, batch, first, rows, output + at, dy + at, NULL);
        add_divergence(&r, first, rows, &part);
        if (pass->block > 0)
            ls_score_add_exact(&score, pass->rest != NULL ? pass->rest : &dropped, &part,
                               pass->quanta);
        else
            ls_score_add(&score, &part);
    }
    return score;
}

/* Computes the gradients of an operation for the rows of a micro-batch. */
static void backward_rows(const run *r, const ls_op *op, ls_op_data *d)
{
    int64_t end = d->part.count;
    do {
        d->part = part_below(r, op, end);
        op->kind->backward(op, d);
        end = d->part.first;
        if (op->params > 0 && r->grads != NULL)
            ls_grads_ready(r->pass->grad_hook, offset_of(r, op, d->part));
    } while (end > 0);
}

/* Backward pass of one operation. The gradient hook and the statistics may communicate: a rank
 * without rows makes the same calls in the same order. */
static void backward_op(const run *r, const ls_op *op)
{
    const int64_t rows_of_all = r->batch->rows;
    const ls_param *last = &op->param[op->params > 0 ? op->params - 1 : 0];
    const bool several = micro_batch(r, 0) < rows_of_all;
    if (ls_is_split(op, &r->network->layout, r->pass->group)) {
        const ls_op_data d = make_op_data(r, op, 0, rows_of_all);
        ls_split_backward(op, &d, &r->network->layout, r->pass->group, r->pass->slot);
        if (r->grads != NULL)
            ls_grads_ready(r->pass->grad_hook, op->param[0].offset);
        return;
    }
    if (op->kind->statistics != NULL)
        sum_statistics(r, op, LS_STATISTICS_OF_GRADIENTS);
    for (int64_t first = 0, rows; first < rows_of_all; first += rows) {
        rows = micro_batch(r, first);
        ls_op_data d = make_op_data(r, op, first, rows);
        if (first > 0 && op->params > 0 && r->grads != NULL)
            ls_next_micro_batch(r->pass->grad_hook, last->offset + last->count);
        if (op->kind->statistics != NULL && several) /* else `sums` already has these sums */
            op->kind->statistics->add(op, &d, LS_STATISTICS_OF_GRADIENTS, r->network->sums);
        backward_rows(r, op, &d);
    }
    if (op->params > 0 && rows_of_all == 0 && r->grads != NULL)
        ls_grads_ready(r->pass->grad_hook, op->param[0].offset);
}

/* Adds an operation's dx to the gradients from other readers of the same values. */
static void add_dx(const run *r, const ls_op *op)
{
    for (int k = 0; k < op->inputs; k++) {
        if (!op->add[k] || !wants_dx(r, op, k))
            continue;
        const int64_t n = r->batch->rows * ls_shape_size(op->in[k]);
        const float *dx = r->network->gradient[op->dx[k]];
        float *sum = r->network->gradient[op->into[k]];
        for (int64_t i = 0; i < n; i++)
            sum[i] += dx[i];
    }
}

void ls_network_backward(ls_network *network, const float *params, const ls_batch *batch,
                         const ls_pass *pass, float *grads)
{
    const run r = {.network = network,
                   .params = params,
                   .grads = pass->frozen ? NULL : grads,
                   .batch = batch,
                   .pass = pass,
                   .training = true,
                   .backward = true};
    if (batch->rows == 0 && !pass->frozen)
        memset(grads, 0, (size_t)network->size * sizeof *grads);
    if (pass->output_gradient != NULL)
        memcpy(output_gradient(network), pass->output_gradient,
               (size_t)(batch->rows * network->steps * network->outputs) * sizeof(float));
    for (int i = network->ops - 1; i >= 0; i--) {
        if (!network->op[i].trains && pass->input_gradient == NULL)
            continue;
        backward_op(&r, &network->op[i]);
        add_dx(&r, &network->op[i]);
    }
    if (pass->input_gradient != NULL)
        memcpy(pass->input_gradient, network->gradient[network->input_gradient],
               (size_t)(batch->rows * ls_shape_size(network->input)) * sizeof(float));
}

ls_score ls_network_gradient(ls_network *network, const float *params, const ls_batch *batch,
                             float *grads, float *dx)
{
    const ls_pass alone = {.input_gradient = dx};
    ls_score score = ls_network_loss(network, params, batch, &alone);
    ls_network_backward(network, params, batch, &alone, grads);
    return score;
}

ls_score ls_network_evaluate(ls_network *network, const float *params, const ls_batch *batch,
                             int32_t *predicted)
{
    const ls_pass alone = {0};
    const run r = {
        .network = network, .params = params, .batch = batch, .pass = &alone, .scoring = true};
    const float *output = forward_ops(&r);
    const ls_loss_terms terms = terms_of(network, 0);
    ls_score score = ls_loss_score(&terms, batch, 0, batch->rows, output, NULL, predicted);
    add_divergence(&r, 0, batch->rows, &score);
    return score;
}

const float *ls_network_activation(const ls_network *network, int at)
{
    assert(at >= 0 && at < network->layers);
    return value_of(network, network->layer[at].op);
}

const float *ls_network_latent_means(const ls_network *network, int64_t *stride)
{
    const ls_op *op = ls_network_latent_op(network);
    *stride = ls_shape_size(op->in[0]);
    return value_of(network, op->input[0]);
}
