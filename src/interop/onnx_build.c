/* The operations and tensors of an ONNX model under construction. */
#include "interop/layout.h"
#include "interop/onnx_model.h"

#include <assert.h>
#include <endian.h>
#include <stdio.h>
#include <string.h>

const char *ls_onnx_value(const ls_onnx_model *m, int at)
{
    if (at == m->graph->nodes - 1)
        return "output";
    return ls_graph_name(m->graph, at);
}

ls_onnx_operation *ls_onnx_add(ls_onnx_model *m, int at, const char *suffix, const char *type)
{
    ls_onnx_operation *op = &m->op[m->ops];
    onnx__node_proto__init(&op->proto);
    snprintf(op->name, sizeof op->name, "%s%s", ls_graph_name(m->graph, at), suffix);
    op->proto.name = op->name;
    op->proto.op_type = ls_onnx_borrow(type);
    op->proto.input = op->input;
    op->proto.output = op->output;
    op->proto.n_output = 1;
    op->output[0] = *suffix != '\0' ? op->name : ls_onnx_borrow(ls_onnx_value(m, at));
    op->proto.attribute = op->attributes;
    m->nodes[m->ops++] = &op->proto;
    return op;
}

void ls_onnx_input(ls_onnx_operation *op, const char *name)
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

void ls_onnx_int(ls_onnx_operation *op, const char *name, int64_t value)
{
    Onnx__AttributeProto *attribute = add_attribute(op, name, ONNX__ATTRIBUTE_PROTO__TYPE__INT);
    attribute->has_i = 1;
    attribute->i = value;
}

void ls_onnx_float(ls_onnx_operation *op, const char *name, float value)
{
    Onnx__AttributeProto *attribute = add_attribute(op, name, ONNX__ATTRIBUTE_PROTO__TYPE__FLOAT);
    attribute->has_f = 1;
    attribute->f = value;
}

void ls_onnx_ints(ls_onnx_operation *op, const char *name, size_t count, const int64_t *values)
{
    int64_t *ints = op->ints[op->proto.n_attribute];
    Onnx__AttributeProto *attribute = add_attribute(op, name, ONNX__ATTRIBUTE_PROTO__TYPE__INTS);
    memcpy(ints, values, count * sizeof *ints);
    attribute->ints = ints;
    attribute->n_ints = count;
}

void ls_onnx_text(ls_onnx_operation *op, const char *name, const char *value)
{
    Onnx__AttributeProto *attribute = add_attribute(op, name, ONNX__ATTRIBUTE_PROTO__TYPE__STRING);
    attribute->has_s = 1;
    attribute->s =
        (ProtobufCBinaryData){.len = strlen(value), .data = (uint8_t *)ls_onnx_borrow(value)};
}

/* Adds a tensor whose values, of 4 or 8 bytes, are borrowed. Its name must be set, too. */
static ls_onnx_tensor *add_tensor(ls_onnx_model *m, int type, int rank, const int64_t *dims,
                                  const void *values)
{
    ls_onnx_tensor *t = &m->tensor[m->tensors];
    onnx__tensor_proto__init(&t->proto);
    size_t bytes = type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT ? sizeof(float) : sizeof(int64_t);
    for (int i = 0; i < rank; i++)
        bytes *= (size_t)(t->dims[i] = dims[i]);
    t->proto.dims = t->dims;
    t->proto.n_dims = (size_t)rank;
    t->proto.has_data_type = 1;
    t->proto.data_type = type;
    t->proto.has_raw_data = 1;
    t->proto.raw_data = (ProtobufCBinaryData){.len = bytes, .data = (uint8_t *)(uintptr_t)values};
    t->proto.name = t->name;
    m->initializers[m->tensors++] = &t->proto;
    return t;
}

/* Adds a tensor of the model as an input if there is one of these values, or of this name. */
static bool reuse_tensor(ls_onnx_model *m, ls_onnx_operation *op, const char *name,
                         const void *values)
{
    for (size_t i = 0; i < m->tensors; i++)
        if ((values != NULL && m->tensor[i].proto.raw_data.data == values) ||
            (name != NULL && strcmp(m->tensor[i].name, name) == 0)) {
            ls_onnx_input(op, m->tensor[i].name);
            return true;
        }
    return false;
}

