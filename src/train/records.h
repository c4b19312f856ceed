/* The run on disk: its folder with checkpoints and logs. All functions are Local, for rank 0. */
#ifndef LS_TRAIN_RECORDS_H
#define LS_TRAIN_RECORDS_H

#include <stdbool.h>

#include <lockstep/trainer.h>

#include "run/run_log.h"
#include "run/checkpoint.h"

typedef struct ls_records {
    ls_model_info info; /* for checkpoints; borrows all its texts */
    char *resumed;      /* path of the checkpoint that was resumed, owned; "" if new */
    char id[LS_RUN_ID]; /* of the run, on rank 0 */
    char *changed;      /* settings that differ from that checkpoint's, owned; NULL: none */
    bool in_place;      /* the resumed checkpoint lies in the run folder; on rank 0 */

    /* On rank 0; NULL if nothing is written. */
    ls_run_folder *run;
    ls_checkpoint_folder *folder;
    ls_run_log *log;

    double created;             /* time of the trainer's creation, on ls_now()'s clock */
    double saved;               /* time of the latest checkpoint */
    double save_seconds;        /* duration of the latest save; an estimate before the first */
    bool has_saved;             /* this process has saved a checkpoint */
    struct ls_standby *standby; /* on rank 0 if steps are long; else NULL */
    bool standby_failed;        /* out of memory or threads: don't try again */
} ls_records;

/* Checks that the run folder may be used, before any work is done, and sets in_place.
 * Errors: LS_ERR_USAGE if the folder holds another run; LS_ERR_DATA. */
ls_status ls_records_check(ls_trainer *trainer) LS_MUST_CHECK;

/* Locks the run folder, and reads its run id.
 * Errors: LS_ERR_USAGE if another process has locked it; LS_ERR_FAILURE. */
ls_status ls_records_take(ls_trainer *trainer) LS_MUST_CHECK;

/* Begins or continues the records. If the resumed checkpoint lies in another folder, it and the
 * best checkpoint of that folder are copied, so that the run folder is complete; the run id stays.
 * Errors: LS_ERR_FAILURE, LS_ERR_DATA, LS_ERR_USAGE. */
ls_status ls_records_begin(ls_trainer *trainer) LS_MUST_CHECK;

/* Removes the records after the run's progress. Errors: LS_ERR_FAILURE, LS_ERR_DATA. */
ls_status ls_records_rewind(ls_trainer *trainer) LS_MUST_CHECK;

/* Writes a state as a checkpoint into the run's folder, which must still exist; on rank 0, one
 * thread at a time. Local.
 * Errors: those of ls_checkpoint_save(); LS_ERR_FAILURE. */
ls_status ls_records_write(const struct ls_trainer *trainer, const ls_state *state) LS_MUST_CHECK;

/* Closes the records, releases the folder and frees. */
void ls_records_close(ls_trainer *trainer);

#endif
