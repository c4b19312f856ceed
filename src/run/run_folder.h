/* The folder of a run, held by rank 0 as long as the run goes on: no other run starts in it, and
 * what becomes of it meanwhile is noticed. All functions are Local. */
#ifndef LS_RUN_RUN_FOLDER_H
#define LS_RUN_RUN_FOLDER_H

#include <lockstep/status.h>

typedef struct ls_run_folder ls_run_folder;

/* Refuses a folder that holds records or checkpoints of a run already.
 * Errors: LS_ERR_USAGE; LS_ERR_DATA if its checkpoints can't be listed. */
ls_status ls_run_folder_refuse_used(const char *path) LS_MUST_CHECK;

/* Makes a folder, where there is none, and takes it.
 * Errors: LS_ERR_USAGE if another process has it; LS_ERR_FAILURE. */
ls_status ls_run_folder_take(ls_run_folder **out, const char *path) LS_MUST_CHECK;

/* Makes sure, before something is written into it, that the folder is still in its place and this
 * run's. A lock file that was removed is made and locked anew.
 * Errors: LS_ERR_FAILURE if the folder was removed, renamed or replaced, or another run has begun
 * in it. */
ls_status ls_run_folder_check(ls_run_folder *folder) LS_MUST_CHECK;

/* The outcome of writing something into it: if that failed because of what became of the folder,
 * that is what is told. Errors: those of the outcome; as above. */
ls_status ls_run_folder_blame(ls_run_folder *folder, ls_status outcome) LS_MUST_CHECK;

/* Its path, as it was given; borrowed. */
const char *ls_run_folder_path(const ls_run_folder *folder);

/* Gives it back, frees it and sets *folder to NULL; accepts NULL. */
void ls_run_folder_release(ls_run_folder **folder);

#endif
