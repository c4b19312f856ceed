/* Names of classes: the attribute class_names of a data set or a checkpoint, an array of strings.
 * All functions are Local. */
#ifndef LS_DATA_CLASS_NAMES_H
#define LS_DATA_CLASS_NAMES_H

#include "base/text_list.h"
#include "data/h5.h"

/* Returns true if an attribute can hold the names: at most 4,000 of any length, or names of 64,000
 * bytes together, counted by the longest. */
bool ls_class_names_fit(const ls_text_list *names);

/* Writes the names; nothing if there are none.
 * Errors: LS_ERR_DATA if they do not fit; LS_ERR_FAILURE. */
ls_status ls_class_names_write(ls_h5 *file, const ls_text_list *names) LS_MUST_CHECK;

/* Reads the names into an empty list; a file without names leaves it empty.
 * Errors: LS_ERR_DATA if the attribute is not one string for each class; LS_ERR_FAILURE. */
ls_status ls_class_names_read(const ls_h5 *file, int64_t classes, ls_text_list *out) LS_MUST_CHECK;

#endif
