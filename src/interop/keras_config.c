/* The configuration of a Keras model: a Sequential, or for a graph that is no chain a Functional.
 * Only keys that all versions know are written; the input's shape is an attribute of the first
 * layer, since old versions lose the weights of a Sequential with an input layer. */
#include "interop/format.h"

#include <assert.h>
#include <string.h>

/* Attributes of a layer in Keras' terms; `pad` layers come before convolutions, `reshape` layers
 * before images that were vectors. */
static json_t *dense_config(const ls_node *node)
{
    return json_pack("{s:I, s:s, s:b}", "units", (json_int_t)node->attributes.units, "activation",
                     "linear", "use_bias", node->params > 1);
}

static json_t *conv_config(const ls_node *node)
{
    const ls_attributes *a = &node->attributes;
    const json_int_t K = a->window, stride = a->stride;
    return json_pack("{s:I, s:[I,I], s:[I,I], s:s, s:s, s:s, s:b}", "filters", (json_int_t)a->units,
                     "kernel_size", K, K, "strides", stride, stride, "padding", "valid",
                     "data_format", "channels_last", "activation", "linear", "use_bias",
                     node->params > 1);
}

/* The rows and columns at the end are those that the image is larger than what is left. */
static json_t *crop_config(const ls_node *node)
{
    const json_int_t pad = node->attributes.pad;
    const json_int_t below = node->in.height - node->out.height - pad;
    return json_pack("{s:[[I,I],[I,I]], s:s}", "cropping", pad, below, pad,
                     (json_int_t)(node->in.width - node->out.width - pad), "data_format",
                     "channels_last");
}

static json_t *upsampling_config(const ls_node *node)
{
    const json_int_t K = node->attributes.window;
    return json_pack("{s:[I,I], s:s, s:s}", "size", K, K, "data_format", "channels_last",
                     "interpolation", "nearest");
}

static json_t *pad_config(const ls_node *node)
{
    const json_int_t pad = node->attributes.pad;
    return json_pack("{s:[[I,I],[I,I]], s:s}", "padding", pad, pad, pad, pad, "data_format",
                     "channels_last");
}

static json_t *pool_config(const ls_node *node)
{
    const json_int_t K = node->attributes.window, stride = node->attributes.stride;
    return json_pack("{s:[I,I], s:[I,I], s:s, s:s}", "pool_size", K, K, "strides", stride, stride,
                     "padding", "valid", "data_format", "channels_last");
}

static json_t *reshape_config(const ls_node *node)
{
    return json_pack("{s:[I,I,I]}", "target_shape", (json_int_t)node->out.channels,
                     (json_int_t)node->out.height, (json_int_t)node->out.width);
}

static json_t *list_numbers(int64_t count, const float *values)
{
    json_t *list = json_array();
    for (int64_t k = 0; k < count; k++)
        json_array_append_new(list, json_real((double)values[k]));
    return list;
}

/* The numbers of a shift or scale: one, or a list for the last dimension of the layer's input, or a
 * list of those for the steps of a sequence. */
static json_t *numbers_of(const ls_node *node)
{
    const ls_array *a = &node->param[0];
    if (a->count == 1)
        return json_real((double)a->values[0]);
    if (a->rank == 1)
        return list_numbers(a->count, a->values);
    json_t *list = json_array();
    for (int64_t t = 0; t < a->dims[0]; t++)
        json_array_append_new(list, list_numbers(a->dims[1], a->values + t * a->dims[1]));
    return list;
}

bool ls_keras_has_weights(const ls_node *node)
{
    return node->kind != LS_NODE_SHIFT && node->kind != LS_NODE_SCALE;
}

/* Attributes of a recurrent layer, or of both of a Bidirectional, which has one named after it. */
static json_t *recurrent_config(const ls_node *node, const char **class)
{
    const ls_attributes *a = &node->attributes;
    json_t *config =
        json_pack("{s:I, s:s, s:b, s:b, s:b}", "units", (json_int_t)a->units, "activation", "tanh",
                  "use_bias", true, "return_sequences", a->all, "go_backwards", a->reverse);
    *class = node->kind == LS_NODE_LSTM ? "LSTM" : node->kind == LS_NODE_GRU ? "GRU" : "SimpleRNN";
    if (node->kind != LS_NODE_RNN)
        json_object_set_new(config, "recurrent_activation", json_string("sigmoid"));
    if (node->kind == LS_NODE_GRU)
        json_object_set_new(config, "reset_after", json_true());
    if (!a->both)
        return config;
    json_object_set_new(config, "name", json_string(node->name));
    json_object_set_new(config, "dtype", json_string("float32"));
    json_t *layer = json_pack("{s:s, s:o}", "class_name", *class, "config", config);
    *class = "Bidirectional";
    return json_pack("{s:o, s:s}", "layer", layer, "merge_mode", "concat");
}

