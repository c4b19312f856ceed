/* The watchdog: notices that a rank makes no progress, says on every live rank where it is, and on
 * rank 0 who lags behind. */
#ifndef LS_PARALLEL_WATCHDOG_H
#define LS_PARALLEL_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/comm.h>

/* What a rank is busy with. */
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

/* Told on the watchdog's own thread, on every live rank, first where this rank is; then, `end` is
 * true, that the job is stuck and who lags behind, after which nothing more is to be expected of
 * it: there, the process has to be ended. */
typedef void ls_stuck(void *user, const char *text, bool end);

/* Starts to watch. Collective.
 * seconds  without a call of ls_watchdog_at() that are too many; above 0. Time in which the process
 *          itself was stopped does not count.
 * Errors, on all ranks alike: LS_ERR_FAILURE if memory or threads are short. */
ls_status ls_watchdog_start(ls_watchdog **out, ls_comm *comm, double seconds, ls_stuck *stuck,
                            void *user) LS_MUST_CHECK;

/* Why no rank can be heard of, as an errno; 0 if they can. On rank 0. Local. */
int ls_watchdog_error(const ls_watchdog *watchdog);

/* Stops, frees and sets *watchdog to NULL; accepts NULL. Local. */
void ls_watchdog_stop(ls_watchdog **watchdog);

/* Says what this rank goes on with now; a sign of progress. Accepts NULL. Local.
 * epoch, step  from 0 */
void ls_watchdog_at(ls_watchdog *watchdog, ls_activity activity, int64_t epoch, int64_t step);

#endif
