/* What the importers share. All functions are Local. */
#ifndef LS_SOURCES_IMPORT_COMMON_H
#define LS_SOURCES_IMPORT_COMMON_H

#include <lockstep/import.h>

#include "base/text_list.h"
#include "sources/writer.h"

/* Labels of a split, and the file that they are from. */
typedef struct ls_label_list {
    const char *path;
    const int32_t *label; /* [rows] */
    int64_t rows;
} ls_label_list;

/* Checks labels and determines the number of classes: `wanted` if above 0, else one more than the
 * largest label, at least 2.
 * Errors: LS_ERR_DATA for a label that is negative or too large. */
ls_status ls_import_classes(const ls_label_list *lists, int count, int64_t wanted,
                            int64_t *out) LS_MUST_CHECK;

/* Returns the rows to import: `limit` if above 0 and fewer. */
int64_t ls_import_rows(int64_t rows, int64_t limit);

/* Computes the digest of source files: the SHA-256 of their SHA-256 digests as hex, in order.
 * user  ls_text_list of paths
 * Errors: LS_ERR_DATA if one can't be read. */
ls_status ls_import_digest(void *user, char digest[LS_SOURCE_DIGEST]) LS_MUST_CHECK;

/* Returns the content to write, with the settings of an import. */
ls_dataset_content ls_import_content(const ls_import *import, const ls_split_source *split,
                                     int splits);

/* Writes a data set of classes to `path`.
 * classes  number of classes
 * names    of the classes; empty: none
 * sources  paths of the files of each split, of which the digest is made
 * Errors: as ls_dataset_write(). */
ls_status ls_import_write(const ls_import *import, const ls_split_source *split, int splits,
                          int64_t classes, const ls_text_list *names,
                          const ls_text_list *const *sources, const char *path) LS_MUST_CHECK;

#endif
