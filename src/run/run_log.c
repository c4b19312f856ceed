#include "run/run_log.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/memory.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <lockstep/run.h>

enum {
    CSV_ROW = 32 * LS_METRICS_COLUMNS, /* bytes, at most */
    EVENTS_MAX = 1 << 28
};

struct ls_run_log {
    ls_run_folder *folder; /* borrowed, like the next */
    const char *config;
    unsigned task; /* LS_TASK_..., whose columns metrics.csv has */
    int64_t metrics, events; /* bytes of the two files after the previous write */
};

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

/* Finds the size of a file in bytes; -1 if it does not exist. */
static ls_status find_size(const char *path, int64_t *out)
{
    struct stat found;
    *out = -1;
    if (stat(path, &found) == 0)
        *out = (int64_t)found.st_size;
    else if (errno != ENOENT)
        return ls_fail(LS_ERR_FAILURE, "%s: can't access: %s", path, strerror(errno));
    return LS_OK;
}

/* Formats a line of metrics.csv, or its header if `metrics` is NULL. NaN is an empty field. */
static void format_row(const ls_metrics *metrics, unsigned task, char out[CSV_ROW])
{
    size_t used = 0;
    for (int i = 0; i < LS_METRICS_COLUMNS; i++) {
        if (!ls_metrics_has(i, task))
            continue;
        const char *comma = i > 0 ? "," : "";
        double value = metrics != NULL ? ls_metrics_value(metrics, i) : 0;
        int length = metrics == NULL
                         ? snprintf(out + used, CSV_ROW - used, "%s%s", comma, ls_metrics_name(i))
                     : isnan(value) ? snprintf(out + used, CSV_ROW - used, "%s", comma)
                                    : snprintf(out + used, CSV_ROW - used, "%s%.9g", comma, value);
        used += (size_t)length;
    }
    snprintf(out + used, CSV_ROW - used, "\n");
}

/* Writes all of metrics.csv. */
static ls_status write_history(ls_run_log *log, const char *path, const ls_metrics *history,
                               int64_t epochs)
{
    char *text = ls_alloc((epochs + 1) * CSV_ROW, 1);
    if (text == NULL)
        return LS_ERR_FAILURE;
    format_row(NULL, log->task, text);
    size_t used = strlen(text);
    for (int64_t i = 0; i < epochs; i++) {
        format_row(&history[i], log->task, text + used);
        used += strlen(text + used);
    }
    ls_status status = ls_write_file(path, text, used);
    ls_free(text);
    if (status == LS_OK)
        log->metrics = (int64_t)used;
    return status;
}

static const struct {
    const char *name;
    bool survives;
} events[LS_EVENTS] = {
#define EVENT(value, name, survives) {name, survives},
    LS_EVENT_LIST(EVENT)
#undef EVENT
};

const char *ls_event_name(ls_event event)
{
    assert(event >= 0 && event < LS_EVENTS);
    return events[event].name;
}

ls_event ls_event_find(const char *name)
{
    int at = 0;
    while (at < LS_EVENTS && (name == NULL || strcmp(name, events[at].name) != 0))
        at++;
    return (ls_event)at;
}

static bool survives(ls_event event)
{
    return event < LS_EVENTS && events[event].survives;
}

/* Returns true if a line of events.jsonl is kept when a run resumes after `epochs` epochs: its
 * epoch is not repeated, or its event survives. */
static bool is_kept(const char *line, size_t length, int64_t epochs)
{
    json_t *event = json_loadb(line, length, 0, NULL);
    json_t *epoch = json_object_get(event, "epoch");
    const ls_event kind = ls_event_find(json_string_value(json_object_get(event, "event")));
    const bool kept =
        event != NULL && (epoch == NULL || json_integer_value(epoch) <= epochs || survives(kind));
    json_decref(event);
    return kept;
}

/* Removes the lines of later epochs, and an incomplete last line after a crash. */
static ls_status trim_events(ls_run_log *log, const char *path, int64_t epochs)
{
    char *text;
    size_t length, kept = 0;
    log->events = 0;
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return ls_write_file(path, "", 0);
    ls_status status = ls_read_file(path, EVENTS_MAX, LS_ERR_FAILURE, &text, &length);
    if (status != LS_OK)
        return status;
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        size_t bytes = (size_t)(end + 1 - line);
        if (!is_kept(line, bytes, epochs))
            continue;
        memmove(text + kept, line, bytes);
        kept += bytes;
    }
    status = ls_write_file(path, text, kept);
    ls_free(text);
    log->events = (int64_t)kept;
    return status;
}

static ls_status write_config(const ls_run_log *log)
{
    char path[LS_PATH_MAX];
    ls_status status = make_path(path, log, "config.conf");
    return status == LS_OK ? ls_write_file(path, log->config, strlen(log->config)) : status;
}

ls_status ls_run_log_open(ls_run_log **out, ls_run_folder *folder, const char *config,
                          unsigned task, const ls_metrics *history, int64_t epochs)
{
    char path[LS_PATH_MAX];
    ls_run_log *log = ls_alloc(1, sizeof *log);
    if (log == NULL)
        return LS_ERR_FAILURE;
    log->folder = folder;
    log->config = config;
    log->task = task;
    ls_status status = ls_run_folder_check(folder);
    if (status == LS_OK)
        status = write_config(log);
    if (status == LS_OK)
        status = make_path(path, log, "metrics.csv");
    if (status == LS_OK)
        status = write_history(log, path, history, epochs);
    if (status == LS_OK)
        status = make_path(path, log, "events.jsonl");
    if (status == LS_OK)
        status = trim_events(log, path, epochs);
    if (status != LS_OK) {
        ls_run_log_close(&log);
        return status;
    }
    *out = log;
    return LS_OK;
}

