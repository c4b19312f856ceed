#include "interop/export_graph.h"

#include "base/memory.h"
#include "data/samples.h"
#include "interop/graph_ends.h"
#include "interop/graph_params.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* The part that a kind of layer plays. */
typedef enum role {
    ROLE_VALUEWISE, /* keeps shape and order of the features */
    ROLE_IMAGE,     /* takes and gives an image */
    ROLE_POOL,      /* takes an image, gives a vector */
    ROLE_TOKENS,    /* takes the input's tokens, gives a sequence */
    ROLE_SEQUENCE,  /* takes and gives a sequence; an image is the sequence of its rows */
    ROLE_STEPS,     /* takes a sequence likewise, gives a vector */
    ROLE_RECURRENT, /* one of both */
    ROLE_DENSE,     /* of a sequence: of its steps */
    ROLE_FLATTEN,
    ROLE_SOFTMAX,
    ROLE_JOIN
} role;

/* Kinds of layers, by the name in the layer table; for one name more than one. */
static const struct layer_kind {
    const char *name;
    ls_node_kind node;
    role role;
} kinds[] = {
    {"dense", LS_NODE_DENSE, ROLE_DENSE},
    {"conv", LS_NODE_CONV, ROLE_IMAGE},
    {"maxpool", LS_NODE_MAXPOOL, ROLE_IMAGE},
    {"maxpool", LS_NODE_MAXSTEPS, ROLE_STEPS},
    {"avgpool", LS_NODE_AVGPOOL, ROLE_IMAGE},
    {"globalpool", LS_NODE_GLOBALPOOL, ROLE_POOL},
    {"embedding", LS_NODE_EMBEDDING, ROLE_TOKENS},
    {"position", LS_NODE_SHIFT, ROLE_SEQUENCE},
    {"attention", LS_NODE_ATTENTION, ROLE_SEQUENCE},
    {"rnn", LS_NODE_RNN, ROLE_RECURRENT},
    {"lstm", LS_NODE_LSTM, ROLE_RECURRENT},
    {"gru", LS_NODE_GRU, ROLE_RECURRENT},
    {"last", LS_NODE_LAST, ROLE_STEPS},
    {"meanpool", LS_NODE_MEANSTEPS, ROLE_STEPS},
    {"flatten", LS_NODE_FLATTEN, ROLE_FLATTEN},
    {"batchnorm", LS_NODE_BATCHNORM, ROLE_VALUEWISE},
    {"layernorm", LS_NODE_LAYERNORM, ROLE_VALUEWISE},
    {"dropout", LS_NODE_DROPOUT, ROLE_VALUEWISE},
    {"relu", LS_NODE_RELU, ROLE_VALUEWISE},
    {"leaky-relu", LS_NODE_LEAKY_RELU, ROLE_VALUEWISE},
    {"gelu", LS_NODE_GELU, ROLE_VALUEWISE},
    {"silu", LS_NODE_SILU, ROLE_VALUEWISE},
    {"sigmoid", LS_NODE_SIGMOID, ROLE_VALUEWISE},
    {"tanh", LS_NODE_TANH, ROLE_VALUEWISE},
    {"softmax", LS_NODE_SOFTMAX, ROLE_SOFTMAX},
    {"add", LS_NODE_ADD, ROLE_JOIN},
    {"concat", LS_NODE_CONCAT, ROLE_JOIN},
};

/* State while a graph is made. */
typedef struct maker {
    ls_export_graph *g;
    const ls_export_source *source;
    ls_graph_style style;
    int *made;  /* [layers] node of each layer; LS_NODE_INPUT: the input */
    int input;  /* node that layers read as the network's input */
    int layers; /* without a fused softmax that is not wanted */
} maker;

/* Pooling without a window is that of steps. */
static const struct layer_kind *kind_of(const ls_layer_info *layer)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, layer->kind) == 0 &&
            (kinds[i].node != LS_NODE_MAXPOOL || layer->attributes.window > 0))
            return &kinds[i];
    return NULL;
}

static ls_layer_info layer_at(const maker *m, int at)
{
    return ls_network_layer(m->source->network, at);
}

/* Returns true if the network has outputs for each step of a sequence. */
static bool by_step(const maker *m)
{
    const ls_shape out = layer_at(m, ls_network_layers(m->source->network) - 1).out;
    return ls_shape_size(out) > ls_network_outputs(m->source->network);
}

static int64_t pixel_count(ls_shape shape)
{
    return shape.height * shape.width;
}

/* Returns true if flattening an image in the format gives another order of features than in
 * Lockstep. */
