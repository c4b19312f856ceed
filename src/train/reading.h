/* How a training reads its data set and corrupts its rows: what follows from its settings. All
 * functions are Local. */
#ifndef LS_TRAIN_READING_H
#define LS_TRAIN_READING_H

#include <lockstep/config.h>
#include <lockstep/dataset.h>

/* Returns the options; their texts are the configuration's. */
ls_dataset_options ls_reading_options(const ls_train_config *config);

/* Sets the settings about reading and corruption from the text of a training's settings, see
 * ls_config_text(); the others, and those that are newer than the text, have their defaults.
 * path   of the checkpoint, for messages
 * texts  on return the memory that the settings' texts are in, owned by the caller: ls_free()
 * Errors: LS_ERR_DATA for a value that is unknown to this version; LS_ERR_FAILURE. */
ls_status ls_reading_parse(ls_train_config *out, const char *path, const char *settings,
                           char **texts) LS_MUST_CHECK;

#endif
