/* The program: finds the command, brings MPI up and down, turns a status into one line and an exit
 * code. */
#include <lockstep/compute.h>
#include <lockstep/version.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/interrupt.h"
#include "base/limits.h"
#include "base/text.h"
#include "cli/command.h"

#include <limits.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const ls_command *const commands[] = {
    &ls_command_import,  &ls_command_train,  &ls_command_eval,
    &ls_command_info,    &ls_command_bench,  &ls_command_preview,
    &ls_command_scaling, &ls_command_doctor, &ls_command_report,
};
enum { COMMANDS = sizeof commands / sizeof *commands };

/* The number in the first of some variables that is there, 0 if none is. */
static int first_number(const char *const *names)
{
    for (; *names != NULL; names++)
        if (getenv(*names) != NULL)
            return atoi(getenv(*names));
    return 0;
}

/* This process's number in the job as its launcher tells it, 0 without one: lets output that needs
 * no MPI come once. */
static int launched_rank(void)
{
    return first_number((const char *const[]){"OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK",
                                              "SLURM_PROCID", NULL});
}

/* The processes that an mpirun started with this one, 0 if none did. */
static int launched_by_mpirun(void)
{
    return first_number((const char *const[]){"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", NULL});
}

static void print_usage(FILE *out)
{
    fprintf(out, "lockstep %s: data-parallel neural-network training over MPI\n\n", LS_VERSION);
    for (int i = 0; i < COMMANDS; i++)
        fprintf(out, "  %12s lockstep %-16s%s\n", commands[i]->parallel ? "mpirun -n N" : "",
                commands[i]->name, commands[i]->summary);
    fprintf(
        out,
        "\n  lockstep COMMAND --help      options of a command\n"
        "  lockstep --version\n\n"
        "Exit codes: 0 done; 1 failure; 2 usage or configuration; 3 data or checkpoint\n"
        "missing, unreadable or malformed; 4 numerical failure; 5 ranks disagree or one is stuck;\n"
        "75 stopped by a signal or a time limit, a checkpoint is written: run it again.\n");
}

static void print_command_help(const ls_command *command)
{
    printf("usage: %slockstep %s %s\n%s\n", command->parallel ? "mpirun -n N " : "", command->name,
           command->usage, command->summary);
    ls_options_help(command->options, stdout);
    if (command->help != NULL)
        command->help(stdout);
}

static ls_status find_command(const char *name, const ls_command **out)
{
    const char *near = NULL;
    size_t distance = SIZE_MAX;
    for (int i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i]->name, name) == 0) {
            *out = commands[i];
            return LS_OK;
        }
        if (ls_text_nearer(name, commands[i]->name, &distance))
            near = commands[i]->name;
    }
    if (near != NULL)
        return ls_fail(LS_ERR_USAGE, "there is no command '%s'; did you mean '%s'?", name, near);
    return ls_fail(LS_ERR_USAGE, "there is no command '%s'; lockstep --help lists them", name);
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

/* The processes that a launcher of any kind has started: an mpirun's, else a Slurm job's tasks. */
static int launched_size(void)
{
    return first_number(
        (const char *const[]){"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_NTASKS", NULL});
}

/* Refuses to be one of many processes that a launcher started without this MPI, each of which would
 * take itself for rank 0 of 1 and do all the work.
 * launched  launched_size() before MPI_Init(), which sets such variables itself */
static ls_status refuse_singletons(const ls_comm *comm, int launched)
{
    if (launched < 2 || ls_comm_size(comm) > 1)
        return LS_OK;
    return ls_fail(LS_ERR_USAGE,
                   "%d processes were started, but MPI knows of this one only, so each would be a "
                   "job of its own: use the mpirun of %s, or srun --mpi=pmix (of MPICH: pmi2)",
                   launched, ls_comm_version());
}

/* What a script reads must have arrived. */
static ls_status check_stdout(ls_status status)
{
    if (status == LS_OK && (fflush(stdout) != 0 || ferror(stdout)))
        status = ls_fail(LS_ERR_FAILURE, "can't write the results to standard output");
    return status;
}

/* Sends a bucket of gradients over TCP at once instead of asking the receiver first, so that it
 * travels while this rank computes. What the user has set stands. */
static void tune_mpi(void)
{
    setenv("OMPI_MCA_btl_tcp_eager_limit", "4194304", 0);
}

/* Starts the program anew where its library of products has chosen kernels that are slow here: it
 * chooses when it is loaded. What the user asks for stands. */
static void choose_kernels(char **argv)
{
    char program[PATH_MAX];
    const char *kernels = getenv("OPENBLAS_CORETYPE") == NULL ? ls_compute_better_kernels() : NULL;
    if (kernels != NULL && realpath("/proc/self/exe", program) != NULL &&
        setenv("OPENBLAS_CORETYPE", kernels, 0) == 0)
        execv(program, argv);
}

/* What MPI needs and would not tell that it lacks. Before MPI is up one rank of each host says so;
 * the others leave it the time to: mpirun ends all ranks when the first of them has ended. */
static ls_status check_limits(int launched)
{
    enum { FILES = 64 }; /* and one for each other rank, which may be reached by TCP */
    const ls_status status = ls_limits_allow_files(FILES + launched);
    if (status == LS_OK)
        return LS_OK;
    if (first_number(
            (const char *const[]){"OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", NULL}) == 0)
        fprintf(stderr, "lockstep: %s\n", ls_error_text());
    else
        sleep(1);
    return status;
}

static ls_status run_parallel(const ls_command *command, int *argc, char ***argv)
{
    const int launched = launched_size();
    const bool speaks = launched_rank() == 0;
    const ls_status limits = check_limits(launched);
    if (limits != LS_OK)
        return limits;
    choose_kernels(*argv);
    tune_mpi();
    if (command->stops)
        ls_interrupt_watch();
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
        status = ls_agree(comm, check_stdout(status));
    ls_comm_destroy(&comm);
    if (status != LS_OK && rank == 0 && speaks)
        fprintf(stderr, "lockstep: %s\n", ls_error_text());
    fflush(NULL);
    MPI_Finalize();
    return status;
}

static ls_status run_serial(const ls_command *command, int argc, char **argv)
{
    ls_status status = ls_fault_arm(getenv("LOCKSTEP_FAULT"), 0);
    if (status == LS_OK && launched_by_mpirun() > 1)
        status = ls_fail(LS_ERR_USAGE, "'%s' runs on one process: start it without mpirun",
                         command->name);
    if (status == LS_OK)
        status = check_stdout(ls_command_run(command, NULL, argc - 2, argv + 2));
    if (status != LS_OK && launched_rank() == 0)
        fprintf(stderr, "lockstep: %s\n", ls_error_text());
    return status;
}

int main(int argc, char **argv)
{
    const bool speaks = launched_rank() == 0;
    ls_clock_start();
    ls_interrupt_spare_writers();
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        if (speaks)
            print_usage(argc < 2 ? stderr : stdout);
        return argc < 2 ? LS_ERR_USAGE : LS_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        if (speaks)
            printf("lockstep %s\n", LS_VERSION);
        return LS_OK;
    }
    const ls_command *command = NULL;
    ls_status status = find_command(argv[1], &command);
    if (status == LS_OK && asks_for_help(argc - 2, argv + 2)) {
        if (speaks)
            print_command_help(command);
        return LS_OK;
    }
    if (status != LS_OK) {
        if (speaks)
            fprintf(stderr, "lockstep: %s\n", ls_error_text());
        return (int)status;
    }
    return (int)(command->parallel ? run_parallel(command, &argc, &argv)
                                   : run_serial(command, argc, argv));
}
