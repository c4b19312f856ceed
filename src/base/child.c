#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a child sends when it comes to its end. */
typedef struct message {
    ls_status status;
    char text[LS_ERROR_TEXT_MAX];
} message;

/* The child's whole life. It dies in silence: no core, and no words of the C library or of MPI's
 * signal handlers, for the parent has one line to say. */
static void live(ls_status (*work)(const void *arg), const void *arg, int64_t seconds, int out)
{
    static const int deaths[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    const struct rlimit time = {(rlim_t)seconds, (rlim_t)seconds}, core = {0, 0};
    const int silence = open("/dev/null", O_WRONLY | O_CLOEXEC);
    for (size_t i = 0; i < sizeof deaths / sizeof *deaths; i++)
        signal(deaths[i], SIG_DFL);
    setrlimit(RLIMIT_CPU, &time);
    setrlimit(RLIMIT_CORE, &core);
    if (silence >= 0)
        dup2(silence, STDERR_FILENO);
    message m = {.status = work(arg)};
    snprintf(m.text, sizeof m.text, "%s", ls_error_text());
    _exit(write(out, &m, sizeof m) == (ssize_t)sizeof m ? 0 : 1);
}

/* Whether a child's message came whole: it is less than a pipe takes at once. */
static int receive(int in, message *m)
{
    ssize_t got;
    do
        got = read(in, m, sizeof *m);
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof *m;
}

ls_status ls_in_child(ls_status (*work)(const void *arg), const void *arg, const char *path,
                      int64_t seconds)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return LS_OK;
    const pid_t child = fork();
    if (child == 0)
        live(work, arg, seconds, ends[1]);
    close(ends[1]);
    message m = {.status = LS_OK};
    const int whole = child > 0 && receive(ends[0], &m);
    close(ends[0]);
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    if (child > 0 && !whole)
        return ls_fail(LS_ERR_DATA, "%s: damaged: reading it does not come to an end", path);
    return m.status == LS_OK ? LS_OK : ls_fail(m.status, "%s", m.text);
}
