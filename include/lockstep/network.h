/* A feed-forward network made from a model string, and its loss.
 *
 * The model string is a list of layers, "dense:512 relu dense:10": words separated by blanks, an
 * argument after a colon; or the name of a preset, "lenet5". Branches: ":a" names the current
 * value, "@a" continues from the named value, "+a" adds the named value, "&a" appends its channels.
 * Images are [height][width][channels], see ls_network_channels_last(). All parameters are in one
 * flat arena that the caller owns, described by the parameter table; gradients are in a second
 * arena of the same layout.
 *
 * All functions are Local. B: rows of a batch; F: features of the input; K: outputs, of a
 * classifier its classes. */
#ifndef LOCKSTEP_NETWORK_H
#define LOCKSTEP_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lockstep/batch.h>
#include <lockstep/choice.h>
#include <lockstep/metrics.h>
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

/* Losses: y are the outputs of a row, t its targets: values, or the class as a one-hot vector.
 *    enumerator         name             one line of help */
#define LS_LOSS_LIST(X)                                                                            \
    X(LS_CROSS_ENTROPY, "cross-entropy", "classes: -log softmax(y)[class]; fuses a final softmax") \
    X(LS_MSE, "mse", "mean over the outputs of (y - t)^2")                                         \
    X(LS_MAE, "mae", "mean over the outputs of |y - t|")                                           \
    X(LS_HUBER, "huber", "mse / 2 up to |y - t| = D, then straight: huber:D, D is 1 if left out")  \
    X(LS_BCE, "bce", "true or false: mean over the outputs of the cross-entropy of sigmoid(y)")

typedef enum ls_loss {
    LS_LOSS_LIST(LS_CHOICE_ENUM) LS_LOSSES, /* their number */
    LS_LOSS_AUTO = LS_LOSSES                /* in settings: by the targets, see ls_loss_choose() */
} ls_loss;

/* Returns the name of a loss, for example "mse". Local. */
const char *ls_loss_name(ls_loss loss);

/* Finds a loss by its name. Local. Returns false, and leaves *out alone, if the name is unknown. */
bool ls_loss_find(const char *name, ls_loss *out);

/* Returns the loss for targets, if `wanted` is LS_LOSS_AUTO: LS_MSE for values, LS_CROSS_ENTROPY
 * for classes; else `wanted`. Local.
 * values   in a row's target; 0: the target is a class
 * classes  of the data set; 0: the targets are values; with `values` they are the classes of the
 *          steps of a sequence */
ls_loss ls_loss_choose(ls_loss wanted, int64_t values, int classes);

/* Checks that a loss fits the targets: cross-entropy needs classes, of rows or of steps; bce values
 * or two classes; the others values or classes of rows. Local.
 * values, classes  as above
 * Errors: LS_ERR_USAGE. */
ls_status ls_loss_check(ls_loss loss, int64_t values, int classes) LS_MUST_CHECK;

/* Returns the number of outputs that a network needs, in each step of a task by step: one for each
 * value or class; a single one for bce and two classes. Local. */
int ls_loss_outputs(ls_loss loss, int64_t values, int classes);

/* Returns the kind of task, LS_TASK_..., of a loss and targets: cross-entropy with values, which
 * are then the classes of steps, is by step. Local. */
unsigned ls_loss_task(ls_loss loss, int64_t values);

/* Returns true if a loss takes logits, since softmax is part of the loss. Local. */
bool ls_loss_takes_logits(ls_loss loss);

/* Returns true if sigmoid is part of the loss: the outputs are logits of true. Local. */
bool ls_loss_takes_sigmoid(ls_loss loss);

/* Returns true if a loss supports label smoothing. Local. */
bool ls_loss_smooths(ls_loss loss);

enum { LS_PARAM_NAME = 64, LS_PARAM_MAX_RANK = 4 };

/* One row of the parameter table. */
typedef struct ls_param {
    char name[LS_PARAM_NAME]; /* "dense1/weight": layer and parameter */
    int rank;
    int64_t shape[LS_PARAM_MAX_RANK];
    int64_t offset;         /* offset of the first element in the arena, in floats */
    int64_t count;          /* elements */
    bool running_statistic; /* not optimised; the "gradient" is the sum over rows of the statistic
                               minus its observed value */
} ls_param;

/* Attributes of a layer, from its word; 0 if the kind of layer does not have the attribute. */
typedef struct ls_attributes {
    int64_t units;               /* dense: outputs; conv, deconv, conv1d: filters */
    int64_t window, stride, pad; /* conv, deconv, pooling: pixels; conv1d: steps;
                                    upsample: window */
    ls_shape shape;              /* reshape */
    double slope;                /* leaky-relu: of negative values */
    double rate;                 /* dropout: probability */
    double sigma;                /* noise: standard deviation */
    double beta;                 /* gaussian: factor of the divergence in the loss */
    int64_t vocabulary;          /* embedding: number of tokens */
    bool causal;                 /* attention, conv1d: steps see those before them only */
    bool pixels, permuted;       /* sequence: of pixels, not of rows; in an order drawn from */
    uint64_t seed;               /* a seed, see ls_pixel_order() */
    bool all, reverse, both;     /* recurrent layers: see ls_network_layer_word() */
    bool chrono;                 /* lstm, gru: initial biases for memories of all lengths */
} ls_attributes;

