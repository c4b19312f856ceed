#include "interop/graph.h"

#include <stdio.h>

ls_form ls_graph_form(const ls_export_graph *graph, int at)
{
    return at == LS_NODE_INPUT ? graph->form : graph->node[at].form;
}

ls_shape ls_graph_shape(const ls_export_graph *graph, int at)
{
    return at == LS_NODE_INPUT ? graph->input : graph->node[at].out;
}

const char *ls_graph_name(const ls_export_graph *graph, int at)
{
    return at == LS_NODE_INPUT ? graph->form == LS_FORM_TOKENS ? "tokens" : "input"
                               : graph->node[at].name;
}

int ls_graph_append(ls_export_graph *graph, ls_node_kind kind, const char *name, const char *suffix,
                    int input)
{
    const int at = graph->nodes++;
    ls_node *node = &graph->node[at];
    const ls_shape shape = ls_graph_shape(graph, input);
    *node = (ls_node){.kind = kind,
                      .inputs = 1,
                      .input = {input, LS_NODE_INPUT},
                      .in = shape,
                      .out = shape,
                      .form = ls_graph_form(graph, input)};
    if (input != LS_NODE_INPUT) {
        node->permuted = graph->node[input].permuted;
        node->image = graph->node[input].image;
    }
    snprintf(node->name, sizeof node->name, "%s%s", name, suffix);
    return at;
}

int ls_graph_append_flatten(ls_export_graph *graph, int image, const char *name, const char *suffix)
{
    const int at = ls_graph_append(graph, LS_NODE_FLATTEN, name, suffix, image);
    graph->node[at].out = (ls_shape){ls_shape_size(ls_graph_shape(graph, image)), 1, 1};
    graph->node[at].form = LS_FORM_VECTOR;
    return at;
}

int ls_graph_append_sequence(ls_export_graph *graph, int value, const char *name,
                             const char *suffix, ls_shape shape)
{
    const int at = ls_graph_append(graph, LS_NODE_SEQUENCE, name, suffix, value);
    graph->node[at].out = shape;
    graph->node[at].form = LS_FORM_SEQUENCE;
    return at;
}

bool ls_graph_is_chain(const ls_export_graph *graph)
{
    for (int i = 0; i < graph->nodes; i++)
        if (graph->node[i].inputs != 1 || graph->node[i].input[0] != i - 1)
            return false;
    return true;
}
