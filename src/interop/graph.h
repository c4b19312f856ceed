/* A network as nodes of another format, in topological order. All functions are Local. */
#ifndef LS_INTEROP_GRAPH_H
#define LS_INTEROP_GRAPH_H

#include <lockstep/export.h>

enum { LS_NODE_NAME = 64, LS_NODE_PARAMS = 8, LS_NODE_INPUT = -1 /* the network's input */ };

/* What the value of one row is. */
typedef enum ls_form {
    LS_FORM_IMAGE,    /* [channels][height][width], or channels last */
    LS_FORM_VECTOR,   /* [channels] */
    LS_FORM_SEQUENCE, /* [steps][features], of the shape {features, steps, 1} */
    LS_FORM_TOKENS    /* [steps] whole numbers, of the shape {1, steps, 1}; the input only */
} ls_form;

/*    kind */
typedef enum ls_node_kind {
    LS_NODE_SHIFT,     /* x + shift; one number for all, or one for each channel or output, or,
                          of a sequence, [steps][features] */
    LS_NODE_SCALE,     /* scale x, likewise */
    LS_NODE_TRANSPOSE, /* an image with channels first to channels last, or reverse */
    LS_NODE_FLATTEN,
    LS_NODE_UNFLATTEN, /* a vector [C][H][W] to an image */
    LS_NODE_SEQUENCE, /* an image, channels last, or a vector to a sequence of its rows or pixels */
    LS_NODE_DENSE,    /* of a sequence: of each step */
    LS_NODE_CONV,
    LS_NODE_DECONV,
    LS_NODE_CROP,    /* an image without `pad` lines and columns before it, and some after it */
    LS_NODE_CONV1D,  /* of the steps of a sequence */
    LS_NODE_PERMUTE, /* the steps of a sequence in another order */
    LS_NODE_MAXPOOL,
    LS_NODE_AVGPOOL,
    LS_NODE_GLOBALPOOL,
    LS_NODE_UPSAMPLE,
    LS_NODE_EMBEDDING,
    LS_NODE_RNN,
    LS_NODE_LSTM,
    LS_NODE_GRU,
    LS_NODE_ATTENTION,
    LS_NODE_LAST, /* of a sequence: the last step, the mean of all steps, their maximum */
    LS_NODE_MEANSTEPS,
    LS_NODE_MAXSTEPS,
    LS_NODE_BATCHNORM,
    LS_NODE_LAYERNORM, /* over the channels of each pixel, or the features of each step */
    LS_NODE_DROPOUT,
    LS_NODE_NOISE, /* of training; no format has it */
    LS_NODE_RELU,
    LS_NODE_LEAKY_RELU,
    LS_NODE_GELU,
    LS_NODE_SILU,
    LS_NODE_SIGMOID,
    LS_NODE_TANH,
    LS_NODE_SOFTMAX,
    LS_NODE_ADD,
    LS_NODE_CONCAT
} ls_node_kind;

/* Parameters of the kinds, see graph_params.h: batchnorm, and the mask of causal attention. */
enum { LS_BN_SCALE, LS_BN_SHIFT, LS_BN_MEAN, LS_BN_VARIANCE };
enum { LS_ATTENTION_MASK = 4 };

#define LS_BN_EPSILON 1e-5  /* of batchnorm and layernorm */
#define LS_FAR        1e30f /* less a score or a value is this, e to its power is 0 */

/* A parameter, borrowed from the graph. */
typedef struct ls_array {
    const float *values;
    int rank;
    int64_t dims[LS_PARAM_MAX_RANK], count;
} ls_array;

typedef struct ls_node {
    ls_node_kind kind;
    char name[LS_NODE_NAME]; /* that of the layer, or made from it */
    int inputs;
    int input[LS_LAYER_INPUTS]; /* earlier nodes, or LS_NODE_INPUT */
    ls_shape in, out;           /* of one row */
    ls_form form;               /* of the output */
    bool permuted;              /* a flattened image whose features are in the format's order */
    ls_shape image;             /* that image */
    ls_attributes attributes;   /* of the layer */
    int params;
    ls_array param[LS_NODE_PARAMS];
} ls_node;

typedef struct ls_export_graph {
    ls_export_format format;
    ls_shape input;
    ls_form form;        /* of the input */
    bool channels_first; /* images of the format */
    bool planar;         /* the rows of Lockstep's batches are [channels][pixels] */
    float scale, shift;  /* inputs of the training were scale x + shift, then standardised */
    bool lengths;        /* rows have lengths, of this many steps: */
    int64_t steps;
    bool rearranged; /* an autoencoder's outputs are [pixels][channels], not as in Lockstep */
    ls_node *node;   /* [nodes], the last one makes the outputs; owned */
    int nodes;
    float *values; /* all parameters, and the numbers of shifts and scales; owned */
    int64_t used;  /* numbers in `values` */
} ls_export_graph;

/* Returns true for rnn, lstm and gru. */
static inline bool ls_node_is_recurrent(const ls_node *node)
{
    return node->kind == LS_NODE_RNN || node->kind == LS_NODE_LSTM || node->kind == LS_NODE_GRU;
}

/* Returns what a node, or LS_NODE_INPUT, is; its shape; its name. */
ls_form ls_graph_form(const ls_export_graph *graph, int at);
ls_shape ls_graph_shape(const ls_export_graph *graph, int at);
const char *ls_graph_name(const ls_export_graph *graph, int at);

/* Appends a node that reads one value and keeps its shape. Returns its number. */
int ls_graph_append(ls_export_graph *graph, ls_node_kind kind, const char *name, const char *suffix,
                    int input);

/* The same for what makes an image a vector. */
int ls_graph_append_flatten(ls_export_graph *graph, int image, const char *name,
                            const char *suffix);

/* The same for what makes an image, with channels last, or a vector a sequence of this shape. */
int ls_graph_append_sequence(ls_export_graph *graph, int value, const char *name,
                             const char *suffix, ls_shape shape);

/* Returns the zeros before the first step of a convolution of steps; those after the last make
 * window - 1. */
static inline int64_t ls_conv1d_before(const ls_attributes *a)
{
    return a->causal ? a->window - 1 : (a->window - 1) / 2;
}

/* Returns true if each node reads the one before it, and the first one the input. */
bool ls_graph_is_chain(const ls_export_graph *graph);

#endif
