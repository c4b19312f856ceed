#include "cli/eval_page.h"

#include "base/json.h"
#include "base/memory.h"
#include "base/show.h"
#include "cli/chart.h"
#include "cli/class_label.h"
#include "cli/confusion.h"
#include "cli/eval_figures.h"
#include "cli/metric_text.h"
#include "cli/page.h"
#include "cli/run_facts.h"

#include <stdio.h>
#include <string.h>

enum { TEXT = LS_JSON_TEXT };

/* The confusion matrix of the evaluation, and the names of its classes. */
typedef struct matrix {
    int64_t *counts;    /* [classes][classes] */
    const char **names; /* [classes], or NULL */
    int classes;
} matrix;

/* Returns the attribute of cells with classes: names begin below each other. */
static const char *aligned(const char *const *names)
{
    return names != NULL ? " class=\"text\"" : "";
}

/* Writes a class as a cell of a table. */
static void write_class(FILE *out, const char *const *names, int64_t k)
{
    fprintf(out, "<td%s>", aligned(names));
    ls_page_text(out, ls_class_label(names, k).text);
    fputs("</td>", out);
}

/* Writes a class of the evaluation, which may be damaged. */
static void write_class_of(FILE *out, const matrix *c, const json_t *number)
{
    const int64_t k = json_integer_value(number);
    write_class(out, k >= 0 && k < c->classes ? c->names : NULL, k);
}

static void write_pair(FILE *out, const matrix *c, const ls_confused *pair)
{
    int64_t sum = 0;
    for (int k = 0; k < c->classes; k++)
        sum += c->counts[pair->label * c->classes + k];
    fputs("<tr>", out);
    write_class(out, c->names, pair->label);
    write_class(out, c->names, pair->predicted);
    fprintf(out, "<td>%s</td><td>%.1f %%</td></tr>\n", ls_grouped(pair->rows).text,
            100 * (double)pair->rows / (double)sum);
}

/* Writes the most confused pairs, in tables of ten rows next to each other. */
static void write_confused(FILE *out, const matrix *c, const char *counted)
{
    enum { FEW_CLASSES = 20, LINES = 10, MOST = 2 * LINES };
    ls_confused worst[MOST];
    const int count =
        ls_most_confused(c->counts, c->classes, c->classes <= FEW_CLASSES ? LINES : MOST, worst);
    if (count == 0)
        return;
    fputs("<h3>Most confused classes</h3>\n<div class=\"beside\">\n", out);
    for (int i = 0; i < count; i++) {
        if (i % LINES == 0)
            fprintf(out,
                    "<table class=\"numbers\"><tr><th%s>true</th><th%s>taken for</th>"
                    "<th>%s</th><th>of the class</th></tr>\n",
                    aligned(c->names), aligned(c->names), counted);
        write_pair(out, c, &worst[i]);
        if (i % LINES == LINES - 1 || i == count - 1)
            fputs("</table>\n", out);
    }
    fputs("</div>\n", out);
}

/* Returns a count of the JSON matrix; 0 if the value is not a count. */
static int64_t count_at(const json_t *confusion, size_t row, size_t column)
{
    const int64_t most = (int64_t)1 << 40;
    const int64_t count =
        json_integer_value(json_array_get(json_array_get(confusion, row), column));
    return count < 0 || count > most ? 0 : count;
}

/* Writes the result of the evaluation. */
static void write_evaluated(FILE *out, const ls_run_material *m)
{
    char line[1024], text[4][TEXT];
    const json_t *e = m->evaluation;
    if (e == NULL) {
        snprintf(line, sizeof line, "None is known: %s.", ls_run_why_not_evaluated(m));
        ls_run_how_to_evaluate(m, text[0]);
        ls_page_paragraph(out, "note", line);
        fputs("<pre>", out);
        ls_page_text(out, text[0]);
        fputs("</pre>\n", out);
        return;
    }
    const char *rows = ls_run_count_text(ls_json_at(e, "rows", NULL), text[0]);
    const char *split = ls_json_show(e, "split", NULL, text[1]);
    char result[192];
    if (ls_run_main_metric(m) == LS_METRIC_ACCURACY)
        snprintf(result, sizeof result, "%.2f %% %s",
                 100 * json_number_value(ls_json_at(e, "accuracy", NULL)),
                 ls_run_task(m) == LS_TASK_MULTILABEL ? "of the outputs are right"
                 : ls_run_task(m) == LS_TASK_STEPS    ? "of the steps are right"
                                                      : "are right");
    else
        snprintf(result, sizeof result, "the root mean squared error is %s, R2 %s",
                 ls_metric_text(LS_METRIC_RMSE, LS_TASK_REGRESSION,
                                json_number_value(ls_json_at(e, "rmse", NULL)))
                     .text,
                 ls_metric_text(LS_METRIC_R2, LS_TASK_REGRESSION,
                                json_number_value(ls_json_at(e, "r2", NULL)))
                     .text);
    snprintf(line, sizeof line,
             "Of the %s %s rows %s; the loss is %s, the network that of epoch "
             "%s%s.",
             rows, split, result, ls_json_show(e, "loss", NULL, text[2]),
             ls_json_show(e, "epoch", NULL, text[3]),
             json_is_true(ls_json_at(e, "averaged", NULL)) ? ", averaged" : "");
    ls_page_paragraph(out, "lead", line);
    ls_eval_write_metrics(out, e);
}

