/* IDX files in the forms of their publishers. */
#ifndef LS_SOURCES_IMPORT_IDX_H
#define LS_SOURCES_IMPORT_IDX_H

#include <lockstep/import.h>

#include "base/text_list.h"

#include <stdbool.h>

/* Zeroed: as MNIST. */
typedef struct ls_idx_form {
    bool transposed;           /* images are [W,H]: they are set upright */
    int32_t first_label;       /* label of the first class */
    const ls_text_list *names; /* of the classes; NULL or empty: none */
} ls_idx_form;

/* As ls_import_idx(), from files of this form. Local. */
ls_status ls_import_idx_form(const ls_import *import, const ls_idx_form *form,
                             const char *path) LS_MUST_CHECK;

#endif
