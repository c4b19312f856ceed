/* Passes through a network. */
#include "base/rng.h"
#include "nn/loss.h"
#include "nn/network_state.h"

#include <assert.h>
#include <string.h>

/* Whether a layer is computed by a team together. */
static bool is_split(const ls_layer *layer, const ls_team *team)
{
    return team != NULL && layer->matrix >= 0 &&
           ls_team_splits(team->size, team->rows, &layer->layout->matrix[layer->matrix]);
}

/* [channels][pixels] -> [pixels][channels], for each row. */
static void turn(const ls_network *network, int64_t rows, const float *from, float *to)
{
    const int64_t channels = network->input.channels;
    const int64_t pixels = network->input.height * network->input.width;
    for (int64_t r = 0; r < rows; r++, from += channels * pixels, to += channels * pixels)
        for (int64_t c = 0; c < channels; c++)
            for (int64_t p = 0; p < pixels; p++)
                to[p * channels + c] = from[c * pixels + p];
}

/* How a layer gets its rows: those from `first` on, some at a time. */
static int64_t rows_at_once(const ls_layer *layer, const ls_pass *pass, int64_t first, int64_t rows)
{
    const int64_t left = rows - first;
    return pass->block > 0 && pass->block < left && !layer->kind->spans ? pass->block : left;
}

/* The pass as layer `at` sees it: `rows` rows from `first` on. */
static ls_layer_pass view(const ls_pass *pass, int at, const float *params, const ls_batch *batch,
                          int64_t first, int64_t rows)
{
    return (ls_layer_pass){.params = params,
                           .rows = rows,
                           .ids = batch->ids + first,
                           .key = ls_rng_at(pass->key, (uint64_t)at),
                           .block = pass->block,
                           .team = pass->team,
                           .ready = pass->ready,
                           .sum = pass->sum};
}

/* One layer forward; `need`: it is the first one with parameters. */
static void forward_layer(const ls_network *network, int at, const float *params,
                          const ls_batch *batch, bool training, const ls_pass *pass, bool need,
                          const float *x)
{
    const ls_layer *layer = &network->layer[at];
    const int64_t in = ls_shape_size(layer->in), out = ls_shape_size(layer->out);
    int64_t first = 0;
    do {
        const int64_t rows = rows_at_once(layer, pass, first, batch->rows);
        ls_layer_pass seen = view(pass, at, params, batch, first, rows);
        seen.training = training;
        seen.need = need && first == 0 ? pass->need : (ls_need){0};
        if (is_split(layer, pass->team))
            layer->kind->forward_split(layer, &seen, x, layer->y);
        else if (rows > 0 || (layer->kind->spans && training))
            layer->kind->forward(layer, &seen, x + first * in, layer->y + first * out);
        first += rows;
    } while (first < batch->rows);
}

static const float *forward(ls_network *network, const float *params, const ls_batch *batch,
                            bool training, const ls_pass *pass)
{
    assert(batch->rows <= network->max_rows);
    if (network->turned != NULL)
        turn(network, batch->rows, batch->x, network->turned);
    const float *x = network->x = network->turned != NULL ? network->turned : batch->x;
    bool first =
        true; /* of the layers with parameters: it asks for the last ones that are missing */
    for (int i = 0; i < network->computed; i++) {
        if (network->layer[i].skipped)
            continue;
        forward_layer(network, i, params, batch, training, pass, first, x);
        first = first && network->layer[i].params == 0;
        x = network->layer[i].y;
    }
    return x;
}

const float *ls_network_forward(ls_network *network, const float *params, const ls_batch *batch)
{
    return forward(network, params, batch, false, &(ls_pass){0});
}

ls_score ls_network_loss(ls_network *network, const float *params, const ls_batch *batch,
                         const ls_pass *pass)
{
    const float *output = forward(network, params, batch, true, pass);
    const int64_t block = pass->block > 0 ? pass->block : batch->rows;
    ls_score score = {0};
    ls_need_call(pass->need, 0); /* what no layer has asked for */
    for (int64_t first = 0; first < batch->rows; first += block) {
        const int64_t left = batch->rows - first, at = first * network->classes;
        const ls_score part = ls_loss_score(
            network->loss, pass->label_smoothing, left < block ? left : block, network->classes,
            output + at, batch->labels + first, network->delta[0] + at, NULL);
        ls_score_add(&score, &part, pass->block > 0 ? pass->quantum : 0);
    }
    return score;
}

/* What layer `at` got in the latest pass. */
static const float *input_of(const ls_network *network, int at)
{
    while (at > 0 && network->layer[at - 1].y == NULL)
        at--;
    return at > 0 ? network->layer[at - 1].y : network->x;
}

/* One layer back. What it tells of its gradient may lead to communication, as sums over the batch
 * do: a rank without rows tells at the same places. */
static void backward_layer(const ls_network *network, int at, const float *params,
                           const ls_batch *batch, const ls_pass *pass, float *dy, float *dx,
                           float *grads)
{
    const ls_layer *layer = &network->layer[at];
    const float *x = input_of(network, at);
    const int64_t in = ls_shape_size(layer->in), out = ls_shape_size(layer->out);
    const ls_param *last = &layer->param[layer->params > 0 ? layer->params - 1 : 0];
    int64_t first = 0;
    do {
        const int64_t rows = rows_at_once(layer, pass, first, batch->rows);
        ls_layer_pass seen = view(pass, at, params, batch, first, rows);
        seen.training = true;
        if (first > 0 && layer->params > 0)
            ls_ready_again(pass->ready, last->offset + last->count);
        if (is_split(layer, pass->team))
            layer->kind->backward_split(layer, &seen, layer->y, dy, dx, grads);
        else if (rows > 0 || layer->kind->spans)
            layer->kind->backward(layer, &seen, x + first * in, layer->y + first * out,
                                  dy + first * out, dx != NULL ? dx + first * in : NULL, grads);
        first += rows;
        if (layer->params > 0)
            ls_ready_call(pass->ready, layer->param[0].offset);
    } while (first < batch->rows);
}

void ls_network_backward(ls_network *network, const float *params, const ls_batch *batch,
                         const ls_pass *pass, float *grads)
{
    float *dy = network->delta[0], *dx = network->delta[1];
    int first = 0; /* layer from which on gradients are needed */
    while (network->layer[first].params == 0)
        first++;
    if (batch->rows == 0)
        memset(grads, 0, (size_t)network->size * sizeof *grads);
    for (int i = network->computed - 1; i >= first; i--) {
        if (network->layer[i].skipped)
            continue;
        float *to = network->layer[i].kind->in_place ? dy : dx;
        backward_layer(network, i, params, batch, pass, dy, i > first ? to : NULL, grads);
        dx = to == dx ? dy : dx;
        dy = to;
    }
}

ls_score ls_network_gradient(ls_network *network, const float *params, const ls_batch *batch,
                             float *grads)
{
    const ls_pass alone = {0};
    ls_score score = ls_network_loss(network, params, batch, &alone);
    ls_network_backward(network, params, batch, &alone, grads);
    return score;
}

ls_score ls_network_evaluate(ls_network *network, const float *params, const ls_batch *batch,
                             int32_t *predicted)
{
    const float *output = ls_network_forward(network, params, batch);
    return ls_loss_score(network->loss, 0, batch->rows, network->classes, output, batch->labels,
                         NULL, predicted);
}

const float *ls_network_activation(const ls_network *network, int at)
{
    assert(at >= 0 && at < network->layers);
    return input_of(network, (at < network->computed ? at : network->computed - 1) + 1);
}
