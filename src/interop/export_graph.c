#include "interop/export_graph.h"

#include "base/memory.h"
#include "data/samples.h"
#include "interop/export_kinds.h"
#include "interop/graph_ends.h"
#include "interop/graph_params.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* State while a graph is made. */
typedef struct maker {
    ls_export_graph *g;
    const ls_export_source *source;
    ls_graph_style style;
    int *made;      /* [layers] node of each layer; LS_NODE_INPUT: the input */
    bool *of_input; /* [layers] the output would be an image if the input were one */
    int input;      /* node that layers read as the network's input */
    int layers;     /* without a fused softmax that is not wanted */
} maker;

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

/* Makes an image or a vector a sequence of this shape; a sequence is left alone. */
static int read_as(maker *m, ls_shape shape, int at, const char *name, const char *suffix)
{
    if (ls_graph_form(m->g, at) == LS_FORM_SEQUENCE)
        return at;
    if (ls_graph_form(m->g, at) == LS_FORM_IMAGE && m->style.channels_first &&
        ls_graph_shape(m->g, at).channels > 1)
        at = ls_graph_append(m->g, LS_NODE_TRANSPOSE, name, "_transpose", at);
    return ls_graph_append_sequence(m->g, at, name, suffix, shape);
}

/* The same for the sequence of its rows. */
static int read_rows(maker *m, int at, const char *name, const char *suffix)
{
    const ls_shape image = ls_graph_shape(m->g, at);
    return read_as(m, (ls_shape){image.width * image.channels, image.height, 1}, at, name, suffix);
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
            const ls_export_role part = ls_export_kind_of(&reader, LS_FORM_IMAGE)->role;
            const bool passes = part == LS_ROLE_VALUEWISE || part == LS_ROLE_FLATTEN;
            if (part != LS_ROLE_DENSE && !(passes && leads_to_dense(m, i)))
                return false;
            read = true;
        }
    }
    return read;
}

/* What the value of a layer's node is. */
static ls_form form_after(const maker *m, const ls_export_kind *kind, const ls_layer_info *layer,
                          ls_form before)
{
    switch (kind->role) {
    case LS_ROLE_POOL:
        return m->style.channels_first ? before : LS_FORM_VECTOR;
    case LS_ROLE_TOKENS:
    case LS_ROLE_SEQUENCE:
        return LS_FORM_SEQUENCE;
    case LS_ROLE_STEPS:
        return LS_FORM_VECTOR;
    case LS_ROLE_RESHAPE:
        return LS_FORM_IMAGE;
    case LS_ROLE_RECURRENT:
        return layer->attributes.all ? LS_FORM_SEQUENCE : LS_FORM_VECTOR;
    default:
        return before;
    }
}

/* Appends the node of a layer with one input, which has the form that the node needs. */
static ls_status make_layer(maker *m, const ls_layer_info *layer, const ls_export_kind *kind,
                            int input)
{
    const int at = ls_graph_append(m->g, kind->node, layer->name, "", input);
    ls_node *node = &m->g->node[at];
    node->out = layer->out;
    node->attributes = layer->attributes;
    node->form = form_after(m, kind, layer, node->form);
    ls_status status = ls_graph_add_params(m->g, m->source, at, layer);
    if (status == LS_OK)
        status = ls_graph_add_constants(m->g, at);
    if (kind->role == LS_ROLE_DENSE)
        node->permuted = false;
    return status;
}

/* Makes an input of a layer what its node takes. */
static int prepare(maker *m, const ls_layer_info *layer, ls_export_role part, int input)
{
    const bool steps = ls_graph_form(m->g, input) == LS_FORM_SEQUENCE;
    if (part == LS_ROLE_SEQUENCE || part == LS_ROLE_STEPS || part == LS_ROLE_RECURRENT)
        return read_rows(m, input, layer->name, "_rows");
    if ((part == LS_ROLE_DENSE && !steps) || part == LS_ROLE_RESHAPE ||
        (part == LS_ROLE_SOFTMAX && !(steps && ls_network_steps(m->source->network) > 1)))
        return flatten(m, input, layer->name, "_flatten", part == LS_ROLE_DENSE);
    return input;
}

/* Appends the node of an addition or a concatenation. If one input is a sequence, the other is made
 * one. If only one is a vector, both are of one pixel, and the other is made a vector, too. */
