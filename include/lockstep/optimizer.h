/* Settings of optimizers and of learning-rate schedules. All functions are Local.
 *
 * p: parameters; g: gradient, mean over the rows of the global batch; v: velocity. For schedules:
 * s: number of the step in the run, from 0; E: steps per epoch; T: steps of the run; W: steps of
 * warmup; r: base rate. */
#ifndef LOCKSTEP_OPTIMIZER_H
#define LOCKSTEP_OPTIMIZER_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/choice.h>

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

/* Learning-rate schedules.
 * constant  r
 * step      r gamma^floor(s / (E step))
 * cosine    r (final + (1 - final) (1 + cos(pi (s - W) / (T - W))) / 2), from W on: Loshchilov and
 *           Hutter, SGDR, 2017, without restarts
 * onecycle  from r / 25 up to r in the first 0.3 of the run, then down to r final, both along half
 *           a cosine: Smith and Topin, Super-Convergence, 2018, as in PyTorch's OneCycleLR, but
 *           with constant momentum
 * plateau   r gamma^plateaus, see ls_early_stop_plateau() */
#define LS_SCHEDULE_LIST(X)                                                                        \
    X(LS_SCHEDULE_CONSTANT, "constant", "--lr in all steps")                                       \
    X(LS_SCHEDULE_STEP, "step", "times --lr-gamma every --lr-step epochs")                         \
    X(LS_SCHEDULE_COSINE, "cosine", "half a cosine from --lr down to --lr times --lr-final")       \
    X(LS_SCHEDULE_ONECYCLE, "onecycle", "up to --lr in 0.3 of the run, then down, see --lr-final") \
    X(LS_SCHEDULE_PLATEAU, "plateau", "times --lr-gamma whenever --monitor stops improving")

typedef enum ls_schedule_kind { LS_SCHEDULE_LIST(LS_CHOICE_ENUM) } ls_schedule_kind;

/* Scaling of the base rate with the global batch.
 * linear  lr batch / base: Goyal et al., Accurate, Large Minibatch SGD, 2017
 * sqrt    lr sqrt(batch / base): Krizhevsky, One weird trick for parallelizing convolutional neural
 *         networks, 2014; Hoffer et al., Train longer, generalize better, 2017 */
#define LS_LR_SCALING_LIST(X)                                                                      \
    X(LS_LR_AS_GIVEN, "", "not scaled")                                                            \
    X(LS_LR_LINEAR, "linear", "in proportion to the batch")                                        \
    X(LS_LR_SQRT, "sqrt", "in proportion to the square root of the batch")

typedef enum ls_lr_scaling { LS_LR_SCALING_LIST(LS_CHOICE_ENUM) } ls_lr_scaling;

typedef struct ls_schedule_config {
    ls_schedule_kind kind;
    double warmup; /* epochs, 0 or more, may be fractional: in these epochs step s has (s + 1) / W
                      of its rate (Goyal et al., see above); onecycle: 0 */
    double step;   /* step: epochs between two cuts; 0: a third of the run */
    double gamma;  /* step, plateau: factor of the rate at a cut; above 0, at most 1 */
    double final;  /* cosine, onecycle: fraction of r at the end, in [0, 1] */
    int64_t patience; /* plateau: epochs without improvement before a cut, 1 or more */
    ls_lr_scaling scaling;
    int64_t base_batch; /* linear, sqrt: the batch for which --lr is given, 1 or more */
} ls_schedule_config;

/* OneCycleLR's final rate, as a fraction of the highest rate: 1 / 25 / 10,000. */
#define LS_SCHEDULE_FINAL 4e-6

/* Returns the name of a schedule: "constant", "step", ... */
const char *ls_schedule_name(ls_schedule_kind kind);

#ifdef __cplusplus
}
#endif

#endif
