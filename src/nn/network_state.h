/* State of a network, shared by compile.c (model string to operations), graph.c (checks of the
 * whole graph), network.c (creation and tables), buffers.c (memory) and pass.c (forward and
 * backward). */
#ifndef LS_NN_NETWORK_STATE_H
#define LS_NN_NETWORK_STATE_H

#include <lockstep/network.h>

#include "nn/op.h"
#include "nn/product.h"
#include "nn/words.h"

enum { LS_LAYER_NAME = 32, LS_MAX_LAYERS = 256 };

/* A row of the layer table: a word of the model string. */
typedef struct ls_layer {
    char name[LS_LAYER_NAME]; /* "dense1" */
    const char *kind;         /* "dense" */
    const char *word;         /* "dense:512", borrowed from the network's text */
    int number;               /* number of the word in the model string, from 1 */
    const ls_op_kind *computes;
    ls_attributes attributes;
    int op;    /* operation with the layer's output; LS_OP_BATCH: the batch's rows */
    bool owns; /* true if the operation was made for this layer; false if fused, or a view */
    int inputs;
    int input[LS_LAYER_INPUTS]; /* layers that the layer reads; -1: the network's input */
    ls_shape in[LS_LAYER_INPUTS], out;
    bool in_sequence[LS_LAYER_INPUTS], out_sequence;
} ls_layer;

struct ls_network {
    ls_loss loss;
    double delta;  /* of LS_HUBER */
    double *scale; /* [outputs] of the targets, relative to the largest, `unit`; NULL: all are 1 */
    double unit;
    bool reconstructs; /* an autoencoder */
    int outputs;
    int64_t steps; /* of the outputs; 1: they are no sequence */
    int64_t max_rows;
    ls_shape input;

    char *model; /* the model string, a preset's name replaced by its layers */
    char *text;  /* the same, split into words */
    ls_layer *layer;
    int layers;
    ls_op *op; /* [ops] in topological order; the last operation makes the outputs */
    int ops;

    ls_param *param; /* [params] the parameter table */
    int params;
    int64_t size; /* floats in the arena */
    ls_layout layout;
    ls_matrix *matrix; /* [layout.matrices], owned */

    const float *x;   /* inputs of the latest pass, borrowed */
    float *workspace; /* [reserved] one allocation, see buffers.c */
    int64_t reserved;
    float **gradient; /* [gradients] buffers for gradients of values */
    int gradients;
    int input_gradient; /* buffer of the gradient with respect to the batch's inputs */
    float *scratch;     /* for one operation at a time */
    double *sums;       /* batch statistics: of a micro-batch, then of the batch in exact parts */
};

/* Compiles a model string to layers and operations of a network, whose input and outputs are set.
 * Local.
 * Errors: LS_ERR_USAGE with the wrong word; LS_ERR_FAILURE when memory is short. On error too, the
 * network owns all allocations. */
ls_status ls_network_compile(ls_network *network, const char *model) LS_MUST_CHECK;

/* The last step of ls_network_compile(): checks the graph, fuses a final softmax with the loss, and
 * sets before_relu and trains of all operations. Local.
 * last  row of the layer table that makes the outputs; -1 if there is none
 * Errors: LS_ERR_USAGE with the wrong word. */
ls_status ls_network_check_graph(ls_network *network, int last) LS_MUST_CHECK;

/* Returns a usage error for a word of the model string. Local.
 * number  of the word, from 1 */
ls_status ls_wrong_word(int number, const char *word, const char *reason) LS_MUST_CHECK;

/* Returns the operation that makes latent variables, of which there is at most one; NULL: there is
 * none. Local. */
const ls_op *ls_network_latent_op(const ls_network *network);

/* Plans the buffers of a compiled network for max_rows rows and allocates them. Local.
 * Errors: LS_ERR_FAILURE when memory is short. */
ls_status ls_network_place(ls_network *network) LS_MUST_CHECK;

#endif
