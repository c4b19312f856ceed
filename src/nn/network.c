/* What a network consists of: layers, parameters, memory. */
#include "base/memory.h"
#include "base/rng.h"
#include "base/show.h"
#include "nn/network_state.h"

#include <assert.h>
#include <math.h>

/* Takes the bias from layers before a batch normalisation, which would take it out of their
 * outputs: its gradient would be nothing but the rounding of sums. */
static void drop_biases(ls_network *network)
{
    for (int i = 0; i + 1 < network->layers; i++)
        if (network->layer[i].kind->ends_with_bias &&
            network->layer[i + 1].kind == &ls_layer_batchnorm)
            network->layer[i].params--;
}

/* Lays the layers' parameters out in the arena. */
static ls_status make_param_table(ls_network *network)
{
    int rows = 0;
    for (int i = 0; i < network->layers; i++)
        rows += network->layer[i].params;
    if (rows == 0)
        return ls_fail(LS_ERR_USAGE, "--model: nothing to train: no layer has parameters");
    network->param = ls_alloc(rows, sizeof *network->param);
    if (network->param == NULL)
        return LS_ERR_FAILURE;
    for (int i = 0; i < network->layers; i++) {
        ls_layer *layer = &network->layer[i];
        for (int k = 0; k < layer->params; k++) {
            layer->param[k].offset = network->size;
            network->size += layer->param[k].count;
            network->param[network->params++] = layer->param[k];
        }
    }
    if (network->size > INT32_MAX) /* also what MPI and BLAS can count */
        return ls_fail(LS_ERR_USAGE, "--model: %lld parameters together are more than 2^31",
                       (long long)network->size);
    return LS_OK;
}

/* Lists the matrices that a team may split: the first parameter of each layer that can do so. */
static ls_status make_layout(ls_network *network)
{
    network->matrix = ls_alloc(network->layers, sizeof *network->matrix);
    if (network->matrix == NULL)
        return LS_ERR_FAILURE;
    network->layout = (ls_layout){.count = network->size, .matrix = network->matrix};
    for (int i = 0; i < network->layers; i++) {
        ls_layer *layer = &network->layer[i];
        const ls_param *weight = &layer->param[0];
        layer->layout = &network->layout;
        layer->matrix = -1;
        if (layer->kind->forward_split == NULL)
            continue;
        layer->matrix = network->layout.matrices++;
        network->matrix[layer->matrix] = (ls_matrix){
            .offset = weight->offset, .rows = weight->shape[0], .columns = weight->shape[1]};
    }
    return LS_OK;
}

/* Lets layers that can do so apply the relu after them; and passes by what changes nothing. */
static void fuse_layers(ls_network *network)
{
    for (int i = 0; i < network->computed; i++)
        network->layer[i].skipped = network->layer[i].kind->reshapes;
    for (int i = 1; i < network->computed; i++) {
        ls_layer *before = &network->layer[i - 1], *layer = &network->layer[i];
        if (layer->kind == &ls_layer_relu && before->kind->takes_relu)
            before->rectified = layer->skipped = true;
    }
}

/* Lets the layer that gets the data leave out what is zero in them. */
static ls_status watch_inputs(ls_network *network)
{
    const ls_matrix *first = &network->matrix[0];
    if (network->layer[0].matrix != 0 || network->max_rows == 0)
        return LS_OK;
    ls_status status = ls_active_create(&network->active, network->max_rows, first->rows,
                                        ls_matrix_slice(first), first->columns);
    network->layer[0].active = network->active;
    return status;
}

/* Floats of a layer's output, or of anything as large, for all rows. */
static int64_t room(const ls_network *network, int64_t size)
{
    enum { LINE = 16 };
    return (size * network->max_rows + LS_LAYER_SLACK + LINE - 1) / LINE * LINE;
}

/* Where something begins in the workspace; nowhere while that is only counted. */
static float *place(const ls_network *network, int64_t at)
{
    return network->workspace != NULL ? network->workspace + at : NULL;
}

/* Hands the workspace out, or, while there is none, only counts its floats. */
static int64_t share_workspace(ls_network *network)
{
    enum { LINE = 16 };
    int64_t used = 0, largest = 0;
    for (int i = 0; i < network->computed; i++) {
        ls_layer *layer = &network->layer[i];
        const int64_t size = ls_shape_size(layer->out);
        if (layer->skipped) {
            layer->y = i > 0 ? network->layer[i - 1].y : NULL;
            continue;
        }
        layer->y = place(network, used);
        used += room(network, size);
        layer->scratch = place(network, used);
        if (layer->kind->scratch != NULL && network->max_rows > 0)
            used += (layer->kind->scratch(layer) + LINE - 1) / LINE * LINE;
        largest = size > largest ? size : largest;
    }
    for (int k = 0; k < 2; k++) {
        network->delta[k] = place(network, used);
        used += room(network, largest);
    }
    return used;
}