/* Reads the run's id from an event. Returns false if the event has none. */
static bool read_run_id(const char *line, size_t length, char run[LS_RUN_ID])
{
    json_t *event = json_loadb(line, length, 0, NULL);
    const char *found = json_string_value(json_object_get(event, "run"));
    const bool is_one = found != NULL && strlen(found) < LS_RUN_ID;
    if (is_one)
        strcpy(run, found);
    json_decref(event);
    return is_one;
}

ls_status ls_run_log_find_run(const char *folder, char run[LS_RUN_ID])
{
    char path[LS_PATH_MAX], *text;
    size_t length;
    *run = '\0';
    ls_status status = ls_path(path, folder, "/events.jsonl", NULL);
    if (status != LS_OK || (access(path, F_OK) != 0 && errno == ENOENT))
        return status;
    status = ls_read_file(path, EVENTS_MAX, LS_ERR_FAILURE, &text, &length);
    if (status != LS_OK)
        return status;
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1)
        if (read_run_id(line, (size_t)(end - line), run))
            break;
    ls_free(text);
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

/* Appends a line to a file.
 * bytes  the size of the file, updated */
static ls_status append(ls_run_log *log, const char *path, const char *line, int64_t *bytes)
{
    const size_t length = strlen(line);
    ls_status status = ls_append_file(path, line, length);
    if (status == LS_OK)
        *bytes += (int64_t)length;
    return ls_run_folder_blame(log->folder, status);
}

/* Makes a line of events.jsonl, owned by the caller, who calls free(). Takes the fields. */
static char *make_event_line(ls_event event, int64_t epoch, json_t *fields)
{
    char when[32];
    time_t now = time(NULL);
    struct tm utc;
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    json_t *line = json_pack("{s:s, s:s, s:I}", "time", when, "event", ls_event_name(event),
                             "epoch", (json_int_t)epoch);
    if (fields != NULL)
        json_object_update_missing(line, fields);
    json_decref(fields);
    char *text = json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(line);
    char *whole = text != NULL ? malloc(strlen(text) + 2) : NULL;
    if (whole != NULL)
        sprintf(whole, "%s\n", text);
    free(text);
    return whole;
}

/* Appends a line to events.jsonl, without checking the file. */
static ls_status append_event(ls_run_log *log, const char *path, char *line)
{
    if (line == NULL)
        return ls_fail(LS_ERR_FAILURE, "out of memory for an event");
    ls_status status = append(log, path, line, &log->events);
    free(line);
    return status;
}

/* Appends an event about a change of the records by others. */
static ls_status append_change(ls_run_log *log, const char *path, int64_t epoch, const char *text)
{
    return append_event(
        log, path,
        make_event_line(LS_EVENT_RECORDS_CHANGED, epoch, json_pack("{s:s}", "text", text)));
}

ls_status ls_run_log_event(ls_run_log *log, ls_event event, int64_t epoch, json_t *fields)
{
    char path[LS_PATH_MAX], *line = make_event_line(event, epoch, fields);
    int64_t bytes = 0;
    ls_status status = ls_fault(LS_FAULT_LOG);
    if (status == LS_OK)
        status = check_and_make_path(path, log, "events.jsonl");
    if (status == LS_OK)
        status = find_size(path, &bytes);
    if (status == LS_OK && bytes < log->events) {
        status = trim_events(log, path, INT64_MAX);
        if (status == LS_OK)
            status = append_change(log, path, epoch, "lines of events.jsonl were removed");
    }
    if (status == LS_OK)
        return append_event(log, path, line);
    free(line);
    return status;
}

/* Writes config.conf and metrics.csv again after they were removed or changed. */
static ls_status rewrite_records(ls_run_log *log, const char *path, const ls_metrics *history,
                                 int64_t epochs)
{
    ls_status status = write_config(log);
    if (status == LS_OK)
        status = write_history(log, path, history, epochs);
    return status == LS_OK
               ? ls_run_log_event(
                     log, LS_EVENT_RECORDS_CHANGED, epochs,
                     json_pack("{s:s}", "text", "metrics.csv was removed or changed: rewritten"))
               : status;
}

ls_status ls_run_log_metrics(ls_run_log *log, const ls_metrics *history, int64_t epochs)
{
    char path[LS_PATH_MAX], line[CSV_ROW];
    int64_t bytes = 0;
    ls_status status = ls_fault(LS_FAULT_LOG);
    if (status == LS_OK)
        status = check_and_make_path(path, log, "metrics.csv");
    if (status == LS_OK)
        status = find_size(path, &bytes);
    if (status != LS_OK)
        return status;
    if (bytes != log->metrics)
        return rewrite_records(log, path, history, epochs);
    format_row(&history[epochs - 1], log->task, line);
    return append(log, path, line, &log->metrics);
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

json_t *ls_metrics_json(const ls_metrics *metrics, unsigned task)
{
    json_t *object = json_object();
    for (int i = 0; i < LS_METRICS_COLUMNS; i++) {
        double value = ls_metrics_value(metrics, i);
        if (!ls_metrics_has(i, task))
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
