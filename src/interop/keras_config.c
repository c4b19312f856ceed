/* The configuration of a Keras model: a Sequential, or for a graph that is no chain a Functional.
 * Only keys that all versions know are written; the input's shape is an attribute of the first
 * layer, since old versions lose the weights of a Sequential with an input layer. */
#include "interop/format.h"

#include <string.h>

/* Attributes of a layer in Keras' terms; `pad` layers come before convolutions. */
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

static json_t *activation_config(const char *name)
{
    return json_pack("{s:s}", "activation", name);
}

/* Sets the class and the attributes of a node's layer. */
static json_t *layer_config(const ls_export_graph *g, const ls_node *node, const char **class)
{
    static const char *const data_format = "data_format", *const last = "channels_last";
    switch (node->kind) {
    case LS_NODE_SCALE:
        *class = "Rescaling";
        return json_pack("{s:f, s:f}", "scale", (double)g->scale, "offset", (double)g->shift);
    case LS_NODE_TRANSPOSE:
        *class = "Permute";
        return json_pack("{s:[i,i,i]}", "dims", 3, 1, 2);
    case LS_NODE_FLATTEN:
        *class = "Flatten";
        return json_pack("{s:s}", data_format, last);
    case LS_NODE_DENSE:
        *class = "Dense";
        return dense_config(node);
    case LS_NODE_CONV:
        *class = "Conv2D";
        return conv_config(node);
    case LS_NODE_MAXPOOL:
        *class = "MaxPooling2D";
        return pool_config(node);
    case LS_NODE_AVGPOOL:
        *class = "AveragePooling2D";
        return pool_config(node);
    case LS_NODE_GLOBALPOOL:
        *class = "GlobalAveragePooling2D";
        return json_pack("{s:s}", data_format, last);
    case LS_NODE_BATCHNORM:
        *class = "BatchNormalization";
        return json_pack("{s:i, s:f}", "axis", -1, "epsilon", LS_BN_EPSILON);
    case LS_NODE_DROPOUT:
        *class = "Dropout";
        return json_pack("{s:f}", "rate", node->attributes.rate);
    case LS_NODE_LEAKY_RELU:
        *class = "LeakyReLU";
        return json_pack("{s:f}", "alpha", LS_LEAK);
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
    }
    return NULL;
}

/* The shape of the network's input: no number of rows, then the dimensions of a row. */
static json_t *input_shape(const ls_export_graph *g)
{
    if (g->flat)
        return json_pack("[n,I]", (json_int_t)g->input.channels);
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

/* Appends the layers of a node. */
static void append_node(list *l, const ls_node *node)
{
    const char *class = "Activation", *first = ls_graph_name(l->graph, node->input[0]);
    char pad[LS_NODE_NAME + 8];
    json_t *config = layer_config(l->graph, node, &class);
    if (node->kind == LS_NODE_CONV && node->attributes.pad > 0) {
        snprintf(pad, sizeof pad, "%s_pad", node->name);
        append(l, "ZeroPadding2D", pad, pad_config(node), first, NULL);
        first = pad;
    }
    append(l, class, node->name, config, first,
           node->inputs > 1 ? ls_graph_name(l->graph, node->input[1]) : NULL);
}

json_t *ls_keras_config(const ls_export_graph *graph)
{
    list l = {.graph = graph, .layers = json_array(), .chain = ls_graph_is_chain(graph)};
    const char *output = ls_graph_name(graph, graph->nodes - 1);
    if (!l.chain)
        append(&l, "InputLayer", "input",
               json_pack("{s:o}", "batch_input_shape", input_shape(graph)), NULL, NULL);
    for (int i = 0; i < graph->nodes; i++)
        append_node(&l, &graph->node[i]);
    json_t *config = json_pack("{s:s, s:o}", "name", "lockstep", "layers", l.layers);
    if (!l.chain) {
        json_object_set_new(config, "input_layers", json_pack("[[s,i,i]]", "input", 0, 0));
        json_object_set_new(config, "output_layers", json_pack("[[s,i,i]]", output, 0, 0));
    }
    return json_pack("{s:s, s:o}", "class_name", l.chain ? "Sequential" : "Functional", "config",
                     config);
}
