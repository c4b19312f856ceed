/* A network's parts, shared by model.c (the model string), network.c (parameters and memory) and
 * pass.c (what is computed). */
#ifndef LS_NN_NETWORK_STATE_H
#define LS_NN_NETWORK_STATE_H

#include <lockstep/network.h>

#include "nn/active.h"
#include "nn/layer.h"

struct ls_network {
    ls_loss loss;
    int classes;
    int64_t max_rows;
    ls_shape input;
    const float *x; /* input of the latest pass, borrowed */

    char *model;     /* the model string, names replaced by their layers */
    char *text;      /* the same, cut into words */
    ls_layer *layer; /* [layers] */
    int layers;
    int computed; /* layers that a pass runs through: all but a softmax fused with the loss */

    ls_param *param; /* [params] the parameter table */
    int params;
    int64_t size; /* floats in the arena */
    ls_layout layout;
    ls_matrix *matrix; /* [layout.matrices], owned */
    ls_active *active; /* for the first of them */

    /* One allocation: each computed layer's output and scratch, then two deltas, gradients of the
     * loss with respect to the output and the input of the layer that backward is at. */
    float *workspace;
    float *delta[2]; /* [max_rows][largest input or output] */
};

/* Cuts a model string into layers of the network, whose input and classes are set, and checks the
 * stack. Local.
 * Errors: LS_ERR_USAGE with the word that is wrong; LS_ERR_FAILURE when memory is short. What is
 * there is the network's to free. */
ls_status ls_model_parse(ls_network *network, const char *model) LS_MUST_CHECK;

#endif