enum { LS_LAYER_INPUTS = 2 };

/* One row of the layer table. Texts are borrowed. */
typedef struct ls_layer_info {
    const char *name; /* "dense1" */
    const char *kind; /* "dense" */
    const char *word; /* word in the model string, "dense:512" */
    ls_attributes attributes;
    int inputs;
    int input[LS_LAYER_INPUTS];        /* layers that the layer reads; -1: the network's input */
    ls_shape in[LS_LAYER_INPUTS], out; /* of one row */
    /* These are sequences: of `height` steps with `channels` features, `width` 1. */
    bool in_sequence[LS_LAYER_INPUTS], out_sequence;
    int first_param, params; /* the layer's rows of the parameter table */
    int64_t parameters;      /* elements of its parameters */
} ls_layer_info;

/* Training has diverged if the mean loss or a parameter exceeds this: guessing among 10 classes has
 * a loss of 2.3, and parameters are of the order of 1. */
#define LS_DIVERGED 1e8

/* Creates a network and its workspace.
 * model     see above
 * input     shape of a row
 * outputs   K, 1 or more: the required size of the last layer, see ls_loss_outputs(); with
 *           LS_CROSS_ENTROPY the output may also be a sequence of K numbers in each step
 * max_rows  largest B of any call, 0 or more; with 0 the network needs almost no memory, and only
 *           its tables can be used
 * Errors: LS_ERR_USAGE if the model string is wrong, with the wrong word; LS_ERR_FAILURE when
 * memory is short. *out is left alone. */
ls_status ls_network_create(ls_network **out, const char *model, ls_shape input, int outputs,
                            ls_loss loss, int64_t max_rows) LS_MUST_CHECK;

/* Sets D of LS_HUBER, above 0; it is 1 in a new network. */
void ls_network_set_huber(ls_network *network, double delta);

/* Makes a network an autoencoder, whose targets are its inputs: the task is regression with any
 * loss. With LS_BCE the targets are then values from 0 to 1, not labels, and the value of an output
 * is its sigmoid. R2 is of all outputs together, not their mean. */
void ls_network_set_reconstructs(ls_network *network);

/* Returns true for an autoencoder. */
bool ls_network_reconstructs(const ls_network *network);

/* Returns L, the number of the latent variables of a variational autoencoder: the outputs of its
 * layer `gaussian`; 0: none. With latent variables a loss that is a mean over the outputs is their
 * sum, and the divergence of the latent variables is added: with LS_BCE the loss of a row is then a
 * bound of its negative log-likelihood, in nats (Kingma and Welling, Auto-encoding variational
 * Bayes, 2013). They are sampled where a loss is computed; ls_network_forward() takes their means.
 */
int64_t ls_network_latent(const ls_network *network);

/* The parts of a network with latent variables.
 *    enumerator        name       one line of help */
#define LS_PART_LIST(X)                                                                            \
    X(LS_PART_WHOLE, "whole", "the network")                                                       \
    X(LS_PART_ENCODER, "encoder", "from a row to means and log variances of latent variables")     \
    X(LS_PART_DECODER, "decoder", "from latent variables to a row")

typedef enum ls_network_part { LS_PART_LIST(LS_CHOICE_ENUM) } ls_network_part;

/* Returns the means of the latent variables in the latest pass; borrowed until the next pass.
 * stride  on return the floats from one row's [L] to the next's */
const float *ls_network_latent_means(const ls_network *network, int64_t *stride);

/* Sets the scale of the targets, for metrics of regression: an error of 1 of output k is one of
 * scale[k] in the targets' own units.
 * scale  [K] above 0, copied; NULL: all are 1, as in a new network
 * Errors: LS_ERR_FAILURE if memory is short; the scale is left alone. */
ls_status ls_network_set_target_scale(ls_network *network, const double *scale) LS_MUST_CHECK;

/* Returns the scale of output k. */
double ls_network_target_scale(const ls_network *network, int k);

/* Returns the network's task for targets of so many values; 0: for classes. */
ls_task ls_network_task(const ls_network *network, int64_t values);

/* Frees a network and sets *network to NULL; accepts NULL. */
void ls_network_destroy(ls_network **network);

/* Gets word `at`, from 0, of the words in model strings, for help texts. Returns 0 after the last.
 * form  the word with its argument
 * help  one line */
int ls_network_layer_word(int at, const char **form, const char **help);

/* The data that a model string is for. All but `outputs` 0: rows of features, a target for each
 * row. */
typedef struct ls_preset_data {
    int outputs; /* of the network, see ls_loss_outputs() */
    int64_t
        vocabulary; /* the inputs are tokens below it: a preset begins with an embedding; or 0 */
    bool by_step;   /* a target for each step: no step of a preset sees those after it, all have
                     outputs */
} ls_preset_data;

