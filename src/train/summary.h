/* summary.json: the result of a training, and its conditions. */
#ifndef LS_TRAIN_SUMMARY_H
#define LS_TRAIN_SUMMARY_H

#include <lockstep/trainer.h>

/* Writes the summary and the closing events into the trainer's run folder; on rank 0. Local.
 * Errors: LS_ERR_FAILURE. */
ls_status ls_summary_write(const ls_trainer *trainer, const ls_train_result *result) LS_MUST_CHECK;

#endif
