/* What `--help` and `help` print. */
#ifndef LS_CLI_HELP_H
#define LS_CLI_HELP_H

#include "cli/command.h"

/* Prints the list of commands, topics and exit codes. Local. */
void ls_help_program(FILE *out);

/* Prints the help of a command. Local.
 * all  all of it; else, of a command that names its commonest options, examples and these alone
 * Errors: LS_ERR_FAILURE when memory is short. */
ls_status ls_help_command(const ls_command *command, bool all, FILE *out) LS_MUST_CHECK;

#endif
