#include "train/run_log.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CSV_ROW = 512, EVENTS_MAX = 1 << 28 };

struct ls_run_log {
    char folder[LS_PATH_MAX];
};

static ls_status in_folder(char out[LS_PATH_MAX], const char *folder, const char *name)
{
    return ls_path(out, folder, "/", name);
}

ls_status ls_run_log_refuse_used(const char *folder)
{
    char path[LS_PATH_MAX];
    ls_status status = in_folder(path, folder, "config.conf");
    if (status == LS_OK && access(path, F_OK) == 0)
        status = ls_fail(LS_ERR_USAGE,
                         "--run: %s holds a run already: go on with it by --resume auto, or choose "
                         "another folder",
                         folder);
    return status;
}

/* A line of metrics.csv, or its header if `metrics` is NULL. NaN is an empty field. */
static void csv_row(const ls_metrics *metrics, char out[CSV_ROW])
{
    size_t used = 0;
    for (int i = 0; i < LS_METRICS_COLUMNS; i++) {
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

static ls_status write_history(const char *path, const ls_metrics *history, int64_t epochs)
{
    char *text = ls_alloc((epochs + 1) * CSV_ROW, 1);
    if (text == NULL)
        return LS_ERR_FAILURE;
    csv_row(NULL, text);
    size_t used = strlen(text);
    for (int64_t i = 0; i < epochs; i++) {
        csv_row(&history[i], text + used);
        used += strlen(text + used);
    }
    ls_status status = ls_write_file(path, text, used);
    ls_free(text);
    return status;
}

/* Whether a line of events.jsonl stays when a run goes on from this epoch: it tells of an epoch
 * that is not repeated, or of a failure, which did happen. */
static bool stays(const char *line, size_t length, int64_t epochs)
{
    static const char *const happened[] = {"failure", "save_failed", "rollback", "heal", "reduce"};
    json_t *event = json_loadb(line, length, 0, NULL);
    json_t *epoch = json_object_get(event, "epoch");
    const char *what = json_string_value(json_object_get(event, "event"));
    bool stays = event != NULL && (epoch == NULL || json_integer_value(epoch) <= epochs);
    for (size_t i = 0; event != NULL && what != NULL && i < sizeof happened / sizeof *happened; i++)
        stays = stays || strcmp(what, happened[i]) == 0;
    json_decref(event);
    return stays;
}

/* Removes the lines of later epochs, and what a crash left unfinished. */
static ls_status trim_events(const char *path, int64_t epochs)
{
    char *text;
    size_t length, kept = 0;
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return ls_write_file(path, "", 0);
    ls_status status = ls_read_file(path, EVENTS_MAX, LS_ERR_FAILURE, &text, &length);
    if (status != LS_OK)
        return status;
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        size_t bytes = (size_t)(end + 1 - line);
        if (!stays(line, bytes, epochs))
            continue;
        memmove(text + kept, line, bytes);
        kept += bytes;
    }
    status = ls_write_file(path, text, kept);
    ls_free(text);
    return status;
}

ls_status ls_run_log_open(ls_run_log **out, const char *folder, const char *config,
                          const ls_metrics *history, int64_t epochs)
{
    ls_run_log *log = ls_alloc(1, sizeof *log);
    if (log == NULL)
        return LS_ERR_FAILURE;
    char path[LS_PATH_MAX];
    ls_status status = ls_path(log->folder, folder, NULL, NULL);
    if (status == LS_OK)
        status = in_folder(path, folder, "config.conf");
    if (status == LS_OK)
        status = ls_write_file(path, config, strlen(config));
    if (status == LS_OK)
        status = in_folder(path, folder, "metrics.csv");
    if (status == LS_OK)
        status = write_history(path, history, epochs);
    if (status == LS_OK)
        status = in_folder(path, folder, "events.jsonl");
    if (status == LS_OK)
        status = trim_events(path, epochs);
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
    ls_status status = in_folder(path, log->folder, "summary.json");
    if (status == LS_OK && unlink(path) != 0 && errno != ENOENT)
        status = ls_fail(LS_ERR_FAILURE, "%s: can't remove: %s", path, strerror(errno));
    return status;
}

bool ls_run_log_has_summary(const ls_run_log *log)
{
    char path[LS_PATH_MAX];
    return in_folder(path, log->folder, "summary.json") == LS_OK && access(path, F_OK) == 0;
}

static ls_status append(ls_run_log *log, const char *name, const char *line)
{
    char path[LS_PATH_MAX];
    ls_status status = ls_fault(LS_FAULT_LOG);
    if (status == LS_OK)
        status = in_folder(path, log->folder, name);
    return status == LS_OK ? ls_append_file(path, line, strlen(line)) : status;
}

ls_status ls_run_log_metrics(ls_run_log *log, const ls_metrics *metrics)
{
    char line[CSV_ROW];
    csv_row(metrics, line);
    return append(log, "metrics.csv", line);
}

ls_status ls_run_log_event(ls_run_log *log, const char *event, int64_t epoch, json_t *fields)
{
    char when[32];
    time_t now = time(NULL);
    struct tm utc;
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    json_t *line =
        json_pack("{s:s, s:s, s:I}", "time", when, "event", event, "epoch", (json_int_t)epoch);
    if (fields != NULL)
        json_object_update_missing(line, fields);
    json_decref(fields);
    char *text = json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(line);
    ls_status status = LS_OK;
    if (text == NULL)
        return ls_fail(LS_ERR_FAILURE, "out of memory for an event");
    char *whole = ls_alloc((int64_t)strlen(text) + 2, 1);
    if (whole == NULL) {
        status = LS_ERR_FAILURE;
    } else {
        sprintf(whole, "%s\n", text);
        status = append(log, "events.jsonl", whole);
    }
    ls_free(whole);
    free(text);
    return status;
}

ls_status ls_run_log_summary(ls_run_log *log, json_t *summary)
{
    char path[LS_PATH_MAX];
    char *text = json_dumps(summary, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    json_decref(summary);
    if (text == NULL)
        return ls_fail(LS_ERR_FAILURE, "out of memory for the summary");
    ls_status status = in_folder(path, log->folder, "summary.json");
    if (status == LS_OK)
        status = ls_write_file(path, text, strlen(text));
    free(text);
    return status;
}

json_t *ls_metrics_json(const ls_metrics *metrics)
{
    json_t *object = json_object();
    for (int i = 0; i < LS_METRICS_COLUMNS; i++) {
        double value = ls_metrics_value(metrics, i);
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
