#include "interop/graph_params.h"

#include "base/memory.h"
#include "interop/layout.h"

#include <assert.h>
#include <string.h>

static bool is_recurrent(const char *kind)
{
    return strcmp(kind, "rnn") == 0 || strcmp(kind, "lstm") == 0 || strcmp(kind, "gru") == 0;
}

enum { SCALES = 4 }; /* numbers of an image's dimensions, and of the rows */

/* Numbers of a node that are no parameters of the layer: positions, a mask, second biases, the
 * matrix of latent variables. */
static int64_t extra_size(const ls_layer_info *layer)
{
    const int64_t T = layer->out.height, units = layer->attributes.units;
    if (strcmp(layer->kind, "position") == 0)
        return ls_shape_size(layer->out);
    if (layer->attributes.permuted)
        return T;
    if (strcmp(layer->kind, "upsample") == 0)
        return SCALES;
    if (strcmp(layer->kind, "gaussian") == 0)
        return ls_shape_size(layer->in[0]) * ls_shape_size(layer->out);
    if (strcmp(layer->kind, "attention") == 0 && layer->attributes.causal)
        return T * T;
    return is_recurrent(layer->kind) ? 2 * 4 * units : 0;
}

int64_t ls_graph_params_size(const ls_network *network)
{
    int64_t size = ls_network_size(network);
    for (int i = 0; i < ls_network_layers(network); i++) {
        const ls_layer_info layer = ls_network_layer(network, i);
        size += extra_size(&layer);
    }
    return size;
}

/* Adds a parameter to a node; returns its values, which are 0. */
static float *take(ls_export_graph *g, ls_node *node, int rank, const int64_t *dims)
{
    assert(node->params < LS_NODE_PARAMS && rank <= LS_PARAM_MAX_RANK);
    ls_array *array = &node->param[node->params++];
    float *values = g->values + g->used;
    *array = (ls_array){.values = values, .rank = rank, .count = 1};
    for (int i = 0; i < rank; i++)
        array->count *= array->dims[i] = dims[i];
    g->used += array->count;
    return values;
}

static void copy(float *to, const float *from, int64_t count)
{
    memcpy(to, from, (size_t)count * sizeof *to);
}

/* Adds a matrix of a dense layer or of attention.
 * room  for a permuted copy; used if the node's input is permuted */
static void add_matrix(ls_export_graph *g, ls_node *node, const ls_param *param, const float *from,
                       float *room)
{
    const int64_t in = param->shape[0], out = param->shape[1];
    const bool steps = g->format == LS_EXPORT_ONNX && node->form == LS_FORM_SEQUENCE;
    const bool transposed = g->channels_first && !steps;
    float *to = take(g, node, 2, transposed ? (int64_t[]){out, in} : param->shape);
    if (node->permuted) {
        ls_layout_features(node->image, g->planar, out, from, transposed ? room : to);
        from = room;
    }
    if (transposed)
        ls_layout_transpose(in, out, from, to);
    else if (!node->permuted)
        copy(to, from, param->count);
}

/* Adds filters [K][K][C][F], or of steps [K][C][F]. */
static void add_filters(ls_export_graph *g, ls_node *node, const ls_param *param, const float *from)
{
    const int64_t *dims = param->shape;
    const int taps = param->rank - 2; /* dimensions */
    const int64_t K = dims[0], C = dims[taps], F = dims[taps + 1];
    if (g->channels_first)
        ls_layout_filters(taps == 2 ? K * K : K, C, F, from,
                          take(g, node, param->rank, (int64_t[]){F, C, K, K}));
    else
        copy(take(g, node, param->rank, dims), from, param->count);
}

/* Adds a vector; `features` if it has one number for each feature of the node's input. */
static void add_vector(ls_export_graph *g, ls_node *node, const ls_param *param, const float *from,
                       bool features)
{
    /* ONNX computes a layer normalisation of images from operations that compare the last
     * dimensions. */
    const bool planes = g->format == LS_EXPORT_ONNX && node->kind == LS_NODE_LAYERNORM &&
                        node->form == LS_FORM_IMAGE;
    float *to = take(g, node, planes ? 3 : 1, (int64_t[]){param->shape[0], 1, 1});
    if (features && node->permuted)
        ls_layout_features(node->image, g->planar, 1, from, to);
    else
        copy(to, from, param->count);
}

