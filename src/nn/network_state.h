/* A network's parts, shared by compile.c (model string to operations),
 * graph.c (the whole of them), network.c (parameters),
 * buffers.c (memory) and pass.c (what is computed). */
#ifndef LS_NN_NETWORK_STATE_H
#define LS_NN_NETWORK_STATE_H

#include <lockstep/network.h>

#include "nn/op.h"
#include "nn/product.h"
#include "nn/words.h"

enum { LS_LAYER_NAME = 32 };

/* A row of the layer table: a word of the model string. */
typedef struct ls_layer {
    char name[LS_LAYER_NAME];   /* "dense1" */
    const char *kind;           /* "dense" */
    const char *word;           /* "dense:512", borrowed from the network's text */
    int number;                 /* of the word in the model string, from 1 */
    const ls_op_kind *computes; /* NULL: nothing, as flatten */
    ls_attributes attributes;
    int op;     /* whose output is this layer's; LS_OP_BATCH: the batch itself */
    bool owns;  /* the operation and its parameters are this layer's, not of one it is fused into */
    int inputs; /* layers that it reads; -1: the network's input */
    int input[LS_LAYER_INPUTS];
    ls_shape in[LS_LAYER_INPUTS], out;
} ls_layer;

struct ls_network {
    ls_loss loss;
    int classes;
    int64_t max_rows;
    ls_shape input;

    char *model; /* the model string, a preset's name replaced by its layers */
    char *text;  /* the same, cut into words */
    ls_layer *layer;
    int layers;
    ls_op *op; /* [ops] in topological order; the last one makes the outputs */
    int ops;

    ls_param *param; /* [params] the parameter table */
    int params;
    int64_t size; /* floats in the arena */
    ls_layout layout;
    ls_matrix *matrix; /* [layout.matrices], owned */

    const float *x;   /* inputs of the latest pass, borrowed */
    float *workspace; /* one allocation, see buffers.c */
    float **gradient; /* [gradients] buffers for gradients of values */
    int gradients;
    int input_gradient; /* the one that gets the gradient of the batch's inputs */
    float *scratch;     /* for one operation at a time */
    double *sums; /* for statistics of the batch: of a micro-batch, then of the batch in parts */
};

/* Compiles a model string to layers and operations of a network, whose input and classes are set.
 * Local.
 * Errors: LS_ERR_USAGE with the word that is wrong; LS_ERR_FAILURE when memory is short. What was
 * made is the network's to free. */
ls_status ls_network_compile(ls_network *network, const char *model) LS_MUST_CHECK;

/* The last step of that: checks the graph, fuses a softmax at the end with the loss, and finds out
 * before_relu and trains of all operations. Local.
 * last  row of the layer table that makes the outputs; -1: none does
 * Errors: LS_ERR_USAGE with the word that is wrong. */
ls_status ls_network_check_graph(ls_network *network, int last) LS_MUST_CHECK;

/* A usage error that points at a word of the model string, counted from 1. Local. */
ls_status ls_wrong_word(int number, const char *word, const char *reason) LS_MUST_CHECK;

/* Plans the buffers of a compiled network and takes the memory, for max_rows rows. Local.
 * Errors: LS_ERR_FAILURE when memory is short. */
ls_status ls_network_place(ls_network *network) LS_MUST_CHECK;

#endif
