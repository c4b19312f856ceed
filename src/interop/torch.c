/* PyTorch code for a module whose state dictionary is the exported safetensors file. A chain is an
 * nn.Sequential; another graph is a subclass of it with a forward() of its own, so that names are
 * the same in both. */
#include "interop/format.h"

#include <assert.h>
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

/* Prints the constructor of a recurrent layer. */
static void print_recurrent(const char *class, const ls_node *node, FILE *out)
{
    const ls_attributes *a = &node->attributes;
    fprintf(out, "%s(%lld, %lld%s%s%s)", class, (long long)node->in.channels, (long long)a->units,
            a->all ? ", all=True" : "", a->reverse ? ", reverse=True" : "",
            a->both ? ", both=True" : "");
}

/* Prints that of a layer of sequences; returns false of other kinds. */
static bool print_sequence_module(const ls_node *node, FILE *out)
{
    const long long features = node->in.channels, units = node->attributes.units;
    switch (node->kind) {
    case LS_NODE_SEQUENCE:
        fprintf(out, "Reshape(%lld, %lld)", (long long)node->out.height,
                (long long)node->out.channels);
        return true;
    case LS_NODE_EMBEDDING:
        fprintf(out, "nn.Embedding(%lld, %lld)", (long long)node->attributes.vocabulary, units);
        return true;
    case LS_NODE_RNN:
        print_recurrent("RNN", node, out);
        return true;
    case LS_NODE_LSTM:
        print_recurrent("LSTM", node, out);
        return true;
    case LS_NODE_GRU:
        print_recurrent("GRU", node, out);
        return true;
    case LS_NODE_CONV1D:
        fprintf(out, "Conv1d(%lld, %lld, %lld, before=%lld%s)", features, units,
                (long long)node->attributes.window, (long long)ls_conv1d_before(&node->attributes),
                node->params < 2 ? ", bias=False" : "");
        return true;
    case LS_NODE_PERMUTE:
        fprintf(out, "Order(%lld)", (long long)node->out.height);
        return true;
    case LS_NODE_ATTENTION:
        fprintf(out, "Attention(%lld, %lld%s)", features, units,
                node->attributes.causal ? ", causal=True" : "");
        return true;
    case LS_NODE_LAST:
        fprintf(out, "Last()");
        return true;
    case LS_NODE_MEANSTEPS:
        fprintf(out, "MeanOfSteps()");
        return true;
    case LS_NODE_MAXSTEPS:
        fprintf(out, "MaximumOfSteps()");
        return true;
    default:
        return false;
    }
}

/* Prints the constructor of a convolution, or a transposed one. */
static void print_conv(const char *class, const ls_node *node, FILE *out)
{
    const ls_attributes *a = &node->attributes;
    fprintf(out, "nn.%s(%lld, %lld, %lld, stride=%lld, padding=%lld%s)", class,
            (long long)node->in.channels, (long long)a->units, (long long)a->window,
            (long long)a->stride, (long long)a->pad, node->params < 2 ? ", bias=False" : "");
}

/* Prints the constructor of a normalisation. */
static void print_norm(const ls_node *node, FILE *out)
{
    static const char *const batch[] = {"nn.BatchNorm2d", "nn.BatchNorm1d", "BatchNormOfSteps"};
    static const char *const layer[] = {"LayerNormOfPixels", "nn.LayerNorm", "nn.LayerNorm"};
    fprintf(out, "%s(%lld, eps=%g)",
            node->kind == LS_NODE_BATCHNORM ? batch[node->form] : layer[node->form],
            (long long)node->in.channels, LS_BN_EPSILON);
}

/* Prints that of a layer of images; returns false of other kinds. */
static bool print_image_module(const ls_node *node, FILE *out)
{
    const long long window = node->attributes.window;
    switch (node->kind) {
    case LS_NODE_CONV:
        print_conv("Conv2d", node, out);
        return true;
    case LS_NODE_DECONV:
        print_conv("ConvTranspose2d", node, out);
        return true;
    case LS_NODE_UPSAMPLE:
        fprintf(out, "nn.Upsample(scale_factor=%lld)", window);
        return true;
    case LS_NODE_UNFLATTEN:
        fprintf(out, "nn.Unflatten(1, (%lld, %lld, %lld))", (long long)node->out.channels,
                (long long)node->out.height, (long long)node->out.width);
        return true;
    case LS_NODE_MAXPOOL:
        fprintf(out, "nn.MaxPool2d(%lld)", window);
        return true;
    case LS_NODE_AVGPOOL:
        fprintf(out, "nn.AvgPool2d(%lld)", window);
        return true;
    case LS_NODE_GLOBALPOOL:
        fprintf(out, "nn.AdaptiveAvgPool2d(1)");
        return true;
    default:
        return false;
    }
}

/* Prints the constructor of a node's module. */
static void print_module(const ls_node *node, FILE *out)
{
    const ls_attributes *a = &node->attributes;
    const long long in = node->in.channels, units = a->units;
    if (print_sequence_module(node, out) || print_image_module(node, out))
        return;
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
    case LS_NODE_BATCHNORM:
    case LS_NODE_LAYERNORM:
        print_norm(node, out);
        break;
    case LS_NODE_DROPOUT:
        fprintf(out, "nn.Dropout(%.9g)", a->rate);
        break;
    case LS_NODE_RELU:
        fprintf(out, "nn.ReLU()");
        break;
    case LS_NODE_LEAKY_RELU:
        fprintf(out, "nn.LeakyReLU(%.9g)", a->slope);
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
        fprintf(out, "nn.Softmax(%d)", node->form == LS_FORM_SEQUENCE ? 2 : 1);
        break;
    default:
        assert(!ls_torch_has_module(node));
        break;
    }
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
                : node->kind == LS_NODE_CONCAT ? node->form == LS_FORM_SEQUENCE ? "), 2)" : "), 1)"
                                               : "");
    }
    fprintf(out, "        return v%d\n\n", g->nodes - 1);
}

void ls_torch_print(const ls_export_graph *graph, FILE *out)
{
    const bool chain = ls_graph_is_chain(graph);
    fprintf(out, "import torch\nfrom torch import nn\n\n");
    ls_torch_print_classes(graph, out);
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
