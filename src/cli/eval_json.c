#include "cli/eval_result.h"

#include "base/json.h"
#include "cli/eval_plots.h"

#include <math.h>

static json_t *confusion_json(const ls_eval_result *r)
{
    const int64_t classes = r->classes;
    if (r->found.confusion == NULL)
        return json_null();
    json_t *confusion = json_array();
    for (int64_t i = 0; i < classes; i++) {
        json_t *row = json_array();
        for (int64_t j = 0; j < classes; j++)
            json_array_append_new(row, json_integer(r->found.confusion[i * classes + j]));
        json_array_append_new(confusion, row);
    }
    return confusion;
}

static json_t *class_json(const ls_class_score *score)
{
    return json_pack("{s:f, s:f, s:f, s:I}", "precision", score->precision, "recall", score->recall,
                     "f1", score->f1, "support", (json_int_t)score->support);
}

/* The scores of the classes, in their order, as JSON. */
static json_t *classes_json(const ls_eval_result *r)
{
    if (r->found.confusion == NULL)
        return json_null();
    json_t *list = json_array();
    for (int k = 0; k < r->classes; k++)
        json_array_append_new(list, class_json(&r->of_class[k]));
    return json_pack("{s:o, s:o, s:o}", "of_class", list, "macro", class_json(&r->macro),
                     "weighted", class_json(&r->weighted));
}

static json_t *number_json(double value)
{
    return isnan(value) ? json_null() : json_real(value);
}

/* The misclassified rows of highest confidence, as JSON. */
static json_t *wrong_json(const ls_eval_result *r)
{
    json_t *list = json_array();
    for (int64_t i = 0; i < r->wrongs; i++) {
        const ls_misclassified *m = &r->wrong[i];
        json_array_append_new(list, json_pack("{s:I, s:i, s:i, s:f}", "row", (json_int_t)m->row,
                                              "label", (int)m->label, "predicted",
                                              (int)m->predicted, "probability", m->probability));
    }
    return list;
}

/* The errors of the outputs of a regression, in their order, as JSON. */
static json_t *outputs_json(const ls_eval_result *r)
{
    json_t *list = json_array();
    for (int k = 0; k < r->facts->task.outputs; k++) {
        const ls_output_score *o = &r->found.output[k];
        json_array_append_new(list, json_pack("{s:o, s:o, s:o}", "mae", number_json(o->mae), "rmse",
                                              number_json(o->rmse), "r2", number_json(o->r2)));
    }
    return list;
}

/* The scores of the outputs of a multi-label task, in their order, as JSON. */
static json_t *labels_json(const ls_eval_result *r)
{
    json_t *list = json_array();
    for (int k = 0; k < r->facts->task.outputs; k++)
        json_array_append_new(list, class_json(&r->found.label[k]));
    return list;
}

/* Adds all metrics of the task to an object; null for a metric that needs more classes or rows. */
static void add_metrics(const ls_eval_result *r, json_t *object)
{
    const ls_task *task = &r->facts->task;
    for (int m = 0; m < LS_METRICS; m++) {
        const ls_metric_kind *kind = ls_metric_describe((ls_metric)m);
        if ((kind->tasks & ls_task_kinds(task)) != 0)
            json_object_set_new(object, kind->name, number_json(r->found.metric[m]));
    }
    if (task->kind == LS_TASK_STEPS)
        json_object_set_new(object, "steps", json_integer((json_int_t)r->found.score.steps));
    if (r->found.output != NULL)
        json_object_set_new(object, "outputs", outputs_json(r));
    if (r->found.label != NULL)
        json_object_set_new(object, "outputs", labels_json(r));
    if (r->plots != NULL)
        ls_eval_plots_json(r->plots, object);
    if (task->kind != LS_TASK_CLASSIFICATION)
        return;
    json_object_set_new(object, "calibration_error", number_json(r->calibration.error));
    json_object_set_new(object, "brier", number_json(r->calibration.brier));
}

json_t *ls_eval_json(const ls_eval_result *r)
{
    json_t *result = json_pack("{s:s, s:I}", "split", ls_split_name(r->split), "rows",
                               (json_int_t)r->found.score.rows);
    json_t *rest = json_pack("{s:s, s:o, s:o, s:I, s:b, s:o*, s:o, s:o}", "task",
                             ls_task_name(r->facts->task.kind), "corrupt", ls_json_text(r->corrupt),
                             "checkpoint", ls_json_text(r->facts->path), "epoch",
                             (json_int_t)r->facts->epoch, "averaged", r->facts->averaged,
                             "class_names", ls_json_texts(r->facts->class_names, r->classes),
                             "scores", classes_json(r), "confusion", confusion_json(r));
    add_metrics(r, result);
    const bool whole =
        json_object_update(result, rest) == 0 &&
        (!r->lists_wrong || json_object_set_new(result, "errors", wrong_json(r)) == 0);
    json_decref(rest);
    if (!whole) {
        json_decref(result);
        return NULL;
    }
    return result;
}
