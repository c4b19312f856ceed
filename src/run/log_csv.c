/* metrics.csv: a row per epoch. */
#include "run/log_sink.h"

#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CSV_ROW = 32 * LS_METRICS_COLUMNS }; /* bytes, at most */

/* Formats a line, or the header if `metrics` is NULL. NaN is an empty field. */
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

static ls_status rewind_csv(ls_log_sink *sink, const ls_metrics *history, int64_t epochs)
{
    char *text = ls_alloc((epochs + 1) * CSV_ROW, 1);
    if (text == NULL)
        return LS_ERR_FAILURE;
    format_row(NULL, sink->task, text);
    size_t used = strlen(text);
    for (int64_t i = 0; i < epochs; i++) {
        format_row(&history[i], sink->task, text + used);
        used += strlen(text + used);
    }
    const ls_status status = ls_log_sink_write(sink, text, used);
    ls_free(text);
    return status;
}

static ls_status add_row(ls_log_sink *sink, const ls_metrics *history, int64_t epochs,
                         bool *rewritten)
{
    char line[CSV_ROW];
    int64_t bytes;
    const ls_status status = ls_log_sink_size(sink, &bytes);
    if (status != LS_OK)
        return status;
    if (bytes != sink->bytes) {
        *rewritten = true;
        return rewind_csv(sink, history, epochs);
    }
    format_row(&history[epochs - 1], sink->task, line);
    return ls_log_sink_append(sink, line, strlen(line));
}

const ls_log_sink_kind ls_log_csv = {.rewind = rewind_csv, .metrics = add_row};
