/* What the operations of a model need of the rows' lengths, the input `lengths` [N]. Each value is
 * made once, when the first operation needs it. */
#include "interop/onnx_model.h"

#include <stdio.h>
#include <string.h>

const char ls_onnx_lengths[] = "lengths";

/* Returns the operation that was added with this suffix; NULL if there is none. */
static const ls_onnx_operation *find(const ls_onnx_model *m, const char *suffix)
{
    char name[LS_ONNX_NAME];
    snprintf(name, sizeof name, "%s%s", ls_graph_name(m->graph, LS_NODE_INPUT), suffix);
    for (size_t i = 0; i < m->ops; i++)
        if (strcmp(m->op[i].name, name) == 0)
            return &m->op[i];
    return NULL;
}

/* Adds an operation on a value. */
static ls_onnx_operation *add(ls_onnx_model *m, const char *suffix, const char *type,
                              const char *value)
{
    ls_onnx_operation *op = ls_onnx_add(m, LS_NODE_INPUT, suffix, type);
    ls_onnx_input(op, value);
    return op;
}

const ls_onnx_operation *ls_onnx_lengths_as(ls_onnx_model *m, const char *suffix, int type)
{
    const ls_onnx_operation *known = find(m, suffix);
    if (known != NULL)
        return known;
    ls_onnx_operation *op = add(m, suffix, "Cast", ls_onnx_lengths);
    ls_onnx_int(op, "to", type);
    return op;
}

const ls_onnx_operation *ls_onnx_length_column(ls_onnx_model *m)
{
    const ls_onnx_operation *known = find(m, ".lengths");
    if (known != NULL)
        return known;
    ls_onnx_operation *op = add(m, ".lengths", "Unsqueeze", ls_onnx_lengths);
    ls_onnx_integers(m, op, ".axes", 1, (int64_t[]){1});
    return op;
}

const ls_onnx_operation *ls_onnx_length_mask(ls_onnx_model *m)
{
    static const int64_t first = 0, one = 1;
    const ls_onnx_operation *known = find(m, ".mask");
    if (known != NULL)
        return known;
    ls_onnx_operation *steps = ls_onnx_add(m, LS_NODE_INPUT, ".steps", "Range");
    ls_onnx_integers(m, steps, ".first", 0, &first);
    ls_onnx_integers(m, steps, ".end", 0, &m->graph->steps);
    ls_onnx_integers(m, steps, ".distance", 0, &one);
    const ls_onnx_operation *column = ls_onnx_length_column(m);
    ls_onnx_operation *valid = add(m, ".valid", "Less", steps->output[0]);
    ls_onnx_input(valid, column->output[0]);
    ls_onnx_operation *mask = add(m, ".mask", "Cast", valid->output[0]);
    ls_onnx_int(mask, "to", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
    return mask;
}

const ls_onnx_operation *ls_onnx_length_mask_of(ls_onnx_model *m, const char *suffix, int axes,
                                                const int64_t *axis)
{
    const ls_onnx_operation *known = find(m, suffix);
    if (known != NULL)
        return known;
    const ls_onnx_operation *mask = ls_onnx_length_mask(m);
    ls_onnx_operation *op = add(m, suffix, "Unsqueeze", mask->output[0]);
    ls_onnx_integers(m, op, ".axes", axes, axis);
    return op;
}
