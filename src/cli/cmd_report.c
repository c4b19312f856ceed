/* A page about a run, in one file that can be sent to somebody. */
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/page.h"
#include "train/run_read.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct settings {
    const char *run, *evaluation, *errors, *scaling, *out;
} settings;

#define AT(field) offsetof(settings, field)
static const ls_option table[] = {
    {.type = LS_OPT_HEADING, .help = "Options"},
    {"run", "DIR", LS_OPT_TEXT, LS_OPT_REQUIRED | LS_OPT_ARGUMENT, AT(run),
     .help = "the run folder of a training that has come to its end"},
    {"evaluation", "FILE", LS_OPT_TEXT, 0, AT(evaluation),
     .help = "what eval --json printed: accuracy, confusion matrix, wrong rows"},
    {"errors", "FILE", LS_OPT_TEXT, 0, AT(errors), .help = "the picture that eval --errors made"},
    {"scaling", "DIR", LS_OPT_TEXT, 0, AT(scaling),
     .help = "a scaling experiment that `lockstep scaling` has evaluated"},
    {"out", "FILE", LS_OPT_TEXT, 0, AT(out), "report.html", .help = "the page to write"},
    {0},
};

/* What the page is made of. */
typedef struct material {
    ls_run_record run;
    json_t *evaluation, *scaling; /* NULL: not there */
} material;

static ls_status load_json(const char *path, json_t **out)
{
    json_error_t error;
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return ls_fail(LS_ERR_DATA, "%s: can't open", path);
    *out = json_loadf(file, JSON_DISABLE_EOF_CHECK, &error);
    fclose(file);
    return json_is_object(*out) ? LS_OK
                                : ls_fail(LS_ERR_DATA, "%s: line %d: no JSON object: %s", path,
                                          error.line, error.text);
}

static ls_status load(const settings *s, material *m)
{
    char path[LS_PATH_MAX];
    ls_status status = ls_run_read(&m->run, s->run);
    if (status == LS_OK && *s->evaluation != '\0')
        status = load_json(s->evaluation, &m->evaluation);
    if (status == LS_OK && *s->scaling != '\0')
        status = ls_path(path, s->scaling, "/scaling.json", NULL);
    if (status == LS_OK && *s->scaling != '\0')
        status = load_json(path, &m->scaling);
    return status;
}

/* A value in JSON at "part" or "part.key", as text; "" if it is not there. */
static const char *text_at(const json_t *object, const char *part, const char *key, char out[64])
{
    const json_t *value = json_object_get(object, part);
    if (key != NULL)
        value = json_object_get(value, key);
    if (json_is_string(value))
        return json_string_value(value);
    *out = '\0';
    if (json_is_integer(value))
        snprintf(out, 64, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        snprintf(out, 64, "%.6g", json_real_value(value));
    else if (json_is_boolean(value))
        snprintf(out, 64, "%s", json_is_true(value) ? "yes" : "no");
    return out;
}

static void write_record(FILE *out, const json_t *summary)
{
    static const struct {
        const char *name, *part, *key;
    } rows[] = {
        {"outcome", "outcome", NULL},
        {"epochs", "epochs", NULL},
        {"steps", "steps", NULL},
        {"seconds", "seconds", NULL},
        {"watched", "best", "monitor"},
        {"best epoch", "best", "epoch"},
        {"best value", "best", "value"},
        {"training loss", "final", "loss"},
        {"training accuracy", "final", "accuracy"},
        {"validation loss", "final", "val_loss"},
        {"validation accuracy", "final", "val_accuracy"},
        {"network", "model", "layers"},
        {"parameters", "model", "parameters"},
        {"digest", "model", "digest"},
        {"data set", "dataset", "name"},
        {"file", "dataset", "path"},
        {"training rows", "dataset", "train_rows"},
        {"validation rows", "dataset", "validation_rows"},
        {"fingerprint", "dataset", "fingerprint"},
        {"ranks", "ranks", NULL},
        {"more threads than cores", "oversubscribed", NULL},
        {"threads of a rank", "threads", NULL},
        {"reduction", "reduce", NULL},
        {"Lockstep", "versions", "lockstep"},
        {"MPI", "versions", "mpi"},
        {"BLAS", "versions", "blas"},
        {"HDF5", "versions", "hdf5"},
    };
    fputs("<table>\n", out);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[64];
        const char *value = text_at(summary, rows[i].part, rows[i].key, text);
        if (*value != '\0')
            ls_page_row(out, rows[i].name, "%s", value);
    }
    size_t at;
    json_t *host;
    json_array_foreach(json_object_get(summary, "hosts"), at, host)
        ls_page_row(out, at == 0 ? "nodes" : "", "%s", json_string_value(host));
    fputs("</table>\n", out);
}

