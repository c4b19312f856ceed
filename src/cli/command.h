/* The commands of the program: their descriptions, and how one is run. */
#ifndef LS_CLI_COMMAND_H
#define LS_CLI_COMMAND_H

#include <lockstep/comm.h>
#include <lockstep/status.h>

#include "cli/options.h"

typedef struct ls_command {
    const char *name;
    const char *usage;   /* arguments after the name */
    const char *summary; /* one line */
    ls_option_table options;
    size_t settings_size;    /* bytes of the struct of the options' values */
    void (*help)(FILE *out); /* prints help after the options; NULL: none */

    const char *examples; /* lines for help and manual; NULL: none */
    const char *common;   /* names of the options that --help without --all shows; NULL: all */

    bool speaks_once; /* under mpirun only the first process runs it */
    bool diagnoses;   /* a failed start of MPI ends with code 1 */
    bool stops;       /* ends in good order on a signal, see base/interrupt.h */
    /* A parallel command runs under mpirun; its run() is collective and returns the same status
     * on all ranks. A serial command gets comm = NULL. */
    bool parallel;
    ls_status (*run)(ls_comm *comm, const ls_options *options, const void *settings);
} ls_command;

extern const ls_command ls_command_import;
extern const ls_command ls_command_train;
extern const ls_command ls_command_eval;
extern const ls_command ls_command_predict;
extern const ls_command ls_command_generate;
extern const ls_command ls_command_export;
extern const ls_command ls_command_info;
extern const ls_command ls_command_bench;
extern const ls_command ls_command_preview;
extern const ls_command ls_command_scaling;
extern const ls_command ls_command_doctor;
extern const ls_command ls_command_report;
extern const ls_command ls_command_help;

/* Command number `at`, in the order of the help text; NULL past the last one. Local. */
const ls_command *ls_command_at(int at);

/* Checks the words beside --help, see ls_options_check_words(). Local. Errors: LS_ERR_USAGE. */
ls_status ls_command_check_help(const ls_command *command, int argc, char **argv) LS_MUST_CHECK;

/* Prints a section of a help text: a heading, then form and meaning of each word of a list. Local.
 * word  writes form and meaning of word `at`; returns 0 past the last */
void ls_command_list(const char *heading,
                     int (*word)(int at, const char **form, const char **meaning), FILE *out);

/* Parses the arguments after the command's name, and the file that an option called `config` names,
 * with precedence for the command line; makes sure that all ranks have the same settings; runs
 * the command. Collective if the command is parallel.
 * Errors: LS_ERR_USAGE, and those of the command. */
ls_status ls_command_run(const ls_command *command, ls_comm *comm, int argc,
                         char **argv) LS_MUST_CHECK;

#endif
