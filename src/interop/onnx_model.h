/* An ONNX model under construction. Included by onnx*.c only. */
#ifndef LS_INTEROP_ONNX_MODEL_H
#define LS_INTEROP_ONNX_MODEL_H

#include "interop/graph.h"
#include "onnx.pb-c.h"

enum {
    LS_ONNX_INPUTS = 5,
    LS_ONNX_OUTPUTS = 3,
    LS_ONNX_ATTRIBUTES = 4,
    LS_ONNX_INTS = 5,
    LS_ONNX_NAME = LS_NODE_NAME + 16
};

/* Most operations of a node, and tensors: parameters and constants. */
enum { LS_ONNX_OPERATIONS = 24, LS_ONNX_TENSORS = LS_NODE_PARAMS + 8 };
enum { LS_ONNX_OF_LENGTHS = 16 }; /* both, of lengths, for the model */

typedef struct ls_onnx_operation {
    Onnx__NodeProto proto;
    char *input[LS_ONNX_INPUTS], *output[LS_ONNX_OUTPUTS];
    char name[LS_ONNX_NAME], part[LS_ONNX_OUTPUTS][LS_ONNX_NAME];
    Onnx__AttributeProto attribute[LS_ONNX_ATTRIBUTES], *attributes[LS_ONNX_ATTRIBUTES];
    int64_t ints[LS_ONNX_ATTRIBUTES][LS_ONNX_INTS];
} ls_onnx_operation;

typedef struct ls_onnx_tensor {
    Onnx__TensorProto proto;
    char name[LS_ONNX_NAME];
    int64_t dims[LS_PARAM_MAX_RANK];
    float value; /* of a constant, or: */
    int64_t ints[LS_ONNX_INTS];
} ls_onnx_tensor;

typedef struct ls_onnx_model {
    const ls_export_graph *graph;
    ls_onnx_operation *op;   /* [LS_ONNX_OPERATIONS * nodes + LS_ONNX_OF_LENGTHS] */
    Onnx__NodeProto **nodes; /* [ops] */
    size_t ops;
    ls_onnx_tensor *tensor;           /* [LS_ONNX_TENSORS * nodes + LS_ONNX_OF_LENGTHS] */
    Onnx__TensorProto **initializers; /* [tensors] */
    size_t tensors;
} ls_onnx_model;

/* All functions are Local. Texts, but those of suffixes and constants, are borrowed. */

/* Adds the operations and tensors of a node. */
void ls_onnx_add_node(ls_onnx_model *m, int at);

/* Those of nodes of sequences, and of an image made of a vector.
 * type  of the operation */
void ls_onnx_add_sequence(ls_onnx_model *m, int at);
void ls_onnx_add_image(ls_onnx_model *m, int at);
void ls_onnx_add_embedding(ls_onnx_model *m, int at);
void ls_onnx_add_recurrent(ls_onnx_model *m, int at, const char *type);
void ls_onnx_add_order(ls_onnx_model *m, int at);
void ls_onnx_add_conv1d(ls_onnx_model *m, int at);
void ls_onnx_add_last(ls_onnx_model *m, int at);
void ls_onnx_add_pool_of_steps(ls_onnx_model *m, int at, const char *type);
void ls_onnx_add_attention(ls_onnx_model *m, int at);
void ls_onnx_add_dense_of_steps(ls_onnx_model *m, int at);

/* The input with the rows' lengths; and what is made of it: the lengths of another type; [N][1]; 1
 * for the steps of each row, else 0, [N][steps], and with more dimensions of 1 at these places.
 * suffix  names the value; the same for the same value */
extern const char ls_onnx_lengths[];
const ls_onnx_operation *ls_onnx_lengths_as(ls_onnx_model *m, const char *suffix, int type);
const ls_onnx_operation *ls_onnx_length_column(ls_onnx_model *m);
const ls_onnx_operation *ls_onnx_length_mask(ls_onnx_model *m);
const ls_onnx_operation *ls_onnx_length_mask_of(ls_onnx_model *m, const char *suffix, int axes,
                                                const int64_t *axis);

/* Returns the name of a node's value, or of the input. */
const char *ls_onnx_value(const ls_onnx_model *m, int at);

/* Adds an operation without inputs that makes the value of node `at`, or, with a suffix, an
 * intermediate value. Returns it: */
ls_onnx_operation *ls_onnx_add(ls_onnx_model *m, int at, const char *suffix, const char *type);

/* The same with an input: that of the node, or the value of another operation. */
ls_onnx_operation *ls_onnx_begin(ls_onnx_model *m, int at, const char *suffix, const char *type);
ls_onnx_operation *ls_onnx_then(ls_onnx_model *m, int at, const char *suffix, const char *type,
                                const ls_onnx_operation *before);

/* Splits the value of an operation in three equal parts, the outputs. */
ls_onnx_operation *ls_onnx_split(ls_onnx_model *m, int at, const ls_onnx_operation *before,
                                 int64_t axis);

/* Adds an input to an operation: a value; parameter k of a node, or all of them; a number, equal
 * names share it; `count` integers, 0: a scalar, named after the operation. */
void ls_onnx_input(ls_onnx_operation *op, const char *name);
void ls_onnx_param(ls_onnx_model *m, ls_onnx_operation *op, int at, int k);
void ls_onnx_params(ls_onnx_model *m, ls_onnx_operation *op, int at);
void ls_onnx_constant(ls_onnx_model *m, ls_onnx_operation *op, const char *name, float value);
void ls_onnx_integers(ls_onnx_model *m, ls_onnx_operation *op, const char *suffix, int count,
                      const int64_t *values);

/* Sets an attribute of an operation. */
void ls_onnx_int(ls_onnx_operation *op, const char *name, int64_t value);
void ls_onnx_ints(ls_onnx_operation *op, const char *name, size_t count, const int64_t *values);
void ls_onnx_float(ls_onnx_operation *op, const char *name, float value);
void ls_onnx_text(ls_onnx_operation *op, const char *name, const char *value);

/* Returns a text as protobuf-c's messages have it, not const; they do not write to it. Local. */
static inline char *ls_onnx_borrow(const char *text)
{
    return (char *)(uintptr_t)text;
}

#endif
