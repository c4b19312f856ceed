/* Optimizers: update parameters from gradients, in flat arenas.
 *
 *     ls_optimizer_begin(optimizer, 1.0 / rows, lr);
 *     for (int phase = 0; phase < ls_optimizer_phases(optimizer); phase++) {
 *         for each range:  ls_optimizer_accumulate_norms(optimizer, phase, ...);
 *         sums = ls_optimizer_sums(optimizer, &count);     allreduce if ranges are on several ranks
 *         ls_optimizer_finish_norms(optimizer, phase);
 *     }
 *     for each range:  ls_optimizer_update(optimizer, ...);
 *
 * Ranges may begin and end anywhere in the arena. All functions are Local. */
#ifndef LOCKSTEP_OPTIMIZER_H
#define LOCKSTEP_OPTIMIZER_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/choice.h>
#include <lockstep/network.h>
#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* sgd    v = momentum v + g; p -= lr v (Nesterov: p -= lr (g + momentum v))
 * adam   Kingma and Ba, Adam: A Method for Stochastic Optimization, 2015; weight decay, if any, is
 *        added to the gradient
 * adamw  Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2019
 * lars   You, Gitman and Ginsburg, Large Batch Training of Convolutional Networks, 2017:
 *        v = momentum v + lr ratio (g + weight_decay p); p -= v, where for each parameter of the
 *        table ratio = trust |p| / (|g| + weight_decay |p|), |.| being the 2-norm
 * lamb   You et al., Large Batch Optimization for Deep Learning: Training BERT in 76 minutes, 2020:
 *        r = mhat / (sqrt(vhat) + epsilon) + weight_decay p, with Adam's mhat and vhat;
 *        p -= lr ratio r, where ratio = |p| / |r| */
#define LS_OPTIMIZER_LIST(X)                                                                       \
    X(LS_SGD, "sgd", "gradient descent, with --momentum if given")                                 \
    X(LS_ADAM, "adam", "Adam; weight decay is added to the gradient")                              \
    X(LS_ADAMW, "adamw", "Adam with decoupled weight decay")                                       \
    X(LS_LARS, "lars", "momentum with a rate for each layer, for large batches")                   \
    X(LS_LAMB, "lamb", "Adam with a rate for each layer, for large batches")

typedef enum ls_optimizer_kind {
    LS_OPTIMIZER_LIST(LS_CHOICE_ENUM) LS_OPTIMIZERS
} ls_optimizer_kind;

/* Returns the name of an optimizer: "sgd", ... */
const char *ls_optimizer_name(ls_optimizer_kind kind);

/* lars and lamb: vectors (biases, scales: parameters of rank 1) have ratio 1 and no weight decay,
 * as in the authors' programs; a matrix whose norm or gradient norm is 0 has ratio 1. Running
 * statistics (see ls_param) are always updated as p -= LS_RUNNING_RATE g. */
typedef struct ls_optimizer_config {
    ls_optimizer_kind kind;
    double momentum;     /* sgd, lars: 0 <= momentum < 1 */
    bool nesterov;       /* sgd: only with momentum > 0 */
    double beta1, beta2; /* adam, adamw, lamb: decay of the first and second moment, in [0, 1) */
    double epsilon;      /* adam, adamw, lamb: > 0 */
    double trust;        /* lars: see above, 0 < trust <= 1 */
    double weight_decay; /* 0 or more. sgd, adam: g += weight_decay p; adamw: p -= lr weight_decay
                            p; for all parameters. lars, lamb: see above */
    double clip_norm;    /* maximum norm of the gradient of all parameters: larger gradients are
                            scaled down; 0: no clipping */
    double ema;          /* decay, in [0, 1), of an exponential moving average of the parameters:
                            min(ema, (1 + t) / (10 + t)) at step t; 0: no average */
} ls_optimizer_config;

/* Weight of a step's observation in running statistics, PyTorch's `momentum`. */
#define LS_RUNNING_RATE 0.1

