#include "cli/eval_figures.h"

#include "base/json.h"
#include "base/memory.h"
#include "base/show.h"
#include "cli/chart_plots.h"
#include "cli/class_label.h"
#include "cli/page.h"
#include "cli/worst_outputs.h"

#include <lockstep/metrics.h>

#include <math.h>

enum { TEXT = LS_JSON_TEXT, MOST_LINES = 100 /* of a table */ };

/* Numbers of the file that are larger are not drawn. */
static const double LARGEST = 1e30;

void ls_eval_write_metrics(FILE *out, const json_t *e)
{
    char text[TEXT];
    fputs("<table class=\"record short\">\n", out);
    for (int m = 0; m < LS_METRICS + 2; m++) {
        static const char *const others[] = {"calibration_error", "brier"};
        const char *name =
            m < LS_METRICS ? ls_metric_describe((ls_metric)m)->name : others[m - LS_METRICS];
        if (json_is_number(ls_json_at(e, name, NULL)))
            ls_page_row(out, name, ls_json_show(e, name, NULL, text));
    }
    fputs("</table>\n", out);
}

/* Writes precision, recall, F1 and rows as cells, and ends the row. */
static void write_scores(FILE *out, const json_t *scores)
{
    static const char *const keys[] = {"precision", "recall", "f1"};
    for (int i = 0; i < 3; i++)
        fprintf(out, "<td>%.4f</td>", json_number_value(json_object_get(scores, keys[i])));
    fprintf(out, "<td>%s</td></tr>\n",
            ls_grouped(json_integer_value(json_object_get(scores, "support"))).text);
}

static void write_note_of_more(FILE *out, size_t count)
{
    if (count > MOST_LINES)
        fprintf(out,
                "<p class=\"note\">The first %d of %zu; <code>eval --json</code> lists all.</p>\n",
                MOST_LINES, count);
}

void ls_eval_write_classes(FILE *out, const json_t *e, const char *const *names, int classes,
                           const char *counted)
{
    const json_t *list = ls_json_at(e, "scores", "of_class");
    const size_t count = json_array_size(list);
    const char *const as = names != NULL ? " class=\"text\"" : "";
    if (count == 0 || count != (size_t)classes)
        return;
    fprintf(out,
            "<h3>Scores of the classes</h3>\n<table class=\"numbers\"><tr><th class=\"text\">class"
            "</th><th>precision</th><th>recall</th><th>f1</th><th>%s</th></tr>\n",
            counted);
    for (size_t k = 0; k < count && k < MOST_LINES; k++) {
        fprintf(out, "<tr><td%s>", as);
        ls_page_text(out, ls_class_label(names, (int64_t)k).text);
        fputs("</td>", out);
        write_scores(out, json_array_get(list, k));
    }
    fputs("<tr><td class=\"text\">macro mean</td>", out);
    write_scores(out, ls_json_at(e, "scores", "macro"));
    fputs("<tr><td class=\"text\">weighted mean</td>", out);
    write_scores(out, ls_json_at(e, "scores", "weighted"));
    fputs("</table>\n", out);
    write_note_of_more(out, count);
}

/* Writes the errors of an output as cells, and ends the row. */
static void write_errors(FILE *out, const json_t *errors)
{
    static const char *const keys[] = {"mae", "rmse", "r2"};
    for (int i = 0; i < 3; i++) {
        const json_t *value = json_object_get(errors, keys[i]);
        if (json_is_number(value))
            fprintf(out, "<td>%.5g</td>", json_number_value(value));
        else
            fputs("<td>–</td>", out);
    }
    fputs("</tr>\n", out);
}

static double rmse_of(const void *list, int k)
{
    const json_t *rmse = json_object_get(json_array_get(list, (size_t)k), "rmse");
    return json_is_number(rmse) ? json_number_value(rmse) : NAN;
}

/* Writes the errors of the outputs; of many the largest, as those of an image are. */
static void write_values(FILE *out, const json_t *list)
{
    const int outputs = (int)json_array_size(list);
    const bool all = outputs <= MOST_LINES;
    int worst[LS_WORST_OUTPUTS];
    const int count = all ? outputs : ls_worst_outputs(rmse_of, list, outputs, worst);
    for (int i = 0; i < count; i++) {
        const int k = all ? i : worst[i];
        fprintf(out, "<tr><td>%d</td>", k);
        write_errors(out, json_array_get(list, (size_t)k));
    }
    fputs("</table>\n", out);
    if (!all)
        fprintf(
            out,
            "<p class=\"note\">The %d of %d with the largest RMSE; <code>eval --json</code> lists "
            "all.</p>\n",
            count, outputs);
}

