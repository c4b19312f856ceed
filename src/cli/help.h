/* The texts of `--help` and `help`. */
#ifndef LS_CLI_HELP_H
#define LS_CLI_HELP_H

#include "cli/command.h"

/* Prints the list of commands, topics and exit codes. Local. */
void ls_help_program(FILE *out);

/* Prints the help of a command. Local.
 * all  print all options; else only the examples and common options of a command that lists them
 * Errors: LS_ERR_FAILURE when memory is short. */
ls_status ls_help_command(const ls_command *command, bool all, FILE *out) LS_MUST_CHECK;

#endif