static ls_status make_workspace(ls_network *network)
{
    int64_t row = ls_shape_size(network->input);
    for (int i = 0; i < network->computed; i++)
        row += 3 * ls_shape_size(network->layer[i].out);
    if (network->max_rows > 0 && row > INT64_MAX / 16 / network->max_rows)
        return ls_fail(LS_ERR_FAILURE, "out of memory: a batch of %s",
                       ls_counted(network->max_rows, "row").text);
    network->workspace = ls_alloc(share_workspace(network), sizeof *network->workspace);
    if (network->workspace == NULL)
        return LS_ERR_FAILURE;
    (void)share_workspace(network);
    return LS_OK;
}

ls_status ls_network_create(ls_network **out, const char *model, ls_shape input, int classes,
                            ls_loss loss, int64_t max_rows)
{
    assert(ls_shape_size(input) > 0 && classes > 1 && max_rows >= 0);
    ls_network *network = ls_alloc(1, sizeof *network);
    if (network == NULL)
        return LS_ERR_FAILURE;
    network->loss = loss;
    network->classes = classes;
    network->max_rows = max_rows;
    network->input = input;
    ls_status status = ls_model_parse(network, model);
    drop_biases(network);
    if (status == LS_OK)
        status = make_param_table(network);
    if (status == LS_OK)
        status = make_layout(network);
    fuse_layers(network);
    if (status == LS_OK)
        status = make_workspace(network);
    if (status == LS_OK)
        status = watch_inputs(network);
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
    ls_free((*network)->model);
    ls_free((*network)->text);
    ls_free((*network)->layer);
    ls_free((*network)->param);
    ls_free((*network)->matrix);
    ls_active_destroy(&(*network)->active);
    ls_free((*network)->workspace);
    ls_free(*network);
    *network = NULL;
}

const char *ls_network_model(const ls_network *network)
{
    return network->model;
}

int ls_network_classes(const ls_network *network)
{
    return network->classes;
}

/* Behind a dense layer there are units: the order of channels does not matter to them. */
bool ls_network_channels_last(const ls_network *network)
{
    bool images = false;
    for (int i = 0; i < network->layers; i++) {
        const ls_layer *layer = &network->layer[i];
        images = images || layer->kind->images ||
                 (layer->kind->channels && layer->in.height * layer->in.width > 1);
    }
    return images && network->input.channels > 1 &&
           network->input.height * network->input.width > 1;
}

ls_loss ls_network_loss_kind(const ls_network *network)
{
    return network->loss;
}

const ls_param *ls_network_params(const ls_network *network, int *rows)
{
    *rows = network->params;
    return network->param;
}

int ls_network_layers(const ls_network *network)
{
    return network->layers;
}

ls_layer_info ls_network_layer(const ls_network *network, int at)
{
    assert(at >= 0 && at < network->layers);
    const ls_layer *layer = &network->layer[at];
    ls_layer_info info = {.name = layer->name, .word = layer->word, .output = layer->out};
    for (int k = 0; k < layer->params; k++)
        info.parameters += layer->param[k].count;
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

int ls_network_least_batch(const ls_network *network)
{
    int least = 1;
    for (int i = 0; i < network->layers; i++)
        if (network->layer[i].kind->spans &&
            network->layer[i].in.height * network->layer[i].in.width == 1)
            least = 2;
    return least;
}

double ls_network_flops(const ls_network *network)
{
    double sum = 0;
    int products = 2; /* the first layer's backward pass has no dx */
    for (int i = 0; i < network->layers; i++) {
        const ls_layer *layer = &network->layer[i];
        if (layer->kind->flops != NULL) {
            sum += products * layer->kind->flops(layer);
            products = 3;
        }
    }
    return sum;
}

void ls_network_initialise(const ls_network *network, uint64_t seed, float *params)
{
    uint64_t number = 0;
    for (int i = 0; i < network->layers; i++) {
        const ls_layer *layer = &network->layer[i];
        int next = i + 1;
        while (next < network->layers && network->layer[next].kind->neutral)
            next++;
        const bool before_relu = next < network->layers && network->layer[next].kind->rectifies;
        for (int k = 0; k < layer->params; k++, number++) {
            const ls_param *param = &layer->param[k];
            uint64_t key = ls_rng_key(seed, LS_RNG_INITIALISE, number);
            double fans = (double)(before_relu ? param->fan_in : param->fan_in + param->fan_out);
            double bound = param->fan_in > 0 ? sqrt(6 / fans) : 0;
            for (int64_t j = 0; j < param->count; j++)
                params[param->offset + j] =
                    param->fan_in > 0 ? (float)(bound * (2 * ls_rng_uniform(key, (uint64_t)j) - 1))
                                      : param->initial;
        }
    }
}
