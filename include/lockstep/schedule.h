/* Learning-rate schedules: the learning rate of each step. A pure function of the settings and of
 * the step's position in the run, so that a resumed run needs no state. All functions are Local.
 *
 * s: number of the step in the run, from 0; E: steps per epoch; T: steps of the run; W: steps of
 * warmup; r: base rate. */
#ifndef LOCKSTEP_SCHEDULE_H
#define LOCKSTEP_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/choice.h>
#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* constant  r
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

/* Position of a step in its run. */
typedef struct ls_schedule_at {
    int64_t step;            /* s */
    int64_t steps_per_epoch; /* E, 1 or more */
    int64_t epochs;          /* T / E */
    int64_t plateaus;        /* plateaus so far; used by LS_SCHEDULE_PLATEAU only */
} ls_schedule_at;

/* Checks that settings, each in its range (see ls_config_check()), are compatible.
 * epochs  epochs of the run
 * Errors: LS_ERR_USAGE. */
ls_status ls_schedule_check(const ls_schedule_config *config, int64_t epochs) LS_MUST_CHECK;

/* Returns true if the rate of a step depends on the number of epochs. */
bool ls_schedule_needs_epochs(const ls_schedule_config *config);

/* Returns the name of a schedule: "constant", "step", ... */
const char *ls_schedule_name(ls_schedule_kind kind);

/* Returns the base rate r for a learning rate and a global batch. */
double ls_schedule_base(const ls_schedule_config *config, double lr, int64_t batch);

/* Returns the learning rate of a step. The same bits on every processor.
 * base  r */
double ls_schedule_rate(const ls_schedule_config *config, double base, const ls_schedule_at *at);

#ifdef __cplusplus
}
#endif

#endif
