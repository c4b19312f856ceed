/* The head of the page about a run: what it came to, and whether it came to its end. */
#ifndef LS_CLI_RUN_HEADLINE_H
#define LS_CLI_RUN_HEADLINE_H

#include <stdint.h>
#include <stdio.h>

#include "cli/run_page.h"

/* Writes it: test accuracy, validation accuracy, epochs, time, ranks. Local. */
void ls_run_headline_write(FILE *out, const ls_run_material *material);

/* The epoch whose network is what the run came to, from 1: the best one, else the last; 0: none.
 * Local. */
int64_t ls_run_outcome_epoch(const ls_run_material *material);

/* Why there is no evaluation on test rows, as far as that is known. Local. */
const char *ls_run_why_not_evaluated(const ls_run_material *material);

#endif
