/* PyTorch code for a module whose state dictionary is the exported safetensors file. A chain is an
 * nn.Sequential; another graph is a subclass of it with a forward() of its own, so that names are
 * the same in both. */
#include "interop/format.h"

#include <stdlib.h>
#include <string.h>

bool ls_torch_has_module(const ls_node *node)
{
    return node->inputs == 1;
}

/* Prints the constructor of a shift or scale: the shape of its numbers. */
static void print_step(const char *class, const ls_array *numbers, FILE *out)
{
    fprintf(out, "%s(", class);
    for (int i = 0; i < numbers->rank; i++)
        fprintf(out, "%s%lld", i > 0 ? ", " : "", (long long)numbers->dims[i]);
    fprintf(out, ")");
}

/* Prints the constructor of a node's module. */
static void print_module(const ls_node *node, FILE *out)
{
    const ls_attributes *a = &node->attributes;
    const long long in = node->in.channels, window = a->window, units = a->units;
    switch (node->kind) {
    case LS_NODE_SHIFT:
        print_step("Shift", &node->param[0], out);
        break;
    case LS_NODE_SCALE:
        print_step("Scale", &node->param[0], out);
        break;
    case LS_NODE_TRANSPOSE:
        fprintf(out, "ChannelsLast()");
        break;
    case LS_NODE_FLATTEN:
        fprintf(out, "nn.Flatten()");
        break;
    case LS_NODE_DENSE:
        fprintf(out, "nn.Linear(%lld, %lld%s)", in, units, node->params < 2 ? ", bias=False" : "");
        break;
    case LS_NODE_CONV:
        fprintf(out, "nn.Conv2d(%lld, %lld, %lld, stride=%lld, padding=%lld%s)", in, units, window,
                (long long)a->stride, (long long)a->pad, node->params < 2 ? ", bias=False" : "");
        break;
    case LS_NODE_MAXPOOL:
        fprintf(out, "nn.MaxPool2d(%lld)", window);
        break;
    case LS_NODE_AVGPOOL:
        fprintf(out, "nn.AvgPool2d(%lld)", window);
        break;
    case LS_NODE_GLOBALPOOL:
        fprintf(out, "nn.AdaptiveAvgPool2d(1)");
        break;
    case LS_NODE_BATCHNORM:
        fprintf(out, "nn.BatchNorm%dd(%lld, eps=%g)", node->flat ? 1 : 2, in, LS_BN_EPSILON);
        break;
    case LS_NODE_DROPOUT:
        fprintf(out, "nn.Dropout(%.9g)", a->rate);
        break;
    case LS_NODE_RELU:
        fprintf(out, "nn.ReLU()");
        break;
    case LS_NODE_LEAKY_RELU:
        fprintf(out, "nn.LeakyReLU(%g)", LS_LEAK);
        break;
    case LS_NODE_GELU:
        fprintf(out, "nn.GELU()");
        break;
    case LS_NODE_SILU:
        fprintf(out, "nn.SiLU()");
        break;
    case LS_NODE_SIGMOID:
        fprintf(out, "nn.Sigmoid()");
        break;
    case LS_NODE_TANH:
        fprintf(out, "nn.Tanh()");
        break;
    case LS_NODE_SOFTMAX:
        fprintf(out, "nn.Softmax(1)");
        break;
    case LS_NODE_UNFLATTEN: /* of formats with channels last only */
    case LS_NODE_ADD:
    case LS_NODE_CONCAT:
        break;
    }
}

static bool has_kind(const ls_export_graph *g, ls_node_kind kind)
{
    for (int i = 0; i < g->nodes; i++)
        if (g->node[i].kind == kind)
            return true;
    return false;
}

/* Prints the class of a shift or scale. */
static void print_step_class(const char *class, const char *name, const char *initial,
                             const char *operator, FILE * out)
{
    fprintf(out,
            "\nclass %s(nn.Module):\n"
            "    def __init__(self, *shape):\n"
            "        super().__init__()\n"
            "        self.register_buffer(\"%s\", torch.%s(shape))\n\n"
            "    def forward(self, x):\n"
            "        return x %s self.%s\n\n",
            class, name, initial, operator, name);
}

