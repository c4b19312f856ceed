/* The operations of ONNX that compute a node. Forms that OpenCV 4.6 misreads are avoided: a Gemm
 * without transB = 1, a Reshape with a fixed number of rows, constants [1][C][1][1]. */
#include "interop/onnx_model.h"

#include <assert.h>

/* Sets an attribute to `count` times the same integer. */
static void set_equal_ints(ls_onnx_operation *op, const char *name, size_t count, int64_t value)
{
    const int64_t values[LS_ONNX_INTS] = {value, value, value, value};
    ls_onnx_ints(op, name, count, values);
}

/* OpenCV 4.6 makes an Add and a Mul of one number one operation, scale x + shift, which loses the
 * digits of numbers far from 0: an Identity keeps them apart. */
static void make_shift(ls_onnx_model *m, int at)
{
    const ls_node *node = &m->graph->node[at];
    const bool apart = at + 1 < m->graph->nodes && node[1].kind == LS_NODE_SCALE;
    ls_onnx_operation *sum = ls_onnx_begin(m, at, apart ? ".sum" : "", "Add");
    ls_onnx_params(m, sum, at);
    if (apart)
        ls_onnx_input(ls_onnx_add(m, at, "", "Identity"), sum->output[0]);
}

static void make_scale(ls_onnx_model *m, int at)
{
    ls_onnx_params(m, ls_onnx_begin(m, at, "", "Mul"), at);
}

static void make_dense(ls_onnx_model *m, int at)
{
    if (m->graph->node[at].form == LS_FORM_SEQUENCE) {
        ls_onnx_add_dense_of_steps(m, at);
        return;
    }
    ls_onnx_operation *op = ls_onnx_begin(m, at, "", "Gemm");
    ls_onnx_params(m, op, at);
    ls_onnx_int(op, "transB", 1);
}

static void make_conv(ls_onnx_model *m, int at, const char *type)
{
    const ls_node *node = &m->graph->node[at];
    ls_onnx_operation *op = ls_onnx_begin(m, at, "", type);
    ls_onnx_params(m, op, at);
    set_equal_ints(op, "kernel_shape", 2, node->attributes.window);
    set_equal_ints(op, "strides", 2, node->attributes.stride);
    set_equal_ints(op, "pads", 4, node->attributes.pad);
}

/* Scales, not sizes, which would be those of a fixed number of rows. */
static void make_upsampling(ls_onnx_model *m, int at)
{
    ls_onnx_operation *op = ls_onnx_begin(m, at, "", "Resize");
    ls_onnx_input(op, ""); /* no region of interest */
    ls_onnx_params(m, op, at);
    ls_onnx_text(op, "mode", "nearest");
    ls_onnx_text(op, "coordinate_transformation_mode", "asymmetric");
    ls_onnx_text(op, "nearest_mode", "floor");
}

static void make_pool(ls_onnx_model *m, int at, const char *type)
{
    const ls_attributes *a = &m->graph->node[at].attributes;
    ls_onnx_operation *op = ls_onnx_begin(m, at, "", type);
    set_equal_ints(op, "kernel_shape", 2, a->window);
    set_equal_ints(op, "strides", 2, a->stride);
}

static void make_batchnorm(ls_onnx_model *m, int at)
{
    static const int64_t features_first[] = {0, 2, 1};
    const bool steps = m->graph->node[at].form == LS_FORM_SEQUENCE;
    ls_onnx_operation *op =
        ls_onnx_begin(m, at, steps ? ".features" : "", steps ? "Transpose" : "BatchNormalization");
    if (steps) {
        ls_onnx_ints(op, "perm", 3, features_first);
        op = ls_onnx_then(m, at, ".normalised", "BatchNormalization", op);
    }
    ls_onnx_params(m, op, at);
    ls_onnx_float(op, "epsilon", (float)LS_BN_EPSILON);
    if (steps)
        ls_onnx_ints(ls_onnx_then(m, at, "", "Transpose", op), "perm", 3, features_first);
}

/* The dimension of channels, or of the features of a sequence. */
static int64_t channel_axis(const ls_onnx_model *m, int at)
{
    return m->graph->node[at].form == LS_FORM_SEQUENCE ? 2 : 1;
}

