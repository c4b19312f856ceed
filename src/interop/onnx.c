/* ONNX files, IR version 7 and opset 13, which readers since 2020 know. The messages are those of
 * onnx.proto. */
#include "interop/format.h"

#include "base/file.h"
#include "base/memory.h"
#include "interop/graph_params.h"
#include "interop/layout.h"
#include "interop/onnx_model.h"

#include <lockstep/version.h>

#include <assert.h>
#include <string.h>

enum { IR_VERSION = 7, OPSET = 13 };

/* The description of the network's input or output: name, type, and shape with N rows. */
typedef struct value_info {
    Onnx__ValueInfoProto proto;
    Onnx__TypeProto type;
    Onnx__TypeProto__Tensor tensor;
    Onnx__TensorShapeProto shape;
    Onnx__TensorShapeProto__Dimension dim[4], *dims[4];
} value_info;

/* Sets the dimensions of a value, without the rows; returns their number. */
static size_t dims_of(ls_form form, ls_shape shape, int64_t *dims)
{
    const bool steps_first = form == LS_FORM_SEQUENCE || form == LS_FORM_TOKENS;
    dims[0] = steps_first ? shape.height : shape.channels;
    dims[1] = steps_first ? shape.channels : shape.height;
    dims[2] = shape.width;
    return form == LS_FORM_IMAGE ? 3 : form == LS_FORM_SEQUENCE ? 2 : 1;
}

/* Describes a value with `count` dimensions, of which the first is the rows. */
static void describe(value_info *v, const char *name, int type, size_t count, const int64_t *dims)
{
    static char rows[] = "N";
    onnx__value_info_proto__init(&v->proto);
    onnx__type_proto__init(&v->type);
    onnx__type_proto__tensor__init(&v->tensor);
    onnx__tensor_shape_proto__init(&v->shape);
    v->proto.name = ls_onnx_borrow(name);
    v->proto.type = &v->type;
    v->type.tensor_type = &v->tensor;
    v->tensor.has_elem_type = 1;
    v->tensor.elem_type = type;
    v->tensor.shape = &v->shape;
    v->shape.dim = v->dims;
    v->shape.n_dim = count;
    for (size_t i = 0; i < v->shape.n_dim; i++) {
        onnx__tensor_shape_proto__dimension__init(v->dims[i] = &v->dim[i]);
        v->dim[i].has_dim_value = i > 0;
        v->dim[i].dim_value = dims[i];
        v->dim[i].dim_param = i > 0 ? NULL : rows;
    }
}

static void describe_value(value_info *v, const ls_onnx_model *m, int at)
{
    const ls_form form = ls_graph_form(m->graph, at);
    int64_t dims[4] = {0};
    const size_t count = 1 + dims_of(form, ls_graph_shape(m->graph, at), dims + 1);
    describe(v, ls_onnx_value(m, at),
             form == LS_FORM_TOKENS ? ONNX__TENSOR_PROTO__DATA_TYPE__INT64
                                    : ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT,
             count, dims);
}

/* Metadata as a list of messages. */
enum { FACTS = 16 };
typedef struct fact_list {
    Onnx__StringStringEntryProto fact[FACTS], *list[FACTS];
    size_t count;
} fact_list;

static void list_facts(json_t *metadata, fact_list *out)
{
    const char *key;
    json_t *value;
    json_object_foreach(metadata, key, value)
    {
        assert(out->count < FACTS);
        Onnx__StringStringEntryProto *fact = out->list[out->count] = &out->fact[out->count];
        onnx__string_string_entry_proto__init(fact);
        fact->key = ls_onnx_borrow(key);
        fact->value = ls_onnx_borrow(json_string_value(value));
        out->count++;
    }
}

/* Writes the packed model. */
static ls_status write_packed(const Onnx__ModelProto *proto, const char *path)
{
    const size_t bytes = onnx__model_proto__get_packed_size(proto);
    uint8_t *packed = ls_alloc((int64_t)bytes, 1);
    if (packed == NULL)
        return LS_ERR_FAILURE;
    onnx__model_proto__pack(proto, packed);
    const ls_status status = ls_write_file(path, (const char *)packed, bytes);
    ls_free(packed);
    return status;
}