/* Reads the counts and names of the evaluation; no classes if there are none, or too many.
 * Errors: LS_ERR_FAILURE. */
static ls_status read_matrix(const json_t *evaluation, matrix *c)
{
    enum { MOST = 4096 };
    const json_t *confusion = ls_json_at(evaluation, "confusion", NULL);
    const json_t *names = ls_json_at(evaluation, "class_names", NULL);
    const size_t classes = json_array_size(confusion);
    *c = (matrix){.classes = classes <= MOST ? (int)classes : 0};
    c->counts = ls_alloc((int64_t)c->classes * c->classes, sizeof *c->counts);
    c->names = ls_alloc(c->classes, sizeof *c->names);
    if (c->counts == NULL || c->names == NULL)
        return LS_ERR_FAILURE;
    bool named = json_array_size(names) == classes && c->classes > 0;
    for (int i = 0; i < c->classes; i++) {
        for (int k = 0; k < c->classes; k++)
            c->counts[i * c->classes + k] = count_at(confusion, (size_t)i, (size_t)k);
        c->names[i] = json_string_value(json_array_get(names, (size_t)i));
        named = named && c->names[i] != NULL;
    }
    if (!named) {
        ls_free((void *)c->names);
        c->names = NULL;
    }
    return LS_OK;
}

static void free_matrix(matrix *c)
{
    ls_free(c->counts);
    ls_free((void *)c->names);
}

/* Writes the confusion matrix and the scores of the classes. */
static void write_confusion(FILE *out, const ls_run_material *m, const matrix *c)
{
    if (c->classes == 0) {
        ls_page_paragraph(out, "note", "There are too many classes for a matrix.");
        return;
    }
    const char *counted = ls_run_task(m) == LS_TASK_STEPS ? "steps" : "rows";
    if (c->classes <= LS_CHART_MOST_CLASSES)
        ls_chart_matrix(out, c->counts, c->classes, c->names, counted);
    else
        ls_page_paragraph(out, "note", "There are too many classes for a matrix to be seen.");
    if ((ls_run_task(m) & LS_TASK_ONE_OF) != 0)
        write_confused(out, c, counted);
    ls_eval_write_classes(out, m->evaluation, c->names, c->classes, counted);
}

/* Writes what the evaluation found, by the task. */
static ls_status write_result(FILE *out, const ls_run_material *m, const matrix *c)
{
    const unsigned task = ls_run_task(m), classes = LS_TASK_ONE_OF | LS_TASK_BINARY;
    ls_page_heading(out, task == LS_TASK_REGRESSION   ? "Errors"
                         : task == LS_TASK_MULTILABEL ? "Labels"
                         : task == LS_TASK_STEPS      ? "Classes of steps"
                                                      : "Confusion of classes");
    write_evaluated(out, m);
    if (m->evaluation == NULL)
        return LS_OK;
    if ((task & classes) != 0)
        write_confusion(out, m, c);
    ls_eval_write_outputs(out, m->evaluation);
    return ls_eval_write_figures(out, m->evaluation);
}

/* Writes a table of the first misclassified rows. */
static void write_wrong(FILE *out, const json_t *wrong, const matrix *c)
{
    enum { MOST = 20 };
    size_t i;
    json_t *row;
    fprintf(out,
            "<table class=\"numbers\"><tr><th>row</th><th%s>true</th><th%s>taken for</th>"
            "<th>probability</th></tr>\n",
            aligned(c->names), aligned(c->names));
    json_array_foreach(wrong, i, row)
    {
        if (i >= MOST)
            break;
        fprintf(out, "<tr><td>%lld</td>",
                (long long)json_integer_value(json_object_get(row, "row")));
        write_class_of(out, c, json_object_get(row, "label"));
        write_class_of(out, c, json_object_get(row, "predicted"));
        fprintf(out, "<td>%.4f</td></tr>\n",
                json_number_value(json_object_get(row, "probability")));
    }
    fputs("</table>\n", out);
}

static ls_status write_errors(FILE *out, const ls_run_material *m, const matrix *c)
{
    const json_t *wrong = ls_json_at(m->evaluation, "errors", NULL);
    if (m->errors == NULL && !json_is_array(wrong))
        return LS_OK;
    ls_page_heading(out, "Worst errors");
    if (json_is_array(wrong) && json_array_size(wrong) == 0) {
        ls_page_paragraph(out, "note", "None: every row is classified correctly.");
        return LS_OK;
    }
    ls_page_paragraph(out, "lead",
                      "The misclassified rows of highest confidence: class, predicted class, and "
                      "its probability.");
    const ls_status status =
        m->errors == NULL
            ? LS_OK
            : ls_page_picture(out, m->errors, "the misclassified rows of highest confidence");
    if (status == LS_OK && json_array_size(wrong) > 0 && (c->names != NULL || m->errors == NULL))
        write_wrong(out, wrong, c);
    return status;
}

ls_status ls_eval_page_write(FILE *out, const ls_run_material *m)
{
    matrix c;
    ls_status status = read_matrix(m->evaluation, &c);
    if (status == LS_OK)
        status = write_result(out, m, &c);
    if (status == LS_OK)
        status = write_errors(out, m, &c);
    free_matrix(&c);
    return status;
}