static bool changes_order(const maker *m, ls_shape image)
{
    return image.channels > 1 && pixel_count(image) > 1 && m->g->planar != m->style.channels_first;
}

/* Makes a value a vector; a vector is left alone.
 * permute  true: the readers of the vector permute their parameters; false: the order of the
 *          features must be Lockstep's */
static int flatten(maker *m, int at, const char *name, const char *suffix, bool permute)
{
    if (ls_graph_form(m->g, at) == LS_FORM_VECTOR)
        return at;
    const ls_shape image = ls_graph_shape(m->g, at);
    const bool changes = ls_graph_form(m->g, at) == LS_FORM_IMAGE && changes_order(m, image);
    if (changes && !permute)
        at = ls_graph_append(m->g, LS_NODE_TRANSPOSE, name, "_transpose", at);
    at = ls_graph_append_flatten(m->g, at, name, suffix);
    m->g->node[at].permuted = changes && permute;
    m->g->node[at].image = image;
    return at;
}

/* Makes an image or a vector the sequence of its rows; a sequence is left alone. */
static int read_as_sequence(maker *m, int at, const char *name, const char *suffix)
{
    if (ls_graph_form(m->g, at) == LS_FORM_SEQUENCE)
        return at;
    if (ls_graph_form(m->g, at) == LS_FORM_IMAGE && m->style.channels_first &&
        ls_graph_shape(m->g, at).channels > 1)
        at = ls_graph_append(m->g, LS_NODE_TRANSPOSE, name, "_transpose", at);
    return ls_graph_append_sequence(m->g, at, name, suffix);
}

/* Returns true if all paths from a layer's output lead to a dense layer through layers that can
 * work on permuted features. */
static bool leads_to_dense(const maker *m, int layer)
{
    bool read = false;
    for (int i = layer + 1; i < m->layers; i++) {
        const ls_layer_info reader = layer_at(m, i);
        for (int k = 0; k < reader.inputs; k++) {
            if (reader.input[k] != layer)
                continue;
            const role part = kind_of(&reader)->role;
            const bool passes = part == ROLE_VALUEWISE || part == ROLE_FLATTEN;
            if (part != ROLE_DENSE && !(passes && leads_to_dense(m, i)))
                return false;
            read = true;
        }
    }
    return read;
}

/* What the value of a layer's node is. */
static ls_form form_after(const maker *m, const struct layer_kind *kind, const ls_layer_info *layer,
                          ls_form before)
{
    switch (kind->role) {
    case ROLE_POOL:
        return m->style.channels_first ? before : LS_FORM_VECTOR;
    case ROLE_TOKENS:
    case ROLE_SEQUENCE:
        return LS_FORM_SEQUENCE;
    case ROLE_STEPS:
        return LS_FORM_VECTOR;
    case ROLE_RECURRENT:
        return layer->attributes.all ? LS_FORM_SEQUENCE : LS_FORM_VECTOR;
    default:
        return before;
    }
}

/* Appends the node of a layer with one input, which has the form that the node needs. */
static ls_status make_layer(maker *m, const ls_layer_info *layer, const struct layer_kind *kind,
                            int input)
{
    const int at = ls_graph_append(m->g, kind->node, layer->name, "", input);
    ls_node *node = &m->g->node[at];
    node->out = layer->out;
    node->attributes = layer->attributes;
    node->form = form_after(m, kind, layer, node->form);
    const ls_status status = ls_graph_add_params(m->g, m->source, at, layer);
    if (kind->node == LS_NODE_SHIFT)
        ls_graph_add_positions(m->g, at);
    if (kind->role == ROLE_DENSE)
        node->permuted = false;
    return status;
}

/* Makes an input of a layer what its node takes. */
static int prepare(maker *m, const ls_layer_info *layer, role part, int input)
{
    const bool steps = ls_graph_form(m->g, input) == LS_FORM_SEQUENCE;
    if (part == ROLE_SEQUENCE || part == ROLE_STEPS || part == ROLE_RECURRENT)
        return read_as_sequence(m, input, layer->name, "_rows");
    if ((part == ROLE_DENSE && !steps) || (part == ROLE_SOFTMAX && !(steps && by_step(m))))
        return flatten(m, input, layer->name, "_flatten", part == ROLE_DENSE);
    return input;
}

/* Appends the node of an addition or a concatenation. If one input is a sequence, the other is made
 * one. If only one is a vector, both are of one pixel, and the other is made a vector, too. */
