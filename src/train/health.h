/* Whether training is healthy: numbers that are none are found in the step that makes them, and the
 * rank and the layer are named. */
#ifndef LS_TRAIN_HEALTH_H
#define LS_TRAIN_HEALTH_H

#include "train/trainer_state.h"

/* The checks of a step, for ls_step(). Borrows the trainer. Local. */
ls_step_checks ls_health_checks(const ls_trainer *trainer);

/* Looks at the parameters after an epoch: the loss tells of those before the last update.
 * Collective. Errors, on all ranks alike: LS_ERR_NUMERIC. */
ls_status ls_health_check_params(const ls_trainer *trainer) LS_MUST_CHECK;

/* Passes over a step that has failed with LS_ERR_NUMERIC. Collective.
 * Errors: LS_ERR_NUMERIC if too many have, one after the other; LS_ERR_FAILURE. */
ls_status ls_health_skip(ls_trainer *trainer) LS_MUST_CHECK;

/* Goes back to the latest checkpoint after such a failure. Collective.
 * Errors: LS_ERR_NUMERIC if it was that step that failed the time before; LS_ERR_FAILURE. */
ls_status ls_health_roll_back(ls_trainer *trainer) LS_MUST_CHECK;

/* Compares the replicas' parameters, if that is wanted at all; with config->heal, ranks that differ
 * from most others get theirs. Collective. Errors, on all ranks alike: LS_ERR_RANKS, naming them;
 * LS_ERR_FAILURE. */
ls_status ls_health_check_replicas(ls_trainer *trainer) LS_MUST_CHECK;

#endif