void ls_onnx_constant(ls_onnx_model *m, ls_onnx_operation *op, const char *name, float value)
{
    if (reuse_tensor(m, op, name, NULL))
        return;
    ls_onnx_tensor *t =
        add_tensor(m, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, 1, (int64_t[]){1}, NULL);
    t->value = value;
    ls_layout_little_endian(1, &t->value);
    t->proto.raw_data.data = (uint8_t *)&t->value;
    snprintf(t->name, sizeof t->name, "%s", name);
    ls_onnx_input(op, t->name);
}

void ls_onnx_integers(ls_onnx_model *m, ls_onnx_operation *op, const char *suffix, int count,
                      const int64_t *values)
{
    const int64_t dims[] = {count};
    ls_onnx_tensor *t =
        add_tensor(m, ONNX__TENSOR_PROTO__DATA_TYPE__INT64, count == 0 ? 0 : 1, dims, NULL);
    for (int i = 0; i == 0 || i < count; i++)
        t->ints[i] = (int64_t)htole64((uint64_t)values[i]);
    t->proto.raw_data.data = (uint8_t *)t->ints;
    snprintf(t->name, sizeof t->name, "%s%s", op->name, suffix);
    ls_onnx_input(op, t->name);
}

/* The names of a node's parameters. */
static const char *const *names_of(const ls_node *node)
{
    static const char *const weights[] = {"weight", "bias", "mix_weight", "mix_bias"};
    static const char *const statistics[] = {"scale", "shift", "mean", "variance"};
    static const char *const recurrent[] = {"weight", "recurrent", "bias"};
    static const char *const order[] = {"order"};
    static const char *const scales[] = {"scales"};
    switch (node->kind) {
    case LS_NODE_BATCHNORM:
    case LS_NODE_LAYERNORM:
    case LS_NODE_SCALE:
        return statistics;
    case LS_NODE_SHIFT:
        return &statistics[1];
    case LS_NODE_PERMUTE:
        return order;
    case LS_NODE_UPSAMPLE:
        return scales;
    default:
        return ls_node_is_recurrent(node) ? recurrent : weights;
    }
}

void ls_onnx_param(ls_onnx_model *m, ls_onnx_operation *op, int at, int k)
{
    const ls_node *node = &m->graph->node[at];
    const ls_array *a = &node->param[k];
    if (reuse_tensor(m, op, NULL, a->values))
        return;
    ls_onnx_tensor *t =
        add_tensor(m, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, a->rank, a->dims, a->values);
    if (node->kind == LS_NODE_ATTENTION && k == LS_ATTENTION_MASK)
        snprintf(t->name, sizeof t->name, "causal_%lld", (long long)a->dims[0]);
    else
        snprintf(t->name, sizeof t->name, "%s.%s", node->name, names_of(node)[k]);
    ls_onnx_input(op, t->name);
}

void ls_onnx_params(ls_onnx_model *m, ls_onnx_operation *op, int at)
{
    for (int k = 0; k < m->graph->node[at].params; k++)
        ls_onnx_param(m, op, at, k);
}

ls_onnx_operation *ls_onnx_begin(ls_onnx_model *m, int at, const char *suffix, const char *type)
{
    ls_onnx_operation *op = ls_onnx_add(m, at, suffix, type);
    ls_onnx_input(op, ls_onnx_value(m, m->graph->node[at].input[0]));
    return op;
}

ls_onnx_operation *ls_onnx_then(ls_onnx_model *m, int at, const char *suffix, const char *type,
                                const ls_onnx_operation *before)
{
    ls_onnx_operation *op = ls_onnx_add(m, at, suffix, type);
    ls_onnx_input(op, before->output[0]);
    return op;
}

ls_onnx_operation *ls_onnx_split(ls_onnx_model *m, int at, const ls_onnx_operation *before,
                                 int64_t axis)
{
    ls_onnx_operation *op = ls_onnx_then(m, at, ".parts", "Split", before);
    ls_onnx_int(op, "axis", axis);
    op->proto.n_output = LS_ONNX_OUTPUTS;
    for (int i = 0; i < LS_ONNX_OUTPUTS; i++) {
        snprintf(op->part[i], sizeof op->part[i], "%s.parts%d", ls_graph_name(m->graph, at), i);
        op->output[i] = op->part[i];
    }
    return op;
}
