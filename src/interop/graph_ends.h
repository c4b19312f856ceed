/* The ends of an exported graph: from raw inputs to those that the network was trained on, and from
 * its standardised outputs to values in the units of the targets.
 *
 * The numbers and the order of the operations are those of training, scale x + shift, then
 * (x - mean) (1 / std): inputs that lie far from 0 keep the digits that a product before the
 * subtraction would lose. All functions are Local. */
#ifndef LS_INTEROP_GRAPH_ENDS_H
#define LS_INTEROP_GRAPH_ENDS_H

#include "interop/graph.h"

/* Returns the most numbers that both ends add to graph->values. */
int64_t ls_graph_ends_size(const ls_export_source *source);

/* Appends normalisation and standardisation of the input: shifts and scales, as far as they change
 * anything. Returns the number of the value. */
int ls_graph_append_normalisation(ls_export_graph *graph, const ls_export_source *source);

/* Appends what makes outputs values in the units of the targets, and, if graph->rearranged, brings
 * them into the order of the input.
 * logits  true: they stay as they are, except for the order
 * at      a vector; the last node */
void ls_graph_append_values(ls_export_graph *graph, const ls_export_source *source, bool logits,
                            int at);

#endif
