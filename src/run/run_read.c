#include <lockstep/run.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "run/run_log.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 28, MOST_COLUMNS = 64 };

/* Reads a whole file of the folder; *out is owned. */
static ls_status read_text(const char *folder, const char *name, char path[LS_PATH_MAX], char **out,
                           size_t *length)
{
    ls_status status = ls_path(path, folder, "/", name);
    return status == LS_OK ? ls_read_file(path, FILE_MAX, LS_ERR_DATA, out, length) : status;
}

static ls_status read_summary(const char *folder, json_t **out)
{
    char path[LS_PATH_MAX], *text = NULL;
    size_t length;
    json_error_t error;
    ls_status status = read_text(folder, "summary.json", path, &text, &length);
    if (status != LS_OK)
        return status;
    *out = json_loadb(text, length, 0, &error);
    ls_free(text);
    if (!json_is_object(*out))
        return ls_fail(LS_ERR_DATA, "%s: line %d: no JSON object: %s", path, error.line,
                       *out == NULL ? error.text : "something else");
    return LS_OK;
}

/* Returns the start of the next field of a line, NULL after the last.
 * length  on return of the field at `at` */
static const char *next_field(const char *at, const char *end, size_t *length)
{
    *length = strcspn(at, ",\n");
    return at + *length < end && at[*length] == ',' ? at + *length + 1 : NULL;
}

/* Reads the columns that the header names, in their order. Returns their number; 0 if the line is
 * no header. */
static int read_header(const char *line, const char *end, int columns[MOST_COLUMNS])
{
    int count = 0;
    size_t length;
    for (const char *at = line, *next; at != NULL && count < MOST_COLUMNS; at = next) {
        next = next_field(at, end, &length);
        columns[count++] = ls_metrics_find(at, length);
    }
    return columns[0] == 0 ? count : 0; /* the epoch comes first */
}

/* Reads a row. Returns 0 if the line is malformed. */
static int read_row(const char *line, const char *end, const int *columns, int count,
                    ls_metrics *row)
{
    double *values = (double *)(void *)row;
    int at_column = 0;
    size_t length;
    for (int i = 0; i < LS_METRICS_COLUMNS; i++)
        values[i] = NAN;
    for (const char *at = line, *next; at != NULL; at = next) {
        next = next_field(at, end, &length);
        if (at_column == count)
            return 0;
        const int column = columns[at_column++];
        char *after;
        if (length == 0 || column == LS_METRICS_COLUMNS)
            continue;
        values[column] = strtod(at, &after);
        if (after != at + length)
            return 0;
    }
    return at_column == count && row->epoch >= 1;
}

static ls_status parse_metrics(const char *path, const char *text, ls_run_record *out)
{
    int columns[MOST_COLUMNS], count = 0;
    int64_t lines = 0;
    for (const char *at = text; *at != '\0'; at++)
        lines += *at == '\n';
    out->history = ls_alloc(lines, sizeof *out->history);
    if (out->history == NULL)
        return LS_ERR_FAILURE;
    for (const char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        if (line == text)
            count = read_header(line, end, columns);
        else if (count > 0 && read_row(line, end, columns, count, &out->history[out->epochs]))
            out->epochs++;
        else
            count = 0;
        if (count == 0)
            return ls_fail(LS_ERR_DATA, "%s: line %lld is malformed", path,
                           (long long)(line == text ? 1 : out->epochs + 2));
    }
    return lines > 0 ? LS_OK : ls_fail(LS_ERR_DATA, "%s: empty", path);
}

static ls_status read_metrics(const char *folder, ls_run_record *out)
{
    char path[LS_PATH_MAX], *text = NULL;
    size_t length;
    ls_status status = read_text(folder, "metrics.csv", path, &text, &length);
    if (status == LS_OK)
        status = parse_metrics(path, text, out);
    ls_free(text);
    return status;
}

static bool has_file(const char *folder, const char *name)
{
    char path[LS_PATH_MAX];
    return ls_path(path, folder, "/", name) == LS_OK && access(path, F_OK) == 0;
}

static void copy_value(json_t *to, const json_t *from, const char *key)
{
    json_t *value = json_object_get(from, key);
    if (value != NULL)
        json_object_set(to, key, value);
}

/* Updates the summary from an event. */
static void apply_event(json_t *summary, const json_t *event)
{
    const ls_event kind = ls_event_find(json_string_value(json_object_get(event, "event")));
    if (kind == LS_EVENT_STOP || kind == LS_EVENT_FAILURE) {
        json_object_set_new(summary, "outcome",
                            json_string(kind == LS_EVENT_STOP ? "interrupted" : "failed"));
        copy_value(summary, event, "text");
    } else if (kind == LS_EVENT_START || kind == LS_EVENT_RESUME) {
        json_object_set_new(summary, "outcome", json_string("unfinished"));
        json_object_del(summary, "text");
        copy_value(summary, event, "ranks");
        copy_value(summary, event, "threads");
    } else if (kind == LS_EVENT_CHECKPOINT && json_is_true(json_object_get(event, "best"))) {
        json_object_set_new(summary, "best",
                            json_pack("{s:O}", "epoch", json_object_get(event, "epoch")));
    } else if (kind == LS_EVENT_DIAGNOSIS) {
        json_t *diagnosis = json_object();
        copy_value(diagnosis, event, "what");
        copy_value(diagnosis, event, "text");
        json_object_set_new(summary, "diagnosis", diagnosis);
    }
}

/* Updates the summary from all events. Lines that are no JSON, for example after a crash, are
 * ignored. */
static ls_status read_events(const char *folder, json_t *summary)
{
    char path[LS_PATH_MAX], *text = NULL;
    size_t length;
    ls_status status = read_text(folder, "events.jsonl", path, &text, &length);
    if (status != LS_OK)
        return status;
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        json_t *event = json_loadb(line, (size_t)(end - line), 0, NULL);
        apply_event(summary, event);
        json_decref(event);
    }
    ls_free(text);
    return LS_OK;
}

/* Makes the summary of a run without summary.json. */
static ls_status make_summary(const char *folder, json_t **out)
{
    char path[LS_PATH_MAX], *text = NULL;
    size_t length;
    if (!has_file(folder, "config.conf"))
        return ls_fail(LS_ERR_DATA, "%s: holds no run: neither summary.json nor config.conf exists",
                       folder);
    ls_status status = read_text(folder, "config.conf", path, &text, &length);
    if (status != LS_OK)
        return status;
    *out = json_pack("{s:s, s:o}", "outcome", "unfinished", "config", ls_json_pairs(text));
    ls_free(text);
    if (*out == NULL)
        return ls_fail(LS_ERR_FAILURE, "out of memory for %s", path);
    return has_file(folder, "events.jsonl") ? read_events(folder, *out) : LS_OK;
}

ls_status ls_run_read(ls_run_record *out, const char *folder)
{
    ls_run_record record = {.finished = has_file(folder, "summary.json")};
    ls_status status = (record.finished ? read_summary : make_summary)(folder, &record.summary);
    if (status == LS_OK)
        status = read_metrics(folder, &record);
    if (status != LS_OK) {
        ls_run_record_clear(&record);
        return status;
    }
    *out = record;
    return LS_OK;
}

void ls_run_record_clear(ls_run_record *record)
{
    json_decref(record->summary);
    ls_free(record->history);
    *record = (ls_run_record){0};
}