/* Checks that settings, each in its range, are compatible.
 * Errors: LS_ERR_USAGE. */
ls_status ls_optimizer_check(const ls_optimizer_config *config) LS_MUST_CHECK;

typedef struct ls_optimizer ls_optimizer;

/* The state of an optimizer: slots, arenas with the layout of the parameters; and the number of
 * steps. A checkpoint needs no other state of the optimizer. */
enum { LS_OPTIMIZER_MAX_SLOTS = 3 };

/* Creates an optimizer for the parameters of a table, with a state of zeros.
 * table   [rows] as from ls_network_params(), without gaps; copied
 * config  each value in its range, see ls_config_check()
 * Errors: those of ls_optimizer_check(); LS_ERR_FAILURE when memory is short. *out is left
 * alone. */
ls_status ls_optimizer_create(ls_optimizer **out, const ls_optimizer_config *config,
                              const ls_param *table, int rows) LS_MUST_CHECK;

/* Frees an optimizer and sets *optimizer to NULL; accepts NULL. */
void ls_optimizer_destroy(ls_optimizer **optimizer);

/* Initialises the moving average with the initial parameters. */
void ls_optimizer_start(ls_optimizer *optimizer, const float *params);

/* Begins a step, with g = scale * grads.
 * scale   1 / rows, as gradients are sums over rows
 * lr      learning rate of this step, 0 or more */
void ls_optimizer_begin(ls_optimizer *optimizer, double scale, double lr);

/* Returns the number of phases: how many times norms must be accumulated over all ranges before the
 * first update. 0 if the optimizer does not need norms; the same in all steps. */
int ls_optimizer_phases(const ls_optimizer *optimizer);

/* Accumulates the norms of a range, to be called once for each range in each phase, with the
 * parameters as before the step. If ranges come in ascending order, the bits do not depend on their
 * boundaries.
 * first   offset of grads[0] and params[0] in the arena
 * grads   [count]
 * params  [count] */
void ls_optimizer_accumulate_norms(ls_optimizer *optimizer, int phase, int64_t first, int64_t count,
                                   const float *grads, const float *params);

/* Returns the sums [*count] over all ranges of this phase. If ranges are on several ranks, the
 * caller sums them over the ranks, in place. Borrowed. */
double *ls_optimizer_sums(ls_optimizer *optimizer, int *count);

/* Ends a phase: computes norms from the sums. */
void ls_optimizer_finish_norms(ls_optimizer *optimizer, int phase);

/* Updates a range, each at most once in a step. Slots outside the range do not change.
 * first   offset of grads[0] and params[0] in the arena
 * grads   [count]
 * params  [count] updated in place */
void ls_optimizer_update(ls_optimizer *optimizer, int64_t first, int64_t count, const float *grads,
                         float *params);

/* Makes a complete step for all parameters. */
void ls_optimizer_step(ls_optimizer *optimizer, const float *grads, double scale, double lr,
                       float *params);

/* Returns the number of steps, for bias correction. */
int64_t ls_optimizer_steps(const ls_optimizer *optimizer);

/* Sets the number of steps, to resume. */
void ls_optimizer_set_steps(ls_optimizer *optimizer, int64_t steps);

/* Returns the number of slots, 0 .. LS_OPTIMIZER_MAX_SLOTS. */
int ls_optimizer_slots(const ls_optimizer *optimizer);

/* Returns the name of a slot: "momentum", "m", "v", "average". */
const char *ls_optimizer_slot_name(const ls_optimizer *optimizer, int slot);

/* Returns the arena of a slot, to be read or written; borrowed. */
float *ls_optimizer_slot(ls_optimizer *optimizer, int slot);

/* Returns the slot with the moving average of the parameters; NULL if there is none. */
float *ls_optimizer_average(ls_optimizer *optimizer);

#ifdef __cplusplus
}
#endif

#endif
