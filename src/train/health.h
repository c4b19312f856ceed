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

#endif
