#include "interop/graph_ends.h"

#include <assert.h>

int64_t ls_graph_ends_size(const ls_export_source *source)
{
    return 2 * (1 + source->inputs.count + source->targets.count);
}

/* Appends a shift or scale by the `count` numbers behind those in use, or by one number if they are
 * equal; nothing if it changes nothing. Returns the number of the value. */
static int append_step(ls_export_graph *g, ls_node_kind kind, const char *name, const char *suffix,
                       int input, int64_t count)
{
    const float *value = g->values + g->used;
    const float neutral = kind == LS_NODE_SCALE ? 1 : 0;
    bool equal = true;
    for (int64_t k = 1; k < count; k++)
        equal = equal && value[k] == value[0];
    if (equal && value[0] == neutral)
        return input;
    const int at = ls_graph_append(g, kind, name, suffix, input);
    const int64_t numbers = equal ? 1 : count;
    const bool planes = g->channels_first && g->node[at].form == LS_FORM_IMAGE && !equal;
    g->node[at].params = 1;
    g->node[at].param[0] = (ls_array){
        .values = value, .rank = planes ? 3 : 1, .dims = {numbers, 1, 1}, .count = numbers};
    g->used += numbers;
    return at;
}

/* Appends a shift or scale by one number. */
static int append_number(ls_export_graph *g, ls_node_kind kind, const char *suffix, int input,
                         float number)
{
    g->values[g->used] = number;
    return append_step(g, kind, "normalise", suffix, input, 1);
}

/* Appends (x - mean) (1 / std) of columns. */
static int append_standardisation(ls_export_graph *g, const ls_column_scale *c, int at)
{
    for (int64_t k = 0; k < c->count; k++)
        g->values[g->used + k] = -(float)c->mean[k];
    at = append_step(g, LS_NODE_SHIFT, "standardise", "_centre", at, c->count);
    for (int64_t k = 0; k < c->count; k++)
        g->values[g->used + k] = (float)(1 / c->std[k]);
    return append_step(g, LS_NODE_SCALE, "standardise", "", at, c->count);
}

int ls_graph_append_normalisation(ls_export_graph *graph, const ls_export_source *source)
{
    int at = append_number(graph, LS_NODE_SCALE, "", LS_NODE_INPUT, graph->scale);
    at = append_number(graph, LS_NODE_SHIFT, "_shift", at, graph->shift);
    return source->inputs.count > 0 ? append_standardisation(graph, &source->inputs, at) : at;
}

/* Appends standard deviation and mean of the targets' columns; of each channel if the value is an
 * image, whose columns have those of their channels. */
static int append_units(ls_export_graph *g, const ls_column_scale *c, int at)
{
    const ls_shape shape = ls_graph_shape(g, at);
    const int64_t stride = shape.height * shape.width;
    assert(shape.channels * stride == c->count);
    float *value = g->values + g->used;
    for (int64_t k = 0; k < shape.channels; k++)
        value[k] = (float)c->std[k * stride];
    at = append_step(g, LS_NODE_SCALE, "values", "_scale", at, shape.channels);
    value = g->values + g->used;
    for (int64_t k = 0; k < shape.channels; k++)
        value[k] = (float)c->mean[k * stride];
    return append_step(g, LS_NODE_SHIFT, "values", "", at, shape.channels);
}

/* Appends what makes a vector [C][H][W] an image. */
static int append_unflatten(ls_export_graph *g, int vector)
{
    const int at = ls_graph_append(g, LS_NODE_UNFLATTEN, "image", "", vector);
    g->node[at].out = g->input;
    g->node[at].form = LS_FORM_IMAGE;
    return at;
}

void ls_graph_append_values(ls_export_graph *graph, const ls_export_source *source, bool logits,
                            int at)
{
    if (graph->rearranged)
        at = append_unflatten(graph, at);
    if (!logits && source->targets.count > 0)
        at = append_units(graph, &source->targets, at);
    if (graph->rearranged)
        ls_graph_append_flatten(graph, at, "outputs", "");
}
