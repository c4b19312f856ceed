/* The output of `--version`. */
#ifndef LS_CLI_VERSION_H
#define LS_CLI_VERSION_H

#include <stdio.h>

/* Prints the version in the first line, then compiler, commit, libraries and build options. Local;
 * works without MPI. */
void ls_version_print(FILE *out);

#endif
