/* The head of the page about a run: its results, and a notice if it is unfinished. */
#ifndef LS_CLI_RUN_HEADLINE_H
#define LS_CLI_RUN_HEADLINE_H

#include <stdint.h>
#include <stdio.h>

#include "cli/run_page.h"

/* Writes the head: test accuracy, validation accuracy, epochs, time, ranks. Local. */
void ls_run_headline_write(FILE *out, const ls_run_material *material);

/* The epoch of the run's resulting network, from 1: the best epoch, else the last; 0: none.
 * Local. */
int64_t ls_run_outcome_epoch(const ls_run_material *material);

/* The reason why there is no evaluation on test rows. Local. */
const char *ls_run_why_not_evaluated(const ls_run_material *material);

#endif
