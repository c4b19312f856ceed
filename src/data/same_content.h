/* Comparison of data sets, independent of the storage in their files. */
#ifndef LS_DATA_SAME_CONTENT_H
#define LS_DATA_SAME_CONTENT_H

#include <stdbool.h>

#include <lockstep/status.h>

/* Compares attributes and all rows of two data sets. Local.
 * same  on return true if they are equal
 * Errors: LS_ERR_DATA if a file can't be read, LS_ERR_FAILURE; *same is left alone. */
ls_status ls_same_content(const char *path, const char *other, bool *same) LS_MUST_CHECK;

#endif