static void make_join(maker *m, const ls_layer_info *layer, const struct layer_kind *kind,
                      const int input[])
{
    static const char *const suffix[] = {"_first", "_second"};
    int in[LS_LAYER_INPUTS];
    const ls_form first = ls_graph_form(m->g, input[0]), second = ls_graph_form(m->g, input[1]);
    const bool steps = first == LS_FORM_SEQUENCE || second == LS_FORM_SEQUENCE;
    for (int k = 0; k < layer->inputs; k++)
        in[k] = steps             ? read_as_sequence(m, input[k], layer->name, suffix[k])
                : first != second ? flatten(m, input[k], layer->name, suffix[k], false)
                                  : input[k];
    ls_node *node = &m->g->node[ls_graph_append(m->g, kind->node, layer->name, "", in[0])];
    node->inputs = layer->inputs;
    node->input[1] = in[1];
    node->out = layer->out;
}

/* Returns an error if the node of a layer can't take its inputs. */
static ls_status check_inputs(const maker *m, const ls_layer_info *layer,
                              const struct layer_kind *kind, const int input[])
{
    static const char *const why[] = {"a layer of an image behind a sequence",
                                      "it joins an image and a sequence",
                                      "embedding must be the first layer",
                                      "only embedding can read tokens",
                                      "Keras has no such layer with these parameters",
                                      "Keras gives the states in reverse order"};
    const bool keras = m->style.format == LS_EXPORT_KERAS, all = layer->attributes.all;
    const ls_form form = ls_graph_form(m->g, input[0]), second = ls_graph_form(m->g, input[1]);
    const bool image = kind->role == ROLE_IMAGE || kind->role == ROLE_POOL;
    const int wrong =
        image && form == LS_FORM_SEQUENCE                                                   ? 0
        : kind->role == ROLE_JOIN && form == LS_FORM_IMAGE && second == LS_FORM_SEQUENCE    ? 1
        : kind->role == ROLE_TOKENS && form != LS_FORM_TOKENS                               ? 2
        : kind->role != ROLE_TOKENS && (form == LS_FORM_TOKENS || second == LS_FORM_TOKENS) ? 3
        : keras && kind->node == LS_NODE_ATTENTION                                          ? 4
        : keras && all && layer->attributes.reverse                                         ? 5
                                                                                            : -1;
    if (wrong < 0)
        return LS_OK;
    return ls_fail(LS_ERR_USAGE, "'%s': this layer can't be exported: %s", layer->word, why[wrong]);
}

/* Appends the nodes of a layer whose inputs are right; the last one is its value. */
static ls_status append_layer(maker *m, int at, const ls_layer_info *layer,
                              const struct layer_kind *kind, const int input[])
{
    if (kind->role == ROLE_FLATTEN)
        m->made[at] = flatten(m, input[0], layer->name, "", leads_to_dense(m, at));
    else if (kind->role == ROLE_JOIN)
        make_join(m, layer, kind, input);
    else {
        const ls_status status =
            make_layer(m, layer, kind, prepare(m, layer, kind->role, input[0]));
        if (status != LS_OK)
            return status;
    }
    if (kind->role != ROLE_FLATTEN)
        m->made[at] = m->g->nodes - 1;
    if (kind->role == ROLE_POOL)
        m->made[at] = flatten(m, m->made[at], layer->name, "_flatten", false);
    return LS_OK;
}

/* Appends the nodes of a layer, and sets m->made. */
static ls_status make_nodes(maker *m, int at)
{
    const ls_layer_info layer = layer_at(m, at);
    const struct layer_kind *kind = kind_of(&layer);
    int input[LS_LAYER_INPUTS];
    if (kind == NULL)
        return ls_fail(LS_ERR_USAGE, "'%s': layers of this kind can't be exported", layer.word);
    for (int k = 0; k < LS_LAYER_INPUTS; k++) {
        const int from = layer.input[k < layer.inputs ? k : 0];
        input[k] = from < 0 ? m->input : m->made[from];
    }
    m->made[at] = input[0];
    const ls_status status = check_inputs(m, &layer, kind, input);
    if (status != LS_OK || (kind->node == LS_NODE_DROPOUT && !m->style.dropout))
        return status;
    return append_layer(m, at, &layer, kind, input);
}

/* Appends what turns the last layer's values into the outputs that are wanted. */
static void make_outputs(maker *m, bool probabilities, bool logits)
{
    const int last = m->layers - 1;
    int at = m->made[last];
    if (!by_step(m))
        at = flatten(m, at, "output", "_flatten", false);
    const bool softmax = strcmp(layer_at(m, last).kind, "softmax") == 0;
    assert(at == m->g->nodes - 1); /* every other value has a reader */
    if (probabilities && !softmax)
        at = ls_graph_append(m->g, LS_NODE_SOFTMAX, "softmax", "", at);
    if (ls_loss_takes_sigmoid(ls_network_loss_kind(m->source->network)) && !logits)
        at = ls_graph_append(m->g, LS_NODE_SIGMOID, "probabilities", "", at);
    ls_graph_append_values(m->g, m->source, logits, at);
}

