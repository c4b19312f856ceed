/* From the model string to layers. */
#include "base/memory.h"
#include "base/show.h"
#include "base/text.h"
#include "nn/network_state.h"
#include "nn/preset.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const ls_layer_kind *const kinds[] = {
    &ls_layer_dense,      &ls_layer_conv,      &ls_layer_maxpool, &ls_layer_avgpool,
    &ls_layer_flatten,    &ls_layer_batchnorm, &ls_layer_dropout, &ls_layer_relu,
    &ls_layer_leaky_relu, &ls_layer_gelu,      &ls_layer_sigmoid, &ls_layer_tanh,
    &ls_layer_softmax,
};
enum { KINDS = sizeof kinds / sizeof *kinds, MAX_LAYERS = 256 };

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
    char reason[384];
    const char *near = NULL;
    size_t distance = SIZE_MAX;
    /* What other programs call a dense layer. */
    if (strcasecmp(name, "linear") == 0 || strcasecmp(name, "fc") == 0)
        name = "Dense";
    for (int i = 0; i < KINDS; i++)
        if (ls_text_resembles(name, kinds[i]->name, &distance))
            near = kinds[i]->name;
    const char *preset, *layers;
    for (int i = 0; number == 1 && ls_preset_at(i, &preset, &layers); i++)
        if (ls_text_nearer(name, preset, &distance))
            near = preset;
    if (near != NULL && distance == 0) {
        snprintf(reason, sizeof reason, "that is a whole network: it stands alone");
        return wrong_word(number, word, reason);
    }
    int used = snprintf(reason, sizeof reason, "no layer is called that; ");
    if (near != NULL) {
        snprintf(reason + used, sizeof reason - (size_t)used, "did you mean '%s'?", near);
        return wrong_word(number, word, reason);
    }
    used += snprintf(reason + used, sizeof reason - (size_t)used, "there are");
    for (int i = 0; i < KINDS; i++)
        used += snprintf(reason + used, sizeof reason - (size_t)used, "%s %s", i > 0 ? "," : "",
                         kinds[i]->name);
    for (int i = 0; number == 1 && ls_preset_at(i, &preset, &layers); i++)
        used += snprintf(reason + used, sizeof reason - (size_t)used, "%s %s",
                         i > 0 ? "," : "; and whole networks:", preset);
    return wrong_word(number, word, reason);
}

/* The kind that the start of a word names, NULL if none. */
static const ls_layer_kind *find_kind(const char *word)
{
    const size_t length = strcspn(word, ":,;");
    for (int i = 0; i < KINDS; i++)
        if (strlen(kinds[i]->name) == length && memcmp(kinds[i]->name, word, length) == 0)
            return kinds[i];
    return NULL;
}

/* Makes layer `at` of the word; `in` is the shape that it gets. */
static ls_status configure_layer(ls_network *network, int at, char *word, ls_shape in)
{
    ls_layer *layer = &network->layer[at];
    char name[LS_LAYER_NAME];
    const char *colon = strchr(word, ':');
    size_t length = colon != NULL ? (size_t)(colon - word) : strlen(word);
    for (const char *comma = strpbrk(word, ",;"); comma != NULL; comma = strpbrk(comma + 1, ",;"))
        if (comma[1] == '\0' || find_kind(comma + 1) != NULL)
            return wrong_word(at + 1, word, "between layers stand blanks, not commas");
    snprintf(name, sizeof name, "%.*s", (int)length, word);
    layer->kind = find_kind(word);
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
    for (int i = 0; i < at && layer->kind->images; i++)
        if (network->layer[i].kind == &ls_layer_dense || network->layer[i].kind->reshapes) {
            char reason[64 + LS_LAYER_NAME];
            snprintf(reason, sizeof reason, "works on images, of which '%s' before it leaves none",
                     network->layer[i].kind->name);
            return wrong_word(at + 1, word, reason);
        }
    if (layer->kind->configure != NULL && layer->kind->configure(layer, argument) != LS_OK)
        return wrong_word(at + 1, word, ls_error_text());
    return LS_OK;
}

/* Cuts the model string into layers. */
static ls_status cut(ls_network *network, const char *model)
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
    char reason[192];
    for (int i = 0; i < network->layers - 1; i++)
        if (network->layer[i].kind->only_last)
            return wrong_word(i + 1, network->layer[i].word, "must be the last layer");
    const int last = network->layers - 1;
    const ls_layer *layer = &network->layer[last];
    int64_t outputs = ls_shape_size(layer->out);
    if (outputs != network->classes) {
        snprintf(reason, sizeof reason,
                 "the last layer has %s but the data set has %s: end with dense:%d",
                 ls_counted(outputs, "output").text, ls_counted(network->classes, "class").text,
                 network->classes);
        /* An activation only hands on what the layer before it made. */
        int guilty = last;
        while (guilty > 0 && ls_shape_size(network->layer[guilty].in) == outputs)
            guilty--;
        return wrong_word(guilty + 1, network->layer[guilty].word, reason);
    }
    network->computed = network->layers;
    if (!ls_loss_takes_logits(network->loss))
        return LS_OK;
    if (layer->kind == &ls_layer_softmax)
        network->computed--;
    if (network->computed == 0)
        return wrong_word(last + 1, layer->word, "a softmax needs a layer before it");
    int at = network->computed - 1; /* what makes the logits; others only hand them on */
    while (at > 0 && network->layer[at].kind->neutral && !network->layer[at].kind->spans)
        at--;
    const ls_layer *logits = &network->layer[at];
    if (logits->kind->bounded)
        return wrong_word(at + 1, logits->word,
                          "cross-entropy takes logits, which this would bound: end with dense, or "
                          "dense and softmax (or use --loss mse)");
    return LS_OK;
}

ls_status ls_model_parse(ls_network *network, const char *model)
{
    ls_status status = cut(network, model);
    return status == LS_OK ? check_stack(network) : status;
}