void ls_eval_write_outputs(FILE *out, const json_t *e)
{
    const json_t *list = ls_json_at(e, "outputs", NULL);
    const size_t count = json_array_size(list);
    const bool values = json_object_get(json_array_get(list, 0), "rmse") != NULL;
    if (count == 0)
        return;
    fprintf(out,
            "<h3>%s of the outputs</h3>\n<table class=\"numbers\"><tr><th>output</th>%s</tr>\n",
            values ? "Errors" : "Scores",
            values ? "<th>mae</th><th>rmse</th><th>r2</th>"
                   : "<th>precision</th><th>recall</th><th>f1</th><th>rows</th>");
    if (values) {
        write_values(out, list);
        return;
    }
    for (size_t k = 0; k < count && k < MOST_LINES; k++) {
        fprintf(out, "<tr><td>%zu</td>", k);
        write_scores(out, json_array_get(list, k));
    }
    fputs("</table>\n", out);
    write_note_of_more(out, count);
}

/* Reads a list of pairs; *out is owned by the caller, NULL if memory is short. */
static int64_t read_points(const json_t *list, ls_point **out)
{
    size_t i;
    json_t *pair;
    int64_t count = 0;
    *out = ls_alloc((int64_t)json_array_size(list), sizeof **out);
    json_array_foreach(list, i, pair)
    {
        const double x = json_number_value(json_array_get(pair, 0));
        const double y = json_number_value(json_array_get(pair, 1));
        if (*out != NULL && fabs(x) < LARGEST && fabs(y) < LARGEST)
            (*out)[count++] = (ls_point){x, y};
    }
    return count;
}

static void draw_residuals(FILE *out, const char *title, const json_t *residuals)
{
    enum { MOST_BARS = 200 };
    int64_t counts[MOST_BARS];
    const json_t *list = json_object_get(residuals, "counts");
    const double from = json_number_value(json_object_get(residuals, "from"));
    const double step = json_number_value(json_object_get(residuals, "step"));
    const size_t bars = json_array_size(list);
    if (bars == 0 || bars > MOST_BARS || !(step > 0) || step > LARGEST || fabs(from) > LARGEST)
        return;
    for (size_t i = 0; i < bars; i++)
        counts[i] = json_integer_value(json_array_get(list, i));
    ls_chart_bars(out, title, from, step, counts, (int)bars);
}

/* Draws the figures of an output. */
static ls_status draw_output(FILE *out, const json_t *plot)
{
    char title[64];
    const long long k = json_integer_value(json_object_get(plot, "output"));
    ls_point *points;
    const int64_t count = read_points(json_object_get(plot, "points"), &points);
    if (points == NULL)
        return LS_ERR_FAILURE;
    fputs("<div class=\"beside\">\n", out);
    snprintf(title, sizeof title, "output %lld", k);
    ls_chart_points(out, title, points, count);
    snprintf(title, sizeof title, "residuals of output %lld", k);
    draw_residuals(out, title, json_object_get(plot, "residuals"));
    fputs("</div>\n", out);
    ls_free(points);
    return LS_OK;
}

static ls_status draw_roc(FILE *out, const json_t *e)
{
    char title[64];
    ls_point *points;
    const int64_t count = read_points(ls_json_at(e, "roc", NULL), &points);
    if (points == NULL)
        return LS_ERR_FAILURE;
    snprintf(title, sizeof title, "ROC curve, area %.4f",
             json_number_value(ls_json_at(e, "auc", NULL)));
    if (count > 0)
        ls_chart_roc(out, title, points, count);
    ls_free(points);
    return LS_OK;
}

ls_status ls_eval_write_figures(FILE *out, const json_t *e)
{
    size_t i;
    json_t *plot;
    const json_t *plots = ls_json_at(e, "plots", NULL);
    const size_t outputs = json_array_size(ls_json_at(e, "outputs", NULL));
    ls_status status = draw_roc(out, e);
    if (json_array_size(plots) > 0)
        fprintf(out, "<h3>Predicted against true values%s</h3>\n",
                outputs > json_array_size(plots) ? ", of the outputs with the lowest R2" : "");
    json_array_foreach(plots, i, plot) if (status == LS_OK) status = draw_output(out, plot);
    return status;
}
