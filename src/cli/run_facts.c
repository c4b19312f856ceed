#include "cli/run_facts.h"

#include "base/show.h"

#include <math.h>
#include <string.h>

int64_t ls_run_outcome_epoch(const ls_run_material *m)
{
    const int64_t best = json_integer_value(ls_json_at(m->run.summary, "best", "epoch"));
    return best >= 1 && best <= m->run.epochs ? best : m->run.epochs;
}

unsigned ls_run_task(const ls_run_material *m)
{
    char text[LS_JSON_TEXT];
    const char *task = ls_json_show(m->run.summary, "task", NULL, text);
    const ls_metrics *last = m->run.epochs > 0 ? &m->run.history[m->run.epochs - 1] : NULL;
    for (unsigned kind = 1; (kind & LS_TASK_ANY) != 0; kind <<= 1)
        if (strcmp(task, ls_task_name(kind)) == 0)
            return kind;
    return last != NULL && isnan(last->accuracy) && !isnan(last->rmse) ? LS_TASK_REGRESSION
                                                                       : LS_TASK_CLASSIFICATION;
}

bool ls_run_is_variational(const ls_run_material *m)
{
    return m->run.epochs > 0 && isfinite(m->run.history[m->run.epochs - 1].kl);
}

ls_metric ls_run_main_metric(const ls_run_material *m)
{
    return ls_run_task(m) == LS_TASK_REGRESSION ? LS_METRIC_RMSE : LS_METRIC_ACCURACY;
}

const char *ls_run_why_not_evaluated(const ls_run_material *m)
{
    const json_t *rows = ls_json_at(m->run.summary, "dataset", "test_rows");
    return json_is_integer(rows) && json_integer_value(rows) == 0 ? "the data set has no test rows"
                                                                  : "not evaluated";
}

void ls_run_how_to_evaluate(const ls_run_material *m, char out[LS_JSON_TEXT])
{
    char text[LS_JSON_TEXT];
    const json_t *rows = ls_json_at(m->run.summary, "dataset", "test_rows");
    const char *split =
        json_is_integer(rows) && json_integer_value(rows) == 0 ? "validation" : "test";
    const char *data = ls_json_show(m->run.summary, "config", "data", text);
    snprintf(out, LS_JSON_TEXT,
             "lockstep eval --data %s --checkpoint %s --split %s --json > FILE; lockstep report %s "
             "--evaluation FILE",
             *data != '\0' ? data : "DATA", m->folder, split, m->folder);
}

const char *ls_run_count_text(const json_t *value, char out[LS_JSON_TEXT])
{
    if (json_is_integer(value))
        snprintf(out, LS_JSON_TEXT, "%s", ls_grouped(json_integer_value(value)).text);
    else
        *out = '\0';
    return out;
}
