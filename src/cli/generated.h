/* Texts that a model writes, printed to stdout. All functions are Local. */
#ifndef LS_CLI_GENERATED_H
#define LS_CLI_GENERATED_H

#include <lockstep/model.h>

/* Prints the prompt and what the model writes behind it. On a terminal control characters other
 * than line ends and tabs become '?'.
 * wanted  in the prompt \n, \t and \\ stand for a line end, a tab and a backslash
 * Errors: as ls_model_generate(); LS_ERR_USAGE for another backslash; LS_ERR_FAILURE if stdout can't
 * be written. */
ls_status ls_generated_print(const ls_model *model, const ls_generation *wanted) LS_MUST_CHECK;

#endif
