/* Manual pages of the program and its commands, in roff with the macros of man(7), from the same
 * tables as the help texts. */
#ifndef LS_CLI_MAN_H
#define LS_CLI_MAN_H

#include "cli/command.h"

/* Writes lockstep(1). Local. */
void ls_man_program(FILE *out);

/* Writes lockstep-COMMAND(1). Local. Errors: LS_ERR_FAILURE when memory is short. */
ls_status ls_man_command(const ls_command *command, FILE *out) LS_MUST_CHECK;

#endif
