#include "interop/export_kinds.h"

#include <string.h>

/* Kinds of layers, by the name in the layer table; for one name more than one. */
static const ls_export_kind kinds[] = {
    {"dense", LS_NODE_DENSE, LS_ROLE_DENSE},
    {"gaussian", LS_NODE_DENSE, LS_ROLE_DENSE}, /* of a matrix that takes the means */
    {"conv", LS_NODE_CONV, LS_ROLE_IMAGE},
    {"deconv", LS_NODE_DECONV, LS_ROLE_IMAGE},
    {"upsample", LS_NODE_UPSAMPLE, LS_ROLE_IMAGE},
    {"maxpool", LS_NODE_MAXPOOL, LS_ROLE_IMAGE},
    {"maxpool", LS_NODE_MAXSTEPS, LS_ROLE_STEPS},
    {"avgpool", LS_NODE_AVGPOOL, LS_ROLE_IMAGE},
    {"globalpool", LS_NODE_GLOBALPOOL, LS_ROLE_POOL},
    {"embedding", LS_NODE_EMBEDDING, LS_ROLE_TOKENS},
    {"sequence", LS_NODE_SEQUENCE, LS_ROLE_READING},
    {"conv1d", LS_NODE_CONV1D, LS_ROLE_SEQUENCE},
    {"position", LS_NODE_SHIFT, LS_ROLE_SEQUENCE},
    {"attention", LS_NODE_ATTENTION, LS_ROLE_SEQUENCE},
    {"rnn", LS_NODE_RNN, LS_ROLE_RECURRENT},
    {"lstm", LS_NODE_LSTM, LS_ROLE_RECURRENT},
    {"gru", LS_NODE_GRU, LS_ROLE_RECURRENT},
    {"last", LS_NODE_LAST, LS_ROLE_STEPS},
    {"meanpool", LS_NODE_MEANSTEPS, LS_ROLE_STEPS},
    {"flatten", LS_NODE_FLATTEN, LS_ROLE_FLATTEN},
    {"reshape", LS_NODE_UNFLATTEN, LS_ROLE_RESHAPE},
    {"batchnorm", LS_NODE_BATCHNORM, LS_ROLE_VALUEWISE},
    {"layernorm", LS_NODE_LAYERNORM, LS_ROLE_VALUEWISE},
    {"dropout", LS_NODE_DROPOUT, LS_ROLE_VALUEWISE},
    {"noise", LS_NODE_NOISE, LS_ROLE_VALUEWISE},
    {"relu", LS_NODE_RELU, LS_ROLE_VALUEWISE},
    {"leaky-relu", LS_NODE_LEAKY_RELU, LS_ROLE_VALUEWISE},
    {"gelu", LS_NODE_GELU, LS_ROLE_VALUEWISE},
    {"silu", LS_NODE_SILU, LS_ROLE_VALUEWISE},
    {"sigmoid", LS_NODE_SIGMOID, LS_ROLE_VALUEWISE},
    {"tanh", LS_NODE_TANH, LS_ROLE_VALUEWISE},
    {"softmax", LS_NODE_SOFTMAX, LS_ROLE_SOFTMAX},
    {"add", LS_NODE_ADD, LS_ROLE_JOIN},
    {"concat", LS_NODE_CONCAT, LS_ROLE_JOIN},
};

/* Pooling without a window is that of steps, and so is globalpool of a sequence. */
const ls_export_kind *ls_export_kind_of(const ls_layer_info *layer, ls_form before)
{
    const bool steps = before == LS_FORM_SEQUENCE && strcmp(layer->kind, "globalpool") == 0;
    const char *name = steps ? "meanpool" : layer->kind;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0 &&
            (kinds[i].node != LS_NODE_MAXPOOL || layer->attributes.window > 0))
            return &kinds[i];
    return NULL;
}

/* Why a layer with these inputs can't be exported; NULL: it can. */
static const char *find_reason(const ls_export_kind *kind, const ls_form before[LS_LAYER_INPUTS])
{
    const bool tokens = before[0] == LS_FORM_TOKENS || before[1] == LS_FORM_TOKENS;
    if (kind->role == LS_ROLE_TOKENS)
        return before[0] == LS_FORM_TOKENS ? NULL : "embedding must be the first layer";
    if (tokens)
        return "only embedding can read tokens";
    if (kind->role == LS_ROLE_JOIN && before[0] == LS_FORM_IMAGE && before[1] == LS_FORM_SEQUENCE)
        return "it joins an image and a sequence";
    return NULL;
}

/* The same because of Keras, whose layers are others. */
static const char *find_reason_of_keras(const ls_layer_info *layer, const ls_export_kind *kind)
{
    const ls_attributes *a = &layer->attributes;
    if (kind->node == LS_NODE_ATTENTION)
        return "Keras has no such layer with these parameters";
    if (kind->role == LS_ROLE_RECURRENT && a->all && a->reverse)
        return "Keras gives the states in reverse order";
    if (kind->role == LS_ROLE_READING && a->permuted)
        return "Keras has no layer that reorders steps";
    return NULL;
}

ls_status ls_export_check_layer(const ls_layer_info *layer, const ls_export_kind *kind,
                                const ls_form before[LS_LAYER_INPUTS], ls_export_format format)
{
    const char *reason = kind == NULL ? "its kind is unknown here" : find_reason(kind, before);
    if (reason == NULL && format == LS_EXPORT_KERAS)
        reason = find_reason_of_keras(layer, kind);
    if (reason == NULL)
        return LS_OK;
    return ls_fail(LS_ERR_USAGE, "'%s': this layer can't be exported%s: %s", layer->word,
                   format == LS_EXPORT_KERAS ? " to .h5" : "", reason);
}
