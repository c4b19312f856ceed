/* Between checkpoint.c, which knows what a checkpoint file holds, and checkpoint_folder.c and
 * checkpoint_find.c, which know where the files lie. All functions are Local. */
#ifndef LS_RUN_CHECKPOINT_FILE_H
#define LS_RUN_CHECKPOINT_FILE_H

#include <lockstep/checkpoint.h>

#include "base/file.h"

/* Writes one file, complete, sealed and on disk. Errors: LS_ERR_FAILURE. */
ls_status ls_checkpoint_write(const char *path, const ls_state *state) LS_MUST_CHECK;

typedef enum ls_condition {
    LS_CHECKPOINT_WHOLE,
    LS_CHECKPOINT_DAMAGED,    /* it was read, and is not what was sealed */
    LS_CHECKPOINT_FOREIGN,    /* it was read, and was never sealed: something else has written it */
    LS_CHECKPOINT_UNREADABLE, /* it can't be read now, or not by this program: it may be whole */
    LS_CHECKPOINT_GONE,
} ls_condition;

/* ls_checkpoint_open() that tells damaged from unreadable. */
ls_status ls_checkpoint_examine(ls_checkpoint **out, const char *path,
                                ls_condition *condition) LS_MUST_CHECK;

/* Reads the id of the run that wrote a file, "" if that had none, without verifying the file; *out
 * is owned. Errors: LS_ERR_DATA. */
ls_status ls_checkpoint_peek_run(const char *path, char **out) LS_MUST_CHECK;

/* Whether the run of this id may have written a file with that one; NULL and "": unknown. */
bool ls_checkpoint_is_of(const char *file, const char *run);

enum { LS_CHECKPOINT_NAME = 64 };

/* The name of the checkpoint of so many steps. */
void ls_checkpoint_name(char out[LS_CHECKPOINT_NAME], int64_t steps);

/* Whether a path is that of a link, `last` or `best`, whether there is one or not.
 * folder  on return what comes before the name */
bool ls_checkpoint_is_link(const char *path, char folder[LS_PATH_MAX], bool *last);

/* The steps of the checkpoints in a folder, most first; *out is owned. None if there is no such
 * folder. Errors: LS_ERR_DATA if it can't be read, LS_ERR_FAILURE. */
ls_status ls_checkpoint_list(const char *folder, int64_t **out, int *count) LS_MUST_CHECK;

#endif
