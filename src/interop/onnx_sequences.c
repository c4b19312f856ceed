/* The operations of ONNX that compute nodes of sequences, [N][steps][features]. */
#include "interop/onnx_model.h"

#include <math.h>
#include <stdio.h>

/* Makes a value [N][...] from one with the same numbers for each row. */
static ls_onnx_operation *reshape(ls_onnx_model *m, ls_onnx_operation *op, int rank,
                                  const int64_t *dims)
{
    int64_t all[LS_ONNX_INTS] = {0}; /* 0: as in the input */
    for (int i = 0; i < rank; i++)
        all[i + 1] = dims[i];
    ls_onnx_integers(m, op, ".shape", rank + 1, all);
    return op;
}

static ls_onnx_operation *transpose(ls_onnx_operation *op, int rank, const int64_t *order)
{
    ls_onnx_ints(op, "perm", (size_t)rank, order);
    return op;
}

void ls_onnx_add_sequence(ls_onnx_model *m, int at)
{
    const ls_shape out = m->graph->node[at].out;
    reshape(m, ls_onnx_begin(m, at, "", "Reshape"), 2, (int64_t[]){out.height, out.channels});
}

void ls_onnx_add_image(ls_onnx_model *m, int at)
{
    const ls_shape out = m->graph->node[at].out;
    reshape(m, ls_onnx_begin(m, at, "", "Reshape"), 3,
            (int64_t[]){out.channels, out.height, out.width});
}

void ls_onnx_add_embedding(ls_onnx_model *m, int at)
{
    ls_onnx_operation *op = ls_onnx_add(m, at, "", "Gather");
    ls_onnx_param(m, op, at, 0);
    ls_onnx_input(op, ls_onnx_value(m, m->graph->node[at].input[0]));
}

/* The node's input, a sequence, with zeros beyond the rows' lengths. */
static ls_onnx_operation *mask_steps(ls_onnx_model *m, int at)
{
    static const int64_t features = 2;
    const ls_onnx_operation *mask = ls_onnx_length_mask_of(m, ".mask_of_features", 1, &features);
    ls_onnx_operation *product = ls_onnx_begin(m, at, ".masked_steps", "Mul");
    ls_onnx_input(product, mask->output[0]);
    return product;
}

/* x [steps][N][features]; states of all steps are [steps][directions][N][units], the last ones
 * [directions][N][units]. */
void ls_onnx_add_recurrent(ls_onnx_model *m, int at, const char *type)
{
    const ls_node *node = &m->graph->node[at];
    const ls_attributes *a = &node->attributes;
    const ls_onnx_operation *lengths =
        m->graph->lengths ? ls_onnx_lengths_as(m, ".int32", ONNX__TENSOR_PROTO__DATA_TYPE__INT32)
                          : NULL;
    ls_onnx_operation *x =
        transpose(ls_onnx_begin(m, at, ".steps", "Transpose"), 3, (int64_t[]){1, 0, 2});
    ls_onnx_operation *states = ls_onnx_then(m, at, ".states", type, x);
    ls_onnx_params(m, states, at);
    if (lengths != NULL)
        ls_onnx_input(states, lengths->output[0]);
    ls_onnx_int(states, "hidden_size", a->units);
    ls_onnx_text(states, "direction",
                 a->both      ? "bidirectional"
                 : a->reverse ? "reverse"
                              : "forward");
    if (node->kind == LS_NODE_GRU)
        ls_onnx_int(states, "linear_before_reset", 1);
    ls_onnx_operation *rows = ls_onnx_then(m, at, ".rows", "Transpose", states);
    if (a->all) {
        transpose(rows, 4, (int64_t[]){2, 0, 1, 3});
        reshape(m, ls_onnx_then(m, at, "", "Reshape", rows), 2,
                (int64_t[]){node->out.height, node->out.channels});
        return;
    }
    states->output[1] = states->output[0];
    states->output[0] = ls_onnx_borrow("");
    states->proto.n_output = 2;
    transpose(rows, 3, (int64_t[]){1, 0, 2});
    ls_onnx_int(ls_onnx_then(m, at, "", "Flatten", rows), "axis", 1);
}

/* The order is of floats, as all parameters of the graph. */
void ls_onnx_add_order(ls_onnx_model *m, int at)
{
    ls_onnx_operation *order = ls_onnx_add(m, at, ".steps", "Cast");
    ls_onnx_param(m, order, at, 0);
    ls_onnx_int(order, "to", ONNX__TENSOR_PROTO__DATA_TYPE__INT64);
    ls_onnx_operation *op = ls_onnx_begin(m, at, "", "Gather");
    ls_onnx_input(op, order->output[0]);
    ls_onnx_int(op, "axis", 1);
}

