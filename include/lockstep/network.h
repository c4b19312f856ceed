/* A feed-forward network made from a model string, and its loss.
 *
 * The string is a list of layers, "dense:512 relu dense:10": words separated by blanks, an argument
 * after a colon; or the name of a network that is well known, "lenet5". Between layers images are
 * [height][width][channels], whatever they were in the data. All parameters lie in one flat arena
 * that the caller owns, described by the parameter table; gradients lie in a second one of the same
 * layout.
 *
 * All functions are Local. B: rows of a batch; F: features of the input; K: classes. */
#ifndef LOCKSTEP_NETWORK_H
#define LOCKSTEP_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lockstep/batch.h>
#include <lockstep/choice.h>
#include <lockstep/ready.h>
#include <lockstep/status.h>
#include <lockstep/team.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ls_network ls_network;

/* A final softmax layer is fused with cross-entropy. */
#define LS_LOSS_LIST(X)                                                                            \
    X(LS_CROSS_ENTROPY, "cross-entropy", "-log softmax(output)[label]")                            \
    X(LS_MSE, "mse", "mean over the outputs of (output - one-hot label)^2")

typedef enum ls_loss { LS_LOSS_LIST(LS_CHOICE_ENUM) } ls_loss;

/* "cross-entropy", ... Local. */
const char *ls_loss_name(ls_loss loss);

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
    int64_t fan_in; /* inputs of one output of the layer; 0: all are `initial` at first */
    int64_t fan_out;
    float initial;
    bool tracks; /* no subject of the optimizer but a statistic that follows what the steps see: its
                    "gradient" is its value minus what was seen, summed over rows as all are */
} ls_param;

/* One row of the layer table. */
typedef struct ls_layer_info {
    const char *name; /* "dense1"; borrowed */
    const char *word; /* as it stands in the model string; borrowed */
    ls_shape output;
    int64_t parameters;
} ls_layer_info;

/* A mean loss or a parameter beyond this says that training has diverged: 10 classes guessed at
 * random have a loss of 2.3, and parameters are of the order of 1. */
#define LS_DIVERGED 1e8

/* What a pass over a batch says: sums over its rows. */
typedef struct ls_score {
    int64_t rows;
    int64_t correct; /* rows whose largest output is the label's; the first of equals counts */
    double loss;     /* sum of the rows' losses */
} ls_score;

/* Makes a network and its workspace.
 * model     see above
 * input     shape of a row
 * classes   K, 2 or more: the size that the last layer must have
 * max_rows  largest B that will be passed, 0 or more; with 0 it takes next to no memory: the
 * network is for looking at Errors: LS_ERR_USAGE if the model string is wrong, with the word that
 * is; LS_ERR_FAILURE when memory is short. *out is left alone. */
ls_status ls_network_create(ls_network **out, const char *model, ls_shape input, int classes,
                            ls_loss loss, int64_t max_rows) LS_MUST_CHECK;

/* Frees a network and sets *network to NULL; accepts NULL. */
void ls_network_destroy(ls_network **network);

/* The layer kinds, one after the other, for help texts: word, form with argument, meaning. Returns
 * 0 past the last. */
int ls_network_layer_kind(int at, const char **form, const char **meaning);

/* The list of layers that it was made from; a name replaced by what it stands for. Borrowed. */
const char *ls_network_model(const ls_network *network);

/* The parameter table: its rows, borrowed, in the order of the arena. */
const ls_param *ls_network_params(const ls_network *network, int *rows);

/* The layer table: row `at`, from 0. */
int ls_network_layers(const ls_network *network);
ls_layer_info ls_network_layer(const ls_network *network, int at);

/* The arena of parameters as a reducer needs to know it; borrowed. */
const ls_layout *ls_network_layout(const ls_network *network);

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
 *
 * params  [ls_network_size] */
void ls_network_initialise(const ls_network *network, uint64_t seed, float *params);

/* Forward pass. Returns the outputs [B][K], borrowed until the next pass: logits under
 * LS_CROSS_ENTROPY.
 * params  [ls_network_size] */
const float *ls_network_forward(ls_network *network, const float *params, const ls_batch *batch);

/* Adds up numbers over the ranks that a batch is spread over, so that each has the sums. `call` may
 * be NULL: this rank has all of the batch. Collective on those ranks. */
typedef struct ls_sum {
    void (*call)(void *user, double *values, int count);
    void *user;
} ls_sum;

/* What a training pass has to do with the world beside its batch. All zeros: a rank alone. */
typedef struct ls_pass {
    const ls_team *team; /* computes large products together; NULL: this rank alone */
    ls_need need;        /* asked for parameters before they are read */
    ls_ready ready;      /* told which gradients are final */
    ls_sum sum;          /* of statistics over the global batch */
    uint64_t key;        /* what is random follows from it and from the rows' ids */

    /* e: the target of cross-entropy is 1 - e for the label, and e / K more for each class
     * (Szegedy et al., Rethinking the Inception Architecture, 2016). 0 or more, below 1. */
    double label_smoothing;

    /* Rows that are computed at a time, so that what comes out of a call does not depend on how
     * many of such blocks this rank has; then the gradients that `ready` is told of are those of
     * one block, see ls_ready, and sums are exact, those of losses in multiples of the quantum, see
     * base/exact.h. 0: all rows at once. */
    int64_t block;
    double quantum;
} ls_pass;

/* A training pass in two halves: forward to the loss, and back to the gradient of the sum of the
 * rows' losses. Between the two, and until the second is over, batch, parameters and `pass` stay as
 * they are; only the number of rows may become 0, which is how a rank that failed goes on with the
 * others.
 * With a team, or sums: Collective on it. Of the matrices that a team splits a rank gets only the
 * gradient of its rows of the matrix, summed over the team's batch rows, at most team->rows of each
 * rank.
 * grads  [ls_network_size], overwritten; zeros if B is 0, but for a team's sums */
ls_score ls_network_loss(ls_network *network, const float *params, const ls_batch *batch,
                         const ls_pass *pass);
void ls_network_backward(ls_network *network, const float *params, const ls_batch *batch,
                         const ls_pass *pass, float *grads);

/* Both halves, alone.
 * grads  [ls_network_size] on return the gradient of the sum of the rows' losses; zeros if B is 0
 */
ls_score ls_network_gradient(ls_network *network, const float *params, const ls_batch *batch,
                             float *grads);

/* Forward pass and loss.
 * predicted  [B] on return the class of the largest output of each row; may be NULL */
ls_score ls_network_evaluate(ls_network *network, const float *params, const ls_batch *batch,
                             int32_t *predicted);

/* What layer `at` put out in the latest pass, [B][its output size]; borrowed until the next. A
 * softmax that is fused with the loss is passed over: its outputs are the logits. A dense layer
 * before a relu applies it itself: its outputs are the relu's. */
const float *ls_network_activation(const ls_network *network, int at);

#ifdef __cplusplus
}
#endif

#endif
