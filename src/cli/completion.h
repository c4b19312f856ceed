/* Completion scripts of shells, from the same tables as the help texts. */
#ifndef LS_CLI_COMPLETION_H
#define LS_CLI_COMPLETION_H

#include <lockstep/status.h>

#include <stdio.h>

/* Write the completion script of a shell. Local. Errors: LS_ERR_FAILURE when memory is short. */
ls_status ls_completion_bash(FILE *out) LS_MUST_CHECK;
ls_status ls_completion_zsh(FILE *out) LS_MUST_CHECK;

#endif
