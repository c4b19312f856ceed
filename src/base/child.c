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

/* HDF5 takes up to three times as much as a chunk has, which is 1 GiB at most; what unpacks to more
 * than it says must not take all there is. */
#define MEMORY_MOST ((rlim_t)4 << 30)

/* What a child sends when it comes to its end. */
typedef struct message {
    ls_status status;
    char text[LS_ERROR_TEXT_MAX];
} message;

static bool is_child;

/* Limits the processor time of this process, as far as it may be raised. The end of it is SIGXCPU,
 * which is told from other deaths. */
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

/* Limits what this process may take beyond the memory that it has. */
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

/* The child's whole life. It dies in silence: no core, and no words of the C library or of MPI's
 * signal handlers, for the parent has one line to say. */
static void live(ls_status (*work)(const void *arg), const void *arg, int64_t seconds, int out)
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

/* The line for a child that left no message. state: as waitpid() has it */
static ls_status explain(int state, const char *path)
{
    const int death = WIFSIGNALED(state) ? WTERMSIG(state) : 0;
    if (death == SIGXCPU)
        return ls_fail(
            LS_ERR_DATA,
            "%s: damaged, or stored in a way that takes far too long to read: reading it "
            "does not come to an end; if it is sound, write it anew, in chunks of whole "
            "rows",
            path);
    if (death == SIGKILL || death == SIGTERM || death == SIGINT)
        return ls_fail(LS_ERR_FAILURE,
                       "%s: the process that tried to read it was ended by signal %d%s", path,
                       death, death == SIGKILL ? ", as for lack of memory" : "");
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
        return explain(state, path);
    return m.status == LS_OK ? LS_OK : ls_fail(m.status, "%s", m.text);
}
