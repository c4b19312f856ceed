/* The operations of ONNX that compute a node. Forms that OpenCV 4.6 misreads are avoided: a Gemm
 * without transB = 1, a Reshape with a fixed number of rows, constants [1][C][1][1]. */
#include "interop/layout.h"
#include "interop/onnx_model.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* The name of a node's value. */
static const char *value_name(const ls_onnx_model *m, int at)
{
    if (at == m->graph->nodes - 1)
        return "output";
    return at == LS_NODE_INPUT ? "input" : ls_graph_name(m->graph, at);
}

/* Adds an operation that makes the value of node `at`, or, with a suffix, an intermediate value. */
static ls_onnx_operation *add_operation(ls_onnx_model *m, int at, const char *suffix,
                                        const char *type)
{
    ls_onnx_operation *op = &m->op[m->ops];
    onnx__node_proto__init(&op->proto);
    snprintf(op->name, sizeof op->name, "%s%s", ls_graph_name(m->graph, at), suffix);
    op->proto.name = op->name;
    op->proto.op_type = ls_onnx_borrow(type);
    op->proto.input = op->input;
    op->proto.output = op->output;
    op->proto.n_output = 1;
    op->output[0] = *suffix != '\0' ? op->name : ls_onnx_borrow(value_name(m, at));
    op->proto.attribute = op->attributes;
    m->nodes[m->ops++] = &op->proto;
    return op;
}

static void add_input(ls_onnx_operation *op, const char *name)
{
    assert(op->proto.n_input < LS_ONNX_INPUTS);
    op->input[op->proto.n_input++] = ls_onnx_borrow(name);
}

static Onnx__AttributeProto *add_attribute(ls_onnx_operation *op, const char *name, int type)
{
    const size_t at = op->proto.n_attribute++;
    assert(at < LS_ONNX_ATTRIBUTES);
    Onnx__AttributeProto *attribute = op->attributes[at] = &op->attribute[at];
    onnx__attribute_proto__init(attribute);
    attribute->name = ls_onnx_borrow(name);
    attribute->has_type = 1;
    attribute->type = (Onnx__AttributeProto__Type)type;
    return attribute;
}

static void set_int(ls_onnx_operation *op, const char *name, int64_t value)
{
    Onnx__AttributeProto *attribute = add_attribute(op, name, ONNX__ATTRIBUTE_PROTO__TYPE__INT);
    attribute->has_i = 1;
    attribute->i = value;
}

static void set_float(ls_onnx_operation *op, const char *name, float value)
{
    Onnx__AttributeProto *attribute = add_attribute(op, name, ONNX__ATTRIBUTE_PROTO__TYPE__FLOAT);
    attribute->has_f = 1;
    attribute->f = value;
}

/* Sets an attribute to `count` integers. */
static void set_ints(ls_onnx_operation *op, const char *name, size_t count, const int64_t *values)
{
    int64_t *ints = op->ints[op->proto.n_attribute];
    Onnx__AttributeProto *attribute = add_attribute(op, name, ONNX__ATTRIBUTE_PROTO__TYPE__INTS);
    memcpy(ints, values, count * sizeof *ints);
    attribute->ints = ints;
    attribute->n_ints = count;
}

/* Sets an attribute to `count` times the same integer. */
static void set_equal_ints(ls_onnx_operation *op, const char *name, size_t count, int64_t value)
{
    const int64_t values[LS_ONNX_INTS] = {value, value, value, value};
    set_ints(op, name, count, values);
}

/* Adds a tensor. Its name and values must be set, too. */
static ls_onnx_tensor *add_tensor(ls_onnx_model *m, int rank, const int64_t *dims,
                                  const float *values)
{
    ls_onnx_tensor *t = &m->tensor[m->tensors];
    onnx__tensor_proto__init(&t->proto);
    size_t bytes = sizeof *values;
    for (int i = 0; i < rank; i++)
        bytes *= (size_t)(t->dims[i] = dims[i]);
    t->proto.dims = t->dims;
    t->proto.n_dims = (size_t)rank;
    t->proto.has_data_type = 1;
    t->proto.data_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    t->proto.has_raw_data = 1;
    t->proto.raw_data = (ProtobufCBinaryData){.len = bytes, .data = (uint8_t *)(uintptr_t)values};
    t->proto.name = t->name;
    m->initializers[m->tensors++] = &t->proto;
    return t;
}

