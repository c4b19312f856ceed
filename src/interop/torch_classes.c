/* PyTorch code of the modules that PyTorch does not have, as far as a graph needs them. */
#include "interop/format.h"

/* Returns true if a graph has a node of a kind, and, unless it is -1, of a form. */
static bool has_kind(const ls_export_graph *g, ls_node_kind kind, int form)
{
    for (int i = 0; i < g->nodes; i++)
        if (g->node[i].kind == kind && (form < 0 || (int)g->node[i].form == form))
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

/* Code of classes that need no numbers.
 *    kind, form (-1: any), code */
static const struct {
    ls_node_kind kind;
    int form;
    const char *code;
} classes[] = {
    {LS_NODE_TRANSPOSE, -1,
     "class ChannelsLast(nn.Module):\n"
     "    def forward(self, x):\n"
     "        return x.permute(0, 2, 3, 1)\n"},
    {LS_NODE_SEQUENCE, -1,
     "class Reshape(nn.Module):\n"
     "    def __init__(self, *shape):\n"
     "        super().__init__()\n"
     "        self.shape = shape\n\n"
     "    def forward(self, x):\n"
     "        return x.reshape(len(x), *self.shape)\n"},
    {LS_NODE_PERMUTE, -1,
     "class Order(nn.Module):\n"
     "    def __init__(self, steps):\n"
     "        super().__init__()\n"
     "        self.register_buffer(\"order\", torch.zeros(steps))\n\n"
     "    def forward(self, x):\n"
     "        return x[:, self.order.long()]\n"},
    {LS_NODE_CONV1D, -1,
     "class Conv1d(nn.Conv1d):\n"
     "    def __init__(self, features, filters, window, before, bias=True):\n"
     "        super().__init__(features, filters, window, bias=bias)\n"
     "        self.zeros = before, window - 1 - before\n\n"
     "    def forward(self, x):\n"
     "        return super().forward(nn.functional.pad(x.transpose(1, 2), "
     "self.zeros)).transpose(1, 2)\n"},
    {LS_NODE_ATTENTION, -1,
     "class Attention(nn.MultiheadAttention):\n"
     "    def __init__(self, features, heads, causal=False):\n"
     "        super().__init__(features, heads, batch_first=True)\n"
     "        self.causal = causal\n\n"
     "    def forward(self, x):\n"
     "        steps = x.shape[1]\n"
     "        later = torch.ones(steps, steps, dtype=torch.bool, device=x.device).triu(1)\n"
     "        mask = later if self.causal else None\n"
     "        return super().forward(x, x, x, attn_mask=mask, need_weights=False)[0]\n"},
    {LS_NODE_LAST, -1,
     "class Last(nn.Module):\n"
     "    def forward(self, x):\n"
     "        return x[:, -1]\n"},
    {LS_NODE_MEANSTEPS, -1,
     "class MeanOfSteps(nn.Module):\n"
     "    def forward(self, x):\n"
     "        return x.mean(1)\n"},
    {LS_NODE_MAXSTEPS, -1,
     "class MaximumOfSteps(nn.Module):\n"
     "    def forward(self, x):\n"
     "        return x.amax(1)\n"},
    {LS_NODE_BATCHNORM, LS_FORM_SEQUENCE,
     "class BatchNormOfSteps(nn.BatchNorm1d):\n"
     "    def forward(self, x):\n"
     "        return super().forward(x.transpose(1, 2)).transpose(1, 2)\n"},
    {LS_NODE_LAYERNORM, LS_FORM_IMAGE,
     "class LayerNormOfPixels(nn.LayerNorm):\n"
     "    def forward(self, x):\n"
     "        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)\n"},
};

/* What the classes of recurrent layers share: the parameters are those of PyTorch's own. */
static const char recurrent[] =
    "class Recurrent:\n"
    "    def __init__(self, inputs, units, all=False, reverse=False, both=False):\n"
    "        super().__init__(inputs, units, batch_first=True, bidirectional=both)\n"
    "        self.all, self.reverse = all, reverse\n\n"
    "    def forward(self, x):\n"
    "        y, state = super().forward(x.flip(1) if self.reverse else x)\n"
    "        if self.all:\n"
    "            return y.flip(1) if self.reverse else y\n"
    "        state = state[0] if isinstance(state, tuple) else state\n"
    "        return state.transpose(0, 1).flatten(1)\n";

static void print_recurrent_classes(const ls_export_graph *g, FILE *out)
{
    static const ls_node_kind kinds[] = {LS_NODE_RNN, LS_NODE_LSTM, LS_NODE_GRU};
    static const char *const names[] = {"RNN", "LSTM", "GRU"};
    bool shared = false;
    for (int i = 0; i < 3; i++) {
        if (!has_kind(g, kinds[i], -1))
            continue;
        if (!shared)
            fprintf(out, "\n%s\n", recurrent);
        shared = true;
        fprintf(out, "\nclass %s(Recurrent, nn.%s):\n    pass\n\n", names[i], names[i]);
    }
}

void ls_torch_print_classes(const ls_export_graph *g, FILE *out)
{
    if (has_kind(g, LS_NODE_SCALE, -1))
        print_step_class("Scale", "scale", "ones", "*", out);
    if (has_kind(g, LS_NODE_SHIFT, -1))
        print_step_class("Shift", "shift", "zeros", "+", out);
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (has_kind(g, classes[i].kind, classes[i].form))
            fprintf(out, "\n%s\n", classes[i].code);
    print_recurrent_classes(g, out);
}
