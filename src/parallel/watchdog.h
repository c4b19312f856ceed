/* The watchdog: detects that a rank makes no progress. Every live rank then reports its position in
 * the training, and rank 0 reports the lagging ranks. */
#ifndef LS_PARALLEL_WATCHDOG_H
#define LS_PARALLEL_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/comm.h>

/* Activities of a rank. */
#define LS_ACTIVITY_LIST(X)                                                                        \
    X(LS_AT_SETUP, "setting up")                                                                   \
    X(LS_AT_EXCHANGE, "exchanging samples")                                                        \
    X(LS_AT_STEP, "a training step")                                                               \
    X(LS_AT_VALIDATION, "validation")                                                              \
    X(LS_AT_CHECKPOINT, "writing a checkpoint")                                                    \
    X(LS_AT_RECORD, "writing the logs")

typedef enum ls_activity {
#define LS_ACTIVITY_ENUM(name, text) name,
    LS_ACTIVITY_LIST(LS_ACTIVITY_ENUM)
#undef LS_ACTIVITY_ENUM
} ls_activity;

typedef struct ls_watchdog ls_watchdog;

/* Callback on the watchdog's thread, on every live rank, when the job is stuck. It is called first
 * with this rank's position and `end` false, of more than 32 ranks only on rank 0 and those that do
 * not wait for others, then with the lagging ranks and `end` true; the second
 * call must end the process. text: one line */
typedef void ls_stuck(void *user, const char *text, bool end);

/* Returns the seconds between two beacons of a rank: 1, or a time in which rank 0 gets no more than
 * 1,000 beacons a second (4.7 us of its core each), but at most a twentieth of `seconds`. Pure.
 * seconds  as for ls_watchdog_start() */
double ls_watchdog_period(double seconds, int ranks);

/* Starts the watchdog's thread.
 * Collective.
 * seconds  maximum time between two calls of ls_watchdog_at(), above 0. Time in which the process
 *          was stopped does not count.
 * stuck    callback; `user` is its first argument
 * Errors (all ranks get them): LS_ERR_FAILURE if memory or threads are short; *out is unchanged. */
ls_status ls_watchdog_start(ls_watchdog **out, ls_comm *comm, double seconds, ls_stuck *stuck,
                            void *user) LS_MUST_CHECK;

/* Returns the errno because of which this rank has no socket for beacons; 0 if it has or needs
 * none.
 * Local. */
int ls_watchdog_error(const ls_watchdog *watchdog);

/* Stops the thread, frees the watchdog and sets *watchdog to NULL; accepts NULL. Local. */
void ls_watchdog_stop(ls_watchdog **watchdog);

/* Reports progress: this rank starts an activity. Accepts NULL. Local.
 * epoch, step  from 0 */
void ls_watchdog_at(ls_watchdog *watchdog, ls_activity activity, int64_t epoch, int64_t step);

#endif