static ls_status write_model(ls_onnx_model *m, json_t *metadata, const char *path)
{
    Onnx__ModelProto proto = ONNX__MODEL_PROTO__INIT;
    Onnx__GraphProto body = ONNX__GRAPH_PROTO__INIT;
    Onnx__OperatorSetIdProto opset = ONNX__OPERATOR_SET_ID_PROTO__INIT;
    Onnx__OperatorSetIdProto *opsets[] = {&opset};
    static char producer[] = "lockstep", version[] = LS_VERSION, domain[] = "";
    const int64_t rows = 0; /* any number */
    value_info input, output, lengths;
    Onnx__ValueInfoProto *inputs[] = {&input.proto, &lengths.proto}, *outputs[] = {&output.proto};
    fact_list facts = {.count = 0};
    list_facts(metadata, &facts);
    describe_value(&input, m, LS_NODE_INPUT);
    describe_value(&output, m, m->graph->nodes - 1);
    describe(&lengths, ls_onnx_lengths, ONNX__TENSOR_PROTO__DATA_TYPE__INT64, 1, &rows);
    body.name = producer;
    body.node = m->nodes, body.n_node = m->ops;
    body.initializer = m->initializers, body.n_initializer = m->tensors;
    body.input = inputs, body.n_input = m->graph->lengths ? 2 : 1;
    body.output = outputs, body.n_output = 1;
    opset.domain = domain;
    opset.has_version = 1, opset.version = OPSET;
    proto.has_ir_version = 1, proto.ir_version = IR_VERSION;
    proto.producer_name = producer;
    proto.producer_version = version;
    proto.graph = &body;
    proto.opset_import = opsets, proto.n_opset_import = 1;
    proto.metadata_props = facts.list, proto.n_metadata_props = facts.count;
    return write_packed(&proto, path);
}

/* Makes the model of a graph and writes it. */
static ls_status write_graph(const ls_export_graph *graph, json_t *metadata, const char *path)
{
    const int64_t ops = (int64_t)LS_ONNX_OPERATIONS * graph->nodes + LS_ONNX_OF_LENGTHS;
    const int64_t tensors = (int64_t)LS_ONNX_TENSORS * graph->nodes + LS_ONNX_OF_LENGTHS;
    ls_onnx_model m = {.graph = graph,
                       .op = ls_alloc(ops, sizeof *m.op),
                       .nodes = ls_alloc(ops, sizeof(void *)),
                       .tensor = ls_alloc(tensors, sizeof *m.tensor),
                       .initializers = ls_alloc(tensors, sizeof(void *))};
    ls_status status = LS_ERR_FAILURE;
    if (m.op != NULL && m.nodes != NULL && m.tensor != NULL && m.initializers != NULL) {
        for (int i = 0; i < graph->nodes; i++)
            ls_onnx_add_node(&m, i);
        status = write_model(&m, metadata, path);
    }
    ls_free(m.op);
    ls_free((void *)m.nodes);
    ls_free(m.tensor);
    ls_free((void *)m.initializers);
    return status;
}

/* An ONNX file begins with its IR version, then has the name of the program that wrote it. */
static bool is_onnx(const unsigned char *begin, size_t length)
{
    return length >= 3 && begin[0] == 0x08 && begin[1] < 0x80 && begin[2] == 0x12;
}

/* protobuf's messages are below 2 GiB; the rest of the model is below 1 MiB. */
static ls_status check_size(const ls_export_source *source, const char *path)
{
    const int64_t most = INT32_MAX - (1 << 20);
    const int64_t bytes = ls_graph_params_size(source->network) * (int64_t)sizeof(float);
    if (bytes <= most)
        return LS_OK;
    return ls_fail(LS_ERR_FAILURE,
                   "%s: the network has %.1f GiB of parameters, but an ONNX file is limited to 2 "
                   "GiB: export to .safetensors",
                   path, (double)bytes * 0x1p-30);
}

ls_status ls_onnx_write(const ls_export_source *source, const ls_export_options *options,
                        const char *path)
{
    ls_export_graph *graph = NULL;
    json_t *metadata = NULL;
    ls_status status = ls_refuse_other_kind(path, is_onnx, "ONNX");
    if (status == LS_OK)
        status = check_size(source, path);
    if (status == LS_OK)
        status = ls_export_graph_create(&graph, source, options, ls_export_style(LS_EXPORT_ONNX));
    if (status == LS_OK && (metadata = ls_export_metadata(source, options)) == NULL)
        status = ls_fail(LS_ERR_FAILURE, "out of memory for the metadata");
    if (status == LS_OK) {
        ls_layout_little_endian(graph->used, graph->values);
        status = write_graph(graph, metadata, path);
    }
    json_decref(metadata);
    ls_export_graph_destroy(&graph);
    return status;
}
