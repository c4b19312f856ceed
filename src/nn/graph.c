/* Checks and properties of the whole graph of a compiled network. */
#include "base/show.h"
#include "nn/network_state.h"

#include <stdio.h>

ls_status ls_wrong_word(int number, const char *word, const char *reason)
{
    return ls_fail(LS_ERR_USAGE, "--model: word %d, '%s': %s", number, word, reason);
}

/* Returns true if some operation reads the output of operation `op`. */
static bool is_read(const ls_network *network, int op)
{
    for (int i = op + 1; i < network->ops; i++)
        for (int k = 0; k < network->op[i].inputs; k++)
            if (network->op[i].input[k] == op)
                return true;
    return false;
}

/* Returns an error if a layer's output is never read, except the last layer's. */
static ls_status check_readers(const ls_network *network, int last)
{
    for (int i = network->layers - 1; i >= 0; i--) {
        const ls_layer *layer = &network->layer[i];
        if (layer->op >= 0 && layer->op != network->layer[last].op && !is_read(network, layer->op))
            return ls_wrong_word(
                layer->number, layer->word,
                "no layer reads its output: name the output with :b, then use it with +b or &b");
    }
    return LS_OK;
}

/* Returns an error if more than one layer makes latent variables. */
static ls_status check_latent(const ls_network *network)
{
    const ls_op *only = ls_network_latent_op(network);
    for (int i = 0; i < network->layers; i++) {
        const ls_layer *layer = &network->layer[i];
        if (layer->computes->divergence != NULL && &network->op[layer->op] != only)
            return ls_wrong_word(layer->number, layer->word,
                                 "a network has one layer of latent variables");
    }
    return LS_OK;
}

/* Returns the steps of a layer's output, if it is a sequence of more than one; else 1. */
static int64_t steps_of(const ls_network *network, const ls_layer *layer)
{
    return layer->op >= 0 && network->op[layer->op].sequence ? layer->out.height : 1;
}

/* Returns an error unless there is one output for each class or value, of classes also in each
 * step. */
static ls_status check_outputs(ls_network *network, int last)
{
    char reason[192], steps[48] = "";
    const ls_layer *layer = &network->layer[last];
    const int64_t outputs = ls_shape_size(layer->out);
    const bool classes = network->loss == LS_CROSS_ENTROPY;
    if (outputs == network->outputs)
        return LS_OK;
    network->steps = classes ? steps_of(network, layer) : 1;
    if (outputs == network->steps * network->outputs)
        return LS_OK;
    if (network->steps > 1)
        snprintf(steps, sizeof steps, " in each of %lld steps", (long long)network->steps);
    snprintf(reason, sizeof reason, "the last layer has %s%s but the %s %s: end with dense:%d",
             ls_counted(outputs / network->steps, "output").text, steps,
             classes ? "data set has" : "loss and the targets need",
             ls_counted(network->outputs, classes ? "class" : "output").text, network->outputs);
    /* Activations keep the number of outputs: report the layer that determines it. */
    while (layer->input[0] >= 0 && ls_shape_size(layer->in[0]) == outputs)
        layer = &network->layer[layer->input[0]];
    return ls_wrong_word(layer->number, layer->word, reason);
}

/* Returns true if a layer's output is as large as its inputs are. */
static bool keeps_scale(const ls_layer *layer)
{
    return layer->inputs > 0 && layer->computes->keeps_scale && layer->computes->statistics == NULL;
}

/* Returns true if a layer's output is bounded: a sum, for example, if all its summands are. */
static bool is_bounded(const ls_network *network, int last)
{
    bool bounded[LS_MAX_LAYERS];
    for (int i = 0; i <= last; i++) {
        const ls_layer *layer = &network->layer[i];
        bounded[i] = keeps_scale(layer) || layer->computes->bounded;
        for (int k = 0; keeps_scale(layer) && k < layer->inputs; k++)
            bounded[i] = bounded[i] && layer->input[k] >= 0 && bounded[layer->input[k]];
    }
    return bounded[last];
}

/* Returns an error if the logits are bounded, with the layer that bounds them. */
static ls_status check_logits(const ls_network *network, int last)
{
    const ls_layer *layer = &network->layer[last];
    if (!is_bounded(network, last))
        return LS_OK;
    while (keeps_scale(layer))
        layer = &network->layer[layer->input[0]];
    return ls_wrong_word(
        layer->number, layer->word,
        ls_loss_takes_sigmoid(network->loss)
            ? "bce takes logits, but the output of this layer is bounded: end with dense, without "
              "a sigmoid, which is part of the loss"
            : "cross-entropy takes logits, but the output of this layer is bounded: end with "
              "dense, or dense and softmax (or use --loss mse)");
}

/* Removes the operation of a final softmax, which is fused with the loss. Returns the layer that
 * makes the logits; -1 if there is none. */
static int fuse_softmax(ls_network *network, int last)
{
    ls_layer *layer = &network->layer[last];
    if (layer->computes != &ls_op_softmax)
        return last;
    network->ops--;
    if (layer->input[0] < 0)
        return -1;
    layer->op = network->layer[layer->input[0]].op;
    layer->owns = false;
    return layer->input[0];
}

/* Sets before_relu (the output reaches a relu at the same scale) and trains (gradients reach a
 * parameter through the operation) of all operations. */
