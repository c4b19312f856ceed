#include "base/interrupt.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/temporary.h"

#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

static const struct {
    int number;
    const char *name;
} signals[] = {{SIGUSR1, "SIGUSR1"},
               {SIGUSR2, "SIGUSR2"},
               {SIGTERM, "SIGTERM"},
               {SIGINT, "SIGINT"},
               {SIGHUP, "SIGHUP"}};
enum { SIGNALS = sizeof signals / sizeof *signals };

/* Written by the signal handler and read by any thread; lock-free. */
static atomic_int seen;
static _Atomic double seen_at;

static double limit = INFINITY;
static _Thread_local bool deaf;

/* Seconds within which further signals count as the first one: a closed terminal sends SIGHUP
 * twice, and mpirun and Slurm may both send SIGTERM. */
#define ECHO 1.0

/* Ends the process by the default action of a signal, from its handler: the raised signal is
 * blocked until the handler returns. */
static void end_by(int number)
{
    signal(number, SIG_DFL);
    raise(number);
}

static void interrupt_record(int number)
{
    if (seen != 0 && ls_now() - seen_at < ECHO)
        return;
    if (seen != 0) {
        ls_temporary_remove_all();
        end_by(number);
        return;
    }
    seen_at = ls_now();
    seen = number;
}

static void set_handler(int number, void (*handler)(int number))
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

/* Handles all signals that are not ignored. */
static void handle_all(void (*handler)(int number))
{
    struct sigaction before;
    for (size_t i = 0; i < SIGNALS; i++)
        if (sigaction(signals[i].number, NULL, &before) != 0 || before.sa_handler != SIG_IGN)
            set_handler(signals[i].number, handler);
}

void ls_interrupt_watch(void)
{
    handle_all(interrupt_record);
}

/* Of ls_interrupt_drop(). */
static void (*sayer)(const char *name);
static pid_t owner; /* of the temporary files; its children have this handler, too */

static void interrupt_drop(int number)
{
    if (getpid() == owner) {
        ls_temporary_remove_all();
        if (sayer != NULL)
            sayer(ls_interrupt_name(number));
    }
    end_by(number);
}

void ls_interrupt_drop(void (*say)(const char *name))
{
    sayer = say;
    owner = getpid();
    handle_all(interrupt_drop);
}

void ls_interrupt_spare_writers(void)
{
    set_handler(SIGPIPE, SIG_IGN);
    set_handler(SIGXFSZ, SIG_IGN);
}

void ls_interrupt_at(double moment)
{
    limit = moment;
}

double ls_interrupt_age(void)
{
    const double now = ls_now();
    const double of_signal = seen != 0 ? now - seen_at : -INFINITY;
    return fmax(of_signal, now - limit);
}

ls_status ls_interrupt_poll(double grace)
{
    if (deaf || ls_interrupt_age() < grace)
        return LS_OK;
    return ls_fail(LS_INTERRUPTED, "stopped by %s",
                   seen != 0 ? ls_interrupt_name(seen) : "the time limit");
}

void ls_interrupt_ignore(void)
{
    deaf = true;
}

int ls_interrupt_signal(void)
{
    return seen;
}

const char *ls_interrupt_name(int number)
{
    int at = 0;
    while (at < SIGNALS - 1 && signals[at].number != number)
        at++;
    return signals[at].name;
}

void ls_interrupt_set(int number)
{
    seen_at = ls_now();
    seen = number;
}
