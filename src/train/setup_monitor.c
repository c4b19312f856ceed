/* Chooses what early stopping and the best checkpoint watch. */
#include "train/setup.h"

#include "train/trainer_state.h"

/* Returns what to monitor instead of a metric that a task does not have. */
static const char *other_monitors(unsigned task)
{
    return task == LS_TASK_GENERATION   ? "val_score (with --score) or val_nearest"
           : task == LS_TASK_REGRESSION ? "val_loss or val_rmse"
                                        : "val_loss or val_accuracy";
}

/* Checks that the monitor's metric is defined for the task. The same on all ranks. Local. */
static ls_status check_metric(const ls_trainer *t)
{
    const char *name = ls_monitor_name(t->config->monitor);
    const ls_metric at = ls_monitor_metric(t->monitor);
    if (ls_metric_applies(at, &t->task))
        return LS_OK;
    const ls_metric_kind *metric = ls_metric_describe(at);
    if ((metric->tasks & LS_TASK_OF_TWO) != 0 && t->task.kind == LS_TASK_CLASSIFICATION)
        return ls_fail(LS_ERR_USAGE,
                       "--monitor %s needs two classes, the data set has %d: give --monitor "
                       "val_accuracy",
                       name, t->task.outputs);
    if ((metric->tasks & t->task.kind) == 0)
        return ls_fail(LS_ERR_USAGE, "--monitor %s is not defined for a %s task: give --monitor %s",
                       name, ls_task_name(t->task.kind), other_monitors(t->task.kind));
    return ls_fail(LS_ERR_USAGE,
                   "--monitor %s needs %d classes or more, the data set has %d: give --monitor "
                   "val_accuracy",
                   name, metric->outputs, t->task.outputs);
}

/* Returns true if a monitor is of generated rows alone. Local. */
static bool is_of_generated(ls_monitor monitor)
{
    return monitor == LS_MONITOR_VAL_SCORE || monitor == LS_MONITOR_VAL_LEAST_CLASS;
}

/* Checks that a monitor of generated rows is measured in this training. The same on all ranks.
 * Local. */
static ls_status check_measured(const ls_trainer *t)
{
    const ls_train_config *c = t->config;
    const ls_monitor m = t->monitor;
    const bool scores = is_of_generated(m) || m == LS_MONITOR_VAL_FRECHET;
    if (scores && *c->score == '\0')
        return ls_fail(LS_ERR_USAGE, "--monitor %s needs --score, the run of a classifier",
                       ls_monitor_name(m));
    if (m == LS_MONITOR_VAL_NEAREST && c->stream)
        return ls_fail(LS_ERR_USAGE, "--monitor %s is not measured with --stream: give another",
                       ls_monitor_name(m));
    return LS_OK;
}

/* Without validation rows a metric of the training rows takes the place of the default. The same on
 * all ranks. Local. */
static ls_status replace_validation(ls_trainer *t)
{
    const ls_train_config *c = t->config;
    const char *name = ls_monitor_name(c->monitor);
    if (c->patience > 0)
        return ls_fail(LS_ERR_USAGE,
                       "--patience monitors %s, but there are no validation rows: give "
                       "--validation 0.1 or --monitor loss",
                       name);
    t->monitor = ls_monitor_of_training(c->monitor);
    if (t->monitor == LS_MONITORS)
        return ls_fail(LS_ERR_USAGE,
                       "--monitor %s needs validation rows: give --validation 0.1 or "
                       "--monitor loss",
                       name);
    return LS_OK;
}

/* Checks the options that the epoch's number as the monitor leaves without a meaning. Local. */
static ls_status check_latest(const ls_train_config *c)
{
    const char *option = c->patience > 0                           ? "--patience"
                         : c->schedule.kind == LS_SCHEDULE_PLATEAU ? "--schedule plateau"
                         : c->mode != LS_MODE_AUTO                 ? "--mode"
                                                                   : NULL;
    return option == NULL ? LS_OK
                          : ls_fail(LS_ERR_USAGE,
                                    "%s needs a metric to watch, the latest epoch is always the "
                                    "best: give --monitor%s",
                                    option, c->objective == LS_GAN ? ", or --score RUN" : "");
}

ls_status ls_setup_monitor(ls_trainer *t)
{
    const ls_train_config *c = t->config;
    t->monitor = c->monitor;
    ls_status status = LS_OK;
    if (t->monitor == LS_MONITOR_EPOCH)
        status = check_latest(c);
    else if (ls_trainer_dataset(t)->rows[LS_VALIDATION] == 0 &&
             ls_monitor_is_validation(t->monitor) && !is_of_generated(t->monitor))
        status = replace_validation(t);
    if (status == LS_OK && t->monitor != LS_MONITOR_EPOCH)
        status = check_metric(t);
    if (status == LS_OK)
        status = check_measured(t);
    if (status != LS_OK)
        return status;
    const bool more = ls_monitor_better(t->monitor) == LS_BETTER_MORE;
    t->stop_config =
        (ls_early_stop_config){.maximise = c->mode == LS_MODE_AUTO ? more : c->mode == LS_MODE_MAX,
                               .patience = c->patience,
                               .min_delta = c->min_delta};
    return LS_OK;
}