/* Adds a number as a second input of an operation; equal names share a tensor. */
static void add_constant(ls_onnx_model *m, ls_onnx_operation *op, const char *name, float value)
{
    for (size_t i = 0; i < m->tensors; i++)
        if (strcmp(m->tensor[i].name, name) == 0) {
            add_input(op, m->tensor[i].name);
            return;
        }
    ls_onnx_tensor *t = add_tensor(m, 1, (int64_t[]){1}, NULL);
    t->value = value;
    ls_layout_little_endian(1, &t->value);
    t->proto.raw_data.data = (uint8_t *)&t->value;
    snprintf(t->name, sizeof t->name, "%s", name);
    add_input(op, t->name);
}

/* Adds a node's parameters as inputs of an operation. */
static void add_params(ls_onnx_model *m, ls_onnx_operation *op, const ls_node *node)
{
    static const char *const weights[] = {"weight", "bias"};
    static const char *const statistics[] = {"scale", "shift", "mean", "variance"};
    const char *const *names = node->kind == LS_NODE_BATCHNORM ? statistics
                               : node->kind == LS_NODE_SCALE   ? &statistics[0]
                               : node->kind == LS_NODE_SHIFT   ? &statistics[1]
                                                               : weights;
    for (int i = 0; i < node->params; i++) {
        const ls_array *a = &node->param[i];
        ls_onnx_tensor *t = add_tensor(m, a->rank, a->dims, a->values);
        snprintf(t->name, sizeof t->name, "%s.%s", node->name, names[i]);
        add_input(op, t->name);
    }
}

/* An operation on the node's input. */
static ls_onnx_operation *begin(ls_onnx_model *m, int at, const char *suffix, const char *type)
{
    ls_onnx_operation *op = add_operation(m, at, suffix, type);
    add_input(op, value_name(m, m->graph->node[at].input[0]));
    return op;
}

/* OpenCV 4.6 makes an Add and a Mul of one number one operation, scale x + shift, which loses the
 * digits of numbers far from 0: an Identity keeps them apart. */
static void make_shift(ls_onnx_model *m, int at)
{
    const ls_node *node = &m->graph->node[at];
    const bool apart = at + 1 < m->graph->nodes && node[1].kind == LS_NODE_SCALE;
    ls_onnx_operation *sum = begin(m, at, apart ? ".sum" : "", "Add");
    add_params(m, sum, node);
    if (apart)
        add_input(add_operation(m, at, "", "Identity"), sum->output[0]);
}

static void make_scale(ls_onnx_model *m, int at)
{
    add_params(m, begin(m, at, "", "Mul"), &m->graph->node[at]);
}

static void make_dense(ls_onnx_model *m, int at)
{
    ls_onnx_operation *op = begin(m, at, "", "Gemm");
    add_params(m, op, &m->graph->node[at]);
    set_int(op, "transB", 1);
}

static void make_conv(ls_onnx_model *m, int at)
{
    const ls_node *node = &m->graph->node[at];
    ls_onnx_operation *op = begin(m, at, "", "Conv");
    add_params(m, op, node);
    set_equal_ints(op, "kernel_shape", 2, node->attributes.window);
    set_equal_ints(op, "strides", 2, node->attributes.stride);
    set_equal_ints(op, "pads", 4, node->attributes.pad);
}

static void make_pool(ls_onnx_model *m, int at, const char *type)
{
    const ls_attributes *a = &m->graph->node[at].attributes;
    ls_onnx_operation *op = begin(m, at, "", type);
    set_equal_ints(op, "kernel_shape", 2, a->window);
    set_equal_ints(op, "strides", 2, a->stride);
}

