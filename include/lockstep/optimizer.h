/* Optimizers: from a gradient to new parameters, over flat arenas.
 *
 *     ls_optimizer_begin(optimizer, 1.0 / rows, lr);
 *     for (int phase = 0; phase < ls_optimizer_phases(optimizer); phase++) {
 *         for each range:  ls_optimizer_accumulate_norms(optimizer, phase, ...);
 *         sums = ls_optimizer_sums(optimizer, &count);     added up over those who share the ranges
 *         ls_optimizer_finish_norms(optimizer, phase);
 *     }
 *     for each range:  ls_optimizer_update(optimizer, ...);
 *
 * Ranges may cut the parameters anywhere. All functions are Local. */
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

/* The name of an optimizer: "sgd", ... */
const char *ls_optimizer_name(ls_optimizer_kind kind);

/* In lars and lamb vectors (biases, scales: parameters of rank 1) have the ratio 1 and no weight
 * decay, as in their authors' programs; so has, ratio only, a matrix one of whose norms is 0.
 * Parameters that track (see ls_param) are none of this: p -= LS_RUNNING_RATE g, always. */
typedef struct ls_optimizer_config {
    ls_optimizer_kind kind;
    double momentum;     /* sgd, lars: 0 <= momentum < 1 */
    bool nesterov;       /* sgd: only with momentum > 0 */
    double beta1, beta2; /* adam, adamw, lamb: decay of the first and second moment, in [0, 1) */
    double epsilon;      /* adam, adamw, lamb: > 0 */
    double trust;        /* lars: see there, 0 < trust <= 1 */
    double weight_decay; /* 0 or more. sgd, adam: g += weight_decay p; adamw: p -= lr weight_decay
                            p; all three of all parameters. lars, lamb: see there */
    double clip_norm; /* gradients are scaled down so that their norm, of all of them together, is
                         at most this; 0: never */
    double ema;       /* decay, in [0, 1), of an exponential moving average of the parameters,
                         which begins with min(ema, (1 + t) / (10 + t)) at step t; 0: none */
} ls_optimizer_config;

/* Of a statistic that running_statistic: what a step makes of the difference, as PyTorch's momentum. */
#define LS_RUNNING_RATE 0.1

/* Checks that settings, each in its range, go together. Local. Errors: LS_ERR_USAGE. */
ls_status ls_optimizer_check(const ls_optimizer_config *config) LS_MUST_CHECK;

typedef struct ls_optimizer ls_optimizer;

/* The state of an optimizer: arenas of the parameters' layout, and the steps taken. A checkpoint
 * that holds them holds all. */
enum { LS_OPTIMIZER_MAX_SLOTS = 3 };

/* Makes an optimizer for the parameters of a table, its state all zeros.
 * table  [rows] as ls_network_params() gives it, without gaps; copied as far as it is needed
 * config  each value in its range, see ls_config_check()
 * Errors: those of ls_optimizer_check(); LS_ERR_FAILURE when memory is short. *out is left alone. */
ls_status ls_optimizer_create(ls_optimizer **out, const ls_optimizer_config *config,
                              const ls_param *table, int rows) LS_MUST_CHECK;

/* Frees an optimizer and sets *optimizer to NULL; accepts NULL. */
void ls_optimizer_destroy(ls_optimizer **optimizer);

/* Tells it of the parameters that training begins with: their average begins there. */
void ls_optimizer_start(ls_optimizer *optimizer, const float *params);

/* Begins a step, with g = scale * grads.
 * scale   of the gradients: 1 / rows, as they are sums over rows
 * lr      learning rate of this step, 0 or more */
void ls_optimizer_begin(ls_optimizer *optimizer, double scale, double lr);

/* How often a step has to look at all ranges before it updates the first: 0 unless norms matter.
 * The same in all steps. */
int ls_optimizer_phases(const ls_optimizer *optimizer);

/* Looks at a range; each is looked at once in each phase, with all parameters as they were before
 * the step. Ranges in ascending order give the same bits wherever they are cut.
 * first   parameter that grads[0] and params[0] belong to
 * grads   [count]
 * params  [count] */
void ls_optimizer_accumulate_norms(ls_optimizer *optimizer, int phase, int64_t first, int64_t count,
                                   const float *grads, const float *params);

/* What all ranges that were looked at in this phase add up to: numbers [*count] that are to be
 * added up, in place, over all who looked at others; borrowed. Then ends the phase. */
double *ls_optimizer_sums(ls_optimizer *optimizer, int *count);
void ls_optimizer_finish_norms(ls_optimizer *optimizer, int phase);

/* Updates a range; each at most once in a step; the slots of others stay as they are.
 * params  [count] updated in place; first, grads  as above */
void ls_optimizer_update(ls_optimizer *optimizer, int64_t first, int64_t count, const float *grads,
                         float *params);

/* A step at once, for all parameters. */
void ls_optimizer_step(ls_optimizer *optimizer, const float *grads, double scale, double lr,
                       float *params);

/* Steps taken, for bias correction; settable to resume. */
int64_t ls_optimizer_steps(const ls_optimizer *optimizer);
void ls_optimizer_set_steps(ls_optimizer *optimizer, int64_t steps);

/* How many slots of state there are (0 .. LS_OPTIMIZER_MAX_SLOTS), the name of each ("momentum",
 * "m", "v", "average"), and its arena, borrowed, to be read or filled. */
int ls_optimizer_slots(const ls_optimizer *optimizer);
const char *ls_optimizer_slot_name(const ls_optimizer *optimizer, int slot);
float *ls_optimizer_slot(ls_optimizer *optimizer, int slot);

/* The slot that holds the average of the parameters; NULL if none is kept. */
float *ls_optimizer_average(ls_optimizer *optimizer);

#ifdef __cplusplus
}
#endif

#endif
