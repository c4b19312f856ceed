/* Documents with classes: rows of a table in text, or files in folders. All functions are Local. */
#ifndef LS_SOURCES_DOCUMENTS_H
#define LS_SOURCES_DOCUMENTS_H

#include <lockstep/import.h>

#include "base/text_list.h"

enum { LS_DOCUMENT_SPLITS = 3 };

/* The documents of a split. */
typedef struct ls_document_split {
    const char *group;           /* "train", "validation", "test" */
    int64_t rows;                /* to import */
    int32_t *label;              /* [rows] classes of the documents that were read */
    const ls_text_list *sources; /* paths of all files */
} ls_document_split;

typedef struct ls_documents ls_documents;

/* Opens documents: of the rows of a table, or of a folder.
 * Errors: LS_ERR_USAGE, LS_ERR_DATA, LS_ERR_FAILURE, as ls_import_text(); *out is left alone. */
ls_status ls_documents_open(ls_documents **out, const ls_import *import,
                            const ls_text_source *source) LS_MUST_CHECK;

/* Return the splits, [*splits]; and the names of the classes, empty if they have none, and the
 * number of classes. All borrowed. */
const ls_document_split *ls_documents_splits(const ls_documents *documents, int *splits);
const ls_text_list *ls_documents_classes(const ls_documents *documents, int64_t *classes);

/* Goes to the first document of a split. Errors: LS_ERR_DATA, LS_ERR_FAILURE. */
ls_status ls_documents_first(ls_documents *documents, int split) LS_MUST_CHECK;

/* Reads the next document of the split, of which there must be one, and sets its label.
 * text  on return the document; borrowed until the next call
 * Errors: LS_ERR_DATA if it can't be read, has a zero byte or more than 64 MiB, or if the file has
 * changed; LS_ERR_FAILURE. */
ls_status ls_documents_next(ls_documents *documents, const char **text) LS_MUST_CHECK;

/* Returns the place of the latest document, for messages: a path. Borrowed. */
const char *ls_documents_place(const ls_documents *documents);

/* Closes, frees and sets *documents to NULL; accepts NULL. */
void ls_documents_close(ls_documents **documents);

#endif
