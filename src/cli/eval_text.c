#include "cli/eval_result.h"

#include "base/integer.h"
#include "base/show.h"
#include "base/text.h"
#include "cli/class_label.h"
#include "cli/confusion.h"
#include "cli/console.h"
#include "cli/metric_text.h"
#include "cli/worst_outputs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Most classes whose tables are printed. */
enum { WHOLE = 20 };

/* Returns the width of a column of counts: two blanks and the largest, at least the usual width. */
static int count_columns(int64_t largest, bool grouped, int usual)
{
    char digits[32];
    const int length = grouped ? (int)strlen(ls_grouped(largest).text)
                               : snprintf(digits, sizeof digits, "%lld", (long long)largest);
    return length + 2 > usual ? length + 2 : usual;
}

static bool is_by_step(const ls_eval_result *r)
{
    return r->facts->task.kind == LS_TASK_STEPS;
}

/* Of the column "rows", or "steps", in which no count is above that of all. */
static int rows_columns(const ls_eval_result *r)
{
    const ls_score *score = &r->found.score;
    return count_columns(is_by_step(r) ? (int64_t)score->steps : score->rows, true, 12);
}

/* Returns the columns of the first column of tables, that of the classes. */
static int label_columns(const ls_eval_result *r)
{
    static const int least = sizeof "weighted mean" - 1;
    const int most = r->classes <= WHOLE ? ls_class_columns(r->facts->class_names, r->classes) : 0;
    return most > least ? most : least;
}

static void print_scores_of(const ls_eval_result *r, const char *name, int columns,
                            const ls_class_score *score)
{
    ls_print(stdout, "  %s%11.4f%11.4f%11.4f%*s\n", ls_padded(name, columns).text, score->precision,
             score->recall, score->f1, rows_columns(r), ls_grouped(score->support).text);
}

/* Prints the scores of the classes; with many classes, their means only. */
static void print_scores(const ls_eval_result *r)
{
    const int columns = label_columns(r);
    ls_print(stdout, "  %s%11s%11s%11s%*s\n", ls_padded("class", columns).text, "precision",
             "recall", "f1", rows_columns(r), is_by_step(r) ? "steps" : "rows");
    for (int k = 0; k < r->classes && r->classes <= WHOLE; k++)
        print_scores_of(r, ls_class_label(r->facts->class_names, k).text, columns, &r->of_class[k]);
    print_scores_of(r, "macro mean", columns, &r->macro);
    print_scores_of(r, "weighted mean", columns, &r->weighted);
}

/* Prints the confusion matrix. */
static void print_matrix(const ls_eval_result *r)
{
    const int64_t K = r->classes;
    const char *const *names = r->facts->class_names;
    const int columns = ls_class_columns(names, K);
    int64_t largest = K;
    for (int64_t i = 0; i < K * K; i++)
        largest = ls_max(largest, r->found.confusion[i]);
    const int width = count_columns(largest, false, 7);
    ls_print(stdout, "confusion matrix, true class by row, predicted by column\n");
    ls_print(stdout, "  %s", ls_padded("", columns).text);
    for (int64_t j = 0; j < K; j++)
        ls_print(stdout, "%*lld", width, (long long)j);
    for (int64_t i = 0; i < K; i++) {
        ls_print(stdout, "\n  %s", ls_padded(ls_class_label(names, i).text, columns).text);
        for (int64_t j = 0; j < K; j++)
            ls_print(stdout, "%*lld", width, (long long)r->found.confusion[i * K + j]);
    }
    ls_print(stdout, "\n");
}

/* Prints the most confused pairs of classes. */
static void print_confused(const ls_eval_result *r)
{
    enum { WORST = 20 };
    ls_confused worst[WORST];
    const char *const *names = r->facts->class_names;
    const int count = ls_most_confused(r->found.confusion, r->classes, WORST, worst);
    int columns = 0;
    for (int i = 0; i < count; i++) {
        const int of_label = ls_text_columns(ls_class_label(names, worst[i].label).text);
        const int of_other = ls_text_columns(ls_class_label(names, worst[i].predicted).text);
        columns = of_label > columns ? of_label : columns;
        columns = of_other > columns ? of_other : columns;
    }
    ls_print(stdout, "most confused classes, true and predicted\n");
    for (int i = 0; i < count; i++)
        ls_print(stdout, "  %s taken for %s: %s\n",
                 ls_padded(ls_class_label(names, worst[i].label).text, columns).text,
                 ls_padded(ls_class_label(names, worst[i].predicted).text, columns).text,
                 ls_counted(worst[i].rows, is_by_step(r) ? "step" : "row").text);
}

static void print_wrong(const ls_eval_result *r)
{
    const char *const *names = r->facts->class_names;
    int columns = (int)sizeof "predicted" - 1;
    if (r->wrongs == 0) {
        ls_print(stdout, "no row is misclassified\n");
        return;
    }
    for (int64_t i = 0; i < r->wrongs; i++) {
        const int of_label = ls_text_columns(ls_class_label(names, r->wrong[i].label).text);
        const int of_other = ls_text_columns(ls_class_label(names, r->wrong[i].predicted).text);
        columns = of_label > columns ? of_label : columns;
        columns = of_other > columns ? of_other : columns;
    }
    ls_print(stdout, "misclassified rows of highest confidence\n");
    ls_print(stdout, "%12s  %s  %s%13s\n", "row", ls_padded("class", columns).text,
             ls_padded("predicted", columns).text, "probability");
    for (int64_t i = 0; i < r->wrongs; i++) {
        const ls_misclassified *m = &r->wrong[i];
        ls_print(stdout, "%12lld  %s  %s%13.6f\n", (long long)m->row,
                 ls_padded(ls_class_label(names, m->label).text, columns).text,
                 ls_padded(ls_class_label(names, m->predicted).text, columns).text, m->probability);
    }
}

