#include "train/trainer_state.h"

#include "base/interrupt.h"
#include "base/json.h"

#include <stdarg.h>
#include <stdio.h>

void ls_trainer_note(const ls_trainer *t, const char *format, ...)
{
    if (t->rank != 0 || t->observer->note == NULL)
        return;
    char text[LS_ERROR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    t->observer->note(t->observer->user, text);
}

ls_status ls_trainer_diagnose(const ls_trainer *t, const char *what, const char *text)
{
    ls_trainer_note(t, "%s: %s", what, text);
    if (t->log == NULL)
        return LS_OK;
    return ls_run_log_event(t->log, "diagnosis", t->progress.epoch,
                            json_pack("{s:s, s:s}", "what", what, "text", text));
}

void ls_trainer_limit_time(const ls_trainer *t)
{
    /* A checkpoint may take longer than the one before. */
    if (t->config->time_limit > 0)
        ls_interrupt_at(t->created + t->config->time_limit - 1.5 * t->save_seconds);
}

ls_status ls_trainer_interrupted(ls_trainer *t, bool saved)
{
    static const char again[] = "run the same again with --resume auto";
    int number = ls_interrupt_signal();
    const int rank = ls_rank_of_max(t->comm, number);
    char why[64] = "the time limit";
    ls_broadcast_from(t->comm, &number, sizeof number, rank);
    if (number != 0)
        snprintf(why, sizeof why, "%s on rank %d", ls_interrupt_name(number), rank);
    if (*t->config->run == '\0')
        return ls_fail(LS_ERR_FAILURE, "stopped by %s; without --run nothing is saved", why);
    if (!saved)
        return ls_fail(LS_INTERRUPTED, "stopped by %s before the first step: %s", why, again);
    return ls_fail(LS_INTERRUPTED,
                   "stopped by %s, %lld epoch%s and %lld of %lld steps done; the checkpoint is "
                   "written: to go on, %s",
                   why, (long long)t->progress.epoch, t->progress.epoch == 1 ? "" : "s",
                   (long long)t->progress.step, (long long)t->plan.steps, again);
}

const float *ls_trainer_outcome(ls_trainer *t)
{
    float *average = ls_optimizer_average(t->replica.optimizer);
    if (average == NULL)
        return ls_reducer_params(t->replica.reducer);
    ls_reducer_complete(t->replica.reducer, average);
    return average;
}

ls_reduce ls_trainer_reduce(const ls_trainer *t)
{
    return t->tuner != NULL ? LS_REDUCE_AUTO : ls_reducer_which(t->replica.reducer);
}

const char *ls_trainer_monitor_name(const ls_trainer *t)
{
    static const char *const names[] = {"val_loss", "val_accuracy", "loss", "accuracy"};
    return names[t->monitor];
}

double ls_trainer_monitor_value(const ls_trainer *t, const ls_metrics *m)
{
    switch (t->monitor) {
    case LS_MONITOR_VAL_LOSS:
        return m->val_loss;
    case LS_MONITOR_VAL_ACCURACY:
        return m->val_accuracy;
    case LS_MONITOR_LOSS:
        return m->loss;
    case LS_MONITOR_ACCURACY:
        break;
    }
    return m->accuracy;
}
