/* Learning-rate schedules: the learning rate of each step. A pure function of the settings and of
 * the step's position in the run, so that a resumed run needs no state. All functions are Local.
 *
 * s: number of the step in the run, from 0; E: steps per epoch; T: steps of the run; W: steps of
 * warmup; r: base rate. */
#ifndef LS_NN_SCHEDULE_H
#define LS_NN_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/optimizer.h>
#include <lockstep/status.h>

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

/* Returns the base rate r for a learning rate and a global batch. */
double ls_schedule_base(const ls_schedule_config *config, double lr, int64_t batch);

/* Returns the learning rate of a step. The same bits on every processor.
 * base  r */
double ls_schedule_rate(const ls_schedule_config *config, double base, const ls_schedule_at *at);

#endif