static void make_join(maker *m, const ls_layer_info *layer, const ls_export_kind *kind,
                      const int input[])
{
    static const char *const suffix[] = {"_first", "_second"};
    int in[LS_LAYER_INPUTS];
    const ls_form first = ls_graph_form(m->g, input[0]), second = ls_graph_form(m->g, input[1]);
    const bool steps = first == LS_FORM_SEQUENCE || second == LS_FORM_SEQUENCE;
    for (int k = 0; k < layer->inputs; k++)
        in[k] = steps             ? read_rows(m, input[k], layer->name, suffix[k])
                : first != second ? flatten(m, input[k], layer->name, suffix[k], false)
                                  : input[k];
    ls_node *node = &m->g->node[ls_graph_append(m->g, kind->node, layer->name, "", in[0])];
    node->inputs = layer->inputs;
    node->input[1] = in[1];
    node->out = layer->out;
}

/* Makes the output of Keras' transposed convolution, which has no padding but zeros of a stride
 * above the window behind it, that of the layer. */
static void crop(maker *m, const ls_layer_info *layer)
{
    const int deconv = m->g->nodes - 1;
    ls_node *node = &m->g->node[deconv];
    const ls_attributes *a = &node->attributes;
    const int64_t more = a->window > a->stride ? a->window - a->stride : 0;
    node->out.height = node->in.height * a->stride + more;
    node->out.width = node->in.width * a->stride + more;
    if (node->out.height == layer->out.height && node->out.width == layer->out.width)
        return;
    const int at = ls_graph_append(m->g, LS_NODE_CROP, layer->name, "_crop", deconv);
    m->g->node[at].attributes = layer->attributes;
    m->g->node[at].out = layer->out;
}

/* Makes the input of a layer a sequence, as the layer says.
 * order  its steps are in another order */
static ls_status make_reading(maker *m, const ls_layer_info *layer, int input)
{
    const bool order = layer->attributes.permuted;
    int at = read_as(m, layer->out, input, layer->name, order ? "_pixels" : "");
    if (!order)
        return LS_OK;
    at = ls_graph_append(m->g, LS_NODE_PERMUTE, layer->name, "", at);
    m->g->node[at].attributes = layer->attributes;
    return ls_graph_add_constants(m->g, at);
}

/* Appends the nodes of a layer whose inputs are right; the last one is its value. */
static ls_status append_layer(maker *m, int at, const ls_layer_info *layer,
                              const ls_export_kind *kind, const int input[])
{
    ls_status status = LS_OK;
    const int before = m->g->nodes;
    if (kind->role == LS_ROLE_FLATTEN)
        flatten(m, input[0], layer->name, "", leads_to_dense(m, at));
    else if (kind->role == LS_ROLE_READING)
        status = make_reading(m, layer, input[0]);
    else if (kind->role == LS_ROLE_JOIN)
        make_join(m, layer, kind, input);
    else
        status = make_layer(m, layer, kind, prepare(m, layer, kind->role, input[0]));
    if (kind->node == LS_NODE_DECONV && m->style.format == LS_EXPORT_KERAS)
        crop(m, layer);
    if (m->g->nodes > before)
        m->made[at] = m->g->nodes - 1;
    if (status == LS_OK && kind->role == LS_ROLE_POOL)
        m->made[at] = flatten(m, m->made[at], layer->name, "_flatten", false);
    return status;
}

/* Appends the nodes of a layer, and sets m->made. */
static ls_status make_nodes(maker *m, int at)
{
    const ls_layer_info layer = layer_at(m, at);
    int input[LS_LAYER_INPUTS];
    ls_form form[LS_LAYER_INPUTS];
    for (int k = 0; k < LS_LAYER_INPUTS; k++) {
        const int from = layer.input[k < layer.inputs ? k : 0];
        input[k] = from < 0 ? m->input : m->made[from];
        form[k] = ls_graph_form(m->g, input[k]);
    }
    const ls_export_kind *kind = ls_export_kind_of(&layer, form[0]);
    m->made[at] = input[0];
    const ls_status status = ls_export_check_layer(&layer, kind, form, m->style.format);
    if (status != LS_OK || kind->node == LS_NODE_NOISE ||
        (kind->node == LS_NODE_DROPOUT && !m->style.dropout))
        return status;
    return append_layer(m, at, &layer, kind, input);
}

