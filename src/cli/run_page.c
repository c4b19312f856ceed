#include "cli/run_page.h"

#include "base/json.h"
#include "base/memory.h"
#include "base/show.h"
#include "cli/chart.h"
#include "cli/eval_page.h"
#include "cli/page.h"
#include "cli/run_facts.h"
#include "cli/run_headline.h"
#include "cli/samples_page.h"

#include <lockstep/metrics.h>

#include <ctype.h>
#include <math.h>
#include <string.h>

enum { TEXT = LS_JSON_TEXT };

static int64_t integer_at(const json_t *object, const char *part, const char *key)
{
    return json_integer_value(ls_json_at(object, part, key));
}

/* Draws the chart of a metric.
 * values  [2 n] scratch */
static void write_curve(FILE *out, const ls_run_material *m, ls_metric metric, double *values)
{
    const int64_t n = m->run.epochs;
    for (int64_t i = 0; i < n; i++) {
        const ls_metrics *row = &m->run.history[i];
        values[i] = metric < LS_METRICS_TRAINED
                        ? ls_metrics_value(row, ls_metrics_column(metric, false))
                        : NAN;
        values[n + i] = ls_metrics_value(row, ls_metrics_column(metric, true));
    }
    const ls_curve curves[] = {{"validation", values + n, false}, {"training", values, true}};
    ls_chart_curves(out, ls_metric_describe(metric)->name, curves, n, ls_run_outcome_epoch(m));
}

/* Draws the charts of the loss and the main metric from the columns of the history. */
static ls_status write_curves(FILE *out, const ls_run_material *m)
{
    const int64_t n = m->run.epochs;
    ls_page_heading(out, "Curves");
    if (n == 0) {
        ls_page_paragraph(out, "note", "No epoch has been finished.");
        return LS_OK;
    }
    double *values = ls_alloc(2 * n, sizeof *values);
    if (values == NULL)
        return LS_ERR_FAILURE;
    write_curve(out, m, LS_METRIC_LOSS, values);
    write_curve(out, m, ls_run_main_metric(m), values);
    if (ls_run_task(m) == LS_TASK_GENERATION)
        write_curve(out, m, LS_METRIC_GENERATOR_LOSS, values);
    if (ls_run_is_variational(m)) {
        write_curve(out, m, LS_METRIC_RECONSTRUCTION, values);
        write_curve(out, m, LS_METRIC_KL, values);
    }
    if (isfinite(m->run.history[n - 1].val_score))
        write_curve(out, m, LS_METRIC_SCORE, values);
    ls_free(values);
    return LS_OK;
}

/* Writes a text with an upper-case first letter. */
static void put_sentence(FILE *out, const char *text)
{
    const char first[2] = {(char)toupper((unsigned char)*text)};
    ls_page_text(out, first[0] != *text ? first : "");
    ls_page_text(out, text + (first[0] != *text));
}

static void write_diagnosis(FILE *out, const ls_run_material *m)
{
    char text[2][TEXT];
    const char *what = ls_json_show(m->run.summary, "diagnosis", "what", text[0]);
    const char *why = ls_json_show(m->run.summary, "diagnosis", "text", text[1]);
    ls_page_heading(out, "Diagnosis");
    fputs("<p>", out);
    if (*what != '\0') {
        fputs("<strong>", out);
        put_sentence(out, what);
        fputs("</strong>: ", out);
    }
    if (*why != '\0' && *what != '\0')
        ls_page_text(out, why);
    else
        put_sentence(out, *why != '\0'       ? why
                          : !m->run.finished ? "nothing so far; underfitting is judged at the end "
                                               "of a run"
                                             : "none: the summary has no diagnosis");
    fputs(".</p>\n", out);
}

static void write_estimate(FILE *out, const json_t *row, const char *key, const char *format)
{
    char text[TEXT];
    snprintf(text, sizeof text, format, json_number_value(ls_json_at(row, key, "median")));
    fprintf(out, "<td>%s</td>", text);
}

