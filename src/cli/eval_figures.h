/* Tables and figures of an evaluation on a page, from the output of `eval --json`, which may be of
 * any content: what is missing or no number is left out. All functions are Local. */
#ifndef LS_CLI_EVAL_FIGURES_H
#define LS_CLI_EVAL_FIGURES_H

#include <stdint.h>
#include <stdio.h>

#include <lockstep/status.h>

struct json_t;

/* Write the metrics; the scores of the classes and their means; the scores or errors of the
 * outputs.
 * names    [classes], or NULL: they have none
 * counted  "rows" or "steps": what is of a class */
void ls_eval_write_metrics(FILE *out, const struct json_t *evaluation);
void ls_eval_write_classes(FILE *out, const struct json_t *evaluation, const char *const *names,
                           int classes, const char *counted);
void ls_eval_write_outputs(FILE *out, const struct json_t *evaluation);

/* Draws the figures of a regression, and the ROC curve of a binary task.
 * Errors: LS_ERR_FAILURE if memory is short. */
ls_status ls_eval_write_figures(FILE *out, const struct json_t *evaluation) LS_MUST_CHECK;

#endif
