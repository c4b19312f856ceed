#include "cli/eval_result.h"

#include "base/memory.h"
#include "cli/eval_plots.h"

/* Returns the number of classes that rows, or steps, can be of; 0: they are of none, or of
 * several. */
static int classes_of(const ls_task *task)
{
    return (task->kind & LS_TASK_ONE_OF) != 0 ? task->outputs
           : task->kind == LS_TASK_BINARY     ? 2
                                              : 0;
}

ls_status ls_eval_result_create(ls_eval_result *out, const ls_model_facts *facts, ls_split split,
                                int64_t wrongs)
{
    const int64_t classes = classes_of(&facts->task);
    const bool whole = classes > 0 && classes <= LS_MAX_CONFUSION;
    const bool labels = facts->task.kind == LS_TASK_MULTILABEL;
    const bool regression = facts->task.kind == LS_TASK_REGRESSION;
    ls_evaluated *found = &out->found;
    out->facts = facts;
    out->split = split;
    out->classes = (int)classes;
    out->lists_wrong = wrongs > 0;
    found->calibration = &out->calibration;
    if (whole)
        found->confusion = ls_alloc(classes * classes, sizeof *found->confusion);
    if (regression)
        found->output = ls_alloc(facts->task.outputs, sizeof *found->output);
    if (labels)
        found->label = ls_alloc(facts->task.outputs, sizeof *found->label);
    out->of_class = found->confusion != NULL ? ls_alloc(classes, sizeof *out->of_class) : NULL;
    out->wrong = ls_alloc(wrongs, sizeof *out->wrong);
    return out->wrong != NULL && (out->of_class != NULL || !whole) &&
                   (found->output != NULL || !regression) && (found->label != NULL || !labels)
               ? LS_OK
               : LS_ERR_FAILURE;
}

void ls_eval_result_free(ls_eval_result *r)
{
    ls_free(r->found.confusion);
    ls_free(r->found.output);
    ls_free(r->found.label);
    ls_eval_plots_destroy(&r->plots);
    ls_free(r->of_class);
    ls_free(r->wrong);
}
