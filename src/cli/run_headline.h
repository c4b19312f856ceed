/* The head of the page about a run: its results, and a notice if it is unfinished. */
#ifndef LS_CLI_RUN_HEADLINE_H
#define LS_CLI_RUN_HEADLINE_H

#include <stdio.h>

#include "cli/run_page.h"

/* Writes the head: main metric of test and validation rows, epochs, time, ranks. Local. */
void ls_run_headline_write(FILE *out, const ls_run_material *material);

#endif
