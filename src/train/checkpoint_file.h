/* Between checkpoint.c, which knows what a checkpoint file holds, and checkpoint_folder.c, which
 * knows where the files lie. */
#ifndef LS_TRAIN_CHECKPOINT_FILE_H
#define LS_TRAIN_CHECKPOINT_FILE_H

#include <lockstep/checkpoint.h>

/* Writes one file, complete, sealed and on disk. Local. Errors: LS_ERR_FAILURE. */
ls_status ls_checkpoint_write(const char *path, const ls_state *state) LS_MUST_CHECK;

#endif
