#include "run/run_log.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/memory.h"
#include "run/log_sink.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lockstep/run.h>

/* The sinks, in the order of writing. Those of TensorBoard come last: they read the times of epochs
 * from events.jsonl. */
static const struct {
    const ls_log_sink_kind *kind;
    const char *name;
    bool tensorboard; /* only with this option */
    bool validation;
} sinks[] = {
    {&ls_log_csv, "metrics.csv", false, false},
    {&ls_log_events, "events.jsonl", false, false},
#ifdef LS_HAVE_PROTOBUF_C
    {&ls_log_tensorboard, "tensorboard/train", true, false},
    {&ls_log_tensorboard, "tensorboard/validation", true, true},
#endif
};
enum { SINKS = sizeof sinks / sizeof *sinks };

static const char config_name[] = "config.conf";

struct ls_run_log {
    ls_run_folder *folder; /* borrowed, like the next */
    const char *config;
    unsigned task; /* LS_TASK_... */
    ls_log_sink sink[SINKS];
    int sinks; /* in use */
};

ls_status ls_run_log_check_tensorboard(void)
{
#ifdef LS_HAVE_PROTOBUF_C
    return LS_OK;
#else
    return ls_fail(LS_ERR_USAGE,
                   "--tensorboard: this build can't write event files: protobuf-c was not found; "
                   "leave the option out, or install libprotobuf-c-dev and protobuf-c-compiler and "
                   "build again");
#endif
}

static ls_status make_path(char out[LS_PATH_MAX], const ls_run_log *log, const char *name)
{
    return ls_path(out, ls_run_folder_path(log->folder), "/", name);
}

/* Checks the folder before a write, and makes the path of a file in it. */
static ls_status check_and_make_path(char out[LS_PATH_MAX], const ls_run_log *log, const char *name)
{
    ls_status status = ls_run_folder_check(log->folder);
    return status == LS_OK ? make_path(out, log, name) : status;
}

static ls_status write_config(const ls_run_log *log)
{
    char path[LS_PATH_MAX];
    ls_status status = make_path(path, log, config_name);
    return status == LS_OK ? ls_write_file(path, log->config, strlen(log->config)) : status;
}

/* Adds sink number `i` of the list, cut after `epochs` epochs. */
static ls_status add_sink(ls_run_log *log, int i, const ls_metrics *history, int64_t epochs)
{
    ls_log_sink *sink = &log->sink[log->sinks++];
    sink->kind = sinks[i].kind;
    sink->name = sinks[i].name;
    sink->folder = ls_run_folder_path(log->folder);
    sink->config = log->config;
    sink->task = log->task;
    sink->validation = sinks[i].validation;
    const ls_status status = make_path(sink->path, log, sink->name);
    return status == LS_OK ? sink->kind->rewind(sink, history, epochs) : status;
}

ls_status ls_run_log_open(ls_run_log **out, ls_run_folder *folder, const char *config,
                          unsigned task, bool tensorboard, const ls_metrics *history,
                          int64_t epochs)
{
    ls_run_log *log = ls_alloc(1, sizeof *log);
    if (log == NULL)
        return LS_ERR_FAILURE;
    log->folder = folder;
    log->config = config;
    log->task = task;
    log->sinks = 0;
    ls_status status = ls_run_folder_check(folder);
    if (status == LS_OK)
        status = write_config(log);
    for (int i = 0; status == LS_OK && i < SINKS; i++)
        if (tensorboard || !sinks[i].tensorboard)
            status = add_sink(log, i, history, epochs);
    if (status != LS_OK) {
        ls_run_log_close(&log);
        return status;
    }
    *out = log;
    return LS_OK;
}

ls_status ls_run_log_retract_summary(ls_run_log *log)
{
    char path[LS_PATH_MAX];
    ls_status status = check_and_make_path(path, log, "summary.json");
    if (status == LS_OK && unlink(path) != 0 && errno != ENOENT)
        status = ls_fail(LS_ERR_FAILURE, "%s: can't remove: %s", path, strerror(errno));
    return status;
}

