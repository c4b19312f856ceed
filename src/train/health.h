/* The health of a training: NaN and Inf are detected in the step that produces them, with the rank
 * and the layer; replicas that differ are detected and healed. */
#ifndef LS_TRAIN_HEALTH_H
#define LS_TRAIN_HEALTH_H

#include <lockstep/trainer.h>

#include "train/step.h"

/* Counts of skipped steps and rollbacks. */
typedef struct ls_health ls_health;

/* Creates the counts. Local.
 * Errors: LS_ERR_FAILURE when memory is short; *out is left alone. */
ls_status ls_health_create(ls_health **out, int ranks) LS_MUST_CHECK;

/* Frees and sets *health to NULL; accepts NULL. Local. */
void ls_health_destroy(ls_health **health);

/* Returns the checks for ls_step(); they borrow the trainer. Local. */
ls_step_checks ls_health_checks(const ls_trainer *trainer);

/* Counts a step that succeeded. Local. */
void ls_health_step_taken(ls_trainer *trainer);

/* Checks the parameters after an epoch, as the last loss was computed before the last update.
 * Collective. Errors, on all ranks alike: LS_ERR_NUMERIC. */
ls_status ls_health_check_params(const ls_trainer *trainer) LS_MUST_CHECK;

/* Skips a replica's step that failed with LS_ERR_NUMERIC. Collective.
 * Errors: LS_ERR_NUMERIC if too many steps in a row failed; LS_ERR_FAILURE. */
ls_status ls_health_skip(ls_trainer *trainer, ls_replica *replica) LS_MUST_CHECK;

/* Rolls back to the latest checkpoint after LS_ERR_NUMERIC. Collective.
 * Errors: LS_ERR_NUMERIC if the same step failed at the previous rollback, or there were too many
 * rollbacks without progress; LS_ERR_FAILURE. */
ls_status ls_health_rollback(ls_trainer *trainer) LS_MUST_CHECK;

/* Compares the replicas' parameters, unless config->check_replicas is 0. With config->heal, ranks
 * that differ from the majority get the majority's parameters. Collective.
 * Errors, on all ranks alike: LS_ERR_RANKS, naming the ranks that differ; the error that the latest
 * step deferred; LS_ERR_FAILURE. */
ls_status ls_health_check_replicas(ls_trainer *trainer) LS_MUST_CHECK;

#endif