/* x is transposed to [N][features][steps]. */
void ls_onnx_add_conv1d(ls_onnx_model *m, int at)
{
    static const int64_t order[] = {0, 2, 1};
    const ls_attributes *a = &m->graph->node[at].attributes;
    const int64_t before = ls_conv1d_before(a);
    ls_onnx_operation *x = m->graph->lengths
                               ? ls_onnx_then(m, at, ".features", "Transpose", mask_steps(m, at))
                               : ls_onnx_begin(m, at, ".features", "Transpose");
    transpose(x, 3, order);
    ls_onnx_operation *op = ls_onnx_then(m, at, ".filtered", "Conv", x);
    ls_onnx_params(m, op, at);
    ls_onnx_ints(op, "kernel_shape", 1, &a->window);
    ls_onnx_ints(op, "pads", 2, (int64_t[]){before, a->window - 1 - before});
    transpose(ls_onnx_then(m, at, "", "Transpose", op), 3, order);
}

void ls_onnx_add_last(ls_onnx_model *m, int at)
{
    const int64_t last = m->graph->node[at].in.height - 1, one = 1;
    if (m->graph->lengths) {
        ls_onnx_operation *steps = ls_onnx_then(m, at, ".step", "Sub", ls_onnx_length_column(m));
        ls_onnx_integers(m, steps, ".one", 1, &one);
        ls_onnx_operation *gather = ls_onnx_begin(m, at, "", "GatherND");
        ls_onnx_input(gather, steps->output[0]);
        ls_onnx_int(gather, "batch_dims", 1);
        return;
    }
    ls_onnx_operation *op = ls_onnx_begin(m, at, "", "Gather");
    ls_onnx_integers(m, op, ".step", 0, &last);
    ls_onnx_int(op, "axis", 1);
}

/* Those of rows with lengths: the sum of the steps divided by their number; the maximum of them,
 * where others are far below. */