/* Sets the class and the attributes of a layer of sequences. */
static json_t *sequence_config(const ls_node *node, const char **class)
{
    switch (node->kind) {
    case LS_NODE_SEQUENCE:
        *class = "Reshape";
        return json_pack("{s:[I,I]}", "target_shape", (json_int_t)node->out.height,
                         (json_int_t)node->out.channels);
    case LS_NODE_CONV1D:
        *class = "Conv1D";
        return json_pack("{s:I, s:[I], s:[i], s:s, s:s, s:b}", "filters",
                         (json_int_t)node->attributes.units, "kernel_size",
                         (json_int_t)node->attributes.window, "strides", 1, "padding",
                         node->attributes.causal ? "causal" : "same", "activation", "linear",
                         "use_bias", node->params > 1);
    case LS_NODE_EMBEDDING:
        *class = "Embedding";
        return json_pack("{s:I, s:I, s:b}", "input_dim", (json_int_t)node->attributes.vocabulary,
                         "output_dim", (json_int_t)node->attributes.units, "mask_zero", false);
    case LS_NODE_LAST: /* behind the layers of append_last() */
        *class = "Flatten";
        return json_object();
    case LS_NODE_MEANSTEPS:
        *class = "GlobalAveragePooling1D";
        return json_object();
    case LS_NODE_MAXSTEPS:
        *class = "GlobalMaxPooling1D";
        return json_object();
    default:
        assert(node->kind == LS_NODE_RNN || node->kind == LS_NODE_LSTM ||
               node->kind == LS_NODE_GRU); /* others are refused, see ls_export_check_layer() */
        return recurrent_config(node, class);
    }
}

static json_t *activation_config(const char *name)
{
    return json_pack("{s:s}", "activation", name);
}

/* Sets the class and the attributes of a layer of images, or of sequences. */
static json_t *image_config(const ls_node *node, const char **class)
{
    switch (node->kind) {
    case LS_NODE_TRANSPOSE:
        *class = "Permute";
        return json_pack("{s:[i,i,i]}", "dims", 3, 1, 2);
    case LS_NODE_UNFLATTEN: /* behind the Reshape of append_node() */
        *class = "Permute";
        return json_pack("{s:[i,i,i]}", "dims", 2, 3, 1);
    case LS_NODE_CONV:
        *class = "Conv2D";
        return conv_config(node);
    case LS_NODE_DECONV:
        *class = "Conv2DTranspose";
        return conv_config(node);
    case LS_NODE_CROP:
        *class = "Cropping2D";
        return crop_config(node);
    case LS_NODE_UPSAMPLE:
        *class = "UpSampling2D";
        return upsampling_config(node);
    case LS_NODE_MAXPOOL:
        *class = "MaxPooling2D";
        return pool_config(node);
    case LS_NODE_AVGPOOL:
        *class = "AveragePooling2D";
        return pool_config(node);
    case LS_NODE_GLOBALPOOL:
        *class = "GlobalAveragePooling2D";
        return json_pack("{s:s}", "data_format", "channels_last");
    default:
        return sequence_config(node, class);
    }
}

/* Sets the class and the attributes of a node's layer. */
static json_t *layer_config(const ls_node *node, const char **class)
{
    switch (node->kind) {
    case LS_NODE_SHIFT:
        *class = "Rescaling";
        return json_pack("{s:f, s:o}", "scale", 1.0, "offset", numbers_of(node));
    case LS_NODE_SCALE:
        *class = "Rescaling";
        return json_pack("{s:o, s:f}", "scale", numbers_of(node), "offset", 0.0);
    case LS_NODE_FLATTEN:
        *class = "Flatten";
        return json_pack("{s:s}", "data_format", "channels_last");
    case LS_NODE_DENSE:
        *class = "Dense";
        return dense_config(node);
    case LS_NODE_BATCHNORM:
        *class = "BatchNormalization";
        return json_pack("{s:i, s:f}", "axis", -1, "epsilon", LS_BN_EPSILON);
    case LS_NODE_LAYERNORM:
        *class = "LayerNormalization";
        return json_pack("{s:[i], s:f}", "axis", -1, "epsilon", LS_BN_EPSILON);
    case LS_NODE_DROPOUT:
        *class = "Dropout";
        return json_pack("{s:f}", "rate", node->attributes.rate);
    case LS_NODE_LEAKY_RELU:
        *class = "LeakyReLU";
        return json_pack("{s:f}", "alpha", node->attributes.slope);
    case LS_NODE_ADD:
        *class = "Add";
        return json_object();
    case LS_NODE_CONCAT:
        *class = "Concatenate";
        return json_pack("{s:i}", "axis", -1);
    case LS_NODE_RELU:
        return activation_config("relu");
    case LS_NODE_GELU:
        return activation_config("gelu");
    case LS_NODE_SILU:
        return activation_config("swish");
    case LS_NODE_SIGMOID:
        return activation_config("sigmoid");
    case LS_NODE_TANH:
        return activation_config("tanh");
    case LS_NODE_SOFTMAX:
        return activation_config("softmax");
    default:
        return image_config(node, class);
    }
}

