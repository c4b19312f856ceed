/* The network as a format takes it: nodes in topological order, parameters in the format's layout.
 *
 * Lockstep computes images as [height][width][channels], with dense weights [in][out] and filters
 * [K][K][C][F]. Formats with channels first have images [channels][height][width], dense weights
 * [out][in] and filters [F][C][K][K]; and their flattening gives the features in another order. The
 * parameters behind a flattening are permuted accordingly; where its values are also joined with
 * others, or are the network's outputs, the image is transposed before it is flattened instead.
 *
 * All functions are Local. */
#ifndef LS_INTEROP_EXPORT_GRAPH_H
#define LS_INTEROP_EXPORT_GRAPH_H

#include "interop/graph.h"

/* How a format wants the graph. */
typedef struct ls_graph_style {
    ls_export_format format;
    bool channels_first;
    bool dropout; /* has nodes for dropout, which do nothing except in training */
} ls_graph_style;

/* Makes the graph of a network.
 * Errors: LS_ERR_USAGE if logits are wanted of another loss than cross-entropy, or a layer can't be
 * exported; LS_ERR_FAILURE if
 * memory is short. *out is left alone. */
ls_status ls_export_graph_create(ls_export_graph **out, const ls_export_source *source,
                                 const ls_export_options *options,
                                 ls_graph_style style) LS_MUST_CHECK;

/* Frees a graph and sets *graph to NULL; accepts NULL. */
void ls_export_graph_destroy(ls_export_graph **graph);

#endif
