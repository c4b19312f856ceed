/* What `--version` prints. */
#ifndef LS_CLI_VERSION_H
#define LS_CLI_VERSION_H

#include <stdio.h>

/* Prints the version in the first line, then what the program was built from and runs with. Local;
 * MPI need not be up. */
void ls_version_print(FILE *out);

#endif
