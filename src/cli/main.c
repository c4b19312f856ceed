/* The program: finds the command, starts and ends MPI, turns a status into one line and an exit
 * code. */
#include <lockstep/compute.h>
#include <lockstep/version.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/interrupt.h"
#include "base/limits.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/ending.h"
#include "cli/help.h"
#include "cli/launcher.h"
#include "cli/suggest.h"
#include "cli/version.h"

#include <limits.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The names of the commands, then the program's options. */
static const char *command_name(const void *user, int at)
{
    static const char *const options[] = {"--help", "--version"};
    (void)user;
    int commands = 0;
    while (ls_command_at(commands) != NULL)
        commands++;
    if (at < commands)
        return ls_command_at(at)->name;
    return at - commands < 2 ? options[at - commands] : NULL;
}

static ls_status find_command(const char *name, const ls_command **out)
{
    for (int i = 0; (*out = ls_command_at(i)) != NULL; i++)
        if (strcmp((*out)->name, name) == 0)
            return LS_OK;
    const char *meant = ls_suggest(name, command_name, NULL);
    const char *what = *name == '-' ? "option" : "command";
    if (meant != NULL)
        return ls_fail(LS_ERR_USAGE, "there is no %s '%s'; did you mean '%s'?", what, name, meant);
    return ls_fail(LS_ERR_USAGE, "there is no %s '%s'; lockstep --help lists them", what, name);
}

/* Returns true if a word is among those that follow the command. */
static bool has_word(int argc, char **argv, const char *word)
{
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], word) == 0)
            return true;
    return false;
}

static bool asks_for_help(int argc, char **argv)
{
    return has_word(argc, argv, "--help") || has_word(argc, argv, "-h");
}

/* Fails if a launcher without this MPI started several processes: each would be rank 0 of 1 and do
 * all the work.
 * launched  number of processes that it started */
static ls_status refuse_singletons(const ls_comm *comm, int launched)
{
    if (launched < 2 || ls_comm_size(comm) > 1)
        return LS_OK;
    return ls_fail(LS_ERR_USAGE,
                   "%d processes were started, but MPI sees only this one, so each would be a "
                   "job of its own: use the mpirun of %s, or srun --mpi=pmix (of MPICH: pmi2), or "
                   "flux run -o pmi=pmix",
                   launched, ls_comm_version());
}

/* Makes sure that the results on stdout were written. Local. */
static ls_status check_stdout(ls_status status)
{
    if (status == LS_OK && (fflush(stdout) != 0 || ferror(stdout)))
        status = ls_fail(LS_ERR_FAILURE, "can't write the results to standard output");
    return status;
}

/* Sets parameters of Open MPI; the user's settings win.
 * launched  number of processes that a launcher started; 0 without one */
static void tune_mpi(int launched)
{
    /* Sends a bucket of gradients over TCP at once instead of asking the receiver first, so that it
     * travels while this rank computes. */
    setenv("OMPI_MCA_btl_tcp_eager_limit", "4194304", 0);
    if (launched > 0)
        return;
    /* A process without mpirun starts no daemon of its own: it starts in two thirds of the time.
     * And it makes no folder for the job's files, which it doesn't need: all such processes of a
     * user would share one, and one that removes it at its end would fail another's start. */
    setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
    setenv("OMPI_MCA_orte_create_session_dirs", "0", 0);
}

/* Restarts the program with better kernels if OpenBLAS, which chooses at load time, has chosen slow
 * ones for this processor. The user's setting wins. */
static void choose_kernels(char **argv)
{
    char program[PATH_MAX];
    const char *kernels = getenv("OPENBLAS_CORETYPE") == NULL ? ls_compute_better_kernels() : NULL;
    if (kernels != NULL && realpath("/proc/self/exe", program) != NULL &&
        setenv("OPENBLAS_CORETYPE", kernels, 0) == 0)
        execv(program, argv);
}

/* Prints the error if this process speaks for the job, and returns the exit code. Processes that do
 * not speak end with 0: after another code mpirun might end the speaker before its line is out. */
static ls_status print_failure(ls_status status, bool speaks)
{
    if (!speaks)
        return LS_OK;
    fflush(stdout); /* the results that the line may refer to come first */
    ls_print(stderr, "lockstep: %s\n", ls_error_text());
    return status;
}

/* Checks the open-file limit, whose excess MPI does not report. */
static ls_status check_limits(int launched)
{
    enum { FILES = 64 }; /* plus one for each other rank, for TCP */
    return ls_limits_allow_files(FILES + launched);
}

/* Says why the program ends; in a signal handler. */
static void say_signal(const char *name)
{
    static const char begin[] = "lockstep: stopped by ";
    char line[64];
    const size_t head = sizeof begin - 1, length = strlen(name);
    memcpy(line, begin, head);
    memcpy(line + head, name, length);
    line[head + length] = '\n';
    if (write(STDERR_FILENO, line, head + length + 1) < 0)
        return; /* no one reads it */
}