static void write_scaling_row(FILE *out, const json_t *row)
{
    fprintf(out, "<tr><td>%lld%s</td><td>%lld</td>", (long long)integer_at(row, "ranks", NULL),
            json_is_true(ls_json_at(row, "oversubscribed", NULL)) ? "*" : "",
            (long long)integer_at(row, "runs", NULL));
    write_estimate(out, row, "epoch_seconds", "%.4f");
    write_estimate(out, row, "samples_per_second", "%.0f");
    write_estimate(out, row, "speedup", "%.3f");
    write_estimate(out, row, "efficiency", "%.3f");
    const json_t *predicted = ls_json_at(row, "predicted_epoch_seconds", NULL);
    if (json_is_number(predicted))
        fprintf(out, "<td>%.4f</td></tr>\n", json_number_value(predicted));
    else
        fputs("<td></td></tr>\n", out);
}

static ls_status write_scaling(FILE *out, const ls_run_material *m)
{
    char text[TEXT];
    size_t i;
    json_t *row;
    if (m->scaling == NULL)
        return LS_OK;
    ls_page_heading(out, "Scaling");
    fprintf(out, "<p>%s scaling, medians of the runs; first epochs left out: %lld.</p>\n",
            strcmp(ls_json_show(m->scaling, "mode", NULL, text), "weak") == 0 ? "Weak" : "Strong",
            (long long)integer_at(m->scaling, "warmup_epochs", NULL));
    fputs("<table class=\"numbers\"><tr><th>ranks</th><th>runs</th><th>epoch, "
          "s</th><th>samples/s</th><th>speed-up</th><th>efficiency</th><th>predicted "
          "s</th></tr>\n",
          out);
    bool crowded = false;
    json_array_foreach(ls_json_at(m->scaling, "rows", NULL), i, row)
    {
        write_scaling_row(out, row);
        crowded = crowded || json_is_true(ls_json_at(row, "oversubscribed", NULL));
    }
    fputs("</table>\n", out);
    if (crowded)
        ls_page_paragraph(out, "note",
                          "* more threads than cores: shows that the ranks work, not how fast.");
    json_array_foreach(ls_json_at(m->scaling, "doubts", NULL), i, row)
    {
        snprintf(text, sizeof text, "Disturbed? %s", json_string_value(row));
        ls_page_paragraph(out, "note", text);
    }
    return m->figure == NULL
               ? LS_OK
               : ls_page_picture(out, m->figure,
                                 "speed-up, efficiency, and the ranks' time by phase");
}

/* Writes the mean times of an epoch's phases. */
static void write_times(FILE *out, const ls_run_material *m)
{
    static const char *const names[] = {"seconds",       "samples_per_second", "compute_s",
                                        "communicate_s", "exchange_s",         "validation_s",
                                        "checkpoint_s"};
    char text[TEXT];
    ls_page_heading(out, "Time of an epoch");
    fputs("<table class=\"record short\">\n", out);
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        const int column = ls_metrics_find(names[k], strlen(names[k]));
        double sum = 0;
        int64_t count = 0;
        for (int64_t i = 0; i < m->run.epochs; i++) {
            const double value = ls_metrics_value(&m->run.history[i], column);
            sum += isfinite(value) ? value : 0;
            count += isfinite(value);
        }
        const double mean = sum / (double)count;
        if (mean < 1000)
            snprintf(text, sizeof text, "%.4g", mean);
        else
            snprintf(text, sizeof text, "%s", ls_grouped((int64_t)fmin(mean, 1e15)).text);
        if (count > 0)
            ls_page_row(out, names[k], text);
    }
    fputs("</table>\n", out);
    ls_page_paragraph(out, "note",
                      m->run.epochs > 0
                          ? "Means over the epochs; phases are means over the ranks, communication "
                            "without the time hidden behind computing."
                          : "No epoch has been finished.");
}

/* A row of the record: its name, and the path of its value in the summary. */
typedef struct fact {
    const char *name, *part, *key;
} fact;

/* Writes the rows that have a value. */
static void write_facts(FILE *out, const json_t *summary, const fact *facts, size_t count)
{
    char text[TEXT];
    for (size_t i = 0; i < count; i++) {
        const json_t *found = ls_json_at(summary, facts[i].part, facts[i].key);
        if (strcmp(facts[i].name, "classes") == 0 && json_integer_value(found) == 0)
            continue; /* the targets are values */
        const char *value = json_is_integer(found)
                                ? ls_run_count_text(found, text)
                                : ls_json_show(summary, facts[i].part, facts[i].key, text);
        if (*value != '\0')
            ls_page_row(out, facts[i].name, value);
    }
}

