/* Memory layout of values, gradients, and the saved data, state and scratch memory of operations.
 *
 * Every value has a buffer of its own from the forward to the backward pass. The gradient of a
 * value needs a buffer only from the backward pass of the value's last reader to that of the
 * operation that computed the value, so gradient buffers are reused. In the backward pass, the
 * first reader writes its gradient to the value's buffer; each later reader writes to a free
 * buffer, which is then added. A chain of layers needs two buffers. */
#include "base/exact.h"
#include "base/memory.h"
#include "base/show.h"
#include "nn/network_state.h"

enum { LINE = 16, NONE = -1 };

/* Plan of the gradient buffers: at most one for each input of an operation and one for the loss. */
typedef struct plan {
    int64_t *floats; /* [buffers] floats per row: the maximum over all uses */
    bool *busy;
    int *of_value; /* [ops + 1] buffer of the batch's dx, then of each operation's dy; NONE: not
                      assigned yet */
    int buffers;
} plan;

/* Reserves a free buffer for `floats` floats per row and returns its number. */
static int take_buffer(plan *p, int64_t floats)
{
    int at = 0;
    while (at < p->buffers && p->busy[at])
        at++;
    if (at == p->buffers)
        p->buffers++;
    p->busy[at] = true;
    if (p->floats[at] < floats)
        p->floats[at] = floats;
    return at;
}

/* Assigns a buffer to dx of input k of an operation, and adds it to the gradient of the value that
 * the input reads. Returns the buffer that is free after that; NONE if there is none. */
static int plan_input(plan *p, ls_op *op, int k)
{
    int *value = &p->of_value[op->input[k] + 1];
    const bool in_place = op->kind->in_place && k == 0; /* dx replaces dy */
    op->dx[k] = in_place ? op->dy : take_buffer(p, ls_shape_size(op->in[k]));
    op->add[k] = *value != NONE;
    if (*value == NONE) { /* the first reader in the backward pass: dx is the gradient so far */
        *value = op->into[k] = op->dx[k];
        return NONE;
    }
    op->into[k] = *value;
    return in_place ? NONE : op->dx[k]; /* dy's buffer is the operation's, see plan_operation() */
}

/* Assigns the buffers of an operation's dy and dx. dy's buffer is free afterwards, unless it has
 * become the gradient of an input. */
static void plan_operation(plan *p, ls_op *op, int dy)
{
    bool passed_on = false;
    int free_again[LS_OP_INPUTS] = {NONE, NONE};
    op->dy = dy;
    for (int k = 0; k < op->inputs; k++) {
        free_again[k] = plan_input(p, op, k);
        passed_on = passed_on || op->into[k] == dy;
    }
    for (int k = 0; k < op->inputs; k++)
        if (free_again[k] != NONE)
            p->busy[free_again[k]] = false;
    if (!passed_on)
        p->busy[dy] = false;
}

/* Assigns gradient buffers to all values, in the order of the backward pass. */
static void plan_gradients(ls_network *network, plan *p)
{
    const ls_op *last = &network->op[network->ops - 1];
    for (int i = 0; i <= network->ops; i++)
        p->of_value[i] = NONE;
    p->of_value[network->ops] = take_buffer(p, ls_shape_size(last->out));
    for (int i = network->ops - 1; i >= 0; i--)
        plan_operation(p, &network->op[i], p->of_value[i + 1]);
    network->input_gradient = p->of_value[0];
    network->gradients = p->buffers;
}

/* Floats for all rows of a value, plus slack for vectors that reach beyond its end. */
static int64_t rows_size(const ls_network *network, int64_t floats)
{
    return (floats * network->max_rows + LS_OP_SLACK + LINE - 1) / LINE * LINE;
}

/* Size that a kind requires, rounded up to whole cache lines; 0 if `size` is NULL. */
static int64_t aligned_size(int64_t (*size)(const ls_op *op), const ls_op *op)
{
    return size != NULL ? (size(op) + LINE - 1) / LINE * LINE : 0;
}

