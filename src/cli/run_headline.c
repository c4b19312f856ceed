#include "cli/run_headline.h"

#include "base/json.h"
#include "base/show.h"
#include "cli/gan_page.h"
#include "cli/metric_text.h"
#include "cli/page.h"
#include "cli/run_facts.h"

#include <math.h>
#include <string.h>

enum { TEXT = LS_JSON_TEXT };

static void format_main(const ls_run_material *m, double number, char out[TEXT])
{
    snprintf(out, TEXT, "%s", ls_metric_text(ls_run_main_metric(m), ls_run_task(m), number).text);
}

static void write_test_tile(FILE *out, const ls_run_material *m)
{
    char value[TEXT], more[2 * TEXT], text[2][TEXT], title[64];
    const json_t *e = m->evaluation;
    const char *name = ls_metric_describe(ls_run_main_metric(m))->name;
    snprintf(title, sizeof title, "test %s", name);
    if (e == NULL || strcmp(ls_json_show(e, "split", NULL, text[0]), "test") != 0) {
        ls_page_tile(out, title, "–", ls_run_why_not_evaluated(m));
        return;
    }
    format_main(m, json_number_value(ls_json_at(e, name, NULL)), value);
    snprintf(more, sizeof more, "of %s%s rows; network of epoch %s",
             ls_run_task(m) == LS_TASK_STEPS ? "the steps of " : "",
             ls_run_count_text(ls_json_at(e, "rows", NULL), text[0]),
             ls_json_show(e, "epoch", NULL, text[1]));
    ls_page_tile(out, title, value, more);
}

static void write_validation_tile(FILE *out, const ls_run_material *m)
{
    char value[TEXT], of_last[TEXT], more[2 * TEXT], title[64];
    const int64_t epoch = ls_run_outcome_epoch(m);
    const ls_metric metric = ls_run_main_metric(m);
    const int column = ls_metrics_column(metric, true);
    snprintf(title, sizeof title, "validation %s", ls_metric_describe(metric)->name);
    if (epoch == 0 || !isfinite(ls_metrics_value(&m->run.history[epoch - 1], column))) {
        ls_page_tile(out, title, "–", epoch == 0 ? "no epoch has ended" : "no validation rows");
        return;
    }
    const double last = ls_metrics_value(&m->run.history[m->run.epochs - 1], column);
    format_main(m, ls_metrics_value(&m->run.history[epoch - 1], column), value);
    format_main(m, last, of_last);
    if (epoch < m->run.epochs && isfinite(last))
        snprintf(more, sizeof more, "in epoch %lld, the best; %s in the last", (long long)epoch,
                 of_last);
    else
        snprintf(more, sizeof more, "in epoch %lld, the %s", (long long)epoch,
                 epoch < m->run.epochs ? "best" : "last");
    ls_page_tile(out, title, value, more);
}

static void write_epochs_tile(FILE *out, const ls_run_material *m)
{
    char value[TEXT], more[2 * TEXT], text[2][TEXT];
    snprintf(value, sizeof value, "%lld", (long long)m->run.epochs);
    snprintf(more, sizeof more, "of %s; %s",
             ls_json_show(m->run.summary, "config", "epochs", text[0]),
             ls_json_show(m->run.summary, "outcome", NULL, text[1]));
    ls_page_tile(out, "epochs", value, more);
}

static void format_seconds(double seconds, char out[TEXT])
{
    const long long whole = (long long)(fmin(seconds, 1e15) + 0.5);
    if (seconds < 100)
        snprintf(out, TEXT, "%.3g s", seconds);
    else if (whole < 3600)
        snprintf(out, TEXT, "%lld min %02lld s", whole / 60, whole % 60);
    else
        snprintf(out, TEXT, "%lld h %02lld min", whole / 3600, whole % 3600 / 60);
}

static double without_nan(double value)
{
    return isfinite(value) ? value : 0;
}

/* The time of all epochs, also those before the run was resumed. */
static void write_time_tile(FILE *out, const ls_run_material *m)
{
    double seconds = 0, rate = 0;
    char value[TEXT], more[TEXT];
    for (int64_t i = 0; i < m->run.epochs; i++) {
        const ls_metrics *e = &m->run.history[i];
        seconds +=
            without_nan(e->seconds) + without_nan(e->validation_s) + without_nan(e->checkpoint_s);
        rate += without_nan(e->samples_per_second) / (double)m->run.epochs;
    }
    format_seconds(seconds, value);
    snprintf(more, sizeof more, "all epochs; %s samples/s",
             ls_grouped((int64_t)fmin(rate, 1e15)).text);
    ls_page_tile(out, "time", value, m->run.epochs > 0 ? more : "");
}

static void write_ranks_tile(FILE *out, const ls_run_material *m)
{
    char more[4 * TEXT] = "", text[2][TEXT];
    const json_t *summary = m->run.summary;
    const size_t nodes = json_array_size(ls_json_at(summary, "hosts", NULL));
    int used = 0;
    if (nodes > 0)
        used = snprintf(more, sizeof more, "on %zu node%s; ", nodes, nodes == 1 ? "" : "s");
    snprintf(more + used, sizeof more - (size_t)used, "threads of each: %s%s",
             ls_json_show(summary, "threads", NULL, text[0]),
             json_is_true(ls_json_at(summary, "oversubscribed", NULL)) ? "; more threads than cores"
                                                                       : "");
    ls_page_tile(out, "ranks", ls_json_show(summary, "ranks", NULL, text[1]), more);
}

/* Writes a notice if the run is unfinished, with the reason. */
static void write_notice(FILE *out, const ls_run_material *m)
{
    char text[2][TEXT], line[3 * TEXT];
    const char *outcome = ls_json_show(m->run.summary, "outcome", NULL, text[0]);
    const char *why = ls_json_show(m->run.summary, "text", NULL, text[1]);
    if (m->run.finished)
        return;
    snprintf(line, sizeof line,
             "This run is unfinished: it %s. The page covers its %lld "
             "finished epoch%s.",
             strcmp(outcome, "interrupted") == 0 ? "was interrupted"
             : strcmp(outcome, "failed") == 0    ? "failed"
                                                 : "is still running, or was killed",
             (long long)m->run.epochs, m->run.epochs == 1 ? "" : "s");
    fputs("<div class=\"notice\">\n", out);
    ls_page_paragraph(out, "", line);
    if (*why != '\0')
        ls_page_paragraph(out, "note", why);
    fputs("</div>\n", out);
}

void ls_run_headline_write(FILE *out, const ls_run_material *m)
{
    write_notice(out, m);
    fputs("<dl class=\"tiles\">\n", out);
    if (ls_run_task(m) == LS_TASK_GENERATION) {
        ls_gan_page_tiles(out, m);
    } else {
        write_test_tile(out, m);
        write_validation_tile(out, m);
    }
    write_epochs_tile(out, m);
    write_time_tile(out, m);
    write_ranks_tile(out, m);
    fputs("</dl>\n", out);
}
