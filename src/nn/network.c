#include <lockstep/network.h>

#include "base/exact.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/text.h"
#include "nn/layer.h"
#include "nn/loss.h"
#include "nn/preset.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const ls_layer_kind *const kinds[] = {
    &ls_layer_dense,      &ls_layer_conv,      &ls_layer_maxpool, &ls_layer_avgpool,
    &ls_layer_flatten,    &ls_layer_batchnorm, &ls_layer_dropout, &ls_layer_relu,
    &ls_layer_leaky_relu, &ls_layer_gelu,      &ls_layer_sigmoid, &ls_layer_tanh,
    &ls_layer_softmax,
};
enum { KINDS = sizeof kinds / sizeof *kinds, MAX_LAYERS = 256 };

struct ls_network {
    ls_loss loss;
    int classes;
    int64_t max_rows;
    ls_shape input;
    const float *x; /* input of the latest pass, borrowed */
    float *turned;  /* [max_rows][input] its channels last; NULL: they are not needed so */

    char *model;     /* the model string, names replaced by their layers */
    char *text;      /* the same, cut into words */
    ls_layer *layer; /* [layers] */
    int layers;
    int computed; /* layers that a pass runs through: all but a softmax fused with the loss */

    ls_param *param; /* [params] the parameter table */
    int params;
    int64_t size; /* floats in the arena */
    ls_layout layout;
    ls_matrix *matrix; /* [layout.matrices], owned */
    ls_active *active; /* for the first of them */

    /* One allocation: each computed layer's output and scratch, then two deltas, gradients of the
     * loss with respect to the output and the input of the layer that backward is at. */
    float *workspace;
    float *delta[2]; /* [max_rows][largest input or output] */
};

int ls_network_layer_kind(int at, const char **form, const char **meaning)
{
    static char forms[KINDS][32];
    if (at < 0 || at >= KINDS)
        return 0;
    snprintf(forms[at], sizeof *forms, "%s%s%s", kinds[at]->name,
             kinds[at]->argument != NULL ? ":" : "",
             kinds[at]->argument != NULL ? kinds[at]->argument : "");
    *form = forms[at];
    *meaning = kinds[at]->meaning;
    return 1;
}

ls_param *ls_layer_add_param(ls_layer *layer, const char *name, int rank, const int64_t *shape,
                             int64_t fan_in, int64_t fan_out)
{
    assert(layer->params < LS_LAYER_MAX_PARAMS && rank <= LS_PARAM_MAX_RANK);
    ls_param *param = &layer->param[layer->params++];
    *param = (ls_param){.rank = rank, .count = 1, .fan_in = fan_in, .fan_out = fan_out};
    snprintf(param->name, sizeof param->name, "%s/%s", layer->name, name);
    for (int i = 0; i < rank; i++) {
        param->shape[i] = shape[i];
        param->count *= shape[i];
    }
    return param;
}

ls_status ls_layer_argument_count(const char *argument, const char *what, int64_t *out)
{
    char *end;
    long long value = strtoll(argument, &end, 10);
    if (*end != '\0' || argument[0] < '0' || argument[0] > '9')
        return ls_fail(LS_ERR_USAGE, "the %s must be a whole number, not '%s'", what, argument);
    if (value < 1 || value > 1 << 24)
        return ls_fail(LS_ERR_USAGE, "the %s must be from 1 to %d", what, 1 << 24);
    *out = value;
    return LS_OK;
}

/* A usage error that points at a word of the model string, counted from 1. */
static ls_status wrong_word(int number, const char *word, const char *reason)
{
    return ls_fail(LS_ERR_USAGE, "--model: word %d, '%s': %s", number, word, reason);
}

static ls_status unknown_kind(int number, const char *word, const char *name)
{
    char reason[256];
    const char *near = NULL;
    size_t distance = SIZE_MAX;
    for (int i = 0; i < KINDS; i++)
        if (ls_text_nearer(name, kinds[i]->name, &distance))
            near = kinds[i]->name;
    const char *preset, *layers;
    for (int i = 0; number == 1 && ls_preset_at(i, &preset, &layers); i++)
        if (ls_text_nearer(name, preset, &distance))
            near = preset;
    int used = snprintf(reason, sizeof reason, "no layer is called that; ");
    if (near != NULL) {
        snprintf(reason + used, sizeof reason - (size_t)used, "did you mean '%s'?", near);
        return wrong_word(number, word, reason);
    }
    used += snprintf(reason + used, sizeof reason - (size_t)used, "there are");
    for (int i = 0; i < KINDS; i++)
        used += snprintf(reason + used, sizeof reason - (size_t)used, "%s %s", i > 0 ? "," : "",
                         kinds[i]->name);
    return wrong_word(number, word, reason);
}

/* Makes layer `at` of the word; `in` is the shape that it gets. */
static ls_status configure_layer(ls_network *network, int at, char *word, ls_shape in)
{
    ls_layer *layer = &network->layer[at];
    char name[LS_LAYER_NAME];
    const char *colon = strchr(word, ':');
    size_t length = colon != NULL ? (size_t)(colon - word) : strlen(word);
    snprintf(name, sizeof name, "%.*s", (int)length, word);
    for (int i = 0; i < KINDS; i++)
        if (strlen(kinds[i]->name) == length && memcmp(kinds[i]->name, word, length) == 0)
            layer->kind = kinds[i];
    if (layer->kind == NULL)
        return unknown_kind(at + 1, word, name);
    const char *argument = colon != NULL ? colon + 1 : NULL;
    if (layer->kind->argument == NULL && argument != NULL)
        return wrong_word(at + 1, word, "this layer takes no argument");
    if (layer->kind->argument != NULL && (argument == NULL || *argument == '\0')) {
        char reason[64];
        snprintf(reason, sizeof reason, "write it as %s:%s", name, layer->kind->argument);
        return wrong_word(at + 1, word, reason);
    }
    int same = 1;
    for (int i = 0; i < at; i++)
        same += network->layer[i].kind == layer->kind;
    snprintf(layer->name, sizeof layer->name, "%.20s%d", layer->kind->name, same);
    layer->word = word;
    layer->in = layer->out = in;
    if (layer->kind->configure != NULL && layer->kind->configure(layer, argument) != LS_OK)
        return wrong_word(at + 1, word, ls_error_text());
    return LS_OK;
}