/* Returns the pointer at offset *used of the workspace and advances *used by `floats`. Returns NULL
 * in the counting pass, when there is no workspace yet. */
static float *reserve(const ls_network *network, int64_t floats, int64_t *used)
{
    float *at = network->workspace != NULL ? network->workspace + *used : NULL;
    *used += floats;
    return at;
}

/* Assigns parts of the workspace to all arrays; only counts floats if there is no workspace yet.
 * Returns the number of floats. */
static int64_t lay_out_workspace(ls_network *network, const plan *p)
{
    int64_t used = 0, scratch = 0;
    for (int i = 0; i < network->ops; i++) {
        ls_op *op = &network->op[i];
        op->y = reserve(network, rows_size(network, ls_shape_size(op->out)), &used);
        if (network->max_rows == 0)
            continue;
        op->saved_row = aligned_size(op->kind->saved, op);
        op->saved = reserve(network, op->saved_row * network->max_rows, &used);
        op->state = reserve(network, aligned_size(op->kind->state, op), &used);
        const int64_t wanted = aligned_size(op->kind->scratch, op) +
                               aligned_size(op->kind->scratch_row, op) * network->max_rows;
        scratch = wanted > scratch ? wanted : scratch;
    }
    network->scratch = reserve(network, scratch, &used);
    for (int i = 0; i < network->gradients; i++)
        network->gradient[i] = reserve(network, rows_size(network, p->floats[i]), &used);
    return used;
}

/* Allocates the sums of batch statistics: of a micro-batch, then of the batch, in exact parts. */
static ls_status make_sums(ls_network *network)
{
    int most = 0;
    for (int i = 0; i < network->ops; i++) {
        const ls_op *op = &network->op[i];
        const int count = op->kind->statistics != NULL ? op->kind->statistics->count(op) : 0;
        most = count > most ? count : most;
    }
    network->sums = ls_alloc((1 + LS_EXACT_PARTS) * (int64_t)most, sizeof *network->sums);
    return network->sums == NULL ? LS_ERR_FAILURE : LS_OK;
}

/* Returns an error if the workspace's size would overflow. */
static ls_status check_size(const ls_network *network)
{
    int64_t row = ls_shape_size(network->input);
    for (int i = 0; i < network->ops; i++)
        row += 4 * ls_shape_size(network->op[i].out) +
               aligned_size(network->op[i].kind->saved, &network->op[i]);
    if (network->max_rows > 0 && row > INT64_MAX / 16 / network->max_rows)
        return ls_fail(LS_ERR_FAILURE, "out of memory: a batch of %s",
                       ls_counted(network->max_rows, "row").text);
    return LS_OK;
}

ls_status ls_network_place(ls_network *network)
{
    const int64_t most = LS_OP_INPUTS * (int64_t)network->ops + 1;
    plan p = {.floats = ls_alloc(most, sizeof *p.floats),
              .busy = ls_alloc(most, sizeof *p.busy),
              .of_value = ls_alloc(most, sizeof *p.of_value)};
    ls_status status =
        p.floats == NULL || p.busy == NULL || p.of_value == NULL ? LS_ERR_FAILURE : LS_OK;
    if (status == LS_OK)
        status = check_size(network);
    if (status == LS_OK) {
        plan_gradients(network, &p);
        network->gradient = ls_alloc(network->gradients, sizeof *network->gradient);
        if (network->gradient != NULL) {
            network->reserved = lay_out_workspace(network, &p);
            network->workspace = ls_alloc(network->reserved, sizeof *network->workspace);
        }
        status = network->workspace == NULL ? LS_ERR_FAILURE : make_sums(network);
    }
    if (status == LS_OK)
        (void)lay_out_workspace(network, &p);
    ls_free(p.floats);
    ls_free(p.busy);
    ls_free(p.of_value);
    return status;
}
