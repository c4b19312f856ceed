/* Predictions of things that have names, such as files: printed as lines, CSV or JSON, each with
 * its class, the class's name and its probability. All functions are Local. */
#ifndef LS_CLI_PREDICTED_H
#define LS_CLI_PREDICTED_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>
#include <lockstep/model.h>
#include <lockstep/status.h>

typedef enum ls_predicted_form {
    LS_PREDICTED_TEXT,
    LS_PREDICTED_CSV,
    LS_PREDICTED_JSON
} ls_predicted_form;

typedef struct ls_predicted {
    const ls_model *model; /* that gives classes */
    ls_predicted_form form;
    bool lines;   /* things are lines of files */
    json_t *list; /* of LS_PREDICTED_JSON */
    int bad;      /* files that can't be read */
    char first_bad[LS_ERROR_TEXT_MAX];
} ls_predicted;

/* A thing that was classified. */
typedef struct ls_predicted_thing {
    const char *file;
    int64_t line; /* in the file, from 1; read if things are lines */
} ls_predicted_thing;

/* Begins; prints the head of a table. End with ls_predicted_end().
 * lines  things are lines of files
 * Errors: LS_ERR_DATA if the model gives no classes for rows; LS_ERR_FAILURE. */
ls_status ls_predicted_begin(ls_predicted *predicted, const ls_model *model, ls_predicted_form form,
                             bool lines) LS_MUST_CHECK;

/* Prints a prediction, or keeps it for the JSON.
 * y  [classes] outputs
 * Errors: LS_ERR_FAILURE. */
ls_status ls_predicted_add(ls_predicted *predicted, ls_predicted_thing thing, int32_t class,
                           const float *y) LS_MUST_CHECK;

/* Remembers, after ls_fail(), a file that can't be read; a second one, and those after it, are
 * printed at once. */
void ls_predicted_note_bad(ls_predicted *predicted);

/* Returns the error for files that can't be read, if there are any.
 * noun  "picture" of `count`
 * Errors: LS_ERR_DATA. */
ls_status ls_predicted_bad(const ls_predicted *predicted, int count,
                           const char *noun) LS_MUST_CHECK;

/* Frees, after printing the JSON if the status is LS_OK; accepts what is zeroed. */
void ls_predicted_end(ls_predicted *predicted, ls_status status);

/* Returns true if the outputs are probabilities. */
bool ls_predicted_probable(const ls_predicted *predicted);

#endif