/* Gets preset `at`, from 0. Returns 0 after the last.
 * layers  all layers but the last */
int ls_network_preset(int at, const char **name, const char **layers);

/* Returns the network's list of layers, with the name of a preset replaced by its layers.
 * Borrowed. */
const char *ls_network_model(const ls_network *network);

/* Returns the parameter table, in the order of the arena. Borrowed.
 * rows  on return the number of rows */
const ls_param *ls_network_params(const ls_network *network, int *rows);

/* Returns the shape of a row of the inputs; that of a layer's input may be another reading of it:
 * the sequence of an image's rows. */
ls_shape ls_network_input(const ls_network *network);

/* Returns the number of rows of the layer table. */
int ls_network_layers(const ls_network *network);

/* Returns row `at`, from 0, of the layer table. */
ls_layer_info ls_network_layer(const ls_network *network, int at);

/* Returns K, the number of outputs; of a network by step those of each step. */
int ls_network_outputs(const ls_network *network);

/* Returns T, the steps of the outputs, which are then [T][K] of a row, by step; 1: they are [K]. */
int64_t ls_network_steps(const ls_network *network);

/* Checks that the outputs fit the targets: those of a network by step the classes of as many steps,
 * others no steps.
 * values  in a row's target
 * Errors: LS_ERR_USAGE with what to change in the model. */
ls_status ls_network_check_targets(const ls_network *network, int64_t values) LS_MUST_CHECK;

/* Returns true if some layer reads the steps of a sequence, for which rows may have lengths. */
bool ls_network_reads_steps(const ls_network *network);

/* Checks that a network can be trained on rows of different lengths, in steps of the input: that
 * its layers of sequences read as many steps, in their order, and that no batchnorm counts steps
 * beyond the lengths.
 * steps  of the longest row, see ls_dataset_steps()
 * Errors: LS_ERR_USAGE with the wrong word. */
ls_status ls_network_check_lengths(const ls_network *network, int64_t steps) LS_MUST_CHECK;

/* Returns the loss. */
ls_loss ls_network_loss_kind(const ls_network *network);

/* Returns true if some layer depends on the channels of pixels: then the rows of a batch must be
 * [height][width][channels], as after ls_batch_to_channels_last(). Else any order is possible, if
 * it is always the same. */
bool ls_network_channels_last(const ls_network *network);

/* Returns the size of the parameter arena, in floats. */
int64_t ls_network_size(const ls_network *network);

/* Returns the floats of the network's workspace: values, their gradients and what layers keep, for
 * its largest batch, without parameters. */
int64_t ls_network_workspace(const ls_network *network);

/* Returns the smallest global batch for training, in rows: batch normalisation needs two values per
 * channel. */
int ls_network_least_batch(const ls_network *network);

/* Writes what `position` adds to a sequence.
 * out  [steps][features] */
void ls_position_vectors(int64_t steps, int64_t features, float *out);

/* Writes the order of pixels of `sequence:permuted,SEED`, a function of its arguments only: step t
 * is pixel order[t].
 * order  [pixels] */
void ls_pixel_order(uint64_t seed, int64_t pixels, int32_t *order);

/* Returns the floating-point operations for training on one row, in matrix products only. */
double ls_network_flops(const ls_network *network);

/* Sets initial parameters, a function of the seed only. Weights are uniform in [-a, a]: before a
 * relu a = sqrt(6 / fan_in) (He et al., Delving Deep into Rectifiers, 2015), elsewhere
 * a = sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, Understanding the difficulty of training
 * deep feedforward neural networks, 2010). Biases are 0.
 * params  [ls_network_size] */
void ls_network_initialise(const ls_network *network, uint64_t seed, float *params);

/* Forward pass. Returns the outputs [B][K], by step [B][T][K], borrowed until the next pass: logits
 * with LS_CROSS_ENTROPY and LS_BCE.
 * params  [ls_network_size] */
const float *ls_network_forward(ls_network *network, const float *params, const ls_batch *batch);

/* Forward pass, loss and backward pass on a single rank.
 * grads  [ls_network_size] on return the gradient of the sum of the rows' weighted losses; zeros if
 *        B is 0
 * dx     [B][F] on return the gradient of that sum with respect to the batch's inputs; may be
 *        NULL */
ls_score ls_network_gradient(ls_network *network, const float *params, const ls_batch *batch,
                             float *grads, float *dx);

/* Forward pass and loss.
 * predicted  [B] on return the class of each row: that of the largest output; with bce and a single
 *            output 1 if it is above 0; by step [B][T] that of each step, -1 from the row's length
 *            on; may be NULL */
ls_score ls_network_evaluate(ls_network *network, const float *params, const ls_batch *batch,
                             int32_t *predicted);

/* Returns the output of layer `at` in the latest pass, [B][output size]; borrowed until the next
 * pass. For a softmax that is fused with the loss returns the logits; for a layer that is fused
 * with the following relu returns the relu's output. */
const float *ls_network_activation(const ls_network *network, int at);

#ifdef __cplusplus
}
#endif

#endif
