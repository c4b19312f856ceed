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

/* HDF5 needs up to three times the size of a chunk, which is at most 1 GiB; data that unpack to
 * more than their declared size must not exhaust the memory. */
#define MEMORY_MOST ((rlim_t)4 << 30)

/* Result that a child sends before it exits. */
typedef struct message {
    ls_status status;
    char text[LS_ERROR_TEXT_MAX];
} message;

static bool is_child;

/* Limits the processor time of this process, up to the hard limit. At the limit the process gets
 * SIGXCPU, which distinguishes a timeout from a crash. */
static void limit_time(rlim_t seconds)
{
    struct rlimit time;
    if (getrlimit(RLIMIT_CPU, &time) != 0)
        return;
    time.rlim_cur = seconds < time.rlim_max ? seconds : time.rlim_max;
    setrlimit(RLIMIT_CPU, &time);
}

void ls_child_allow(int64_t seconds)
{
    struct rlimit time;
    if (is_child && getrlimit(RLIMIT_CPU, &time) == 0)
        limit_time(time.rlim_cur + (rlim_t)seconds);
}

/* Limits this process's address space to its current size plus MEMORY_MOST. */
static void limit_memory(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    const bool known = file != NULL && fscanf(file, "%ld", &pages) == 1;
    if (file != NULL)
        fclose(file);
    struct rlimit memory;
    if (!known || getrlimit(RLIMIT_AS, &memory) != 0)
        return;
    const rlim_t most = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + MEMORY_MOST;
    memory.rlim_cur = most < memory.rlim_max ? most : memory.rlim_max;
    setrlimit(RLIMIT_AS, &memory);
}

/* Runs the work in the child, sends the result and exits. A crash is silent: no core file, and no
 * messages of the C library or of MPI's signal handlers; the parent reports one line. */
static void run_child(ls_status (*work)(const void *arg), const void *arg, int64_t seconds, int out)
{
    static const int deaths[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGXCPU};
    const struct rlimit core = {0, 0};
    const int silence = open("/dev/null", O_WRONLY | O_CLOEXEC);
    for (size_t i = 0; i < sizeof deaths / sizeof *deaths; i++)
        signal(deaths[i], SIG_DFL);
    is_child = true;
    limit_time((rlim_t)seconds);
    limit_memory();
    setrlimit(RLIMIT_CORE, &core);
    if (silence >= 0)
        dup2(silence, STDERR_FILENO);
    message m = {.status = work(arg)};
    snprintf(m.text, sizeof m.text, "%s", ls_error_text());
    _exit(write(out, &m, sizeof m) == (ssize_t)sizeof m ? 0 : 1);
}

/* Waits for a child's message. A message is smaller than PIPE_BUF, so that it arrives in one piece.
 * whole  on return, true if a message arrived
 * Errors: LS_INTERRUPTED if this process is asked to end before. */
static ls_status receive_message(int in, message *m, bool *whole)
{
    enum { POLL_MS = 100 };
    struct pollfd wait = {.fd = in, .events = POLLIN};
    *whole = false;
    while (poll(&wait, 1, POLL_MS) <= 0) {
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

/* Returns the error for a child that sent no message.
 * state  from waitpid() */
static ls_status fail_lost_child(int state, const char *path)
{
    const int death = WIFSIGNALED(state) ? WTERMSIG(state) : 0;
    if (death == SIGXCPU)
        return ls_fail(
            LS_ERR_DATA,
            "%s: damaged, or stored in a way that takes far too long to read: reading exceeds "
            "its time limit; if the file is intact, rewrite it in chunks of whole rows",
            path);
    if (death == SIGKILL || death == SIGTERM || death == SIGINT)
        return ls_fail(LS_ERR_FAILURE,
                       "%s: the process that checked this file was killed by signal %d%s", path,
                       death, death == SIGKILL ? ", possibly out of memory" : "");
    return ls_fail(LS_ERR_DATA, "%s: damaged: the HDF5 library crashes on it", path);
}

ls_status ls_in_child(ls_status (*work)(const void *arg), const void *arg, const char *path,
                      int64_t seconds)
{
    int ends[2], state = 0;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return LS_OK;
    const pid_t child = fork();
    if (child == 0)
        run_child(work, arg, seconds, ends[1]);
    close(ends[1]);
    message m = {.status = LS_OK};
    bool whole = false;
    ls_status status = child > 0 ? receive_message(ends[0], &m, &whole) : LS_OK;
    close(ends[0]);
    if (child > 0 && status != LS_OK)
        kill(child, SIGKILL);
    while (child > 0 && waitpid(child, &state, 0) < 0 && errno == EINTR)
        ;
    if (child <= 0 || status != LS_OK)
        return status;
    if (!whole)
        return fail_lost_child(state, path);
    return m.status == LS_OK ? LS_OK : ls_fail(m.status, "%s", m.text);
}
