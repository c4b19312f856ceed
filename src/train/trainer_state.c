#include "train/trainer_state.h"

#include "base/interrupt.h"
#include "base/show.h"

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

void ls_trainer_limit_time(const ls_trainer *t, double margin)
{
    if (t->config->time_limit > 0)
        ls_interrupt_at(t->created + t->config->time_limit - margin);
}

ls_status ls_trainer_interrupted(ls_trainer *t, bool saved)
{
    int number = ls_interrupt_signal();
    const int rank = ls_rank_of_max(t->comm, number);
    char why[64] = "the time limit";
    ls_broadcast_from(t->comm, &number, sizeof number, rank);
    if (number != 0)
        snprintf(why, sizeof why, "%s on rank %d", ls_interrupt_name(number), rank);
    if (*t->config->run == '\0')
        return ls_fail(LS_ERR_FAILURE, "stopped by %s; without --run nothing is saved", why);
    if (!saved)
        return ls_fail(LS_INTERRUPTED, "stopped by %s before the first step: run the same again",
                       why);
    return ls_fail(LS_INTERRUPTED,
                   "stopped by %s, %s and %lld of %s done; the checkpoint is written: to go on, "
                   "run the same again with --resume auto",
                   why, ls_counted(t->progress.epoch, "epoch").text, (long long)t->progress.step,
                   ls_counted(t->plan.steps, "step").text);
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
    static const char *const names[] = {LS_MONITOR_LIST(LS_CHOICE_NAME)};
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
