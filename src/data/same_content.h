/* Whether two data sets are the same, however their files store them. */
#ifndef LS_DATA_SAME_CONTENT_H
#define LS_DATA_SAME_CONTENT_H

#include <stdbool.h>

#include <lockstep/status.h>

/* Compares what their attributes say, and all rows. Local.
 * Errors: LS_ERR_DATA if one can't be read, LS_ERR_FAILURE. */
ls_status ls_same_content(const char *path, const char *other, bool *same) LS_MUST_CHECK;

#endif