bool ls_run_log_has_summary(const ls_run_log *log)
{
    char path[LS_PATH_MAX];
    return make_path(path, log, "summary.json") == LS_OK && access(path, F_OK) == 0;
}

/* Gives an event to the sinks. */
static ls_status put_event(ls_run_log *log, ls_event event, int64_t epoch, json_t *fields)
{
    ls_status status = LS_OK;
    for (int i = 0; status == LS_OK && i < log->sinks; i++)
        if (log->sink[i].kind->event != NULL)
            status = log->sink[i].kind->event(&log->sink[i], event, epoch, fields);
    return ls_run_folder_blame(log->folder, status);
}

ls_status ls_run_log_event(ls_run_log *log, ls_event event, int64_t epoch, json_t *fields)
{
    ls_status status = ls_fault(LS_FAULT_LOG);
    if (status == LS_OK)
        status = ls_run_folder_check(log->folder);
    if (status == LS_OK)
        status = put_event(log, event, epoch, fields);
    json_decref(fields);
    return status;
}

/* Notes that a file was written again after others removed or changed it. */
static ls_status note_rewritten(ls_run_log *log, const char *name, int64_t epochs)
{
    return ls_run_log_event(
        log, LS_EVENT_RECORDS_CHANGED, epochs,
        json_pack("{s:o}", "text", json_sprintf("%s was removed or changed: rewritten", name)));
}

/* Writes config.conf again if others removed it. */
static ls_status restore_config(ls_run_log *log, int64_t epochs)
{
    char path[LS_PATH_MAX];
    ls_status status = make_path(path, log, config_name);
    if (status != LS_OK || access(path, F_OK) == 0)
        return status;
    status = write_config(log);
    return status == LS_OK ? note_rewritten(log, config_name, epochs) : status;
}

/* Gives the last epoch to a sink. */
static ls_status put_metrics(ls_run_log *log, ls_log_sink *sink, const ls_metrics *history,
                             int64_t epochs)
{
    bool rewritten = false;
    ls_status status = sink->kind->metrics(sink, history, epochs, &rewritten);
    status = ls_run_folder_blame(log->folder, status);
    return status == LS_OK && rewritten ? note_rewritten(log, sink->name, epochs) : status;
}

ls_status ls_run_log_metrics(ls_run_log *log, const ls_metrics *history, int64_t epochs)
{
    ls_status status = ls_fault(LS_FAULT_LOG);
    if (status == LS_OK)
        status = ls_run_folder_check(log->folder);
    for (int i = 0; status == LS_OK && i < log->sinks; i++)
        if (log->sink[i].kind->metrics != NULL)
            status = put_metrics(log, &log->sink[i], history, epochs);
    return status == LS_OK ? restore_config(log, epochs) : status;
}

ls_status ls_run_log_summary(ls_run_log *log, json_t *summary)
{
    char path[LS_PATH_MAX];
    char *text = json_dumps(summary, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    json_decref(summary);
    if (text == NULL)
        return ls_fail(LS_ERR_FAILURE, "out of memory for the summary");
    ls_status status = check_and_make_path(path, log, "summary.json");
    if (status == LS_OK)
        status = ls_write_file(path, text, strlen(text));
    free(text);
    return status;
}

json_t *ls_metrics_json(const ls_metrics *metrics, unsigned kinds)
{
    json_t *object = json_object();
    for (int i = 0; i < LS_METRICS_COLUMNS; i++) {
        double value = ls_metrics_value(metrics, i);
        if (!ls_metrics_has(i, kinds))
            continue;
        json_object_set_new(object, ls_metrics_name(i),
                            isfinite(value) ? json_real(value) : json_null());
    }
    json_object_set_new(object, "epoch", json_integer((json_int_t)metrics->epoch));
    return object;
}

void ls_run_log_close(ls_run_log **log)
{
    if (log == NULL)
        return;
    ls_free(*log);
    *log = NULL;
}