/* The shape of the network's input: no number of rows, then the dimensions of a row. */
static json_t *input_shape(const ls_export_graph *g)
{
    if (g->form != LS_FORM_IMAGE)
        return json_pack("[n,I]", (json_int_t)ls_shape_size(g->input));
    return json_pack("[n,I,I,I]", (json_int_t)g->input.height, (json_int_t)g->input.width,
                     (json_int_t)g->input.channels);
}

/* A list of layers under construction. */
typedef struct list {
    const ls_export_graph *graph;
    json_t *layers;
    bool chain;
} list;

/* Names a layer that reads two others, or one. */
static json_t *inbound_nodes(const char *first, const char *second)
{
    if (second == NULL)
        return json_pack("[[[s,i,i,{}]]]", first, 0, 0);
    return json_pack("[[[s,i,i,{}],[s,i,i,{}]]]", first, 0, 0, second, 0, 0);
}

/* Appends a layer.
 * config  taken
 * second  NULL: the layer reads one other */
static void append(list *l, const char *class, const char *name, json_t *config, const char *first,
                   const char *second)
{
    json_object_set_new(config, "name", json_string(name));
    if (json_object_get(config, "dtype") == NULL)
        json_object_set_new(config, "dtype", json_string("float32"));
    if (l->chain && json_array_size(l->layers) == 0)
        json_object_set_new(config, "batch_input_shape", input_shape(l->graph));
    json_t *layer = json_pack("{s:s, s:o}", "class_name", class, "config", config);
    if (!l->chain) {
        json_object_set_new(layer, "name", json_string(name));
        json_object_set_new(layer, "inbound_nodes",
                            first != NULL ? inbound_nodes(first, second) : json_array());
    }
    json_array_append_new(l->layers, layer);
}

/* Appends the layers before the Flatten of the last step: Keras crops images only.
 * name  of the last of them, [LS_NODE_NAME + 8] */
static void append_last(list *l, const ls_node *node, const char *input, char *name)
{
    char image[LS_NODE_NAME + 8];
    const json_int_t T = node->in.height;
    snprintf(image, sizeof image, "%s_image", node->name);
    snprintf(name, LS_NODE_NAME + 8, "%s_step", node->name);
    append(l, "Reshape", image,
           json_pack("{s:[I,i,I]}", "target_shape", T, 1, (json_int_t)node->in.channels), input,
           NULL);
    append(l, "Cropping2D", name,
           json_pack("{s:[[I,i],[i,i]], s:s}", "cropping", T - 1, 0, 0, 0, "data_format",
                     "channels_last"),
           image, NULL);
}

/* Appends the layers that a node has before its own, if it has any. Returns true if so.
 * name  of the last of them, [LS_NODE_NAME + 8] */
static bool append_first(list *l, const ls_node *node, const char *input, char *name)
{
    const bool pads = node->kind == LS_NODE_CONV && node->attributes.pad > 0;
    snprintf(name, LS_NODE_NAME + 8, "%s_%s", node->name, pads ? "pad" : "planes");
    if (pads)
        append(l, "ZeroPadding2D", name, pad_config(node), input, NULL);
    else if (node->kind == LS_NODE_UNFLATTEN)
        append(l, "Reshape", name, reshape_config(node), input, NULL);
    else if (node->kind == LS_NODE_LAST)
        append_last(l, node, input, name);
    else
        return false;
    return true;
}

/* Appends the layers of a node. */
static void append_node(list *l, const ls_node *node)
{
    const char *class = "Activation", *first = ls_graph_name(l->graph, node->input[0]);
    char before[LS_NODE_NAME + 8];
    json_t *config = layer_config(node, &class);
    if (append_first(l, node, first, before))
        first = before;
    append(l, class, node->name, config, first,
           node->inputs > 1 ? ls_graph_name(l->graph, node->input[1]) : NULL);
}

/* Attributes of an InputLayer, which tells the type of tokens. */
static json_t *begin_config(const ls_export_graph *g)
{
    json_t *config = json_pack("{s:o}", "batch_input_shape", input_shape(g));
    if (g->form == LS_FORM_TOKENS)
        json_object_set_new(config, "dtype", json_string("int32"));
    return config;
}

json_t *ls_keras_config(const ls_export_graph *graph)
{
    list l = {.graph = graph,
              .layers = json_array(),
              .chain = ls_graph_is_chain(graph) && graph->form != LS_FORM_TOKENS};
    const char *input = ls_graph_name(graph, LS_NODE_INPUT);
    const char *output = ls_graph_name(graph, graph->nodes - 1);
    if (!l.chain)
        append(&l, "InputLayer", input, begin_config(graph), NULL, NULL);
    for (int i = 0; i < graph->nodes; i++)
        append_node(&l, &graph->node[i]);
    json_t *config = json_pack("{s:s, s:o}", "name", "lockstep", "layers", l.layers);
    if (!l.chain) {
        json_object_set_new(config, "input_layers", json_pack("[[s,i,i]]", input, 0, 0));
        json_object_set_new(config, "output_layers", json_pack("[[s,i,i]]", output, 0, 0));
    }
    return json_pack("{s:s, s:o}", "class_name", l.chain ? "Sequential" : "Functional", "config",
                     config);
}