static void add_pool_of_lengths(ls_onnx_model *m, int at, bool mean)
{
    static const int64_t features = 2, steps = 1;
    if (mean) {
        const ls_onnx_operation *column = ls_onnx_length_column(m);
        ls_onnx_operation *sum = ls_onnx_then(m, at, ".sum", "ReduceSum", mask_steps(m, at));
        ls_onnx_integers(m, sum, ".axes", 1, &steps);
        ls_onnx_int(sum, "keepdims", 0);
        ls_onnx_operation *count = ls_onnx_then(m, at, ".count", "Cast", column);
        ls_onnx_int(count, "to", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
        ls_onnx_input(ls_onnx_then(m, at, "", "Div", sum), count->output[0]);
        return;
    }
    const ls_onnx_operation *mask = ls_onnx_length_mask_of(m, ".mask_of_features", 1, &features);
    ls_onnx_operation *before = ls_onnx_then(m, at, ".before", "Sub", mask);
    ls_onnx_constant(m, before, "one", 1);
    ls_onnx_operation *below = ls_onnx_then(m, at, ".below", "Mul", before);
    ls_onnx_constant(m, below, "far", LS_FAR);
    ls_onnx_operation *values = ls_onnx_begin(m, at, ".values", "Add");
    ls_onnx_input(values, below->output[0]);
    ls_onnx_operation *most = ls_onnx_then(m, at, "", "ReduceMax", values);
    ls_onnx_ints(most, "axes", 1, &steps);
    ls_onnx_int(most, "keepdims", 0);
}

void ls_onnx_add_pool_of_steps(ls_onnx_model *m, int at, const char *type)
{
    if (m->graph->lengths) {
        add_pool_of_lengths(m, at, m->graph->node[at].kind == LS_NODE_MEANSTEPS);
        return;
    }
    ls_onnx_operation *op = ls_onnx_begin(m, at, "", type);
    ls_onnx_ints(op, "axes", 1, (int64_t[]){1});
    ls_onnx_int(op, "keepdims", 0);
}

void ls_onnx_add_dense_of_steps(ls_onnx_model *m, int at)
{
    const bool biased = m->graph->node[at].params > 1;
    ls_onnx_operation *op = ls_onnx_begin(m, at, biased ? ".product" : "", "MatMul");
    ls_onnx_param(m, op, at, 0);
    if (biased)
        ls_onnx_param(m, ls_onnx_then(m, at, "", "Add", op), at, 1);
}

enum { WEIGHT, BIAS, MIX, MIX_BIAS };

/* One of queries, keys and values [N][steps][features], to [N][heads][steps][features of a head],
 * or in another order. */
static ls_onnx_operation *make_heads(ls_onnx_model *m, int at, const char *output,
                                     const char *names[], const int64_t *order)
{
    const ls_node *node = &m->graph->node[at];
    const int64_t T = node->out.height, H = node->attributes.units;
    ls_onnx_operation *split = ls_onnx_add(m, at, names[0], "Reshape");
    ls_onnx_input(split, output);
    reshape(m, split, 3, (int64_t[]){T, H, node->out.channels / H});
    return transpose(ls_onnx_then(m, at, names[1], "Transpose", split), 4, order);
}

/* Adds 0 to the products with the keys of each row, a number far below 0 to others. */
static ls_onnx_operation *mask_keys(ls_onnx_model *m, int at, const ls_onnx_operation *scores)
{
    static const int64_t heads_and_queries[] = {1, 2};
    const ls_onnx_operation *mask =
        ls_onnx_length_mask_of(m, ".mask_of_keys", 2, heads_and_queries);
    ls_onnx_operation *before = ls_onnx_then(m, at, ".before", "Sub", mask);
    ls_onnx_constant(m, before, "one", 1);
    ls_onnx_operation *below = ls_onnx_then(m, at, ".below", "Mul", before);
    ls_onnx_constant(m, below, "far", LS_FAR);
    ls_onnx_operation *sum = ls_onnx_then(m, at, ".of_row", "Add", scores);
    ls_onnx_input(sum, below->output[0]);
    return sum;
}

/* softmax(q k^T / sqrt(features of a head) + mask). */
static ls_onnx_operation *make_scores(ls_onnx_model *m, int at, const ls_onnx_operation *queries,
                                      const ls_onnx_operation *keys)
{
    const ls_node *node = &m->graph->node[at];
    const int64_t E = node->out.channels / node->attributes.units;
    char name[32];
    ls_onnx_operation *product = ls_onnx_then(m, at, ".products", "MatMul", queries);
    ls_onnx_input(product, keys->output[0]);
    ls_onnx_operation *scores = ls_onnx_then(m, at, ".scaled", "Mul", product);
    snprintf(name, sizeof name, "attention_scale_%lld", (long long)E);
    ls_onnx_constant(m, scores, name, 1 / sqrtf((float)E));
    if (node->attributes.causal) {
        scores = ls_onnx_then(m, at, ".masked", "Add", scores);
        ls_onnx_param(m, scores, at, LS_ATTENTION_MASK);
    }
    if (m->graph->lengths)
        scores = mask_keys(m, at, scores);
    ls_onnx_operation *softmax = ls_onnx_then(m, at, ".shares", "Softmax", scores);
    ls_onnx_int(softmax, "axis", 3);
    return softmax;
}

void ls_onnx_add_attention(ls_onnx_model *m, int at)
{
    static const int64_t heads_first[] = {0, 2, 1, 3}, keys_last[] = {0, 2, 3, 1};
    const ls_node *node = &m->graph->node[at];
    const int64_t T = node->out.height, F = node->out.channels;
    ls_onnx_operation *product = ls_onnx_begin(m, at, ".product", "MatMul");
    ls_onnx_param(m, product, at, WEIGHT);
    ls_onnx_operation *all = ls_onnx_then(m, at, ".all", "Add", product);
    ls_onnx_param(m, all, at, BIAS);
    ls_onnx_operation *parts = ls_onnx_split(m, at, all, 2);
    ls_onnx_operation *q =
        make_heads(m, at, parts->output[0], (const char *[]){".q", ".queries"}, heads_first);
    ls_onnx_operation *k =
        make_heads(m, at, parts->output[1], (const char *[]){".k", ".keys"}, keys_last);
    ls_onnx_operation *v =
        make_heads(m, at, parts->output[2], (const char *[]){".v", ".values"}, heads_first);
    ls_onnx_operation *heads = ls_onnx_then(m, at, ".heads", "MatMul", make_scores(m, at, q, k));
    ls_onnx_input(heads, v->output[0]);
    ls_onnx_operation *steps = ls_onnx_then(m, at, ".steps", "Transpose", heads);
    transpose(steps, 4, heads_first);
    ls_onnx_operation *joined =
        reshape(m, ls_onnx_then(m, at, ".joined", "Reshape", steps), 2, (int64_t[]){T, F});
    ls_onnx_operation *mix = ls_onnx_then(m, at, ".mix", "MatMul", joined);
    ls_onnx_param(m, mix, at, MIX);
    ls_onnx_param(m, ls_onnx_then(m, at, "", "Add", mix), at, MIX_BIAS);
}
