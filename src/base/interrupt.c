#include "base/interrupt.h"

#include <signal.h>
#include <string.h>

static const struct {
    int number;
    const char *name;
} signals[] = {
    {SIGUSR1, "SIGUSR1"}, {SIGUSR2, "SIGUSR2"}, {SIGTERM, "SIGTERM"}, {SIGINT, "SIGINT"}};
enum { SIGNALS = sizeof signals / sizeof *signals };

static volatile sig_atomic_t seen;

static void note(int number)
{
    if (seen != 0) {
        /* Blocked until this handler returns; then it ends the process. */
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    seen = number;
}

void ls_interrupt_watch(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = note;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < SIGNALS; i++)
        sigaction(signals[i].number, &action, NULL);
}

int ls_interrupt_signal(void)
{
    return (int)seen;
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
    seen = number;
}
