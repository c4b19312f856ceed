#include "cli/launcher.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Seconds for mpirun to end by itself, and after it was told to. */
enum { PATIENCE = 20, GRACE = 5 };

enum { STAT = 1024 };

/* Reads /proc/PID/stat, "PID (mpirun) S PPID ..."; "" if it is not there. System calls only. */
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

/* "(mpirun) ...", "(mpiexec.hydra) ...", or what Open MPI 5 becomes. */
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

/* The mpirun that started this rank on this host, directly or, MPICH's, by a proxy; 0: another
 * launcher or a daemon of mpirun's did. */
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

bool ls_launcher_on_terminal(void)
{
    if (isatty(STDERR_FILENO))
        return true;
    const pid_t mpirun = find_mpirun();
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/fd/2", (long)mpirun);
    const int file = mpirun != 0 ? open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC) : -1;
    if (file < 0)
        return false;
    const bool terminal = isatty(file);
    close(file);
    return terminal;
}

/* What tells a process from all others, "(mpirun) 7231", its name and when it was started: fields 2
 * and 22 of /proc/PID/stat. "" if it is not there. System calls only. */
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

/* In a child of a process of many threads: system calls only. */
static void wait_and_end(pid_t launcher, const char *path, const char *identity)
{
    enum { FILES = 1024 };
    setsid();
    for (int file = 0; file < FILES; file++) /* mpirun waits for the end of what it reads from */
        close(file);
    sleep(PATIENCE);
    end_if_there(launcher, path, identity, SIGTERM);
    sleep(GRACE);
    end_if_there(launcher, path, identity, SIGKILL);
}

/* fork() waits for locks, as those of malloc(), that a thread which hangs may hold. */
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
