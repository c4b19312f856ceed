/* The commands of the program: what each has to say of itself, and how one is run. */
#ifndef LS_CLI_COMMAND_H
#define LS_CLI_COMMAND_H

#include <lockstep/comm.h>
#include <lockstep/status.h>

#include "cli/options.h"

typedef struct ls_command {
    const char *name;
    const char *usage;   /* what follows the name */
    const char *summary; /* one line */
    ls_option_table options;
    size_t settings_size;    /* of the struct that the options' values go to */
    void (*help)(FILE *out); /* more help, after the options; NULL for none */

    const char *examples; /* for help and manual, lines; NULL for none */
    const char *common;   /* names of the options that --help alone shows; NULL: all of them */

    bool speaks_once; /* may be started by mpirun, which gets one answer */
    bool diagnoses;   /* its answer is code 0 or 1 */
    bool stops;       /* ends in good order when a signal comes, see base/interrupt.h */
    /* A parallel command runs under mpirun; its run() is collective, with the same status on all
     * ranks. Another gets comm = NULL. */
    bool parallel;
    ls_status (*run)(ls_comm *comm, const ls_options *options, const void *settings);
} ls_command;

extern const ls_command ls_command_import;
extern const ls_command ls_command_train;
extern const ls_command ls_command_eval;
extern const ls_command ls_command_info;
extern const ls_command ls_command_bench;
extern const ls_command ls_command_preview;
extern const ls_command ls_command_scaling;
extern const ls_command ls_command_doctor;
extern const ls_command ls_command_report;
extern const ls_command ls_command_help;

/* Command number `at`, in the order of the help text; NULL past the last one. Local. */
const ls_command *ls_command_at(int at);

/* Prints a heading and, for each word of a list, its form and its meaning, as a part of a help text.
 * Local.
 * word  returns 0 past the last */
void ls_command_list(const char *heading,
                     int (*word)(int at, const char **form, const char **meaning), FILE *out);

/* Parses the arguments after the command's name, and the file that an option called `config` names,
 * the command line winning over it; makes sure that all ranks have the same settings; then runs the
 * command. Collective if the command is parallel.
 * Errors: LS_ERR_USAGE, and those of the command. */
ls_status ls_command_run(const ls_command *command, ls_comm *comm, int argc,
                         char **argv) LS_MUST_CHECK;

#endif
