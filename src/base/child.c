#include "base/child.h"

#include "base/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
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
    static const int deaths[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGXCPU};
    /* SIGXCPU comes at the first of the two. */
    const struct rlimit time = {(rlim_t)seconds, (rlim_t)seconds + 1}, core = {0, 0};
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

/* Waits for a child's message; *whole: it came, in one piece, as it is less than a pipe takes at
 * once. Errors: LS_INTERRUPTED if this process is asked to end before. */
static ls_status receive(int in, message *m, bool *whole)
{
    enum { LOOK = 100 /* ms */ };
    struct pollfd wait = {.fd = in, .events = POLLIN};
    *whole = false;
    while (poll(&wait, 1, LOOK) <= 0) {
        ls_status status = ls_interrupt_poll(0);
        if (status != LS_OK)
            return status;
    }
    ssize_t got;
    do
        got = read(in, m, sizeof *m);
    while (got < 0 && errno == EINTR);
    *whole = got == (ssize_t)sizeof *m;
    return LS_OK;
}

/* Why a child came to its end before its work did. */
static ls_status tell_death(const char *path, int state)
{
    if (!WIFSIGNALED(state) || WTERMSIG(state) == SIGKILL || WTERMSIG(state) == SIGTERM)
        return ls_fail(LS_ERR_FAILURE,
                       "%s: the process that tried whether it can be read was killed: is memory "
                       "short?",
                       path);
    if (WTERMSIG(state) == SIGXCPU)
        return ls_fail(LS_ERR_DATA, "%s: damaged: reading it does not come to an end", path);
    return ls_fail(LS_ERR_DATA, "%s: damaged: reading it ends in a crash (%s)", path,
                   strsignal(WTERMSIG(state)));
}

ls_status ls_in_child(ls_status (*work)(const void *arg), const void *arg, const char *path,
                      int64_t seconds)
{
    int ends[2], state = 0;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return LS_OK;
    const pid_t child = fork();
    if (child == 0)
        live(work, arg, seconds, ends[1]);
    close(ends[1]);
    message m = {.status = LS_OK};
    bool whole = false;
    ls_status status = child > 0 ? receive(ends[0], &m, &whole) : LS_OK;
    close(ends[0]);
    if (child > 0 && status != LS_OK)
        kill(child, SIGKILL);
    while (child > 0 && waitpid(child, &state, 0) < 0 && errno == EINTR)
        ;
    if (child <= 0 || status != LS_OK)
        return status;
    if (!whole)
        return tell_death(path, state);
    return m.status == LS_OK ? LS_OK : ls_fail(m.status, "%s", m.text);
}