/* Appends what turns the last layer's values into the outputs that are wanted. */
static void make_outputs(maker *m, bool probabilities, bool logits)
{
    const int last = m->layers - 1;
    int at = m->made[last];
    if (ls_network_steps(m->source->network) == 1)
        at = flatten(m, at, "output", "_flatten", false);
    const bool softmax = strcmp(layer_at(m, last).kind, "softmax") == 0;
    assert(at == m->g->nodes - 1); /* every other value has a reader */
    if (probabilities && !softmax)
        at = ls_graph_append(m->g, LS_NODE_SOFTMAX, "softmax", "", at);
    if (ls_loss_takes_sigmoid(ls_network_loss_kind(m->source->network)) && !logits)
        at = ls_graph_append(m->g, LS_NODE_SIGMOID, "probabilities", "", at);
    ls_graph_append_values(m->g, m->source, logits, at);
}

/* Returns true if a layer takes the network's input as an image. */
static bool takes_image(const maker *m)
{
    bool *of_input = m->of_input;
    for (int i = 0; i < m->layers; i++) {
        const ls_layer_info layer = layer_at(m, i);
        const ls_export_kind *kind = ls_export_kind_of(&layer, LS_FORM_IMAGE);
        of_input[i] = false;
        for (int k = 0; kind != NULL && k < layer.inputs; k++)
            of_input[i] = of_input[i] || layer.input[k] < 0 || of_input[layer.input[k]];
        if (of_input[i] && (kind->role == LS_ROLE_IMAGE || kind->role == LS_ROLE_POOL))
            return true;
        if (kind == NULL || kind->role == LS_ROLE_DENSE || kind->role == LS_ROLE_RESHAPE)
            of_input[i] = false;
    }
    return false;
}

/* Returns what the input is: tokens if an embedding reads it; a vector if it has one pixel and no
 * layer takes it as an image. */
static ls_form input_form(const maker *m)
{
    if (ls_export_vocabulary(m->source->network) > 0)
        return LS_FORM_TOKENS;
    return pixel_count(m->g->input) > 1 || takes_image(m) ? LS_FORM_IMAGE : LS_FORM_VECTOR;
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

/* Lets rows have lengths.
 * Errors: LS_ERR_USAGE if the format or the network does not. */
static ls_status add_lengths(maker *m)
{
    const ls_shape in = ls_network_input(m->source->network);
    if (m->style.format != LS_EXPORT_ONNX)
        return ls_fail(LS_ERR_USAGE, "--lengths: only ONNX networks can take lengths");
    m->g->lengths = true;
    m->g->steps = pixel_count(in) > 1 ? in.height : in.channels;
    return ls_network_check_lengths(m->source->network, m->g->steps);
}

/* Returns an error if steps beyond the lengths would count. */
static ls_status check_lengths(const ls_export_graph *g)
{
    bool sequences = false;
    for (int i = 0; i < g->nodes; i++) {
        const ls_form before = ls_graph_form(g, g->node[i].input[0]);
        sequences = sequences || g->node[i].form == LS_FORM_SEQUENCE;
        if (g->node[i].kind == LS_NODE_FLATTEN && before == LS_FORM_SEQUENCE)
            return ls_fail(LS_ERR_USAGE, "--lengths: '%s' also reads the steps beyond them",
                           g->node[i].name);
    }
    return sequences ? LS_OK : ls_fail(LS_ERR_USAGE, "--lengths: the network reads no sequences");
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
    if (status == LS_OK && options->lengths)
        status = add_lengths(m);
    for (int i = 0; status == LS_OK && i < m->layers; i++)
        status = make_nodes(m, i);
    if (status == LS_OK)
        make_outputs(m, fused && !options->logits, options->logits);
    return status == LS_OK && options->lengths ? check_lengths(m->g) : status;
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
    m.of_input = ls_alloc(layers, sizeof *m.of_input);
    if (m.g != NULL) {
        m.g->node = ls_alloc(NODES_OF_LAYER * (int64_t)layers + NODES_OF_ENDS, sizeof *m.g->node);
        m.g->values = ls_alloc(ls_graph_params_size(source->network) + ls_graph_ends_size(source),
                               sizeof *m.g->values);
    }
    if (m.made != NULL && m.of_input != NULL && m.g != NULL && m.g->node != NULL &&
        m.g->values != NULL) {
        m.g->format = style.format;
        m.g->channels_first = style.channels_first;
        status = make_graph(&m, options);
    }
    ls_free(m.made);
    ls_free(m.of_input);
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
