/* The end of an epoch: validation, metrics, early stopping, checkpoint and logs; and the result of
 * the training. trainer.c calls these functions in this order. */
#ifndef LS_TRAIN_EPOCH_H
#define LS_TRAIN_EPOCH_H

#include <stdbool.h>

#include <lockstep/trainer.h>

/* Evaluates the validation rows. Collective.
 * params   [ls_network_size] to evaluate
 * metrics  on return with the validation columns; NaN if there are no validation rows
 * Errors, on all ranks alike: LS_ERR_NUMERIC if the loss is not finite; those of ls_evaluate(). */
ls_status ls_epoch_validate(ls_trainer *trainer, const float *params,
                            ls_metrics *metrics) LS_MUST_CHECK;

/* Fills in the other columns from the epoch's totals. Collective.
 * validation_s  seconds of the validation on this rank */
void ls_epoch_make_metrics(ls_trainer *trainer, double validation_s, ls_metrics *metrics);

/* Counts the epoch as finished and updates early stopping. Returns true, on all ranks alike, if the
 * epoch is the best so far: its parameters are then kept for --restore-best. Collective.
 * params  [ls_network_size] the validated parameters */
bool ls_epoch_finish(ls_trainer *trainer, const float *params, const ls_metrics *metrics);

/* Saves a checkpoint if one is due, writes the logs, and notifies the observer. Collective.
 * metrics  on return with the seconds of the checkpoint
 * Errors, on all ranks alike: those of ls_trainer_save(); LS_ERR_FAILURE. */
ls_status ls_epoch_record(ls_trainer *trainer, ls_metrics *metrics, bool best) LS_MUST_CHECK;

/* Sets the final parameters, and makes the result: the same on all ranks, except for the seconds.
 * Collective.
 * begin  start of the training, on ls_now()'s clock
 * idle   the resumed run had finished already
 * Errors, on all ranks alike: the error that the latest step deferred. */
ls_status ls_epoch_make_result(ls_trainer *trainer, double begin, bool idle,
                               ls_train_result *result) LS_MUST_CHECK;

#endif