/* Cuts the model string into layers. */
static ls_status parse(ls_network *network, const char *model)
{
    static const char blanks[] = " \t\r\n";
    network->model = ls_preset_expand(model, network->classes);
    network->text = network->model == NULL ? NULL : ls_strdup(network->model);
    network->layer = network->text == NULL ? NULL : ls_alloc(MAX_LAYERS, sizeof(ls_layer));
    if (network->layer == NULL)
        return LS_ERR_FAILURE;
    ls_shape shape = network->input;
    char *rest = NULL;
    for (char *word = strtok_r(network->text, blanks, &rest); word != NULL;
         word = strtok_r(NULL, blanks, &rest)) {
        if (network->layers == MAX_LAYERS)
            return wrong_word(MAX_LAYERS + 1, word, "too many layers");
        ls_status status = configure_layer(network, network->layers, word, shape);
        if (status != LS_OK)
            return status;
        shape = network->layer[network->layers++].out;
    }
    return network->layers > 0 ? LS_OK : ls_fail(LS_ERR_USAGE, "--model: names no layer");
}

/* Checks what only the whole stack shows. */
static ls_status check_stack(ls_network *network)
{
    char reason[128];
    for (int i = 0; i < network->layers - 1; i++)
        if (network->layer[i].kind->only_last)
            return wrong_word(i + 1, network->layer[i].word, "must be the last layer");
    const int last = network->layers - 1;
    const ls_layer *layer = &network->layer[last];
    int64_t outputs = ls_shape_size(layer->out);
    if (outputs != network->classes) {
        snprintf(reason, sizeof reason,
                 "the last layer has %lld outputs but the data set has %d classes",
                 (long long)outputs, network->classes);
        /* An activation only hands on what the layer before it made. */
        int guilty = last;
        while (guilty > 0 && ls_shape_size(network->layer[guilty].in) == outputs)
            guilty--;
        return wrong_word(guilty + 1, network->layer[guilty].word, reason);
    }
    network->computed = network->layers;
    if (network->loss != LS_CROSS_ENTROPY)
        return LS_OK;
    if (layer->kind == &ls_layer_softmax)
        network->computed--;
    if (network->computed == 0)
        return wrong_word(last + 1, layer->word, "a softmax needs a layer before it");
    const ls_layer *logits = &network->layer[network->computed - 1];
    if (logits->kind->bounded)
        return wrong_word(network->computed, logits->word,
                          "cross-entropy takes logits, which this would bound: end with dense, or "
                          "dense and softmax (or use --loss mse)");
    return LS_OK;
}

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

/* Whether some layer goes by the image's rows and columns, which have channels to be turned. */
static bool is_turned(const ls_network *network)
{
    bool images = false;
    for (int i = 0; i < network->layers; i++)
        images = images || network->layer[i].kind->images;
    return images && network->input.channels > 1 &&
           network->input.height * network->input.width > 1;
}

/* Floats of a layer's output, or of anything as large, for all rows. */
static int64_t room(const ls_network *network, int64_t size)
{
    enum { LINE = 16 };
    return (size * network->max_rows + LS_LAYER_SLACK + LINE - 1) / LINE * LINE;
}

/* Hands the workspace out, or, while there is none, only counts its floats. */
static int64_t share_workspace(ls_network *network)
{
    enum { LINE = 16 };
    float *const base = network->workspace;
    int64_t used = 0, largest = 0;
    for (int i = 0; i < network->computed; i++) {
        ls_layer *layer = &network->layer[i];
        const int64_t size = ls_shape_size(layer->out);
        if (layer->skipped) {
            layer->y = i > 0 ? network->layer[i - 1].y : NULL;
            continue;
        }
        layer->y = base + used;
        used += room(network, size);
        layer->scratch = base + used;
        if (layer->kind->scratch != NULL && network->max_rows > 0)
            used += (layer->kind->scratch(layer) + LINE - 1) / LINE * LINE;
        largest = size > largest ? size : largest;
    }
    network->turned = is_turned(network) ? base + used : NULL;
    if (is_turned(network))
        used += room(network, ls_shape_size(network->input));
    for (int k = 0; k < 2; k++) {
        network->delta[k] = base + used;
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
        return ls_fail(LS_ERR_FAILURE, "out of memory: a batch of %lld rows",
                       (long long)network->max_rows);
    static float nothing;
    network->workspace = &nothing;
    const int64_t floats = share_workspace(network);
    network->workspace = ls_alloc(floats, sizeof *network->workspace);
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
    ls_status status = parse(network, model);
    if (status == LS_OK)
        status = check_stack(network);
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
        score.rows += part.rows;
        score.correct += part.correct;
        score.loss += pass->block > 0 ? ls_exact_round(part.loss, pass->quantum) : part.loss;
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

/* One layer back. */
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
        if (layer->params > 0 && batch->rows > 0)
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
        backward_layer(network, i, params, batch, pass, dy, i > first ? dx : NULL, grads);
        float *swap = dy;
        dy = dx;
        dx = swap;
    }
    if (batch->rows == 0)
        ls_ready_call(pass->ready, 0);
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
