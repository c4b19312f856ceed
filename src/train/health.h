/* The health of a training: NaN and Inf are found in the step that makes them, and the rank and the
 * layer are named; replicas that differ are found and healed. */
#ifndef LS_TRAIN_HEALTH_H
#define LS_TRAIN_HEALTH_H

#include <lockstep/trainer.h>

#include "train/step.h"

/* What has been skipped and rolled back so far. */
typedef struct ls_health ls_health;

/* Local. Errors: LS_ERR_FAILURE when memory is short; *out is left alone. */
ls_status ls_health_create(ls_health **out, int ranks) LS_MUST_CHECK;

/* Frees and sets *health to NULL; accepts NULL. Local. */
void ls_health_destroy(ls_health **health);

/* The checks of a step, for ls_step(). Borrows the trainer. Local. */
ls_step_checks ls_health_checks(const ls_trainer *trainer);

/* Counts a step that succeeded. Local. */
void ls_health_step_taken(ls_trainer *trainer);

/* Checks the parameters after an epoch: the loss is of those before the last update.
 * Collective. Errors, on all ranks alike: LS_ERR_NUMERIC. */
ls_status ls_health_check_params(const ls_trainer *trainer) LS_MUST_CHECK;

/* Skips a step that has failed with LS_ERR_NUMERIC. Collective.
 * Errors: LS_ERR_NUMERIC if too many have, one after the other; LS_ERR_FAILURE. */
ls_status ls_health_skip(ls_trainer *trainer) LS_MUST_CHECK;

/* Goes back to the latest checkpoint after such a failure. Collective.
 * Errors: LS_ERR_NUMERIC if the same step failed the time before; LS_ERR_FAILURE. */
ls_status ls_health_rollback(ls_trainer *trainer) LS_MUST_CHECK;

/* Compares the replicas' parameters, if that is wanted at all; with config->heal, ranks that differ
 * from most others get theirs. Collective. Errors, on all ranks alike: LS_ERR_RANKS, naming them;
 * the error that the latest step deferred; LS_ERR_FAILURE. */
ls_status ls_health_check_replicas(ls_trainer *trainer) LS_MUST_CHECK;

#endif