static void mark_operations(ls_network *network)
{
    for (int i = network->ops - 1; i >= 0; i--) {
        ls_op *op = &network->op[i];
        op->before_relu = op->before_relu || op->fused_relu;
        for (int k = 0; k < op->inputs; k++)
            if (op->input[k] != LS_OP_BATCH)
                network->op[op->input[k]].before_relu |=
                    op->kind->relu_like || (op->kind->keeps_scale && op->before_relu);
    }
    for (int i = 0; i < network->ops; i++) {
        ls_op *op = &network->op[i];
        op->trains = op->params > 0;
        for (int k = 0; k < op->inputs; k++)
            op->trains =
                op->trains || (op->input[k] != LS_OP_BATCH && network->op[op->input[k]].trains);
    }
}

ls_status ls_network_check_graph(ls_network *network, int last)
{
    if (network->layers == 0)
        return ls_fail(LS_ERR_USAGE, "--model: contains no layer");
    const ls_layer *layer = network->layer;
    if (last < 0)
        return ls_fail(LS_ERR_USAGE, "--model: ends with the network's input, not with a layer");
    for (int i = 0; i < network->layers - 1; i++)
        if (layer[i].computes == &ls_op_softmax)
            return ls_wrong_word(layer[i].number, layer[i].word, "must be the last layer");
    ls_status status = check_readers(network, last);
    if (status == LS_OK)
        status = check_latent(network);
    if (status == LS_OK)
        status = check_outputs(network, last);
    if (status == LS_OK && ls_loss_takes_logits(network->loss)) {
        const int logits = fuse_softmax(network, last);
        status = logits >= 0 ? check_logits(network, logits)
                             : ls_wrong_word(layer[last].number, layer[last].word,
                                             "a softmax needs a layer before it");
    }
    if (status == LS_OK && ls_loss_takes_sigmoid(network->loss))
        status = check_logits(network, last);
    mark_operations(network);
    return status;
}

ls_status ls_network_check_targets(const ls_network *network, int64_t values)
{
    const int64_t steps = ls_loss_task(network->loss, values) == LS_TASK_STEPS ? values : 1;
    if (network->steps == steps)
        return LS_OK;
    if (network->steps == 1)
        return ls_fail(LS_ERR_USAGE,
                       "--model: the targets are a class for each of %lld steps, but the network "
                       "has one row of outputs: give `all` to the last recurrent layer, as "
                       "lstm:64,all, and leave out layers that join steps, as last",
                       (long long)steps);
    if (steps == 1)
        return ls_fail(LS_ERR_USAGE,
                       "--model: the network has outputs in each of %lld steps, but the data set "
                       "has one class for a row: leave `all` out of the last recurrent layer, or "
                       "add last or meanpool before the last layer",
                       (long long)network->steps);
    return ls_fail(
        LS_ERR_USAGE,
        "--model: the network has outputs in %lld steps, but the targets are the classes "
        "of %lld",
        (long long)network->steps, (long long)steps);
}

/* Returns the layer of an operation. */
static const ls_layer *layer_of(const ls_network *network, int op)
{
    int at = 0;
    while (network->layer[at].op != op || !network->layer[at].owns)
        at++;
    return &network->layer[at];
}

/* Returns true if an operation's batch statistics would count steps that only fill rows up. */
static bool counts_padding(const ls_op *op)
{
    return op->kind->statistics != NULL &&
           (op->input[0] == LS_OP_BATCH || op->in[0].height * op->in[0].width > 1);
}

bool ls_network_reads_steps(const ls_network *network)
{
    bool reads = false;
    for (int i = 0; i < network->ops; i++)
        reads = reads || network->op[i].kind->needs_sequence || network->op[i].kind->makes_sequence;
    return reads;
}

ls_status ls_network_check_lengths(const ls_network *network, int64_t steps)
{
    char reason[192];
    for (int i = 0; i < network->ops; i++) {
        const ls_op *op = &network->op[i];
        const ls_layer *layer = layer_of(network, i);
        const int64_t own = op->kind->needs_sequence ? op->in[0].height : op->out.height;
        if (counts_padding(op))
            return ls_wrong_word(layer->number, layer->word,
                                 "its statistics would count the steps that only fill rows up, as "
                                 "the data set's rows have lengths: use layernorm");
        if (layer->attributes.permuted)
            return ls_wrong_word(layer->number, layer->word,
                                 "the rows have lengths, which count steps in their order");
        if ((!op->kind->needs_sequence && !op->kind->makes_sequence) || own == steps)
            continue;
        snprintf(reason, sizeof reason,
                 "reads sequences of %s, but the rows' lengths are those of %lld steps: %s",
                 ls_counted(own, "step").text, (long long)steps,
                 own == 1 ? "begin with an embedding, as embedding:64, which reads tokens"
                          : "leave out layers before it that change the number of steps");
        return ls_wrong_word(layer->number, layer->word, reason);
    }
    return network->steps == 1 || network->steps == steps
               ? LS_OK
               : ls_fail(
                     LS_ERR_USAGE,
                     "--model: the network has outputs in %lld steps, but the rows' lengths are "
                     "those of %lld steps",
                     (long long)network->steps, (long long)steps);
}
