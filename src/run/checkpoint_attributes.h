/* The attributes of a checkpoint file: what the network is and how far its training has come. They
 * are listed in one table, in checkpoint_attributes.c. All functions are Local. */
#ifndef LS_RUN_CHECKPOINT_ATTRIBUTES_H
#define LS_RUN_CHECKPOINT_ATTRIBUTES_H

#include <lockstep/checkpoint.h>

#include "data/h5.h"

/* Everything that attributes hold. */
typedef struct ls_checkpoint_facts {
    ls_model_info info; /* its texts are owned once they were read */
    ls_progress progress;
} ls_checkpoint_facts;

/* Writes all attributes. Errors: LS_ERR_FAILURE. */
ls_status ls_attributes_write(ls_h5 *file, const ls_checkpoint_facts *facts) LS_MUST_CHECK;

/* Reads all attributes into zeroed facts; after an error, too, the caller clears them. Attributes
 * that are not in the table are ignored.
 * Errors: LS_ERR_DATA if the file is no checkpoint, or of another version, or an attribute that
 * every checkpoint has is missing or of another type; LS_ERR_FAILURE. */
ls_status ls_attributes_read(const ls_h5 *file, ls_checkpoint_facts *facts) LS_MUST_CHECK;

/* Frees the texts of facts that were read. Accepts zeroed ones. */
void ls_attributes_clear(ls_checkpoint_facts *facts);

/* Reads the id of the run alone, "" if the file has none; *out is owned. Errors: as above. */
ls_status ls_attributes_read_run(const ls_h5 *file, char **out) LS_MUST_CHECK;

#endif
