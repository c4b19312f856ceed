/* A feed-forward network made from a model string, and its loss.
 *
 * The string is a list of layers, "dense:512 relu dense:10": words separated by blanks, an argument
 * after a colon; or the name of a preset, "lenet5". Branches: ":a" names the value here, "@a"
 * continues from it, "+a" adds it, "&a" appends its channels. Images are [height][width][channels],
 * see ls_network_channels_last(). All parameters lie in one flat arena that the caller owns,
 * described by the parameter table; gradients lie in a second one of the same layout.
 *
 * All functions are Local. B: rows of a batch; F: features of the input; K: classes. */
#ifndef LOCKSTEP_NETWORK_H
#define LOCKSTEP_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lockstep/batch.h>
#include <lockstep/loss.h>
#include <lockstep/score.h>
#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ls_network ls_network;

/* The shape of one row between two layers. */
typedef struct ls_shape {
    int64_t channels, height, width;
} ls_shape;

static inline int64_t ls_shape_size(ls_shape shape)
{
    return shape.channels * shape.height * shape.width;
}

enum { LS_PARAM_NAME = 64, LS_PARAM_MAX_RANK = 4 };

/* One row of the parameter table. */
typedef struct ls_param {
    char name[LS_PARAM_NAME]; /* "dense1/weight": layer and parameter */
    int rank;
    int64_t shape[LS_PARAM_MAX_RANK];
    int64_t offset; /* of its first element in the arena, in floats */
    int64_t count;  /* elements */
    bool
        running_statistic; /* running statistic: not optimised; its "gradient" is value minus observation,
                       summed over rows */
} ls_param;

/* Numbers of a layer's word; 0 where its kind has no such number. */
typedef struct ls_attributes {
    int64_t units;               /* dense: outputs; conv: filters */
    int64_t window, stride, pad; /* conv, pooling: pixels */
    double rate;                 /* dropout: probability */
} ls_attributes;

enum { LS_LAYER_INPUTS = 2 };

/* One row of the layer table. Texts are borrowed. */
typedef struct ls_layer_info {
    const char *name; /* "dense1" */
    const char *kind; /* "dense" */
    const char *word; /* as it is in the model string, "dense:512" */
    ls_attributes attributes;
    int inputs;
    int input[LS_LAYER_INPUTS];        /* layers that it reads; -1: the network's input */
    ls_shape in[LS_LAYER_INPUTS], out; /* of one row */
    int first_param, params;           /* its rows of the parameter table */
    int64_t parameters;                /* elements in them */
} ls_layer_info;

/* A mean loss or a parameter beyond this says that training has diverged: 10 classes guessed at
 * random have a loss of 2.3, and parameters are of the order of 1. */
#define LS_DIVERGED 1e8

/* Makes a network and its workspace.
 * model     see above
 * input     shape of a row
 * classes   K, 2 or more: the size that the last layer must have
 * max_rows  largest B that will be passed, 0 or more; with 0 the network takes next to no memory,
 *           and only its tables can be used
 * Errors: LS_ERR_USAGE if the model string is wrong, with the word that is; LS_ERR_FAILURE when
 * memory is short. *out is left alone. */
ls_status ls_network_create(ls_network **out, const char *model, ls_shape input, int classes,
                            ls_loss loss, int64_t max_rows) LS_MUST_CHECK;

/* Frees a network and sets *network to NULL; accepts NULL. */
void ls_network_destroy(ls_network **network);

/* The words of the model string, one after the other, for help texts: form with argument, one line
 * of help. Returns 0 past the last. */
int ls_network_layer_word(int at, const char **form, const char **help);

/* The presets, one after the other: name, layers before the last one. Returns 0 past the last. */
int ls_network_preset(int at, const char **name, const char **layers);

/* The list of layers that it was made from; a name replaced by what it stands for. Borrowed. */
const char *ls_network_model(const ls_network *network);

/* The parameter table: its rows, borrowed, in the order of the arena. */
const ls_param *ls_network_params(const ls_network *network, int *rows);

/* The layer table: its number of rows, and row `at`, from 0. */
int ls_network_layers(const ls_network *network);
ls_layer_info ls_network_layer(const ls_network *network, int at);

/* The number of classes, and the loss, that it was made with. */
int ls_network_classes(const ls_network *network);
ls_loss ls_network_loss_kind(const ls_network *network);

/* Returns true if some layer tells the channels of the input's pixels apart: then the rows of a batch must
 * be [height][width][channels], as after ls_batch_to_channels_last(). Else any order will do, as long
 * as it is always the same. */
bool ls_network_channels_last(const ls_network *network);

/* Floats in the arena of parameters. */
int64_t ls_network_size(const ls_network *network);

/* The fewest rows of a global batch that it can be trained with: statistics of one value are none.
 * Local. */
int ls_network_least_batch(const ls_network *network);

/* Floating-point operations, in matrix products, that training on one row takes. */
double ls_network_flops(const ls_network *network);

/* Sets initial parameters, a function of the seed alone. Weights are uniform in [-a, a]: before a
 * relu a = sqrt(6 / fan_in) (He et al., Delving Deep into Rectifiers, 2015), elsewhere
 * a = sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, Understanding the difficulty of training
 * deep feedforward neural networks, 2010). Biases are 0.
 * params  [ls_network_size] */
void ls_network_initialise(const ls_network *network, uint64_t seed, float *params);

/* Forward pass. Returns the outputs [B][K], borrowed until the next pass: logits under
 * LS_CROSS_ENTROPY.
 * params  [ls_network_size] */
const float *ls_network_forward(ls_network *network, const float *params, const ls_batch *batch);

/* Forward pass, loss and backward pass of one rank alone.
 * grads  [ls_network_size] on return the gradient of the sum of the rows' losses; zeros if B is 0
 * dx     [B][F] on return the gradient of that sum with respect to the batch's inputs; may be NULL */
ls_score ls_network_gradient(ls_network *network, const float *params, const ls_batch *batch,
                             float *grads, float *dx);

/* Forward pass and loss.
 * predicted  [B] on return the class of the largest output of each row; may be NULL */
ls_score ls_network_evaluate(ls_network *network, const float *params, const ls_batch *batch,
                             int32_t *predicted);

/* Output of layer `at` in the latest pass, [B][its output size]; borrowed until the next. A softmax
 * that is fused with the loss returns the logits; a layer that applies the relu after it returns the
 * relu's output. */
const float *ls_network_activation(const ls_network *network, int at);

#ifdef __cplusplus
}
#endif

#endif
