/* Requests that this process come to an end in good order: signals, and a time limit. */
#ifndef LS_BASE_INTERRUPT_H
#define LS_BASE_INTERRUPT_H

#include <stdbool.h>

#include <lockstep/status.h>

/* Lets SIGUSR1, SIGUSR2, SIGTERM, SIGINT and SIGHUP be noted instead of ending the process. Another
 * one that comes a second later or more ends it at once, as without this. One that is ignored stays
 * ignored: a shell ignores SIGINT for a command in the background, nohup ignores SIGHUP. Local. */
void ls_interrupt_watch(void);

/* Lets a write to a pipe that nobody reads any more, or beyond the limit on the size of files, fail
 * with an error (EPIPE, EFBIG) instead of ending the process by SIGPIPE or SIGXFSZ. Local. */
void ls_interrupt_spare_writers(void);

/* Sets the moment, on the clock of ls_now(), from which on the end is requested; INFINITY: none.
 * Local. */
void ls_interrupt_at(double moment);

/* The seconds since the end was first requested; below 0: it has not been, and will be by the time
 * limit in so many; -INFINITY: not at all. Local. */
double ls_interrupt_age(void);

/* Whether the end has been requested for more than `grace` seconds, as an error for loops whose
 * work can be dropped. Local. Errors: LS_INTERRUPTED, naming the signal or the time limit. */
ls_status ls_interrupt_poll(double grace) LS_MUST_CHECK;

/* The grace of work that is better finished than dropped if it is short. */
#define LS_INTERRUPT_GRACE 0.5

/* Lets ls_interrupt_poll() always return LS_OK on this thread: another one decides about its work.
 * Local. */
void ls_interrupt_deafen(void);

/* The number of the first such signal that came, 0: none yet. Local. */
int ls_interrupt_signal(void);

/* "SIGUSR1", ...; for a number that came. Local. */
const char *ls_interrupt_name(int number);

/* As if this signal had just come, or, with 0, none, for tests. Local. */
void ls_interrupt_set(int number);

#endif