/* Prints the classes of modules that PyTorch does not have. */
static void print_classes(const ls_export_graph *g, FILE *out)
{
    if (has_kind(g, LS_NODE_SCALE))
        print_step_class("Scale", "scale", "ones", "*", out);
    if (has_kind(g, LS_NODE_SHIFT))
        print_step_class("Shift", "shift", "zeros", "+", out);
    if (has_kind(g, LS_NODE_TRANSPOSE))
        fprintf(out, "\nclass ChannelsLast(nn.Module):\n"
                     "    def forward(self, x):\n"
                     "        return x.permute(0, 2, 3, 1)\n\n");
}

/* Prints the name of a value: the input is x, the value of node 7 is v7. */
static void print_value(int at, FILE *out)
{
    if (at == LS_NODE_INPUT)
        fprintf(out, "x");
    else
        fprintf(out, "v%d", at);
}

/* Prints forward() of a graph that is not a chain. */
static void print_forward(const ls_export_graph *g, FILE *out)
{
    int module = 0;
    fprintf(out, "\nclass Net(nn.Sequential):\n    def forward(self, x):\n");
    for (int i = 0; i < g->nodes; i++) {
        const ls_node *node = &g->node[i];
        fprintf(out, "        v%d = ", i);
        if (ls_torch_has_module(node))
            fprintf(out, "self[%d](", module++);
        else if (node->kind == LS_NODE_CONCAT)
            fprintf(out, "torch.cat((");
        print_value(node->input[0], out);
        if (!ls_torch_has_module(node)) {
            fprintf(out, node->kind == LS_NODE_CONCAT ? ", " : " + ");
            print_value(node->input[1], out);
        }
        fprintf(out, "%s\n",
                ls_torch_has_module(node)      ? ")"
                : node->kind == LS_NODE_CONCAT ? "), 1)"
                                               : "");
    }
    fprintf(out, "        return v%d\n\n", g->nodes - 1);
}

void ls_torch_print(const ls_export_graph *graph, FILE *out)
{
    const bool chain = ls_graph_is_chain(graph);
    fprintf(out, "import torch\nfrom torch import nn\n\n");
    print_classes(graph, out);
    if (!chain)
        print_forward(graph, out);
    fprintf(out, "\nnet = %s(\n", chain ? "nn.Sequential" : "Net");
    for (int i = 0; i < graph->nodes; i++) {
        if (!ls_torch_has_module(&graph->node[i]))
            continue;
        fprintf(out, "    ");
        print_module(&graph->node[i], out);
        fprintf(out, ",\n");
    }
    fprintf(out, ")\nnet.eval()\n");
}

/* Prints a text as a literal of Python. */
static void print_literal(const char *text, FILE *out)
{
    fputc('"', out);
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++)
        if (*c < ' ' || *c == 0x7f)
            fprintf(out, "\\x%02x", *c);
        else
            fprintf(out, "%s%c", *c == '"' || *c == '\\' ? "\\" : "", *c);
    fputc('"', out);
}

/* Prints the lines that read the file. */
static void print_loading(const char *path, FILE *out)
{
    fprintf(out, "if __name__ == \"__main__\":\n"
                 "    from safetensors.torch import load_file\n\n"
                 "    net.load_state_dict(load_file(");
    print_literal(path, out);
    fprintf(out, "))\n");
}

ls_status ls_export_torch(const ls_export_source *source, const ls_export_options *options,
                          const char *path, char **out)
{
    ls_export_graph *graph = NULL;
    size_t length = 0;
    char *text = NULL;
    ls_status status =
        ls_export_graph_create(&graph, source, options, ls_export_style(LS_EXPORT_SAFETENSORS));
    if (status != LS_OK)
        return status;
    FILE *memory = open_memstream(&text, &length);
    if (memory != NULL) {
        ls_torch_print(graph, memory);
        print_loading(path, memory);
    }
    if (memory == NULL || fclose(memory) != 0) {
        free(text);
        status = ls_fail(LS_ERR_FAILURE, "out of memory for the PyTorch code");
    } else
        *out = text;
    ls_export_graph_destroy(&graph);
    return status;
}

void ls_export_free(char *text)
{
    free(text);
}