/* A signal ends a training in good order, and drops the work of other commands. */
static void handle_signals(const ls_command *command)
{
    if (command->stops)
        ls_interrupt_watch();
    else
        ls_interrupt_drop(ls_launcher_rank() == 0 ? say_signal : NULL);
}

/* Finalizes MPI. Everything is written and said, so a library that does not return from that (MPICH
 * 4.0 over UCX's TCP now and then does not on busy cores) must not keep the job; and a signal,
 * which mpirun sends when another rank has ended with an error first, has nothing to add. */
static void finalize_mpi(const ls_command *command, ls_status status)
{
    enum { SECONDS = 30 };
    if (!command->stops)
        ls_interrupt_drop(NULL);
    ls_end_within(SECONDS, (int)status,
                  "lockstep: MPI_Finalize() has not returned for 30 seconds: this "
                  "process ends without it; nothing is lost\n");
    MPI_Finalize();
}

static ls_status run_parallel(const ls_command *command, int *argc, char ***argv)
{
    const int launched = ls_launcher_size();
    const ls_status limits = check_limits(launched);
    if (limits != LS_OK)
        return print_failure(limits, ls_launcher_local_rank() == 0); /* once per host */
    choose_kernels(*argv);
    tune_mpi(launched);
    handle_signals(command);
    ls_compute_flush_denormals();
    int threads;
    MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &threads); /* the watchdog is another thread */
    ls_comm *comm = NULL;
    ls_status status = ls_comm_world(&comm);
    if (status == LS_OK)
        status = refuse_singletons(comm, launched);
    if (status != LS_OK && command->diagnoses)
        status = LS_ERR_FAILURE;
    if (status == LS_OK)
        status = ls_agree_equal(comm, LS_VERSION, "the version of lockstep");
    const int rank = comm != NULL ? ls_comm_rank(comm) : 0;
    if (status == LS_OK)
        status = ls_agree(comm, ls_fault_arm(getenv("LOCKSTEP_FAULT"), rank));
    if (status == LS_OK)
        status = ls_command_run(command, comm, *argc - 2, *argv + 2);
    if (comm != NULL)
        status = ls_agree_root(comm, check_stdout(status));
    ls_comm_destroy(&comm);
    if (status != LS_OK && rank == 0)
        status = print_failure(status, ls_launcher_rank() == 0);
    fflush(NULL);
    finalize_mpi(command, status);
    return status;
}

static ls_status run_serial(const ls_command *command, int argc, char **argv)
{
    if (ls_launcher_mpirun_size() > 1 && !command->speaks_once)
        return print_failure(ls_fail(LS_ERR_USAGE,
                                     "'%s' runs on one process: start it without mpirun",
                                     command->name),
                             ls_launcher_rank() == 0);
    handle_signals(command);
    ls_status status = ls_fault_arm(getenv("LOCKSTEP_FAULT"), 0);
    if (status == LS_OK)
        status = check_stdout(ls_command_run(command, NULL, argc - 2, argv + 2));
    return status == LS_OK ? LS_OK : print_failure(status, true);
}

/* Answers --help, --version and a command's --help, which need no MPI. Returns false if none of
 * them is on the command line.
 * speaks  this process answers for the job
 * code    the exit code; without a command 0 on the other processes, see print_failure() */
static bool answer_help(int argc, char **argv, bool speaks, ls_status *code)
{
    const char *first = argc > 1 ? argv[1] : "";
    const ls_command *command = NULL;
    *code = LS_OK;
    if (argc < 2) {
        *code = speaks ? LS_ERR_USAGE : LS_OK;
        if (speaks)
            ls_help_program(stderr);
    } else if (strcmp(first, "--version") == 0) {
        if (argc > 2)
            *code = print_failure(
                ls_fail(LS_ERR_USAGE, "unexpected argument '%s' after %s", argv[2], first), speaks);
        else if (speaks)
            ls_version_print(stdout);
    } else if (asks_for_help(argc, argv) && find_command(first, &command) == LS_OK) {
        if (speaks)
            *code = ls_command_check_help(command, argc - 2, argv + 2);
        if (speaks && *code == LS_OK)
            *code = ls_help_command(command, has_word(argc, argv, "--all"), stdout);
        if (*code != LS_OK)
            *code = print_failure(*code, speaks);
    } else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    const bool speaks = ls_launcher_rank() == 0;
    const ls_command *command = NULL;
    ls_status status;
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        argv[1] = (char *)"help"; /* and its arguments */
    ls_clock_start();
    ls_interrupt_spare_writers();
    if (answer_help(argc, argv, speaks, &status))
        return (int)status;
    status = find_command(argv[1], &command);
    if (status != LS_OK)
        return (int)print_failure(status, speaks);
    if (command->speaks_once && !speaks)
        return LS_OK;
    return (int)(command->parallel ? run_parallel(command, &argc, &argv)
                                   : run_serial(command, argc, argv));
}
