/* The part of the report about rows that a network makes: the sheets of a run's folder samples/. */
#ifndef LS_CLI_SAMPLES_PAGE_H
#define LS_CLI_SAMPLES_PAGE_H

#include <stdio.h>

#include "cli/run_page.h"

/* Writes the sheets of a few epochs, from the first to that of the outcome; nothing if the run has
 * none. Local.
 * Errors: LS_ERR_DATA if a sheet can't be read; LS_ERR_FAILURE. */
ls_status ls_samples_page_write(FILE *out, const ls_run_material *material) LS_MUST_CHECK;

#endif
