/* Completion of command lines in shells, from the same tables as the help texts. */
#ifndef LS_CLI_COMPLETION_H
#define LS_CLI_COMPLETION_H

#include <stdio.h>

/* Write a script that the shell reads. Local. */
void ls_completion_bash(FILE *out);
void ls_completion_zsh(FILE *out);

#endif
