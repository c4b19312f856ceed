/* Names of classes: the attribute class_names of a data set, an array of strings. All functions are
 * Local. */
#ifndef LS_DATA_CLASS_NAMES_H
#define LS_DATA_CLASS_NAMES_H

#include "base/text_list.h"
#include "data/h5.h"

/* Writes the names; nothing if there are none.
 * Errors: LS_ERR_DATA if they are too long for an attribute; LS_ERR_FAILURE. */
ls_status ls_class_names_write(ls_h5 *file, const ls_text_list *names) LS_MUST_CHECK;

/* Reads the names into an empty list; a file without names leaves it empty.
 * Errors: LS_ERR_DATA if the attribute is not one string for each class; LS_ERR_FAILURE. */
ls_status ls_class_names_read(const ls_h5 *file, int64_t classes, ls_text_list *out) LS_MUST_CHECK;

#endif
