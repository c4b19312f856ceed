/* What a run leaves behind: its folder, the checkpoints and the logs in it. All functions are for
 * rank 0, and Local. */
#ifndef LS_TRAIN_RECORDS_H
#define LS_TRAIN_RECORDS_H

#include <stdbool.h>

#include <lockstep/checkpoint.h>
#include <lockstep/trainer.h>

#include "run/run_log.h"

typedef struct ls_records {
    ls_model_info info; /* for checkpoints; borrows all its texts */
    char *resumed;      /* path of the checkpoint that was resumed, owned; "" if new */
    char id[LS_RUN_ID]; /* of the run, on rank 0 */
    bool in_place;      /* that checkpoint lies in the run folder; on rank 0 */

    /* On rank 0, unless nothing is written. */
    ls_run_folder *run;
    ls_checkpoint_folder *folder;
    ls_run_log *log;

    double created;             /* when the trainer was, on ls_now()'s clock */
    double saved;               /* when the latest checkpoint was */
    double save_seconds;        /* that it took; an estimate before the first */
    bool has_saved;             /* a checkpoint of this process */
    struct ls_standby *standby; /* on rank 0, where steps are long; else NULL */
    bool standby_failed;        /* it can't be had */
} ls_records;

/* Finds out whether the run folder may be used, before any work is done, and whether its run is
 * continued. Errors: LS_ERR_USAGE if not; LS_ERR_DATA. */
ls_status ls_records_check(ls_trainer *trainer) LS_MUST_CHECK;

/* Takes the run folder, and reads which run's it is. Errors: LS_ERR_USAGE if another process has
 * it; LS_ERR_FAILURE. */
ls_status ls_records_take(ls_trainer *trainer) LS_MUST_CHECK;

/* Begins or continues them. Where the checkpoint that was resumed lies elsewhere it and the best
 * one beside it are imported, so that the folder is whole; it stays the same run.
 * Errors: LS_ERR_FAILURE, LS_ERR_DATA, LS_ERR_USAGE. */
ls_status ls_records_begin(ls_trainer *trainer) LS_MUST_CHECK;

/* Makes them end where the run's progress does. Errors: LS_ERR_FAILURE, LS_ERR_DATA. */
ls_status ls_records_rewind(ls_trainer *trainer) LS_MUST_CHECK;

/* Closes them all, releases the folder and frees. */
void ls_records_close(ls_trainer *trainer);

#endif