/* Returns what the input is: tokens if an embedding reads it; a vector if it has one pixel and no
 * layer takes an image. */
static ls_form input_form(const maker *m)
{
    bool image = pixel_count(m->g->input) > 1;
    if (ls_export_vocabulary(m->source->network) > 0)
        return LS_FORM_TOKENS;
    for (int i = 0; i < m->layers; i++) {
        const ls_layer_info layer = layer_at(m, i);
        const struct layer_kind *kind = kind_of(&layer);
        if (kind != NULL)
            image = image || kind->role == ROLE_IMAGE || kind->role == ROLE_POOL;
    }
    return image ? LS_FORM_IMAGE : LS_FORM_VECTOR;
}

/* Sets the facts about the input. */
static ls_status describe_input(maker *m)
{
    const ls_network *network = m->source->network;
    ls_export_graph *g = m->g;
    ls_normalization normalization = {0};
    g->input = ls_network_input(network);
    g->form = input_form(m);
    if (g->form == LS_FORM_TOKENS)
        g->input = (ls_shape){1, ls_shape_size(g->input), 1};
    const bool planes = g->input.channels > 1 && pixel_count(g->input) > 1;
    g->planar = planes && !ls_network_channels_last(network);
    g->rearranged = planes && !g->channels_first && ls_network_reconstructs(network);
    g->scale = 1;
    if (g->form == LS_FORM_TOKENS)
        return LS_OK;
    const ls_status status = ls_normalization_make(&normalization, m->source->mean, m->source->std);
    g->scale = m->source->element == LS_U8 ? normalization.byte_scale : normalization.scale;
    g->shift = normalization.shift;
    return status;
}

static ls_status make_graph(maker *m, const ls_export_options *options)
{
    const bool fused = ls_loss_takes_logits(ls_network_loss_kind(m->source->network));
    const int last = m->layers - 1;
    ls_status status = describe_input(m);
    if (options->logits && !fused &&
        !ls_loss_takes_sigmoid(ls_network_loss_kind(m->source->network)))
        return ls_fail(LS_ERR_USAGE, "--logits: the network has none: its loss is %s",
                       ls_loss_name(ls_network_loss_kind(m->source->network)));
    if (options->logits && strcmp(layer_at(m, last).kind, "softmax") == 0)
        m->layers--;
    m->input = LS_NODE_INPUT;
    if (status == LS_OK && !options->normalized && m->g->form != LS_FORM_TOKENS)
        m->input = ls_graph_append_normalisation(m->g, m->source);
    for (int i = 0; status == LS_OK && i < m->layers; i++)
        status = make_nodes(m, i);
    if (status == LS_OK)
        make_outputs(m, fused && !options->logits, options->logits);
    return status;
}

/* Most nodes of a layer: two transposed images and sequences for a join; and of both ends:
 * normalisation, a vector, probabilities, an image, values, a vector. */
enum { NODES_OF_LAYER = 5, NODES_OF_ENDS = 12 };

ls_status ls_export_graph_create(ls_export_graph **out, const ls_export_source *source,
                                 const ls_export_options *options, ls_graph_style style)
{
    const int layers = ls_network_layers(source->network);
    maker m = {.source = source, .style = style, .layers = layers};
    ls_status status = LS_ERR_FAILURE;
    m.g = ls_alloc(1, sizeof *m.g);
    m.made = ls_alloc(layers, sizeof *m.made);
    if (m.g != NULL) {
        m.g->node = ls_alloc(NODES_OF_LAYER * (int64_t)layers + NODES_OF_ENDS, sizeof *m.g->node);
        m.g->values = ls_alloc(ls_graph_params_size(source->network) + ls_graph_ends_size(source),
                               sizeof *m.g->values);
    }
    if (m.made != NULL && m.g != NULL && m.g->node != NULL && m.g->values != NULL) {
        m.g->format = style.format;
        m.g->channels_first = style.channels_first;
        status = make_graph(&m, options);
    }
    ls_free(m.made);
    if (status == LS_OK)
        *out = m.g;
    else
        ls_export_graph_destroy(&m.g);
    return status;
}

void ls_export_graph_destroy(ls_export_graph **graph)
{
    if (graph == NULL || *graph == NULL)
        return;
    ls_free((*graph)->node);
    ls_free((*graph)->values);
    ls_free(*graph);
    *graph = NULL;
}
