#include "cli/launcher.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Seconds for mpirun to end by itself, and after a signal to end. */
enum { PATIENCE = 20, GRACE = 5 };

enum { STAT = 1024 };

/* Returns the number in the first variable of a list that is set; 0 if none is. */
static int first_number(const char *const *names)
{
    for (; *names != NULL; names++)
        if (getenv(*names) != NULL)
            return atoi(getenv(*names));
    return 0;
}

int ls_launcher_rank(void)
{
    static int rank = -1;
    if (rank < 0)
        rank = first_number((const char *const[]){"OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK",
                                                  "JSM_NAMESPACE_RANK", "PALS_RANKID",
                                                  "FLUX_TASK_RANK", "SLURM_PROCID", NULL});
    return rank;
}

int ls_launcher_local_rank(void)
{
    return first_number((const char *const[]){"OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID",
                                              "JSM_NAMESPACE_LOCAL_RANK", "PALS_LOCAL_RANKID",
                                              "FLUX_TASK_LOCAL_ID", "SLURM_LOCALID", NULL});
}

/* Returns the number of tasks in this process's Slurm step; 0 without a step. Batch scripts and
 * interactive shells count as no step: they may be steps, too, with numbers above all that srun
 * assigns, and have the variables of the whole job. */
static int slurm_tasks(void)
{
    const unsigned long special = 0xfffffff0;
    const char *step = getenv("SLURM_STEP_ID");
    step = step != NULL ? step : getenv("SLURM_STEPID"); /* the variable's older name */
    if (step == NULL || strtoul(step, NULL, 10) >= special)
        return 0;
    return first_number((const char *const[]){"SLURM_STEP_NUM_TASKS", NULL});
}

/* Returns the number of tasks that an engine's own launcher started: LSF's jsrun, flux run, srun.
 * 0 without one. */
static int tasks(void)
{
    const int size =
        first_number((const char *const[]){"JSM_NAMESPACE_SIZE", "FLUX_JOB_SIZE", NULL});
    return size > 0 ? size : slurm_tasks();
}

int ls_launcher_mpirun_size(void)
{
    static int size = -1;
    if (size < 0)
        size = first_number((const char *const[]){"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", NULL});
    return size;
}

int ls_launcher_size(void)
{
    static int size = -1;
    if (size < 0)
        size = ls_launcher_mpirun_size() > 0 ? ls_launcher_mpirun_size() : tasks();
    return size;
}

/* Reads /proc/PID/stat, "PID (mpirun) S PPID ..."; "" if there is no such process. System calls
 * only. */
static void read_stat(const char *path, char out[STAT])
{
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t got = file >= 0 ? read(file, out, STAT - 1) : -1;
    if (file >= 0)
        close(file);
    out[got > 0 ? got : 0] = '\0';
}

static void stat_path(pid_t process, char out[64])
{
    snprintf(out, 64, "/proc/%ld/stat", (long)process);
}

/* Returns true for "(mpirun) ...", "(mpiexec.hydra) ...", or the name that Open MPI 5 takes. */
static bool is_mpirun(const char *name)
{
    static const char *const names[] = {"(mpirun", "(mpiexec", "(orterun", "(prterun"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const size_t length = strlen(names[i]);
        if (strncmp(name, names[i], length) == 0 && (name[length] == ')' || name[length] == '.'))
            return true;
    }
    return false;
}

/* Returns the mpirun that started this rank on this host, directly or, with MPICH, by a proxy; 0:
 * started by another launcher or by a daemon of mpirun. */
static pid_t find_mpirun(void)
{
    pid_t process = getppid();
    for (int generation = 0; generation < 2; generation++) {
        char path[64], stat[STAT];
        stat_path(process, path);
        read_stat(path, stat);
        const char *name = strchr(stat, '('), *end = strrchr(stat, ')');
        if (name == NULL || end == NULL || strlen(end) < 4)
            return 0;
        if (is_mpirun(name))
            return process;
        if (strncmp(name, "(hydra", 6) != 0)
            return 0;
        process = (pid_t)strtol(end + 4, NULL, 10); /* after ") S " */
    }
    return 0;
}

/* Returns true if mpirun may read this descriptor: a pipe, a socket, or a terminal made by
 * mpirun. */
static bool may_be_read_by_mpirun(int file)
{
    struct stat found;
    return fstat(file, &found) == 0 &&
           (S_ISFIFO(found.st_mode) || S_ISSOCK(found.st_mode) || isatty(file));
}

int ls_launcher_terminal(int file)
{
    const pid_t mpirun = may_be_read_by_mpirun(file) ? find_mpirun() : 0;
    if (mpirun == 0)
        return isatty(file) ? file : -1;
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)mpirun, file);
    const int terminal = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (terminal < 0 || isatty(terminal))
        return terminal;
    close(terminal);
    return -1;
}

long ls_launcher_mpirun(void)
{
    return (long)find_mpirun();
}

/* Writes the identity of a process, "(mpirun) 7231": name and start time, fields 2 and 22 of
 * /proc/PID/stat; "" if there is no such process. System calls only. */
static void identify(const char *path, char out[STAT])
{
    read_stat(path, out);
    char *name = strchr(out, '('), *end = strrchr(out, ')'), *at = end;
    for (int field = 2; at != NULL && field < 22; field++)
        at = strchr(at + 1, ' ');
    if (name == NULL || at == NULL) {
        *out = '\0';
        return;
    }
    at[strcspn(at + 1, " ") + 1] = '\0';
    const size_t length = (size_t)(end + 1 - name), rest = strlen(at) + 1;
    memmove(out, name, length);
    memmove(out + length, at, rest);
}

static void end_if_there(pid_t launcher, const char *path, const char *identity, int signal)
{
    char now[STAT];
    identify(path, now);
    if (strcmp(now, identity) == 0)
        kill(launcher, signal);
}

/* Runs in a child of a process with several threads: system calls only. */
static void wait_and_end(pid_t launcher, const char *path, const char *identity)
{
    enum { FILES = 1024 };
    setsid();
    /* mpirun waits for the end of the streams that it reads. */
    for (int file = 0; file < FILES; file++)
        close(file);
    sleep(PATIENCE);
    end_if_there(launcher, path, identity, SIGTERM);
    sleep(GRACE);
    end_if_there(launcher, path, identity, SIGKILL);
}

/* Unlike fork(), takes no locks, such as malloc()'s, that a hanging thread may hold. */
static pid_t plain_fork(void)
{
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
    return _Fork();
#else
    return fork();
#endif
}

void ls_launcher_must_end(void)
{
    char path[64], identity[STAT];
    const pid_t launcher = find_mpirun();
    if (launcher == 0)
        return;
    stat_path(launcher, path);
    identify(path, identity);
    if (plain_fork() == 0) {
        wait_and_end(launcher, path, identity);
        _exit(0);
    }
}