/* Writes the metrics of the run's final epoch. */
static void write_metrics(FILE *out, const json_t *summary)
{
    char name[64];
    for (int i = 0; i < 2 * LS_METRICS; i++) {
        const bool validation = i >= LS_METRICS;
        const ls_metric metric = (ls_metric)(i % LS_METRICS);
        const int column = ls_metrics_column(metric, validation);
        if (column == LS_METRICS_COLUMNS)
            continue;
        const fact of_metric = {name, "final", ls_metrics_name(column)};
        snprintf(name, sizeof name, "%s %s", validation ? "validation" : "training",
                 ls_metric_describe(metric)->name);
        write_facts(out, summary, &of_metric, 1);
    }
}

static void write_hosts(FILE *out, const json_t *summary)
{
    const json_t *hosts = ls_json_at(summary, "hosts", NULL);
    for (size_t i = 0; i < json_array_size(hosts); i++)
        if (json_is_string(json_array_get(hosts, i)))
            ls_page_row(out, i == 0 ? "nodes" : "", json_string_value(json_array_get(hosts, i)));
}

static void write_record(FILE *out, const json_t *summary)
{
    static const fact outcome[] = {
        {"outcome", "outcome", NULL},    {"steps", "steps", NULL},
        {"watched", "best", "monitor"},  {"best epoch", "best", "epoch"},
        {"best value", "best", "value"},
    };
    static const fact rest[] = {
        {"network", "model", "layers"},
        {"parameters", "model", "parameters"},
        {"discriminator", "discriminator", "layers"},
        {"its parameters", "discriminator", "parameters"},
        {"digest", "model", "digest"},
        {"data set", "dataset", "name"},
        {"file", "dataset", "path"},
        {"training rows", "dataset", "train_rows"},
        {"validation rows", "dataset", "validation_rows"},
        {"test rows", "dataset", "test_rows"},
        {"classes", "dataset", "classes"},
        {"fingerprint", "dataset", "fingerprint"},
        {"validation fingerprint", "dataset", "validation_fingerprint"},
        {"ranks", "ranks", NULL},
        {"more threads than cores", "oversubscribed", NULL},
        {"threads of a rank", "threads", NULL},
        {"reduction", "reduce", NULL},
        {"Lockstep", "versions", "lockstep"},
        {"MPI", "versions", "mpi"},
        {"BLAS", "versions", "blas"},
        {"HDF5", "versions", "hdf5"},
    };
    ls_page_heading(out, "Record");
    fputs("<table class=\"record\">\n", out);
    write_facts(out, summary, outcome, sizeof outcome / sizeof *outcome);
    write_metrics(out, summary);
    write_facts(out, summary, rest, sizeof rest / sizeof *rest);
    write_hosts(out, summary);
    fputs("</table>\n", out);
}

static void write_settings(FILE *out, const json_t *summary)
{
    const char *key;
    json_t *value, *config = json_object_get(summary, "config");
    char text[TEXT];
    ls_page_heading(out, "Settings");
    fputs("<div class=\"columns\"><table class=\"record\">\n", out);
    json_object_foreach(config, key, value)
        ls_page_row(out, key, ls_json_show(config, key, NULL, text));
    fputs("</table></div>\n", out);
}

ls_status ls_run_page_write(FILE *out, const ls_run_material *m)
{
    char title[8192], text[TEXT];
    const char *name = ls_json_show(m->run.summary, "dataset", "name", text);
    snprintf(title, sizeof title, "%s%s%s", m->folder, *name != '\0' ? ": " : "", name);
    ls_page_begin(out, title);
    ls_run_headline_write(out, m);
    ls_status status = write_curves(out, m);
    if (status == LS_OK)
        status = ls_samples_page_write(out, m);
    if (status == LS_OK && ls_run_task(m) != LS_TASK_GENERATION)
        status = ls_eval_page_write(out, m);
    write_diagnosis(out, m);
    if (status == LS_OK)
        status = write_scaling(out, m);
    write_times(out, m);
    write_record(out, m->run.summary);
    write_settings(out, m->run.summary);
    ls_page_end(out);
    return status;
}
