/* An ONNX model under construction. Included by onnx*.c only. */
#ifndef LS_INTEROP_ONNX_MODEL_H
#define LS_INTEROP_ONNX_MODEL_H

#include "interop/graph.h"
#include "onnx.pb-c.h"

enum {
    LS_ONNX_INPUTS = 5,
    LS_ONNX_ATTRIBUTES = 4,
    LS_ONNX_INTS = 4,
    LS_ONNX_NAME = LS_NODE_NAME + 16
};

/* Most operations of a node, and tensors beside parameters. */
enum { LS_ONNX_OPERATIONS = 5, LS_ONNX_CONSTANTS = 8 };

typedef struct ls_onnx_operation {
    Onnx__NodeProto proto;
    char *input[LS_ONNX_INPUTS], *output[1];
    char name[LS_ONNX_NAME];
    Onnx__AttributeProto attribute[LS_ONNX_ATTRIBUTES], *attributes[LS_ONNX_ATTRIBUTES];
    int64_t ints[LS_ONNX_ATTRIBUTES][LS_ONNX_INTS];
} ls_onnx_operation;

typedef struct ls_onnx_tensor {
    Onnx__TensorProto proto;
    char name[LS_ONNX_NAME];
    int64_t dims[LS_PARAM_MAX_RANK];
    float value; /* of a constant */
} ls_onnx_tensor;

typedef struct ls_onnx_model {
    const ls_export_graph *graph;
    ls_onnx_operation *op;   /* [LS_ONNX_OPERATIONS * nodes] */
    Onnx__NodeProto **nodes; /* [ops] */
    size_t ops;
    ls_onnx_tensor *tensor;           /* [LS_NODE_PARAMS * nodes + LS_ONNX_CONSTANTS] */
    Onnx__TensorProto **initializers; /* [tensors] */
    size_t tensors;
} ls_onnx_model;

/* Adds the operations and tensors of a node. Local. */
void ls_onnx_add_node(ls_onnx_model *m, int at);

/* Returns a text as protobuf-c's messages have it, not const; they do not write to it. Local. */
static inline char *ls_onnx_borrow(const char *text)
{
    return (char *)(uintptr_t)text;
}

#endif
