/* What the page about a run says about the evaluation of its network, by the network's task. */
#ifndef LS_CLI_EVAL_PAGE_H
#define LS_CLI_EVAL_PAGE_H

#include "cli/run_page.h"

/* Writes the sections. Local. Errors: LS_ERR_DATA if the picture of misclassified rows is neither
 * PNG nor SVG; LS_ERR_FAILURE when memory is short. */
ls_status ls_eval_page_write(FILE *out, const ls_run_material *material) LS_MUST_CHECK;

#endif
