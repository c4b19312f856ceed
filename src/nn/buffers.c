/* Where values, their gradients, and what operations keep or work with lie in memory.
 *
 * Every value keeps its place from the forward to the backward pass. The gradient of a value has one
 * only from the backward pass of the value's last reader to that of its maker: buffers for gradients
 * are used in turn. The reader that comes first writes there, later ones make theirs in a buffer that
 * is free and add it. A chain of layers needs two buffers. */
#include "base/exact.h"
#include "base/memory.h"
#include "base/show.h"
#include "nn/network_state.h"

enum { LINE = 16, NONE = -1 };

/* Buffers for gradients while they are planned; there are never more than the operations have inputs
 * and the loss one. */
typedef struct plan {
    int64_t *floats; /* [buffers] in a row, the most that is needed of each */
    bool *busy;
    int *of_value; /* [ops + 1] buffer of each operation's dy, and of the batch's; NONE: not yet */
    int buffers;
} plan;

/* A free buffer, for `floats` in a row. */
static int take(plan *p, int64_t floats)
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

/* Plans where the gradient of input k of an operation goes. Returns the buffer that is free again
 * after the operation's backward(); NONE: none is. */
static int plan_input(plan *p, ls_op *op, int k)
{
    int *value = &p->of_value[op->input[k] + 1];
    const bool in_place = op->kind->in_place && k == 0;
    const bool first = *value == NONE;
    op->dx[k] = in_place ? op->dy : take(p, ls_shape_size(op->in[k]));
    op->add[k] = !first;
    if (first)
        *value = op->dx[k];
    op->into[k] = *value;
    return first || in_place ? NONE : op->dx[k];
}

/* Plans the gradients of all values, in the order of the backward pass. */
static void plan_gradients(ls_network *network, plan *p)
{
    const ls_op *last = &network->op[network->ops - 1];
    for (int i = 0; i <= network->ops; i++)
        p->of_value[i] = NONE;
    p->of_value[network->ops] = take(p, ls_shape_size(last->out));
    for (int i = network->ops - 1; i >= 0; i--) {
        ls_op *op = &network->op[i];
        op->dy = p->of_value[i + 1];
        bool passed_on = false; /* dy's buffer is an input's */
        int free_again[LS_OP_INPUTS] = {NONE, NONE};
        for (int k = 0; k < op->inputs; k++) {
            free_again[k] = plan_input(p, op, k);
            passed_on = passed_on || op->into[k] == op->dy;
        }
        for (int k = 0; k < op->inputs; k++)
            if (free_again[k] != NONE)
                p->busy[free_again[k]] = false;
        if (!passed_on)
            p->busy[op->dy] = false;
    }
    network->input_gradient = p->of_value[0];
    network->gradients = p->buffers;
}

/* Floats for all rows of a value, and for vectors that reach beyond its end. */
static int64_t room(const ls_network *network, int64_t floats)
{
    return (floats * network->max_rows + LS_OP_SLACK + LINE - 1) / LINE * LINE;
}

/* Floats that a kind asks for; NULL: none. */
static int64_t ask(int64_t (*size)(const ls_op *op), const ls_op *op)
{
    return size != NULL ? (size(op) + LINE - 1) / LINE * LINE : 0;
}

/* Pointer at this offset of the workspace, and behind it; NULL while floats are only counted. */
static float *place(const ls_network *network, int64_t floats, int64_t *used)
{
    float *at = network->workspace != NULL ? network->workspace + *used : NULL;
    *used += floats;
    return at;
}

/* Hands the workspace out, or, while there is none, only counts its floats. */
static int64_t place_all(ls_network *network, const plan *p)
{
    int64_t used = 0, scratch = 0;
    for (int i = 0; i < network->ops; i++) {
        ls_op *op = &network->op[i];
        op->y = place(network, room(network, ls_shape_size(op->out)), &used);
        if (network->max_rows == 0)
            continue;
        op->saved_row = ask(op->kind->saved, op);
        op->saved = place(network, op->saved_row * network->max_rows, &used);
        op->state = place(network, ask(op->kind->state, op), &used);
        const int64_t wanted = ask(op->kind->scratch, op);
        scratch = wanted > scratch ? wanted : scratch;
    }
    network->scratch = place(network, scratch, &used);
    for (int i = 0; i < network->gradients; i++)
        network->gradient[i] = place(network, room(network, p->floats[i]), &used);
    return used;
}

/* Room for the sums of statistics, of a micro-batch and of the batch, in parts. */
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

/* Refuses sizes that can't be counted. */
static ls_status check_size(const ls_network *network)
{
    int64_t row = ls_shape_size(network->input);
    for (int i = 0; i < network->ops; i++)
        row += 4 * ls_shape_size(network->op[i].out) +
               ask(network->op[i].kind->saved, &network->op[i]);
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
        network->workspace = network->gradient == NULL
                                 ? NULL
                                 : ls_alloc(place_all(network, &p), sizeof *network->workspace);
        status = network->workspace == NULL ? LS_ERR_FAILURE : make_sums(network);
    }
    if (status == LS_OK)
        (void)place_all(network, &p);
    ls_free(p.floats);
    ls_free(p.busy);
    ls_free(p.of_value);
    return status;
}
