/* What a run leaves: its folder, the checkpoints and the logs in it. All functions are for rank 0,
 * and Local. */
#ifndef LS_TRAIN_RECORDS_H
#define LS_TRAIN_RECORDS_H

#include "train/trainer_state.h"

/* Finds out whether the run folder may be used, before any work is done, and whether it is gone on
 * with. Errors: LS_ERR_USAGE if not; LS_ERR_DATA. */
ls_status ls_records_check(ls_trainer *trainer) LS_MUST_CHECK;

/* Takes the run folder, and reads which run's it is. Errors: LS_ERR_USAGE if another process has
 * it; LS_ERR_FAILURE. */
ls_status ls_records_take(ls_trainer *trainer) LS_MUST_CHECK;

/* Begins them, or goes on with them. Where the checkpoint that was resumed lies elsewhere it and
 * the best one beside it are taken over, so that the folder is whole; it stays the same run.
 * Errors: LS_ERR_FAILURE, LS_ERR_DATA, LS_ERR_USAGE. */
ls_status ls_records_begin(ls_trainer *trainer) LS_MUST_CHECK;

/* Lets them end where the run's progress does. Errors: LS_ERR_FAILURE, LS_ERR_DATA. */
ls_status ls_records_rewind(ls_trainer *trainer) LS_MUST_CHECK;

/* Closes them all and gives the folder back. */
void ls_records_close(ls_trainer *trainer);

#endif
