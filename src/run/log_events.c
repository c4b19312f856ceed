/* events.jsonl: a line of JSON per event. */
#include "run/log_sink.h"

#include "base/memory.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS_MAX = 1 << 28 }; /* bytes of events.jsonl */

static const char time_format[] = "%Y-%m-%dT%H:%M:%SZ";

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
static ls_status trim(ls_log_sink *sink, int64_t epochs)
{
    char *text;
    size_t length, kept = 0;
    sink->bytes = 0;
    if (access(sink->path, F_OK) != 0 && errno == ENOENT)
        return ls_log_sink_write(sink, "", 0);
    ls_status status = ls_read_file(sink->path, EVENTS_MAX, LS_ERR_FAILURE, &text, &length);
    if (status != LS_OK)
        return status;
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        size_t bytes = (size_t)(end + 1 - line);
        if (!is_kept(line, bytes, epochs))
            continue;
        memmove(text + kept, line, bytes);
        kept += bytes;
    }
    status = ls_log_sink_write(sink, text, kept);
    ls_free(text);
    return status;
}

static ls_status rewind_events(ls_log_sink *sink, const ls_metrics *history, int64_t epochs)
{
    (void)history;
    return trim(sink, epochs);
}

/* Makes a line of events.jsonl, owned by the caller, who calls free(). */
static char *make_event_line(ls_event event, int64_t epoch, json_t *fields)
{
    char when[32];
    time_t now = time(NULL);
    struct tm utc;
    strftime(when, sizeof when, time_format, gmtime_r(&now, &utc));
    json_t *line = json_pack("{s:s, s:s, s:I}", "time", when, "event", ls_event_name(event),
                             "epoch", (json_int_t)epoch);
    if (fields != NULL)
        json_object_update_missing(line, fields);
    char *text = json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(line);
    char *whole = text != NULL ? malloc(strlen(text) + 2) : NULL;
    if (whole != NULL)
        sprintf(whole, "%s\n", text);
    free(text);
    return whole;
}

/* Appends a line without checking the file. */
static ls_status append(ls_log_sink *sink, ls_event event, int64_t epoch, json_t *fields)
{
    char *line = make_event_line(event, epoch, fields);
    if (line == NULL)
        return ls_fail(LS_ERR_FAILURE, "out of memory for an event");
    const ls_status status = ls_log_sink_append(sink, line, strlen(line));
    free(line);
    return status;
}

/* Removes what is left of a line, and notes that others removed lines. */
static ls_status repair(ls_log_sink *sink, int64_t epoch)
{
    json_t *fields = json_pack("{s:s}", "text", "lines of events.jsonl were removed");
    ls_status status = trim(sink, INT64_MAX);
    if (status == LS_OK)
        status = append(sink, LS_EVENT_RECORDS_CHANGED, epoch, fields);
    json_decref(fields);
    return status;
}

static ls_status add_event(ls_log_sink *sink, ls_event event, int64_t epoch, json_t *fields)
{
    int64_t bytes;
    ls_status status = ls_log_sink_size(sink, &bytes);
    if (status == LS_OK && bytes < sink->bytes)
        status = repair(sink, epoch);
    return status == LS_OK ? append(sink, event, epoch, fields) : status;
}

const ls_log_sink_kind ls_log_events = {.rewind = rewind_events, .event = add_event};

/* Reads events.jsonl of a run folder; *out is owned, NULL if there is no such file. */
static ls_status read_events(const char *folder, char **out)
{
    char path[LS_PATH_MAX];
    size_t length;
    *out = NULL;
    ls_status status = ls_path(path, folder, "/events.jsonl", NULL);
    if (status != LS_OK || (access(path, F_OK) != 0 && errno == ENOENT))
        return status;
    return ls_read_file(path, EVENTS_MAX, LS_ERR_FAILURE, out, &length);
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
    char *text;
    *run = '\0';
    const ls_status status = read_events(folder, &text);
    for (char *line = text, *end; line != NULL && (end = strchr(line, '\n')) != NULL;
         line = end + 1)
        if (read_run_id(line, (size_t)(end - line), run))
            break;
    ls_free(text);
    return status;
}

/* Reads the time of an epoch's end from an event of one. */
static void read_time(const char *line, size_t length, int64_t epochs, double *out)
{
    struct tm utc = {0};
    json_t *event = json_loadb(line, length, 0, NULL);
    const char *name = json_string_value(json_object_get(event, "event"));
    const char *when = json_string_value(json_object_get(event, "time"));
    const json_int_t epoch = json_integer_value(json_object_get(event, "epoch"));
    if (ls_event_find(name) == LS_EVENT_EPOCH && epoch >= 1 && epoch <= epochs && when != NULL &&
        strptime(when, time_format, &utc) != NULL)
        out[epoch - 1] = (double)timegm(&utc);
    json_decref(event);
}

ls_status ls_log_read_times(const char *folder, int64_t epochs, double *out)
{
    char *text;
    for (int64_t i = 0; i < epochs; i++)
        out[i] = NAN;
    const ls_status status = read_events(folder, &text);
    for (char *line = text, *end; line != NULL && (end = strchr(line, '\n')) != NULL;
         line = end + 1)
        read_time(line, (size_t)(end - line), epochs, out);
    ls_free(text);
    return status;
}
