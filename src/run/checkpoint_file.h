/* Shared by checkpoint.c (the content of a checkpoint file), checkpoint_folder.c (the folder that a
 * run writes into) and checkpoint_find.c (finding checkpoints). All functions are Local. */
#ifndef LS_RUN_CHECKPOINT_FILE_H
#define LS_RUN_CHECKPOINT_FILE_H

#include "run/checkpoint.h"

#include "base/file.h"

/* Writes one file, sealed and synced to disk. Errors: LS_ERR_FAILURE. */
ls_status ls_checkpoint_write(const char *path, const ls_state *state) LS_MUST_CHECK;

typedef enum ls_condition {
    LS_CHECKPOINT_WHOLE,
    LS_CHECKPOINT_DAMAGED,    /* read, but the digest is not the seal's */
    LS_CHECKPOINT_FOREIGN,    /* read, but without a seal: written by another program */
    LS_CHECKPOINT_UNREADABLE, /* can't be read now, or not by this version: it may be whole */
    LS_CHECKPOINT_GONE,       /* no such file */
} ls_condition;

/* As ls_checkpoint_open(), and returns the file's condition, also with an error. */
ls_status ls_checkpoint_examine(ls_checkpoint **out, const char *path,
                                ls_condition *condition) LS_MUST_CHECK;

/* Reads the id of the run that wrote a file, "" if the run had none, without verifying the file;
 * *out is owned. Errors: LS_ERR_DATA. */
ls_status ls_checkpoint_peek_run(const char *path, char **out) LS_MUST_CHECK;

/* Returns true if a file belongs to a run: their ids are equal, or one is unknown.
 * file, run  the ids; NULL or "": unknown */
bool ls_checkpoint_is_of(const char *file, const char *run);

enum { LS_CHECKPOINT_NAME = 64 };

/* Writes the file name of the checkpoint after `steps` steps. */
void ls_checkpoint_name(char out[LS_CHECKPOINT_NAME], int64_t steps);

/* Returns true if the last component of a path is `last` or `best`; the link need not exist.
 * folder  on return the path without its last component
 * last    on return true for `last` */
bool ls_checkpoint_is_link(const char *path, char folder[LS_PATH_MAX], bool *last);

/* Lists the steps of the checkpoints in a folder, in descending order; *out is owned. The list is
 * empty if the folder does not exist.
 * Errors: LS_ERR_DATA if the folder can't be read; LS_ERR_FAILURE. */
ls_status ls_checkpoint_list(const char *folder, int64_t **out, int *count) LS_MUST_CHECK;

#endif
