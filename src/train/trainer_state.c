#include "train/trainer_state.h"

#include "parallel/collectives.h"
#include "nn/schedule.h"
#include "base/interrupt.h"
#include "base/memory.h"
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

ls_status ls_trainer_show(const ls_trainer *t, const ls_generated *rows)
{
    if (t->observer->samples == NULL)
        return LS_OK;
    const ls_status status = t->observer->samples(t->observer->user, rows);
    if (status == LS_OK || t->config->on_save_failure == LS_SAVE_FAILURE_STOPS)
        return status;
    ls_trainer_note(t, "%s; training continues", ls_error_text());
    return LS_OK;
}

bool ls_trainer_epochs_left(const ls_trainer *t)
{
    return t->progress.epoch < t->config->epochs &&
           !ls_early_stop_reached(&t->progress.early_stop, &t->stop_config);
}

void ls_trainer_set_activity(const ls_trainer *t, ls_activity activity)
{
    ls_watchdog_at(t->watchdog, activity, t->progress.epoch, t->progress.step);
}

double ls_trainer_rate(const ls_trainer *t, double lr, int64_t step)
{
    const ls_train_config *c = t->config;
    const int64_t steps = ls_trainer_plan(t)->steps;
    const ls_schedule_at at = {.step = t->progress.epoch * steps + step,
                               .steps_per_epoch = steps,
                               .epochs = c->epochs,
                               .plateaus = t->loop.plateaus};
    return ls_schedule_rate(&c->schedule, ls_schedule_base(&c->schedule, lr, c->batch), &at);
}

void ls_trainer_count_plateaus(ls_trainer *t)
{
    ls_early_stop_config config = t->stop_config;
    ls_early_stop state = {0};
    if (t->config->schedule.kind != LS_SCHEDULE_PLATEAU)
        return;
    config.patience = t->config->schedule.patience;
    t->loop.plateaus = 0;
    for (int64_t e = 0; e < t->progress.epoch; e++)
        t->loop.plateaus += ls_early_stop_plateau(&state, &config, e + 1,
                                                  ls_monitor_value(t->monitor, &t->history[e]));
    ls_broadcast(t->comm, &t->loop.plateaus, sizeof t->loop.plateaus);
}

void ls_trainer_limit_time(const ls_trainer *t, double margin)
{
    if (t->config->time_limit > 0)
        ls_interrupt_at(t->records.created + t->config->time_limit - margin);
}

ls_status ls_trainer_interrupted(ls_trainer *t, bool saved)
{
    int number = ls_interrupt_signal();
    const int rank = ls_argmax_rank(t->comm, number);
    char why[64] = "the time limit";
    ls_broadcast_from(t->comm, &number, sizeof number, rank);
    if (number != 0)
        snprintf(why, sizeof why, "%s on rank %d", ls_interrupt_name(number), rank);
    if (*t->config->run == '\0')
        return ls_fail(LS_ERR_FAILURE, "stopped by %s; without --run nothing is saved", why);
    if (!saved)
        return ls_fail(LS_INTERRUPTED,
                       "stopped by %s before the first step: run the same command again", why);
    return ls_fail(LS_INTERRUPTED,
                   "stopped by %s, %s and %lld of %s done; the checkpoint is written: to continue, "
                   "run the same command with --resume auto",
                   why, ls_counted(t->progress.epoch, "epoch").text, (long long)t->progress.step,
                   ls_counted(ls_trainer_plan(t)->steps, "step").text);
}

ls_reduce ls_trainer_reduce(const ls_trainer *t)
{
    for (int p = 0; p < t->players; p++)
        if (t->learner[p].tuner != NULL)
            return LS_REDUCE_AUTO;
    return ls_replica_reduce(ls_trainer_replica(t));
}

int64_t ls_trainer_updates(const ls_trainer *t, ls_player player)
{
    const int64_t steps = t->progress.optimizer_steps;
    return t->adversarial != NULL && player == LS_MODEL ? steps / t->config->discriminator_steps
                                                        : steps;
}

ls_status ls_trainer_take_start(ls_trainer *t)
{
    ls_status status = LS_OK;
    for (int p = 0; status == LS_OK && p < t->players; p++) {
        ls_learner *l = &t->learner[p];
        l->start_params = ls_alloc(ls_replica_size(l->replica), sizeof *l->start_params);
        status = l->start_params != NULL ? LS_OK : LS_ERR_FAILURE;
    }
    return status;
}

void ls_trainer_drop_start(ls_trainer *t)
{
    for (int p = 0; p < LS_PLAYERS; p++) {
        ls_free(t->learner[p].start_params);
        t->learner[p].start_params = NULL;
    }
}

ls_status ls_trainer_settle(ls_trainer *t)
{
    const float *params;
    ls_status status = LS_OK;
    for (int p = 0; status == LS_OK && p < t->players; p++)
        status = ls_replica_params(t->learner[p].replica, &params);
    return status;
}

ls_status ls_trainer_collect(ls_trainer *t, ls_epoch_totals *totals)
{
    const ls_status status = ls_trainer_settle(t);
    if (status != LS_OK)
        return status;
    for (int p = 0; p < t->players; p++)
        ls_replica_complete_slots(t->learner[p].replica);
    *totals = t->progress.totals;
    double sums[] = {totals->compute_s, totals->communicate_s, totals->exchange_s};
    ls_allreduce_doubles(t->comm, sums, 3);
    totals->compute_s = sums[0];
    totals->communicate_s = sums[1];
    totals->exchange_s = sums[2];
    t->progress.ranks = ls_trainer_plan(t)->ranks;
    t->progress.reduce = ls_trainer_reduce(t);
    return LS_OK;
}
