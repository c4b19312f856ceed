/* The formats' writers, and what they share. All functions are Local. */
#ifndef LS_INTEROP_FORMAT_H
#define LS_INTEROP_FORMAT_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

#include <lockstep/export.h>

#include "interop/export_graph.h"

/* Write a network to a file, atomically; replace only files of their own kind.
 * Errors: as ls_export(). */
ls_status ls_onnx_write(const ls_export_source *source, const ls_export_options *options,
                        const char *path) LS_MUST_CHECK;
ls_status ls_keras_write(const ls_export_source *source, const ls_export_options *options,
                         const char *path) LS_MUST_CHECK;
ls_status ls_safetensors_write(const ls_export_source *source, const ls_export_options *options,
                               const char *path) LS_MUST_CHECK;

/* How a format wants the graph. */
ls_graph_style ls_export_style(ls_export_format format);

/* How the configuration is written: 9 digits give each float exactly. */
#define LS_KERAS_JSON (JSON_COMPACT | JSON_REAL_PRECISION(9))

/* Returns a Keras model's configuration, the attribute `model_config`; owned by the caller. NULL if
 * memory is short. */
json_t *ls_keras_config(const ls_export_graph *graph);

/* Returns true if the layer of a node has its parameters as weights, not in its configuration. */
bool ls_keras_has_weights(const ls_node *node);

/* Returns true if a node is a module of PyTorch's nn.Sequential: all but those with two inputs. */
bool ls_torch_has_module(const ls_node *node);

/* Appends the code of the classes that a graph needs to an open file. */
void ls_torch_print_classes(const ls_export_graph *graph, FILE *out);

/* Appends the code for the module `net` to an open file. */
void ls_torch_print(const ls_export_graph *graph, FILE *out);

/* Returns facts about an exported network as an object of strings: version, model string, run, ...;
 * owned by the caller. NULL if memory is short. */
json_t *ls_export_metadata(const ls_export_source *source, const ls_export_options *options);

/* Returns what the exported network's outputs are: "probabilities", "logits" or "outputs". */
const char *ls_export_outputs(const ls_export_source *source, const ls_export_options *options);

#endif