/* The columns of the history that two charts need, one after the other. */
static ls_status write_curves(FILE *out, const ls_run_record *run)
{
    const int64_t n = run->epochs;
    double *column = ls_alloc(4 * n, sizeof *column);
    if (column == NULL)
        return LS_ERR_FAILURE;
    for (int64_t i = 0; i < n; i++) {
        column[i] = run->history[i].loss;
        column[n + i] = run->history[i].val_loss;
        column[2 * n + i] = run->history[i].accuracy;
        column[3 * n + i] = run->history[i].val_accuracy;
    }
    const json_t *epoch = json_object_get(json_object_get(run->summary, "best"), "epoch");
    const int64_t best = json_integer_value(epoch) <= n ? json_integer_value(epoch) : 0;
    const ls_curve loss[] = {{"validation", column + n, false}, {"training", column, true}};
    const ls_curve accuracy[] = {{"validation", column + 3 * n, false},
                                 {"training", column + 2 * n, true}};
    ls_page_heading(out, "Curves");
    ls_page_chart(out, "loss", loss, 2, n, LS_SCALE_LOSS, best);
    ls_page_chart(out, "accuracy", accuracy, 2, n, LS_SCALE_ACCURACY, best);
    ls_free(column);
    return LS_OK;
}

/* What an epoch's time went to, on average. */
static void write_times(FILE *out, const ls_run_record *run)
{
    static const char *const names[] = {"seconds",       "samples_per_second", "compute_s",
                                        "communicate_s", "exchange_s",         "validation_s",
                                        "checkpoint_s"};
    ls_page_heading(out, "Time of an epoch");
    fputs("<table>\n", out);
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        int column = 0;
        while (strcmp(ls_metrics_name(column), names[k]) != 0)
            column++;
        double sum = 0;
        int64_t count = 0;
        for (int64_t i = 0; i < run->epochs; i++) {
            const double value = ls_metrics_value(&run->history[i], column);
            sum += isnan(value) ? 0 : value;
            count += !isnan(value);
        }
        if (count > 0)
            ls_page_row(out, names[k], "%.4g", sum / (double)count);
    }
    fputs("</table>\n<p class=\"note\">Means over the epochs; phases are means over the ranks, "
          "communication without what was hidden behind computing.</p>\n",
          out);
}

static ls_status write_confusion(FILE *out, const json_t *confusion)
{
    enum { MOST = 50 };
    const int classes = (int)json_array_size(confusion);
    if (classes == 0)
        return LS_OK;
    if (classes > MOST) {
        fprintf(out, "<p class=\"note\">The confusion matrix of %d classes is left out.</p>\n",
                classes);
        return LS_OK;
    }
    int64_t *counts = ls_alloc((int64_t)classes * classes, sizeof *counts);
    if (counts == NULL)
        return LS_ERR_FAILURE;
    for (int i = 0; i < classes; i++)
        for (int k = 0; k < classes; k++)
            counts[i * classes + k] =
                json_integer_value(json_array_get(json_array_get(confusion, (size_t)i), (size_t)k));
    fputs("<p>True class by row, predicted by column:</p>\n", out);
    ls_page_matrix(out, counts, classes);
    ls_free(counts);
    return LS_OK;
}

static ls_status write_evaluation(FILE *out, const settings *s, const json_t *evaluation)
{
    static const char *const rows[] = {"split", "rows", "loss", "accuracy", "epoch", "averaged"};
    ls_page_heading(out, "Evaluation");
    fputs("<table>\n", out);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[64];
        ls_page_row(out, rows[i], "%s", text_at(evaluation, rows[i], NULL, text));
    }
    fputs("</table>\n", out);
    ls_status status = write_confusion(out, json_object_get(evaluation, "confusion"));
    if (status == LS_OK && *s->errors != '\0') {
        ls_page_heading(out, "Worst errors");
        fputs("<p>Class, what it was taken for, and the probability of that:</p>\n", out);
        status = ls_page_picture(out, s->errors, "the wrong rows that the network is surest of");
    }
    return status;
}

/* The median of an estimate, and its interval. */
static void write_estimate(FILE *out, const json_t *row, const char *key, const char *format)
{
    char text[64];
    const json_t *estimate = json_object_get(row, key);
    const double median = json_number_value(json_object_get(estimate, "median"));
    snprintf(text, sizeof text, format, median);
    fprintf(out, "<td>%s</td>", text);
}

