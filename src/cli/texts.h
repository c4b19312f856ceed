/* Texts as input of a network: read from files or their lines, classified, printed.
 * All functions are Local. */
#ifndef LS_CLI_TEXTS_H
#define LS_CLI_TEXTS_H

#include <stdbool.h>

#include <lockstep/model.h>
#include <lockstep/status.h>

#include "cli/predicted.h"

/* What is to be done. */
typedef struct ls_text_request {
    const char *text;        /* "": the files */
    const char *const *path; /* [count] files, each a text */
    int count;
    bool lines; /* each line of the files is a text */
    ls_predicted_form form;
} ls_text_request;

/* Classifies texts and prints a line for each to stdout, in their order. Files that can't be read
 * are named on stderr; the others are classified.
 * Errors: LS_ERR_DATA if a file can't be read, after all others are printed, or if the network does
 * not take texts; LS_ERR_NUMERIC if an output is not finite; LS_ERR_FAILURE. */
ls_status ls_texts_predict(const ls_model *model, const ls_text_request *request) LS_MUST_CHECK;

#endif
