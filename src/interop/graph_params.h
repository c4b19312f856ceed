/* The parameters of a node in the format's layout. D: directions, G: gates, H: units, I: inputs, F:
 * features, T: steps. Lockstep's layouts are in src/nn/ops/.
 *
 *     dense        weight [in][out], with channels first [out][in]; bias (may be missing)
 *     conv         weight [K][K][C][F], with channels first [F][C][K][K]; bias (may be missing)
 *     conv1d       weight [K][C][F], with channels first [F][C][K]; bias (may be missing)
 *     batchnorm    scale, shift, mean, variance
 *     layernorm    scale, shift
 *     embedding    weight [vocabulary][F]
 *     attention    weight [F][3 F], bias [3 F], of the mix: weight [F][F], bias [F]; in PyTorch's
 *                  format weights are transposed; in ONNX then, if causal, [T][T] what is added to
 *                  the products of queries and keys
 *     rnn, lstm, gru: the gates are in the format's order
 *         ONNX     W [D][G H][I], R [D][G H][H], both biases [D][2 G H]
 *         PyTorch  for each direction weight [G H][I], [G H][H], biases [G H], [G H]
 *         Keras    for each direction weight [I][G H], [H][G H], bias [G H], of gru [2][G H]
 *     shift, scale: the numbers
 *     permute      the numbers of the steps [T]
 *
 * In ONNX dense of a sequence has the weight [in][out]. All functions are Local. */
#ifndef LS_INTEROP_GRAPH_PARAMS_H
#define LS_INTEROP_GRAPH_PARAMS_H

#include "interop/graph.h"

/* Returns the most numbers that the parameters of all layers need in graph->values. */
int64_t ls_graph_params_size(const ls_network *network);

/* Appends the parameters of a layer to graph->values, and sets those of its node, whose other
 * fields have been set. Errors: LS_ERR_FAILURE if memory is short. */
ls_status ls_graph_add_params(ls_export_graph *graph, const ls_export_source *source, int at,
                              const ls_layer_info *layer) LS_MUST_CHECK;

/* Adds what a node has that is no parameter of its layer: what `position` adds [T][F], the order of
 * `sequence:permuted`. Errors: LS_ERR_FAILURE if memory is short. */
ls_status ls_graph_add_constants(ls_export_graph *graph, int at) LS_MUST_CHECK;

#endif
