/* The vocabulary of a data set: the texts of its tokens. All functions are Local. */
#ifndef LS_DATA_VOCABULARY_H
#define LS_DATA_VOCABULARY_H

#include "base/text_list.h"
#include "data/h5.h"

/* Writes the texts; nothing if there are none. Errors: LS_ERR_FAILURE. */
ls_status ls_vocabulary_write(ls_h5 *file, const ls_text_list *texts) LS_MUST_CHECK;

#endif