static ls_onnx_operation *make_mean(ls_onnx_operation *op, int64_t axis)
{
    ls_onnx_ints(op, "axes", 1, &axis);
    ls_onnx_int(op, "keepdims", 1);
    return op;
}

/* scale d / sqrt(mean of d d + epsilon) + shift, d = x - mean of x: the operator LayerNormalization
 * came with opset 17. */
static void make_layernorm(ls_onnx_model *m, int at)
{
    const int64_t axis = channel_axis(m, at);
    ls_onnx_operation *mean = make_mean(ls_onnx_begin(m, at, ".mean", "ReduceMean"), axis);
    ls_onnx_operation *centred = ls_onnx_begin(m, at, ".centred", "Sub");
    ls_onnx_input(centred, mean->output[0]);
    ls_onnx_operation *squares = ls_onnx_then(m, at, ".squares", "Mul", centred);
    ls_onnx_input(squares, centred->output[0]);
    ls_onnx_operation *variance =
        make_mean(ls_onnx_then(m, at, ".variance", "ReduceMean", squares), axis);
    ls_onnx_operation *sum = ls_onnx_then(m, at, ".sum", "Add", variance);
    ls_onnx_constant(m, sum, "epsilon", (float)LS_BN_EPSILON);
    ls_onnx_operation *deviation = ls_onnx_then(m, at, ".deviation", "Sqrt", sum);
    ls_onnx_operation *normalised = ls_onnx_then(m, at, ".normalised", "Div", centred);
    ls_onnx_input(normalised, deviation->output[0]);
    ls_onnx_operation *scaled = ls_onnx_then(m, at, ".scaled", "Mul", normalised);
    ls_onnx_param(m, scaled, at, 0);
    ls_onnx_param(m, ls_onnx_then(m, at, "", "Add", scaled), at, 1);
}

/* 0.5 x (1 + erf(x sqrt(0.5))): the operator Gelu came with opset 20. */
static void make_gelu(ls_onnx_model *m, int at)
{
    const char *x = ls_onnx_value(m, m->graph->node[at].input[0]);
    ls_onnx_operation *scaled = ls_onnx_begin(m, at, ".scaled", "Mul");
    ls_onnx_constant(m, scaled, "sqrt_half", 0.70710678f);
    ls_onnx_operation *error = ls_onnx_add(m, at, ".erf", "Erf");
    ls_onnx_input(error, scaled->output[0]);
    ls_onnx_operation *sum = ls_onnx_add(m, at, ".sum", "Add");
    ls_onnx_input(sum, error->output[0]);
    ls_onnx_constant(m, sum, "one", 1);
    ls_onnx_operation *product = ls_onnx_add(m, at, ".product", "Mul");
    ls_onnx_input(product, x);
    ls_onnx_input(product, sum->output[0]);
    ls_onnx_operation *half = ls_onnx_add(m, at, "", "Mul");
    ls_onnx_input(half, product->output[0]);
    ls_onnx_constant(m, half, "half", 0.5f);
}

static void make_silu(ls_onnx_model *m, int at)
{
    ls_onnx_operation *gate = ls_onnx_begin(m, at, ".sigmoid", "Sigmoid");
    ls_onnx_operation *product = ls_onnx_begin(m, at, "", "Mul");
    ls_onnx_input(product, gate->output[0]);
}

static void make_join(ls_onnx_model *m, int at, const char *type)
{
    ls_onnx_operation *op = ls_onnx_begin(m, at, "", type);
    ls_onnx_input(op, ls_onnx_value(m, m->graph->node[at].input[1]));
    if (m->graph->node[at].kind == LS_NODE_CONCAT)
        ls_onnx_int(op, "axis", channel_axis(m, at));
}

static void make_flatten(ls_onnx_model *m, int at)
{
    ls_onnx_int(ls_onnx_begin(m, at, "", "Flatten"), "axis", 1);
}

static void make_transpose(ls_onnx_model *m, int at)
{
    static const int64_t to_channels_last[] = {0, 2, 3, 1};
    ls_onnx_ints(ls_onnx_begin(m, at, "", "Transpose"), "perm", 4, to_channels_last);
}