/* Order of Lockstep's gates in a format. */
static const int *order_of(const ls_export_graph *g, ls_node_kind kind)
{
    static const int same[] = {0, 1, 2, 3}, onnx_lstm[] = {0, 3, 1, 2} /* i, o, f, g */;
    static const int torch_gru[] = {1, 0, 2}; /* r, z, n */
    if (g->format == LS_EXPORT_ONNX && kind == LS_NODE_LSTM)
        return onnx_lstm;
    return g->format == LS_EXPORT_SAFETENSORS && kind == LS_NODE_GRU ? torch_gru : same;
}

/* Writes a weight [G H][rows] from [rows][G H], with the gates in the format's order; a bias has
 * one row. */
static void order_gates(const ls_export_graph *g, const ls_node *node, int64_t rows, int64_t GH,
                        const float *from, float *to)
{
    const int *order = order_of(g, node->kind);
    const int64_t H = node->attributes.units;
    for (int64_t j = 0; j < GH; j++)
        for (int64_t i = 0; i < rows; i++)
            to[j * rows + i] = from[i * GH + order[j / H] * H + j % H];
}

enum { WEIGHT, STATE_WEIGHT, BIAS, RECURRENT_PARAMS };

/* Adds the parameters of a recurrent layer as ONNX has them. */
static void add_onnx_recurrent(ls_export_graph *g, ls_node *node, const ls_param *param,
                               const float *params, int directions)
{
    const int64_t I = param[WEIGHT].shape[0], GH = param[WEIGHT].shape[1];
    const int64_t H = node->attributes.units;
    float *W = take(g, node, 3, (int64_t[]){directions, GH, I});
    float *R = take(g, node, 3, (int64_t[]){directions, GH, H});
    float *B = take(g, node, 2, (int64_t[]){directions, 2 * GH});
    for (int d = 0; d < directions; d++, param += RECURRENT_PARAMS) {
        const float *b = params + param[BIAS].offset;
        order_gates(g, node, I, GH, params + param[WEIGHT].offset, W + d * GH * I);
        order_gates(g, node, H, GH, params + param[STATE_WEIGHT].offset, R + d * GH * H);
        order_gates(g, node, 1, GH, b, B + d * 2 * GH);
        if (param[BIAS].rank == 2)
            order_gates(g, node, 1, GH, b + GH, B + d * 2 * GH + GH);
    }
}

/* The same for one direction in PyTorch. */
static void add_torch_direction(ls_export_graph *g, ls_node *node, const ls_param *param,
                                const float *params)
{
    const int64_t I = param[WEIGHT].shape[0], GH = param[WEIGHT].shape[1];
    const int64_t H = node->attributes.units;
    const float *b = params + param[BIAS].offset;
    order_gates(g, node, I, GH, params + param[WEIGHT].offset,
                take(g, node, 2, (int64_t[]){GH, I}));
    order_gates(g, node, H, GH, params + param[STATE_WEIGHT].offset,
                take(g, node, 2, (int64_t[]){GH, H}));
    order_gates(g, node, 1, GH, b, take(g, node, 1, &GH));
    float *second = take(g, node, 1, &GH);
    if (param[BIAS].rank == 2)
        order_gates(g, node, 1, GH, b + GH, second);
}

static void add_recurrent(ls_export_graph *g, ls_node *node, const ls_param *param,
                          const float *params, int count)
{
    if (g->format == LS_EXPORT_ONNX)
        add_onnx_recurrent(g, node, param, params, count / RECURRENT_PARAMS);
    for (int k = 0; g->format == LS_EXPORT_SAFETENSORS && k < count; k += RECURRENT_PARAMS)
        add_torch_direction(g, node, param + k, params);
    for (int k = 0; g->format == LS_EXPORT_KERAS && k < count; k++)
        copy(take(g, node, param[k].rank, param[k].shape), params + param[k].offset,
             param[k].count);
}

