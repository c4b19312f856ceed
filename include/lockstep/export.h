/* Export of a trained network to the formats of other tools: ONNX (ONNX Runtime, OpenCV, browsers),
 * Keras' HDF5 format (Keras 2 and 3, TensorFlow.js), and safetensors (PyTorch).
 *
 *     ls_export_source source = {.network = ls_model_network(model),
 *                                .params = ls_model_params(model),
 *                                .element = facts->element,
 *                                .mean = facts->mean, .std = facts->std};
 *     ls_status status = ls_export(&source, &(ls_export_options){0}, "net.onnx");
 *
 * An exported network takes the numbers of the data set as floats, such as pixels from 0 to 255,
 * and normalises them itself. Its outputs are probabilities if the loss is cross-entropy. In ONNX
 * and PyTorch images are [N][channels][height][width], in Keras [N][height][width][channels]; a
 * network whose rows are vectors takes [N][features], one that reads tokens [N][steps] integers. An
 * autoencoder's outputs are [N][features], in the order of the images; those of a network by step
 * [N][steps][classes].
 *
 * All functions are Local. */
#ifndef LOCKSTEP_EXPORT_H
#define LOCKSTEP_EXPORT_H

#include <stdbool.h>

#include <lockstep/choice.h>
#include <lockstep/dataset.h>
#include <lockstep/network.h>
#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Formats.
 *    enumerator              name           one line of help */
#define LS_EXPORT_LIST(X)                                                                          \
    X(LS_EXPORT_AUTO, "auto", "by the extension: .onnx, .h5, .safetensors")                        \
    X(LS_EXPORT_ONNX, "onnx", "ONNX, opset 13: ONNX Runtime, OpenCV, browsers")                    \
    X(LS_EXPORT_KERAS, "keras", "a model in Keras' HDF5 format: Keras 2 and 3, TensorFlow.js")     \
    X(LS_EXPORT_SAFETENSORS, "safetensors", "parameters as PyTorch's nn.Sequential names them")

typedef enum ls_export_format {
    LS_EXPORT_LIST(LS_CHOICE_ENUM) LS_EXPORT_FORMATS /* their number */
} ls_export_format;

/* A trained network. All borrowed; texts may be NULL: unknown. */
typedef struct ls_export_source {
    ls_network *network;
    const float *params;     /* [ls_network_size] */
    ls_element element;      /* type of the inputs that it was trained on */
    double mean, std;        /* inputs are (x - mean) / std, of uint8 (x / 255 - mean) / std */
    ls_column_scale inputs;  /* then channels are standardised */
    ls_column_scale targets; /* outputs are standardised values */
    /* For the file's metadata: */
    const char *run, *dataset;      /* the run's id, the data set's name */
    const char *digest;             /* of the checkpoint */
    const char *const *class_names; /* [classes] */
    int classes;
    const char *const *tokens; /* [ls_export_vocabulary] their texts */
    bool averaged;             /* the parameters are an average over steps */
} ls_export_source;

typedef struct ls_export_options {
    ls_export_format format;
    bool normalized; /* the exported network takes normalised inputs: it does not normalise */
    bool logits;     /* its outputs are logits, without the softmax of cross-entropy */
    bool lengths;    /* ONNX: it also takes the steps of each row, 1 to T, as int64 `lengths` [N] */
} ls_export_options;

/* Writes a network to a file, atomically.
 * Errors: LS_ERR_USAGE if the extension tells no format, lengths are wanted of another format or of
 * a network that can't have them, logits are wanted of another loss than
 * cross-entropy, the format does not have a layer, or `path` is a file of another kind;
 * LS_ERR_FAILURE if the file can't be written,
 * memory is short, the network is too large for the format, or the library was built without
 * protobuf-c and the format is ONNX. An existing file is then left alone. */
ls_status ls_export(const ls_export_source *source, const ls_export_options *options,
                    const char *path) LS_MUST_CHECK;

/* Returns the vocabulary of a network whose inputs are tokens, whole numbers from 0 to below it,
 * which an embedding reads; 0 of other networks. An exported network takes them as integers. */
int64_t ls_export_vocabulary(const ls_network *network);

/* Finds the format for a file by the name's extension, unless *format is already another than
 * LS_EXPORT_AUTO. Errors: LS_ERR_USAGE. */
ls_status ls_export_find_format(const char *path, ls_export_format *format) LS_MUST_CHECK;

/* Writes PyTorch code that builds the module `net` whose state dictionary is the exported
 * safetensors file.
 * path  of that file, for the line that loads it
 * out   zero-terminated, owned by the caller: ls_export_free()
 * Errors: LS_ERR_USAGE as ls_export(); LS_ERR_FAILURE if memory is short. */
ls_status ls_export_torch(const ls_export_source *source, const ls_export_options *options,
                          const char *path, char **out) LS_MUST_CHECK;
void ls_export_free(char *text);

/* Rows in the file of ls_export_check(). */
enum { LS_EXPORT_CHECK_ROWS = 16 };

/* Writes a CSV file of random inputs and the outputs that the exported network must have for them,
 * computed by this library: columns x0, x1, ... in the order of the format's input, `length` with
 * options->lengths, then y0, y1, ... The same inputs in every call. Atomic; replaces only such
 * files.
 * source   its network has room for LS_EXPORT_CHECK_ROWS rows
 * options  with a format, see ls_export_find_format()
 * Errors: as ls_export(). */
ls_status ls_export_check(const ls_export_source *source, const ls_export_options *options,
                          const char *path) LS_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