static void make_leaky_relu(ls_onnx_model *m, int at)
{
    ls_onnx_float(ls_onnx_begin(m, at, "", "LeakyRelu"), "alpha",
                  (float)m->graph->node[at].attributes.slope);
}

static void make_softmax(ls_onnx_model *m, int at)
{
    ls_onnx_int(ls_onnx_begin(m, at, "", "Softmax"), "axis", channel_axis(m, at));
}

/* How nodes are computed: by an operation of a type, with what `make` adds to it; or by several. */
static const struct maker {
    const char *type;
    void (*make)(ls_onnx_model *m, int at, const char *type);
    void (*compose)(ls_onnx_model *m, int at);
} makers[] = {
    [LS_NODE_SHIFT] = {.compose = make_shift},
    [LS_NODE_SCALE] = {.compose = make_scale},
    [LS_NODE_TRANSPOSE] = {.compose = make_transpose},
    [LS_NODE_FLATTEN] = {.compose = make_flatten},
    [LS_NODE_UNFLATTEN] = {.compose = ls_onnx_add_image},
    [LS_NODE_SEQUENCE] = {.compose = ls_onnx_add_sequence},
    [LS_NODE_DENSE] = {.compose = make_dense},
    [LS_NODE_CONV] = {"Conv", make_conv},
    [LS_NODE_DECONV] = {"ConvTranspose", make_conv},
    [LS_NODE_CROP] = {"Identity"}, /* of Keras only */
    [LS_NODE_CONV1D] = {.compose = ls_onnx_add_conv1d},
    [LS_NODE_PERMUTE] = {.compose = ls_onnx_add_order},
    [LS_NODE_MAXPOOL] = {"MaxPool", make_pool},
    [LS_NODE_AVGPOOL] = {"AveragePool", make_pool},
    [LS_NODE_GLOBALPOOL] = {"GlobalAveragePool"},
    [LS_NODE_UPSAMPLE] = {.compose = make_upsampling},
    [LS_NODE_EMBEDDING] = {.compose = ls_onnx_add_embedding},
    [LS_NODE_RNN] = {"RNN", ls_onnx_add_recurrent},
    [LS_NODE_LSTM] = {"LSTM", ls_onnx_add_recurrent},
    [LS_NODE_GRU] = {"GRU", ls_onnx_add_recurrent},
    [LS_NODE_ATTENTION] = {.compose = ls_onnx_add_attention},
    [LS_NODE_LAST] = {.compose = ls_onnx_add_last},
    [LS_NODE_MEANSTEPS] = {"ReduceMean", ls_onnx_add_pool_of_steps},
    [LS_NODE_MAXSTEPS] = {"ReduceMax", ls_onnx_add_pool_of_steps},
    [LS_NODE_BATCHNORM] = {.compose = make_batchnorm},
    [LS_NODE_LAYERNORM] = {.compose = make_layernorm},
    [LS_NODE_DROPOUT] = {"Identity"}, /* of formats that have it */
    [LS_NODE_NOISE] = {"Identity"},   /* of none */
    [LS_NODE_RELU] = {"Relu"},
    [LS_NODE_LEAKY_RELU] = {.compose = make_leaky_relu},
    [LS_NODE_GELU] = {.compose = make_gelu},
    [LS_NODE_SILU] = {.compose = make_silu},
    [LS_NODE_SIGMOID] = {"Sigmoid"},
    [LS_NODE_TANH] = {"Tanh"},
    [LS_NODE_SOFTMAX] = {.compose = make_softmax},
    [LS_NODE_ADD] = {"Add", make_join},
    [LS_NODE_CONCAT] = {"Concat", make_join},
};

void ls_onnx_add_node(ls_onnx_model *m, int at)
{
    const struct maker *maker = &makers[m->graph->node[at].kind];
    assert(maker->compose != NULL || maker->type != NULL);
    if (maker->compose != NULL)
        maker->compose(m, at);
    else if (maker->make != NULL)
        maker->make(m, at, maker->type);
    else
        ls_onnx_begin(m, at, "", maker->type);
}