static void make_batchnorm(ls_onnx_model *m, int at)
{
    ls_onnx_operation *op = begin(m, at, "", "BatchNormalization");
    add_params(m, op, &m->graph->node[at]);
    set_float(op, "epsilon", (float)LS_BN_EPSILON);
}

/* 0.5 x (1 + erf(x sqrt(0.5))): the operator Gelu came with opset 20. */
static void make_gelu(ls_onnx_model *m, int at)
{
    const char *x = value_name(m, m->graph->node[at].input[0]);
    ls_onnx_operation *scaled = begin(m, at, ".scaled", "Mul");
    add_constant(m, scaled, "sqrt_half", 0.70710678f);
    ls_onnx_operation *error = add_operation(m, at, ".erf", "Erf");
    add_input(error, scaled->output[0]);
    ls_onnx_operation *sum = add_operation(m, at, ".sum", "Add");
    add_input(sum, error->output[0]);
    add_constant(m, sum, "one", 1);
    ls_onnx_operation *product = add_operation(m, at, ".product", "Mul");
    add_input(product, x);
    add_input(product, sum->output[0]);
    ls_onnx_operation *half = add_operation(m, at, "", "Mul");
    add_input(half, product->output[0]);
    add_constant(m, half, "half", 0.5f);
}

static void make_silu(ls_onnx_model *m, int at)
{
    ls_onnx_operation *gate = begin(m, at, ".sigmoid", "Sigmoid");
    ls_onnx_operation *product = begin(m, at, "", "Mul");
    add_input(product, gate->output[0]);
}

static void make_join(ls_onnx_model *m, int at, const char *type)
{
    ls_onnx_operation *op = begin(m, at, "", type);
    add_input(op, value_name(m, m->graph->node[at].input[1]));
    if (m->graph->node[at].kind == LS_NODE_CONCAT)
        set_int(op, "axis", 1);
}

void ls_onnx_add_node(ls_onnx_model *m, int at)
{
    static const int64_t to_channels_last[] = {0, 2, 3, 1};
    switch (m->graph->node[at].kind) {
    case LS_NODE_SHIFT:
        make_shift(m, at);
        break;
    case LS_NODE_SCALE:
        make_scale(m, at);
        break;
    case LS_NODE_TRANSPOSE:
        set_ints(begin(m, at, "", "Transpose"), "perm", 4, to_channels_last);
        break;
    case LS_NODE_FLATTEN:
        set_int(begin(m, at, "", "Flatten"), "axis", 1);
        break;
    case LS_NODE_DENSE:
        make_dense(m, at);
        break;
    case LS_NODE_CONV:
        make_conv(m, at);
        break;
    case LS_NODE_MAXPOOL:
        make_pool(m, at, "MaxPool");
        break;
    case LS_NODE_AVGPOOL:
        make_pool(m, at, "AveragePool");
        break;
    case LS_NODE_GLOBALPOOL:
        begin(m, at, "", "GlobalAveragePool");
        break;
    case LS_NODE_BATCHNORM:
        make_batchnorm(m, at);
        break;
    case LS_NODE_UNFLATTEN: /* of formats with channels last only */
    case LS_NODE_DROPOUT:   /* of formats that have it */
        begin(m, at, "", "Identity");
        break;
    case LS_NODE_RELU:
        begin(m, at, "", "Relu");
        break;
    case LS_NODE_LEAKY_RELU:
        set_float(begin(m, at, "", "LeakyRelu"), "alpha", (float)LS_LEAK);
        break;
    case LS_NODE_GELU:
        make_gelu(m, at);
        break;
    case LS_NODE_SILU:
        make_silu(m, at);
        break;
    case LS_NODE_SIGMOID:
        begin(m, at, "", "Sigmoid");
        break;
    case LS_NODE_TANH:
        begin(m, at, "", "Tanh");
        break;
    case LS_NODE_SOFTMAX:
        set_int(begin(m, at, "", "Softmax"), "axis", 1);
        break;
    case LS_NODE_ADD:
        make_join(m, at, "Add");
        break;
    case LS_NODE_CONCAT:
        make_join(m, at, "Concat");
        break;
    }
}
