/* Facts about a run that the parts of its page share, from its summary and history. */
#ifndef LS_CLI_RUN_FACTS_H
#define LS_CLI_RUN_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "cli/run_page.h"

/* Returns the task of the run's network, LS_TASK_...; of a run of an older version by its columns.
 * Local. */
unsigned ls_run_task(const ls_run_material *material);

/* Returns true if a run has trained a variational autoencoder. */
bool ls_run_is_variational(const ls_run_material *material);

/* The metric that says most about the run beside the loss: the accuracy; of a regression, whose
 * history has no accuracy, the RMSE. Local. */
ls_metric ls_run_main_metric(const ls_run_material *material);

/* The epoch of the run's resulting network, from 1: the best epoch, else the last; 0: none.
 * Local. */
int64_t ls_run_outcome_epoch(const ls_run_material *material);

/* Writes the commands that evaluate the run and add the result to its page. Local. */
void ls_run_how_to_evaluate(const ls_run_material *material, char out[LS_JSON_TEXT]);

/* Writes a JSON integer with commas between thousands; "" for another value. Returns `out`.
 * Local. */
const char *ls_run_count_text(const json_t *value, char out[LS_JSON_TEXT]);

/* The reason why there is no evaluation on test rows. Local. */
const char *ls_run_why_not_evaluated(const ls_run_material *material);

#endif
