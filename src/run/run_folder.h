/* The folder of a run, locked by rank 0 during the run: no other run starts in it, and its removal,
 * renaming or replacement is detected. All functions are Local. */
#ifndef LS_RUN_RUN_FOLDER_H
#define LS_RUN_RUN_FOLDER_H

#include <lockstep/status.h>

typedef struct ls_run_folder ls_run_folder;

/* Refuses a folder that already holds records or checkpoints of a run.
 * Errors: LS_ERR_USAGE; LS_ERR_DATA if its checkpoints can't be listed. */
ls_status ls_run_folder_refuse_used(const char *path) LS_MUST_CHECK;

/* Locks a folder, which is created if it does not exist.
 * Errors: LS_ERR_USAGE if another process has locked it; LS_ERR_FAILURE. */
ls_status ls_run_folder_take(ls_run_folder **out, const char *path) LS_MUST_CHECK;

/* Checks, before a write, that the folder is still in its place and belongs to this run. A lock
 * file that was removed is created and locked again.
 * Errors: LS_ERR_FAILURE if the folder was removed, renamed or replaced, or another run has begun
 * in it. */
ls_status ls_run_folder_check(ls_run_folder *folder) LS_MUST_CHECK;

/* Returns the outcome of a write into the folder; after a failed write the error of
 * ls_run_folder_check() instead, if there is one. Errors: as the outcome; as above. */
ls_status ls_run_folder_blame(ls_run_folder *folder, ls_status outcome) LS_MUST_CHECK;

/* Returns the path as it was given; borrowed. */
const char *ls_run_folder_path(const ls_run_folder *folder);

/* Unlocks, frees and sets *folder to NULL; accepts NULL. */
void ls_run_folder_release(ls_run_folder **folder);

#endif