/* Adds the mask of causal attention; the same steps have the same mask. */
static void add_mask(ls_export_graph *g, ls_node *node)
{
    const int64_t T = node->out.height;
    for (const ls_node *other = g->node; other < node; other++)
        if (other->kind == LS_NODE_ATTENTION && other->attributes.causal &&
            other->out.height == T) {
            node->param[node->params++] = other->param[other->params - 1];
            return;
        }
    float *mask = take(g, node, 2, (int64_t[]){T, T});
    for (int64_t t = 0; t < T; t++)
        for (int64_t key = t + 1; key < T; key++)
            mask[t * T + key] = -LS_FAR;
}

/* Adds a parameter of a layer that is not recurrent. */
static void add_param(ls_export_graph *g, ls_node *node, const ls_param *param, const float *from,
                      float *room)
{
    if (param->rank > 2)
        add_filters(g, node, param, from);
    else if (node->kind == LS_NODE_EMBEDDING)
        copy(take(g, node, 2, param->shape), from, param->count);
    else if (param->rank == 2)
        add_matrix(g, node, param, from, room);
    else
        add_vector(g, node, param, from,
                   node->kind == LS_NODE_BATCHNORM || node->kind == LS_NODE_LAYERNORM);
}

ls_status ls_graph_add_params(ls_export_graph *graph, const ls_export_source *source, int at,
                              const ls_layer_info *layer)
{
    int rows;
    ls_node *node = &graph->node[at];
    const ls_param *param = ls_network_params(source->network, &rows) + layer->first_param;
    float *room = node->permuted ? ls_alloc(layer->parameters, sizeof *room) : NULL;
    if (node->permuted && room == NULL)
        return LS_ERR_FAILURE;
    if (is_recurrent(layer->kind))
        add_recurrent(graph, node, param, source->params, layer->params);
    else
        for (int i = 0; i < layer->params; i++)
            add_param(graph, node, &param[i], source->params + param[i].offset, room);
    if (node->kind == LS_NODE_ATTENTION && node->attributes.causal &&
        graph->format == LS_EXPORT_ONNX)
        add_mask(graph, node);
    ls_free(room);
    return LS_OK;
}

/* The numbers of steps are floats, as all values of the graph. */
static ls_status add_order(ls_export_graph *g, ls_node *node)
{
    const int64_t T = node->out.height;
    int32_t *order = ls_alloc(T, sizeof *order);
    if (order == NULL)
        return LS_ERR_FAILURE;
    float *to = take(g, node, 1, &T);
    ls_pixel_order(node->attributes.seed, T, order);
    for (int64_t t = 0; t < T; t++)
        to[t] = (float)order[t];
    ls_free(order);
    return LS_OK;
}

/* Adds the matrix that makes latent variables, which are the means: the first half of the
 * inputs. */
static void add_means(ls_export_graph *g, ls_node *node)
{
    const int64_t L = node->out.channels, in = 2 * L;
    node->attributes.units = L;
    float *to = take(g, node, 2, g->channels_first ? (int64_t[]){L, in} : (int64_t[]){in, L});
    for (int64_t i = 0; i < L; i++)
        to[g->channels_first ? i * in + i : i * L + i] = 1;
}

ls_status ls_graph_add_constants(ls_export_graph *graph, int at)
{
    ls_node *node = &graph->node[at];
    const int64_t T = node->out.height, F = node->out.channels;
    if (node->kind == LS_NODE_PERMUTE)
        return add_order(graph, node);
    if (node->kind == LS_NODE_UPSAMPLE && graph->format == LS_EXPORT_ONNX) {
        float *scales = take(graph, node, 1, (int64_t[]){SCALES});
        scales[0] = scales[1] = 1;
        scales[2] = scales[3] = (float)node->attributes.window;
    }
    if (node->kind == LS_NODE_DENSE && node->params == 0)
        add_means(graph, node);
    if (node->kind == LS_NODE_SHIFT)
        ls_position_vectors(T, F, take(graph, node, 2, (int64_t[]){T, F}));
    return LS_OK;
}
