#include "interop/export_graph.h"

#include "base/memory.h"
#include "data/samples.h"
#include "interop/graph_ends.h"
#include "interop/layout.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* The part that a kind of layer plays. */
typedef enum role {
    ROLE_VALUEWISE, /* keeps shape and order of the features */
    ROLE_IMAGE,     /* takes and gives an image */
    ROLE_POOL,      /* takes an image, gives a vector */
    ROLE_DENSE,
    ROLE_FLATTEN,
    ROLE_SOFTMAX,
    ROLE_JOIN
} role;

/* Kinds of layers, by the name in the layer table. */
static const struct layer_kind {
    const char *name;
    ls_node_kind node;
    role role;
} kinds[] = {
    {"dense", LS_NODE_DENSE, ROLE_DENSE},
    {"conv", LS_NODE_CONV, ROLE_IMAGE},
    {"maxpool", LS_NODE_MAXPOOL, ROLE_IMAGE},
    {"avgpool", LS_NODE_AVGPOOL, ROLE_IMAGE},
    {"globalpool", LS_NODE_GLOBALPOOL, ROLE_POOL},
    {"flatten", LS_NODE_FLATTEN, ROLE_FLATTEN},
    {"batchnorm", LS_NODE_BATCHNORM, ROLE_VALUEWISE},
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

static const struct layer_kind *kind_of(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

static ls_layer_info layer_at(const maker *m, int at)
{
    return ls_network_layer(m->source->network, at);
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
    if (ls_graph_flat(m->g, at))
        return at;
    const ls_shape image = ls_graph_shape(m->g, at);
    const bool changes = changes_order(m, image);
    if (changes && !permute)
        at = ls_graph_append(m->g, LS_NODE_TRANSPOSE, name, "_transpose", at);
    at = ls_graph_append_flatten(m->g, at, name, suffix);
    m->g->node[at].permuted = changes && permute;
    m->g->node[at].image = image;
    return at;
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
            const role part = kind_of(reader.kind)->role;
            const bool passes = part == ROLE_VALUEWISE || part == ROLE_FLATTEN;
            if (part != ROLE_DENSE && !(passes && leads_to_dense(m, i)))
                return false;
            read = true;
        }
    }
    return read;
}

/* Writes a parameter in the format's layout.
 * node   of the parameter; its input has been set */
static void lay_out(const maker *m, const ls_node *node, const ls_param *param, const float *from,
                    float *room, float *to)
{
    const int64_t *dims = param->shape;
    const bool matrix = node->kind == LS_NODE_DENSE && param->rank == 2;
    const bool by_feature = matrix || node->kind == LS_NODE_BATCHNORM;
    if (by_feature && node->permuted) {
        float *permuted = matrix && m->style.channels_first ? room : to;
        ls_layout_features(node->image, m->g->planar, matrix ? dims[1] : 1, from, permuted);
        from = permuted;
    }
    if (matrix && m->style.channels_first)
        ls_layout_transpose(dims[0], dims[1], from, to);
    else if (param->rank == 4 && m->style.channels_first)
        ls_layout_filters(dims[0], dims[2], dims[3], from, to);
    else if (from != to)
        memcpy(to, from, (size_t)param->count * sizeof *to);
}

/* Sets the dimensions of a parameter in the format's layout. */
static void set_dims(const maker *m, const ls_param *param, ls_array *out)
{
    static const int reversed[] = {1, 0}, filters[] = {3, 2, 0, 1};
    const int *order = param->rank == 4 ? filters : reversed;
    out->rank = param->rank;
    out->count = param->count;
    for (int i = 0; i < param->rank; i++)
        out->dims[i] = param->shape[m->style.channels_first && param->rank > 1 ? order[i] : i];
}

/* Adds a layer's parameters to its node. */
static ls_status add_params(maker *m, ls_node *node, const ls_layer_info *layer)
{
    int rows;
    const ls_param *param = ls_network_params(m->source->network, &rows) + layer->first_param;
    float *room = node->permuted ? ls_alloc(layer->parameters, sizeof *room) : NULL;
    if (node->permuted && room == NULL)
        return LS_ERR_FAILURE;
    assert(layer->params <= LS_NODE_PARAMS);
    for (int i = 0; i < layer->params; i++, node->params++) {
        float *to = m->g->values + param[i].offset;
        lay_out(m, node, &param[i], m->source->params + param[i].offset, room, to);
        node->param[i].values = to;
        set_dims(m, &param[i], &node->param[i]);
    }
    ls_free(room);
    return LS_OK;
}

/* Appends the node of a layer with one input. */
static ls_status make_layer(maker *m, const ls_layer_info *layer, const struct layer_kind *kind,
                            int input)
{
    const int at = ls_graph_append(m->g, kind->node, layer->name, "", input);
    ls_node *node = &m->g->node[at];
    node->out = layer->out;
    node->attributes = layer->attributes;
    const ls_status status = add_params(m, node, layer);
    if (kind->role == ROLE_DENSE)
        node->permuted = false;
    node->flat = node->flat || (kind->role == ROLE_POOL && !m->style.channels_first);
    return status;
}

