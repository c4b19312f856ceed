/* Learning-rate schedules: the rate of each step. Pure: a function of where the step is in the run
 * and of the settings, so that a run which goes on needs no state for it. All functions are Local.
 *
 * s: steps before this one, from the beginning of the run; E: steps in an epoch; T: steps in the
 * whole run; W: steps of warmup; r: the base rate. */
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
 *           a cosine: Smith and Topin, Super-Convergence, 2018, as PyTorch's OneCycleLR does it;
 *           momentum stays as it is
 * plateau   r gamma^plateaus, see ls_early_stop_plateau() */
#define LS_SCHEDULE_LIST(X)                                                                        \
    X(LS_SCHEDULE_CONSTANT, "constant", "--lr, always")                                            \
    X(LS_SCHEDULE_STEP, "step", "times --lr-gamma every --lr-step epochs")                         \
    X(LS_SCHEDULE_COSINE, "cosine", "down to --lr-final of it along half a cosine")                \
    X(LS_SCHEDULE_ONECYCLE, "onecycle", "up to --lr in 0.3 of the run, then down to --lr-final")   \
    X(LS_SCHEDULE_PLATEAU, "plateau", "times --lr-gamma whenever --monitor stops improving")

typedef enum ls_schedule_kind { LS_SCHEDULE_LIST(LS_CHOICE_ENUM) } ls_schedule_kind;

/* How the base rate follows from --lr and the global batch.
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
    double warmup; /* epochs, 0 or more, in which step s has (s + 1) / W of its rate (Goyal et al.,
                      see above); a part of an epoch may be left over; onecycle: 0 */
    double step;   /* step: epochs from one cut to the next; 0: a third of all */
    double gamma;  /* step, plateau: what a cut multiplies the rate by; above 0, at most 1 */
    double final;  /* cosine, onecycle: fraction of r at the end, in [0, 1] */
    int64_t patience; /* plateau: epochs without improvement before a cut, 1 or more */
    ls_lr_scaling scaling;
    int64_t base_batch; /* scaled: the batch that --lr is meant for, 1 or more */
} ls_schedule_config;

/* OneCycleLR's final rate: 1 / 25 of the highest, and of that 1 / 10,000. */
#define LS_SCHEDULE_FINAL 4e-6

/* Where a step is in its run. */
typedef struct ls_schedule_at {
    int64_t step;            /* s */
    int64_t steps_per_epoch; /* E, 1 or more */
    int64_t epochs;          /* T / E */
    int64_t plateaus;        /* so far; counts with LS_SCHEDULE_PLATEAU only */
} ls_schedule_at;

/* Checks that settings, each in its range (see ls_config_check()), go together. Local.
 * epochs  of the run
 * Errors: LS_ERR_USAGE. */
ls_status ls_schedule_check(const ls_schedule_config *config, int64_t epochs) LS_MUST_CHECK;

/* Whether the rate of a step depends on the number of epochs. */
bool ls_schedule_needs_epochs(const ls_schedule_config *config);

/* "constant", "step", ... */
const char *ls_schedule_name(ls_schedule_kind kind);

/* The base rate r for a learning rate and a global batch. */
double ls_schedule_base(const ls_schedule_config *config, double lr, int64_t batch);

/* The rate of a step whose base rate is r. The same bits on every processor. */
double ls_schedule_rate(const ls_schedule_config *config, double base, const ls_schedule_at *at);

#ifdef __cplusplus
}
#endif

#endif
