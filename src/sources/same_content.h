/* Comparison of data sets, independent of the storage in their files. */
#ifndef LS_SOURCES_SAME_CONTENT_H
#define LS_SOURCES_SAME_CONTENT_H

#include <lockstep/dataset.h>
#include <lockstep/status.h>

/* How two data sets differ. */
typedef enum ls_likeness { LS_OTHER_CONTENT, LS_OTHER_NAME, LS_SAME_CONTENT } ls_likeness;

/* Compares attributes and all rows of two data sets. Local.
 * out    on return LS_OTHER_NAME if only their names differ
 * first  on return the description of the first
 * Errors: LS_ERR_DATA if a file can't be read, LS_ERR_FAILURE; the results are left alone. */
ls_status ls_same_content(const char *path, const char *other, ls_likeness *out,
                          ls_dataset_info *first) LS_MUST_CHECK;

#endif