/* Appends the node of an addition or a concatenation. If only one input is a vector, both are of
 * one pixel, and the other is made a vector, too. */
static void make_join(maker *m, const ls_layer_info *layer, const struct layer_kind *kind,
                      const int input[])
{
    static const char *const suffix[] = {"_first", "_second"};
    int in[LS_LAYER_INPUTS];
    const bool flat = ls_graph_flat(m->g, input[0]) || ls_graph_flat(m->g, input[1]);
    for (int k = 0; k < layer->inputs; k++)
        in[k] = flat ? flatten(m, input[k], layer->name, suffix[k], false) : input[k];
    ls_node *node = &m->g->node[ls_graph_append(m->g, kind->node, layer->name, "", in[0])];
    node->inputs = layer->inputs;
    node->input[1] = in[1];
    node->out = layer->out;
}

/* Appends the nodes of a layer, and sets m->made. */
static ls_status make_nodes(maker *m, int at)
{
    const ls_layer_info layer = layer_at(m, at);
    const struct layer_kind *kind = kind_of(layer.kind);
    int input[LS_LAYER_INPUTS] = {m->input, m->input};
    if (kind == NULL)
        return ls_fail(LS_ERR_USAGE, "'%s': layers of this kind can't be exported", layer.word);
    for (int k = 0; k < layer.inputs; k++)
        input[k] = layer.input[k] < 0 ? m->input : m->made[layer.input[k]];
    m->made[at] = input[0];
    if (kind->node == LS_NODE_DROPOUT && !m->style.dropout)
        return LS_OK;
    ls_status status = LS_OK;
    if (kind->role == ROLE_FLATTEN)
        flatten(m, input[0], layer.name, "", leads_to_dense(m, at));
    else if (kind->role == ROLE_JOIN)
        make_join(m, &layer, kind, input);
    else if (kind->role == ROLE_DENSE || kind->role == ROLE_SOFTMAX)
        status = make_layer(m, &layer, kind,
                            flatten(m, input[0], layer.name, "_flatten", kind->role == ROLE_DENSE));
    else
        status = make_layer(m, &layer, kind, input[0]);
    if (kind->role != ROLE_FLATTEN || !ls_graph_flat(m->g, input[0]))
        m->made[at] = m->g->nodes - 1;
    if (status == LS_OK && kind->role == ROLE_POOL)
        m->made[at] = flatten(m, m->made[at], layer.name, "_flatten", false);
    return status;
}

/* Appends what turns the last layer's values into the outputs that are wanted. */
static void make_outputs(maker *m, bool probabilities, bool logits)
{
    const int last = m->layers - 1;
    int at = flatten(m, m->made[last], "output", "_flatten", false);
    const bool softmax = strcmp(layer_at(m, last).kind, "softmax") == 0;
    assert(at == m->g->nodes - 1); /* every other value has a reader */
    if (probabilities && !softmax)
        at = ls_graph_append(m->g, LS_NODE_SOFTMAX, "softmax", "", at);
    if (ls_loss_takes_sigmoid(ls_network_loss_kind(m->source->network)) && !logits)
        at = ls_graph_append(m->g, LS_NODE_SIGMOID, "probabilities", "", at);
    ls_graph_append_values(m->g, m->source, logits, at);
}

/* Returns true if no layer takes an image: then images of one pixel are vectors. */
static bool takes_vectors(const maker *m)
{
    if (pixel_count(m->g->input) > 1)
        return false;
    for (int i = 0; i < m->layers; i++) {
        const struct layer_kind *kind = kind_of(layer_at(m, i).kind);
        if (kind != NULL && (kind->role == ROLE_IMAGE || kind->role == ROLE_POOL))
            return false;
    }
    return true;
}

/* Sets the facts about the input. */
static ls_status describe_input(maker *m)
{
    const ls_network *network = m->source->network;
    ls_export_graph *g = m->g;
    ls_normalization normalization = {0};
    g->input = ls_network_layer(network, 0).in[0];
    g->flat = takes_vectors(m);
    g->planar =
        g->input.channels > 1 && pixel_count(g->input) > 1 && !ls_network_channels_last(network);
    g->channels_first = m->style.channels_first;
    g->rearranged = !g->channels_first && ls_network_reconstructs(network) &&
                    g->input.channels > 1 && pixel_count(g->input) > 1;
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
    if (status == LS_OK && !options->normalized)
        m->input = ls_graph_append_normalisation(m->g, m->source);
    for (int i = 0; status == LS_OK && i < m->layers; i++)
        status = make_nodes(m, i);
    if (status == LS_OK)
        make_outputs(m, fused && !options->logits, options->logits);
    return status;
}

/* Most nodes of a layer: two vectors for a join, or a transposed and a flattened image; and of both
 * ends: normalisation, a vector, probabilities, an image, values, a vector. */
enum { NODES_OF_LAYER = 3, NODES_OF_ENDS = 12 };

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
        m.g->values = ls_alloc(ls_network_size(source->network) + ls_graph_ends_size(source),
                               sizeof *m.g->values);
    }
    if (m.made != NULL && m.g != NULL && m.g->node != NULL && m.g->values != NULL) {
        m.g->used = ls_network_size(source->network);
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
