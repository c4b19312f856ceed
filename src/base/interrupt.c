#include "base/interrupt.h"

#include <signal.h>
#include <string.h>

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
    static const int numbers[] = {SIGUSR1, SIGUSR2, SIGTERM, SIGINT};
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = note;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaction(numbers[i], &action, NULL);
}

int ls_interrupt_signal(void)
{
    return (int)seen;
}

void ls_interrupt_reset(void)
{
    seen = 0;
}
