/* Predictions: what a network's outputs say about rows, and files of them.
 *
 *     /probabilities  float32 [N,K]; /values [N,K] if the outputs are no probabilities
 *     /class          int32 [N], the class of the largest output; if the targets are classes
 *     /label          int32 [N], the true class; or /targets float32 [N,K]; optional
 *     attributes      format = "lockstep-predictions", version = 1; checkpoint, data, split; and
 *                     class_names, if the classes have names
 *
 * in HDF5; of classifications by step
 *
 *     /class        int32 [N,T], the class of each step; -1 from the row's length on
 *     /probability  float32 [N,T], of that class
 *     /label        int32 [N,T], the true class, -1 from the row's length on; optional
 *
 * In CSV the columns row, label (optional), class, probability (value), p0, p1, ... (y0,
 * y1, ...), with label_name behind label and class_name behind class if the classes have names; or,
 * if the targets are values, row, t0, t1, ... (optional), y0, y1, ...; or, by step, a line for each
 * step below the row's length, with row, step, label (optional), class, probability. */
#ifndef LOCKSTEP_PREDICTION_H
#define LOCKSTEP_PREDICTION_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The meaning of a network's outputs. */
typedef enum ls_meaning {
    LS_MEANING_PROBABILITIES, /* of the classes */
    LS_MEANING_SCORES,        /* of the classes, the largest is the network's choice */
    LS_MEANING_VALUES         /* values of the target, in its units; with bce, the probability of
                                 each that it is 1 */
} ls_meaning;

/* Predictions of consecutive rows. All borrowed. */
typedef struct ls_predictions {
    int64_t first;            /* number of the first row in its split */
    int64_t rows;             /* 1 or more */
    int outputs;              /* K */
    int64_t steps;            /* T; 1: not by step */
    const float *y;           /* [rows][K] as the meaning says; by step [rows][T] the probability of
                                 each step's class */
    const int32_t *predicted; /* [rows][T] class of the largest output, -1 from a row's length on;
                                 unused if they are values */
    const int32_t *label;     /* [rows][T] true class; the same */
    const float *targets;     /* [rows][K] true values; unused if the outputs are of classes */
} ls_predictions;

/* A file of predictions that is being written. */
typedef struct ls_prediction_file ls_prediction_file;

/* Description of a file of predictions. Texts are borrowed during the call that takes it. */
typedef struct ls_prediction_about {
    int64_t rows; /* that will be written */
    int outputs;
    int64_t steps; /* T; 1: not by step */
    ls_meaning meaning;
    const char *const *class_names;        /* [outputs]; NULL: there are none */
    bool truth;                            /* true classes or values are written, too */
    const char *checkpoint, *data, *split; /* for the attributes of HDF5 */
} ls_prediction_about;

/* Checks that a file of predictions can be made at a path: NAME.csv or NAME.h5 in an existing
 * folder, no file of another kind. Local.
 * Errors: LS_ERR_USAGE, LS_ERR_FAILURE. */
ls_status ls_prediction_file_check(const char *path) LS_MUST_CHECK;

/* Creates a file of predictions. It appears at `path` when it is finished. Local.
 * Errors: as above, and LS_ERR_USAGE if it is a file of the data set; LS_ERR_FAILURE if the file
 * can't be written or memory is short. *out is left alone. */
ls_status ls_prediction_file_create(ls_prediction_file **out, const char *path,
                                    const ls_prediction_about *about) LS_MUST_CHECK;

/* Writes the next rows; with the truth if the file has it. Local.
 * Errors: LS_ERR_FAILURE if the file can't be written. */
ls_status ls_prediction_file_write(ls_prediction_file *file,
                                   const ls_predictions *rows) LS_MUST_CHECK;

/* Closes the file, frees and sets *file to NULL; accepts NULL. The file appears at its path if
 * `status`, that of the writing, is LS_OK; else nothing remains, and a former file is unchanged.
 * Local.
 * Errors: `status`; LS_ERR_FAILURE if the file could not be written completely. */
ls_status ls_prediction_file_finish(ls_prediction_file **file, ls_status status) LS_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
