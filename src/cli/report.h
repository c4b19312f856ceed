/* A training's output on stderr, by rank 0: the table at its start, a progress bar on a terminal or
 * progress lines elsewhere, a line per epoch, the table at its end. */
#ifndef LS_CLI_REPORT_H
#define LS_CLI_REPORT_H

#include <lockstep/trainer.h>

typedef struct ls_report ls_report;

/* Creates a report, and the observer that feeds it. Local.
 * quiet  print notes and the final table only
 * Errors: LS_ERR_FAILURE when memory is short. */
ls_status ls_report_create(ls_report **out, bool quiet, ls_observer *observer) LS_MUST_CHECK;

/* Prints the final table. Local. */
void ls_report_finish(ls_report *report, const ls_train_config *config,
                      const ls_train_result *result);

/* Frees a report and sets *report to NULL; accepts NULL. Local. */
void ls_report_destroy(ls_report **report);

#endif
