/* Requests to end this process gracefully: signals and a time limit. */
#ifndef LS_BASE_INTERRUPT_H
#define LS_BASE_INTERRUPT_H

#include <stdbool.h>

#include <lockstep/status.h>

/* Records SIGUSR1, SIGUSR2, SIGTERM, SIGINT and SIGHUP instead of ending the process. Another of
 * these signals a second later or more ends the process at once, with its default action. A signal
 * that was ignored stays ignored: shells ignore SIGINT for background commands, nohup ignores
 * SIGHUP. Local. */
void ls_interrupt_watch(void);

/* Makes these signals remove all temporary files (base/temporary.h) before they end the process
 * with their default action, for work that is dropped. A signal that was ignored stays ignored.
 * Local.
 * say  called in the signal handler, in this process only, with the signal's name; NULL: nothing */
void ls_interrupt_drop(void (*say)(const char *name));

/* Makes a write to a closed pipe, or beyond the limit on file sizes, fail with an error (EPIPE,
 * EFBIG) instead of ending the process by SIGPIPE or SIGXFSZ. Local. */
void ls_interrupt_spare_writers(void);

/* Sets the time limit: the moment, on the clock of ls_now(), when the end is requested; INFINITY:
 * none. Local. */
void ls_interrupt_at(double moment);

/* Returns the seconds since the end was first requested. Negative: not requested yet, the time
 * limit is that many seconds away; -INFINITY: not requested, and no time limit. Local. */
double ls_interrupt_age(void);

/* Fails if the end was requested at least `grace` seconds ago; for loops whose work can be dropped.
 * Local. Errors: LS_INTERRUPTED, naming the signal or the time limit. */
ls_status ls_interrupt_poll(double grace) LS_MUST_CHECK;

/* Grace for work that is better finished than dropped if it is short. */
#define LS_INTERRUPT_GRACE 0.5

/* Makes ls_interrupt_poll() always return LS_OK on this thread, whose work is controlled by another
 * thread. Local. */
void ls_interrupt_ignore(void);

/* Returns the number of the first recorded signal, 0: none yet. Local. */
int ls_interrupt_signal(void);

/* Returns the name of a recorded signal, "SIGUSR1", ... Local. */
const char *ls_interrupt_name(int number);

/* Records a signal as if it had just arrived, or, with 0, clears it; for tests. Local. */
void ls_interrupt_set(int number);

#endif
