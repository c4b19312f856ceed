/* Sinks of a run's records: files that follow the epochs and events of a run. Each kind is a struct
 * of functions; run_log.c knows the list of sinks and checks the run folder before each write. No
 * file stays open between two calls. All functions are Local, for rank 0. */
#ifndef LS_RUN_LOG_SINK_H
#define LS_RUN_LOG_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/file.h"
#include "run/run_log.h"

typedef struct ls_log_sink ls_log_sink;

/* A kind of sink. All functions fail with LS_ERR_FAILURE. */
typedef struct ls_log_sink_kind {
    /* Cuts the file after `epochs` epochs, or writes it again if it is missing or damaged, so that
     * it holds each of them once. Also begins it, with 0 epochs.
     * history  [epochs] */
    ls_status (*rewind)(ls_log_sink *sink, const ls_metrics *history, int64_t epochs);

    /* Adds the last epoch of the history. Optional.
     * rewritten  set to true if the file was removed or changed by others, so that all epochs were
     *            written again; else left alone */
    ls_status (*metrics)(ls_log_sink *sink, const ls_metrics *history, int64_t epochs,
                         bool *rewritten);

    /* Adds an event. Optional.
     * fields  borrowed; NULL for none */
    ls_status (*event)(ls_log_sink *sink, ls_event event, int64_t epoch, struct json_t *fields);
} ls_log_sink_kind;

struct ls_log_sink {
    const ls_log_sink_kind *kind;
    const char *name;       /* of its file, or its folder of files, in the run folder */
    const char *folder;     /* path of the run folder, borrowed */
    const char *config;     /* text of config.conf, borrowed */
    unsigned task;          /* LS_TASK_..., whose columns metrics.csv has */
    bool validation;        /* TensorBoard: of the validation rows, not of everything else */
    char path[LS_PATH_MAX]; /* of the file; "" if there is none yet */
    int64_t bytes;          /* of the file, after the previous write */
};

/* metrics.csv, events.jsonl. */
extern const ls_log_sink_kind ls_log_csv, ls_log_events;

/* Event files of TensorBoard, only in builds with protobuf-c. */
extern const ls_log_sink_kind ls_log_tensorboard;

/* Finds the size of the sink's file; -1 if it does not exist. Errors: LS_ERR_FAILURE. */
ls_status ls_log_sink_size(const ls_log_sink *sink, int64_t *out) LS_MUST_CHECK;

/* Appends bytes to the sink's file. Errors: LS_ERR_FAILURE. */
ls_status ls_log_sink_append(ls_log_sink *sink, const char *bytes, size_t length) LS_MUST_CHECK;

/* Replaces the sink's file. Errors: LS_ERR_FAILURE. */
ls_status ls_log_sink_write(ls_log_sink *sink, const char *bytes, size_t length) LS_MUST_CHECK;

/* Reads the times of epochs' ends from the events in a run folder.
 * out  [epochs], in seconds since 1970; NaN where no event tells
 * Errors: LS_ERR_FAILURE. */
ls_status ls_log_read_times(const char *folder, int64_t epochs, double *out) LS_MUST_CHECK;

#endif