/* Prints loss and accuracy, or the loss alone. */
static void print_first(const ls_eval_result *r)
{
    const char *split = ls_split_name(r->split);
    const ls_score *score = &r->found.score;
    const double loss = r->found.metric[LS_METRIC_LOSS];
    const double accuracy = r->found.metric[LS_METRIC_ACCURACY];
    if (isnan(accuracy))
        ls_print(stdout, "%s loss %.6g: %s\n", split, loss, ls_counted(score->rows, "row").text);
    else if (is_by_step(r))
        ls_print(
            stdout, "%s loss %.4f, accuracy %.4f: %s of %s %s of %s right\n", split, loss, accuracy,
            ls_grouped((int64_t)score->correct).text, ls_grouped((int64_t)score->steps).text,
            ls_plural((int64_t)score->steps, "step").text, ls_counted(score->rows, "row").text);
    else if (r->classes == 0)
        ls_print(stdout, "%s loss %.4f, accuracy %.4f: %s of %s right\n", split, loss, accuracy,
                 ls_grouped((int64_t)score->correct).text,
                 ls_counted(score->rows * r->facts->task.outputs, "output").text);
    else
        ls_print(stdout, "%s loss %.4f, accuracy %.4f: %lld of %s right\n", split, loss, accuracy,
                 (long long)score->correct, ls_counted(score->rows, "row").text);
}

/* Prints the other metrics that are defined. */
static void print_metrics(const ls_eval_result *r)
{
    for (int m = LS_METRIC_ACCURACY + 1; m < LS_METRICS; m++)
        if (!isnan(r->found.metric[m]))
            ls_print(stdout, "%s %s %s\n", ls_split_name(r->split),
                     ls_metric_describe((ls_metric)m)->name,
                     ls_metric_text((ls_metric)m, r->facts->task.kind, r->found.metric[m]).text);
    if (!isnan(r->calibration.error))
        ls_print(stdout, "%s calibration error %.4f, Brier score %.4f\n", ls_split_name(r->split),
                 r->calibration.error, r->calibration.brier);
}

static void print_output(int k, const ls_output_score *o)
{
    const double large = 1e4; /* as an R2 far below 0 can be */
    ls_print(stdout, "%12d%14.6g%14.6g", k, o->mae, o->rmse);
    if (!isnan(o->r2))
        ls_print(stdout, fabs(o->r2) < large ? "%15.6f" : "%15.6g", o->r2);
    ls_print(stdout, "\n");
}

static double rmse_of(const void *result, int k)
{
    return ((const ls_eval_result *)result)->found.output[k].rmse;
}

/* Prints the errors of the outputs of a regression; with many outputs, the largest ones. */
static void print_outputs(const ls_eval_result *r)
{
    const int outputs = r->facts->task.outputs;
    const bool all = outputs <= LS_WORST_OUTPUTS;
    int worst[LS_WORST_OUTPUTS];
    const int count = ls_worst_outputs(rmse_of, r, outputs, worst);
    if (!all)
        ls_print(stdout, "the %d outputs of largest rmse; --json lists all %d\n", count, outputs);
    ls_print(stdout, "%12s%14s%14s%15s\n", "output", "mae", "rmse", "r2");
    for (int i = 0; i < count; i++)
        print_output(all ? i : worst[i], &r->found.output[all ? i : worst[i]]);
}

/* Prints the scores of the outputs of a multi-label task. */
static void print_labels(const ls_eval_result *r)
{
    const int columns = (int)sizeof "output" - 1;
    ls_print(stdout, "  output%11s%11s%11s%*s\n", "precision", "recall", "f1", rows_columns(r),
             "rows");
    for (int k = 0; k < r->facts->task.outputs; k++)
        print_scores_of(r, ls_class_label(NULL, k).text, columns, &r->found.label[k]);
}

void ls_eval_print(const ls_eval_result *r)
{
    ls_print(stdout, "%s of %s, epoch %lld%s\n", r->facts->path, r->facts->model,
             (long long)r->facts->epoch, r->facts->averaged ? ", averaged parameters" : "");
    if (strcmp(r->corrupt, "none") != 0)
        ls_print(stdout, "inputs corrupted by %s\n", r->corrupt);
    print_first(r);
    print_metrics(r);
    if (r->found.output != NULL)
        print_outputs(r);
    if (r->found.label != NULL)
        print_labels(r);
    if (r->found.confusion != NULL) {
        print_scores(r);
        (r->classes <= WHOLE ? print_matrix : print_confused)(r);
    } else if (r->classes > 0)
        ls_print(stdout, "no confusion matrix: there are more than %d classes\n", LS_MAX_CONFUSION);
    if (r->lists_wrong)
        print_wrong(r);
}
