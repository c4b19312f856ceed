/* The commands of the program. */
#ifndef LS_CLI_COMMAND_H
#define LS_CLI_COMMAND_H

#include <lockstep/comm.h>
#include <lockstep/status.h>

#include "cli/options.h"

typedef struct ls_command {
    const char *name;
    const char *usage;        /* what follows the name */
    const char *summary;      /* one line */
    const ls_option *options; /* ends with a row of zeros */
    void (*help)(FILE *out);  /* more help, after the options; NULL for none */

    /* Runs the command with the arguments after its name. `parallel` ones run under mpirun and are
     * collective, with the same status on all ranks; others get comm = NULL. */
    bool parallel;
    ls_status (*run)(ls_comm *comm, int argc, char **argv);
} ls_command;

extern const ls_command ls_command_import;
extern const ls_command ls_command_train;
extern const ls_command ls_command_eval;
extern const ls_command ls_command_info;

#endif
