/* The vocabulary of a data set or a checkpoint: the texts of its tokens, a dataset of strings, or
 * only their number, an attribute. All functions are Local. */
#ifndef LS_DATA_VOCABULARY_H
#define LS_DATA_VOCABULARY_H

#include "base/text_list.h"
#include "data/h5.h"

/* Writes the texts; nothing if there are none.
 * Errors: LS_ERR_DATA if they are too many; LS_ERR_FAILURE. */
ls_status ls_vocabulary_write(ls_h5 *file, const ls_text_list *texts) LS_MUST_CHECK;

/* Reads the texts into an empty list; a file without texts leaves it empty.
 * tokens  on return their number; 0: the file does not say it
 * Errors: LS_ERR_DATA if they are no strings, or not as many as the number; LS_ERR_FAILURE. */
ls_status ls_vocabulary_read(const ls_h5 *file, ls_text_list *out, int *tokens) LS_MUST_CHECK;

#endif
