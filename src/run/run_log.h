/* The run folder's records: config.conf, metrics.csv, events.jsonl, summary.json, and event files
 * of TensorBoard. Files that follow the epochs are sinks, see log_sink.h. Written by rank 0 only;
 * all functions are Local and fail with LS_ERR_FAILURE if a file can't be written. */
#ifndef LS_RUN_RUN_LOG_H
#define LS_RUN_RUN_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/metrics.h>
#include <lockstep/status.h>

#include "run/run_folder.h"
#include "run/checkpoint.h"

typedef struct ls_run_log ls_run_log;
struct json_t;

/* The events of events.jsonl.
 *    enumerator                name               true: survives a rewind to before its epoch, as
 *                                                 it is not repeated with the epoch */
#define LS_EVENT_LIST(X)                                                                           \
    X(LS_EVENT_START, "start", false)                                                              \
    X(LS_EVENT_RESUME, "resume", false)                                                            \
    X(LS_EVENT_CLASSES, "classes", false)                                                          \
    X(LS_EVENT_REDUCE, "reduce", true)                                                             \
    X(LS_EVENT_EPOCH, "epoch", false)                                                              \
    X(LS_EVENT_CHECKPOINT, "checkpoint", false)                                                    \
    X(LS_EVENT_SAVE_FAILED, "save_failed", true)                                                   \
    X(LS_EVENT_SKIP, "skip", false)                                                                \
    X(LS_EVENT_ROLLBACK, "rollback", true)                                                         \
    X(LS_EVENT_HEAL, "heal", true)                                                                 \
    X(LS_EVENT_DIAGNOSIS, "diagnosis", false)                                                      \
    X(LS_EVENT_RECORDS_CHANGED, "records_changed", true)                                           \
    X(LS_EVENT_STOP, "stop", false)                                                                \
    X(LS_EVENT_FAILURE, "failure", true)                                                           \
    X(LS_EVENT_EARLY_STOP, "early_stop", false)                                                    \
    X(LS_EVENT_END, "end", false)

typedef enum ls_event {
#define LS_EVENT_VALUE(value, name, survives) value,
    LS_EVENT_LIST(LS_EVENT_VALUE)
#undef LS_EVENT_VALUE
        LS_EVENTS /* their number */
} ls_event;

/* Returns the name of an event. */
const char *ls_event_name(ls_event event);

/* Finds an event by its name, which may be NULL. Returns LS_EVENTS if there is none. */
ls_event ls_event_find(const char *name);

/* Reads the run's id from the events in a run folder; "" if there are no events, or none has an id,
 * as in old runs. */
ls_status ls_run_log_find_run(const char *folder, char run[LS_RUN_ID]) LS_MUST_CHECK;

/* Checks that this build can write TensorBoard's event files. Errors: LS_ERR_USAGE. */
ls_status ls_run_log_check_tensorboard(void) LS_MUST_CHECK;

/* Begins the records of a new run, or continues those of a resumed one: epochs later than the
 * checkpoint's are removed, so that each epoch is recorded once.
 * folder       borrowed; checked before each write, see ls_run_folder_check()
 * config       the text of config.conf, borrowed
 * task         LS_TASK_..., of ls_task_kinds(), whose columns metrics.csv has
 * tensorboard  also write event files; needs ls_run_log_check_tensorboard()
 * history      [epochs] of the resumed checkpoint; epochs is 0 for a new run */
ls_status ls_run_log_open(ls_run_log **out, ls_run_folder *folder, const char *config,
                          unsigned task, bool tensorboard, const ls_metrics *history,
                          int64_t epochs) LS_MUST_CHECK;

/* Appends the last row of the history to metrics.csv and the event files. A file that was removed
 * or changed since the previous write is written again with all rows. */
ls_status ls_run_log_metrics(ls_run_log *log, const ls_metrics *history,
                             int64_t epochs) LS_MUST_CHECK;

/* Appends a line to events.jsonl: {"time", "event", "epoch"} and the given fields. If lines were
 * removed since the previous write, a line `records_changed` comes first.
 * fields  a jansson object, taken; NULL for none */
ls_status ls_run_log_event(ls_run_log *log, ls_event event, int64_t epoch,
                           struct json_t *fields) LS_MUST_CHECK;

/* Writes summary.json.
 * summary  a jansson object, taken */
ls_status ls_run_log_summary(ls_run_log *log, struct json_t *summary) LS_MUST_CHECK;

/* Removes summary.json: only a finished run has one. */
ls_status ls_run_log_retract_summary(ls_run_log *log) LS_MUST_CHECK;

/* Returns true if there is a summary.json. */
bool ls_run_log_has_summary(const ls_run_log *log);

/* Frees and sets *log to NULL; accepts NULL. No file stays open between two calls. */
void ls_run_log_close(ls_run_log **log);

#endif
