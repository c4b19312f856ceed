/* The attributes of a checkpoint file: the model's description and the training's progress. One
 * table in checkpoint_attributes.c lists them. All functions are Local. */
#ifndef LS_RUN_CHECKPOINT_ATTRIBUTES_H
#define LS_RUN_CHECKPOINT_ATTRIBUTES_H

#include "run/checkpoint.h"

#include "data/h5.h"

/* The values of all attributes. */
typedef struct ls_checkpoint_facts {
    ls_model_info info; /* its texts are owned after ls_attributes_read() */
    ls_progress progress;
} ls_checkpoint_facts;

/* Writes all attributes. Errors: LS_ERR_FAILURE. */
ls_status ls_attributes_write(ls_h5 *file, const ls_checkpoint_facts *facts) LS_MUST_CHECK;

/* Reads all attributes into zeroed facts, which the caller clears, also after an error. Attributes
 * that are not in the table are ignored.
 * Errors: LS_ERR_DATA if the file is no checkpoint, has another version, or a required attribute is
 * missing or of another type; LS_ERR_FAILURE. */
ls_status ls_attributes_read(const ls_h5 *file, ls_checkpoint_facts *facts) LS_MUST_CHECK;

/* Checks that the file is a data set instead. Errors: LS_ERR_DATA. */
ls_status ls_attributes_check_dataset(const ls_h5 *file) LS_MUST_CHECK;

/* Frees the texts of facts that were read. Accepts zeroed facts. */
void ls_attributes_clear(ls_checkpoint_facts *facts);

/* Reads only the run's id, "" if the file has none; *out is owned. Errors: as above. */
ls_status ls_attributes_read_run(const ls_h5 *file, char **out) LS_MUST_CHECK;

#endif
