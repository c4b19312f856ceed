/* The result of an evaluation, as text, JSON and a picture. All functions are Local. */
#ifndef LS_CLI_EVAL_RESULT_H
#define LS_CLI_EVAL_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/dataset.h>
#include <lockstep/model.h>
#include <lockstep/status.h>

struct json_t;

typedef struct ls_eval_result {
    const ls_model_facts *facts; /* borrowed */
    ls_split split;
    const char *corrupt;                       /* of the inputs; borrowed */
    int classes;                               /* that rows can be of; 0: they are of none */
    ls_evaluated found;                        /* no confusion for too many classes */
    ls_class_score *of_class, macro, weighted; /* [classes]; NULL as the confusion */
    ls_calibration calibration;
    struct ls_eval_plots *plots; /* for JSON; owned; NULL: the task has none, or not wanted */
    bool lists_wrong;            /* the misclassified rows are wanted */
    ls_misclassified *wrong;     /* [wrongs] */
    int64_t wrongs;
} ls_eval_result;

/* Allocates the results that the network's task has.
 * wrongs  most misclassified rows; 0: they are not wanted
 * Errors: LS_ERR_FAILURE; the caller frees the result in any case. */
ls_status ls_eval_result_create(ls_eval_result *out, const ls_model_facts *facts, ls_split split,
                                int64_t wrongs) LS_MUST_CHECK;

/* Frees the content of a result. Accepts a zeroed one. */
void ls_eval_result_free(ls_eval_result *result);

/* Prints the result on stdout as text. */
void ls_eval_print(const ls_eval_result *result);

/* Returns the result as JSON, owned by the caller; NULL if memory is short. */
struct json_t *ls_eval_json(const ls_eval_result *result);

/* Writes a PNG of the misclassified rows.
 * data, options  the data set
 * Errors: LS_ERR_DATA if it can't be read; LS_ERR_USAGE if rows can't be drawn; LS_ERR_FAILURE. */
ls_status ls_eval_picture(const ls_eval_result *result, const char *data,
                          const ls_dataset_options *options, const char *path) LS_MUST_CHECK;

#endif