static ls_status write_scaling(FILE *out, const settings *s, const json_t *scaling)
{
    char path[LS_PATH_MAX];
    size_t at;
    json_t *row;
    ls_page_heading(out, "Scaling");
    fprintf(out, "<p>%s scaling, medians of the runs; first epochs left out: %lld.</p>\n",
            strcmp(text_at(scaling, "mode", NULL, path), "weak") == 0 ? "Weak" : "Strong",
            (long long)json_integer_value(json_object_get(scaling, "warmup_epochs")));
    fputs("<table class=\"numbers\"><tr><th>ranks</th><th>runs</th><th>epoch, "
          "s</th><th>samples/s</th>"
          "<th>speed-up</th><th>efficiency</th><th>predicted s</th></tr>\n",
          out);
    json_array_foreach(json_object_get(scaling, "rows"), at, row)
    {
        fprintf(out, "<tr><td>%lld%s</td><td>%lld</td>",
                (long long)json_integer_value(json_object_get(row, "ranks")),
                json_is_true(json_object_get(row, "oversubscribed")) ? "*" : "",
                (long long)json_integer_value(json_object_get(row, "runs")));
        write_estimate(out, row, "epoch_seconds", "%.4f");
        write_estimate(out, row, "samples_per_second", "%.0f");
        write_estimate(out, row, "speedup", "%.3f");
        write_estimate(out, row, "efficiency", "%.3f");
        const json_t *predicted = json_object_get(row, "predicted_epoch_seconds");
        if (json_is_number(predicted))
            fprintf(out, "<td>%.4f</td></tr>\n", json_number_value(predicted));
        else
            fputs("<td></td></tr>\n", out);
    }
    fputs("</table>\n<p class=\"note\">* more threads than cores: it shows that this many ranks "
          "work, "
          "not how fast.</p>\n",
          out);
    ls_status status = ls_path(path, s->scaling, "/scaling.svg", NULL);
    FILE *figure = status == LS_OK ? fopen(path, "r") : NULL;
    if (figure == NULL)
        return status;
    fclose(figure);
    return ls_page_picture(out, path, "speed-up, efficiency, and what the ranks' time goes to");
}

static void write_settings(FILE *out, const json_t *summary)
{
    const char *key;
    json_t *value;
    ls_page_heading(out, "Settings");
    fputs("<table>\n", out);
    json_object_foreach(json_object_get(summary, "config"), key, value)
        ls_page_row(out, key, "%s", json_string_value(value));
    fputs("</table>\n", out);
}

static ls_status write_page(FILE *out, const settings *s, const material *m)
{
    char title[LS_PATH_MAX + 32], text[64];
    snprintf(title, sizeof title, "%s: %s", s->run,
             text_at(m->run.summary, "dataset", "name", text));
    ls_page_begin(out, title);
    write_record(out, m->run.summary);
    ls_status status = write_curves(out, &m->run);
    write_times(out, &m->run);
    if (status == LS_OK && m->evaluation != NULL)
        status = write_evaluation(out, s, m->evaluation);
    if (status == LS_OK && m->scaling != NULL)
        status = write_scaling(out, s, m->scaling);
    write_settings(out, m->run.summary);
    ls_page_end(out);
    return status;
}

static ls_status run(ls_comm *comm, const ls_options *options, const void *values)
{
    static const char begin[] = "<!DOCTYPE html>";
    (void)comm, (void)options;
    const settings *s = values;
    material m = {.evaluation = NULL};
    char *text = NULL;
    size_t length = 0;
    ls_status status = ls_refuse_foreign(s->out, begin, sizeof begin - 1, "HTML page");
    if (status == LS_OK)
        status = load(s, &m);
    FILE *memory = status == LS_OK ? open_memstream(&text, &length) : NULL;
    if (status == LS_OK && memory == NULL)
        status = ls_fail(LS_ERR_FAILURE, "out of memory for the page");
    if (memory != NULL) {
        status = write_page(memory, s, &m);
        if (fclose(memory) != 0 && status == LS_OK)
            status = ls_fail(LS_ERR_FAILURE, "out of memory for the page");
    }
    if (status == LS_OK)
        status = ls_write_file(s->out, text, length);
    if (status == LS_OK)
        fprintf(stderr, "%s: a page of %.1f kB about %s\n", s->out, 1e-3 * (double)length, s->run);
    free(text);
    ls_run_record_clear(&m.run);
    json_decref(m.evaluation);
    json_decref(m.scaling);
    return status;
}

const ls_command ls_command_report = {
    .name = "report",
    .usage = "RUN [OPTION ...]",
    .summary = "a page about a run, in one HTML file",
    .options = table,
    .settings_size = sizeof(settings),
    .run = run,
};
