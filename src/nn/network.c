/* Creation and tables of a network: parameters, layers. */
#include "base/memory.h"
#include "nn/network_state.h"
#include "nn/pass.h"

#include <assert.h>
#include <math.h>

/* Makes the parameter table: assigns an offset in the arena to each operation's parameters. */
static ls_status make_param_table(ls_network *network)
{
    int rows = 0;
    for (int i = 0; i < network->ops; i++)
        rows += network->op[i].params;
    if (rows == 0)
        return ls_fail(LS_ERR_USAGE, "--model: nothing to train: no layer has parameters");
    network->param = ls_alloc(rows, sizeof *network->param);
    if (network->param == NULL)
        return LS_ERR_FAILURE;
    for (int i = 0; i < network->ops; i++) {
        ls_op *op = &network->op[i];
        op->first_param = network->params;
        for (int k = 0; k < op->params; k++) {
            op->param[k].offset = network->size;
            network->size += op->param[k].count;
            network->param[network->params++] = op->param[k];
        }
    }
    if (network->size > INT32_MAX) /* also the limit of counts in MPI and BLAS */
        return ls_fail(LS_ERR_USAGE, "--model: %lld parameters in all are more than 2^31",
                       (long long)network->size);
    return LS_OK;
}

/* Lists the matrices that a group may split, and creates the products with each. Only the network's
 * inputs are checked for columns of zeros: elsewhere such columns are unlikely. */
static ls_status make_products(ls_network *network)
{
    ls_status status = LS_OK;
    network->matrix = ls_alloc(network->ops, sizeof *network->matrix);
    if (network->matrix == NULL)
        return LS_ERR_FAILURE;
    network->layout = (ls_layout){.count = network->size, .matrix = network->matrix};
    for (int i = 0; status == LS_OK && i < network->ops; i++) {
        ls_op *op = &network->op[i];
        const ls_param *weight = &op->param[0];
        if (!op->kind->has_matrix)
            continue;
        op->matrix = network->layout.matrices++;
        network->matrix[op->matrix] = (ls_matrix){
            .offset = weight->offset, .rows = weight->shape[0], .columns = weight->shape[1]};
        if (network->max_rows > 0)
            status = ls_product_create(&op->product, &network->matrix[op->matrix],
                                       network->max_rows, op->input[0] == LS_OP_BATCH);
    }
    return status;
}

ls_status ls_network_create(ls_network **out, const char *model, ls_shape input, int outputs,
                            ls_loss loss, int64_t max_rows)
{
    assert(ls_shape_size(input) > 0 && outputs > 0 && max_rows >= 0);
    ls_network *network = ls_alloc(1, sizeof *network);
    if (network == NULL)
        return LS_ERR_FAILURE;
    network->loss = loss;
    network->delta = network->unit = 1;
    network->steps = 1;
    network->outputs = outputs;
    network->max_rows = max_rows;
    network->input = input;
    ls_status status = ls_network_compile(network, model);
    if (status == LS_OK)
        status = make_param_table(network);
    if (status == LS_OK)
        status = ls_network_place(network);
    if (status == LS_OK)
        status = make_products(network);
    if (status != LS_OK) {
        ls_network_destroy(&network);
        return status;
    }
    *out = network;
    return LS_OK;
}

void ls_network_destroy(ls_network **network)
{
    if (network == NULL || *network == NULL)
        return;
    for (int i = 0; i < (*network)->ops; i++)
        ls_product_destroy(&(*network)->op[i].product);
    ls_free((*network)->scale);
    ls_free((*network)->model);
    ls_free((*network)->text);
    ls_free((*network)->layer);
    ls_free((*network)->op);
    ls_free((*network)->param);
    ls_free((*network)->matrix);
    ls_free((*network)->gradient);
    ls_free((*network)->sums);
    ls_free((*network)->workspace);
    ls_free(*network);
    *network = NULL;
}

const char *ls_network_model(const ls_network *network)
{
    return network->model;
}

const ls_param *ls_network_params(const ls_network *network, int *rows)
{
    *rows = network->params;
    return network->param;
}

ls_shape ls_network_input(const ls_network *network)
{
    return network->input;
}

int ls_network_layers(const ls_network *network)
{
    return network->layers;
}

ls_layer_info ls_network_layer(const ls_network *network, int at)
{
    assert(at >= 0 && at < network->layers);
    const ls_layer *layer = &network->layer[at];
    ls_layer_info info = {.name = layer->name,
                          .kind = layer->kind,
                          .word = layer->word,
                          .attributes = layer->attributes,
                          .inputs = layer->inputs,
                          .out = layer->out,
                          .out_sequence = layer->out_sequence};
    for (int k = 0; k < layer->inputs; k++) {
        info.input[k] = layer->input[k];
        info.in[k] = layer->in[k];
        info.in_sequence[k] = layer->in_sequence[k];
    }
    if (!layer->owns)
        return info;
    const ls_op *op = &network->op[layer->op];
    info.first_param = op->first_param;
    info.params = op->params;
    for (int k = 0; k < op->params; k++)
        info.parameters += op->param[k].count;
    return info;
}

const ls_layout *ls_network_layout(const ls_network *network)
{
    return &network->layout;
}

int64_t ls_network_size(const ls_network *network)
{
    return network->size;
}

int ls_network_outputs(const ls_network *network)
{
    return network->outputs;
}

int64_t ls_network_steps(const ls_network *network)
{
    return network->steps;
}

void ls_network_set_huber(ls_network *network, double delta)
{
    assert(delta > 0);
    network->delta = delta;
}

void ls_network_set_reconstructs(ls_network *network)
{
    network->reconstructs = true;
}

bool ls_network_reconstructs(const ls_network *network)
{
    return network->reconstructs;
}

const ls_op *ls_network_latent_op(const ls_network *network)
{
    for (int i = 0; i < network->ops; i++)
        if (network->op[i].kind->divergence != NULL)
            return &network->op[i];
    return NULL;
}

int64_t ls_network_latent(const ls_network *network)
{
    const ls_op *op = ls_network_latent_op(network);
    return op != NULL ? op->out.channels : 0;
}

ls_status ls_network_set_target_scale(ls_network *network, const double *scale)
{
    double *relative = NULL, unit = scale != NULL ? 0 : 1;
    if (scale != NULL)
        relative = ls_alloc(network->outputs, sizeof *relative);
    if (scale != NULL && relative == NULL)
        return LS_ERR_FAILURE;
    for (int k = 0; scale != NULL && k < network->outputs; k++)
        unit = fmax(unit, scale[k]);
    for (int k = 0; scale != NULL && k < network->outputs; k++)
        relative[k] = scale[k] / unit;
    ls_free(network->scale);
    network->scale = relative;
    network->unit = unit;
    return LS_OK;
}

double ls_network_target_scale(const ls_network *network, int k)
{
    assert(k >= 0 && k < network->outputs);
    return network->unit * (network->scale != NULL ? network->scale[k] : 1);
}

ls_task ls_network_task(const ls_network *network, int64_t values)
{
    return (ls_task){.kind = network->reconstructs ? LS_TASK_REGRESSION
                                                   : ls_loss_task(network->loss, values),
                     .outputs = network->outputs,
                     .unit = network->unit,
                     .variational = ls_network_latent(network) > 0};
}

ls_loss ls_network_loss_kind(const ls_network *network)
{
    return network->loss;
}

bool ls_network_channels_last(const ls_network *network)
{
    bool separates_channels = false;
    for (int i = 0; i < network->layers; i++) {
        const ls_layer *layer = &network->layer[i];
        const ls_op_kind *kind = layer->computes;
        separates_channels = separates_channels || kind->needs_image || kind->needs_sequence ||
                             kind->needs_vector ||
                             (kind->per_channel && layer->in[0].height * layer->in[0].width > 1);
    }
    return separates_channels && network->input.channels > 1 &&
           network->input.height * network->input.width > 1;
}

int64_t ls_network_workspace(const ls_network *network)
{
    return network->reserved;
}

int ls_network_least_batch(const ls_network *network)
{
    int least = 1;
    for (int i = 0; i < network->ops; i++)
        if (network->op[i].kind->statistics != NULL &&
            network->op[i].in[0].height * network->op[i].in[0].width == 1)
            least = 2;
    return least;
}

double ls_network_flops(const ls_network *network)
{
    double sum = 0;
    for (int i = 0; i < network->ops; i++) {
        const ls_op *op = &network->op[i];
        const bool has_dx = op->input[0] != LS_OP_BATCH && network->op[op->input[0]].trains;
        if (op->kind->flops != NULL)
            sum += (has_dx ? 3 : 2) * op->kind->flops(op);
        if (op->kind->flops_inside != NULL && !has_dx)
            sum += op->kind->flops_inside(op);
    }
    return sum;
}

void ls_network_initialise(const ls_network *network, uint64_t seed, float *params)
{
    for (int i = 0; i < network->ops; i++)
        if (network->op[i].kind->initialise != NULL)
            network->op[i].kind->initialise(&network->op[i], seed, network->op[i].before_relu,
                                            params);
}
