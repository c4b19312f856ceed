/* Saving a training's state, and what is done where that fails. */
#include "train/trainer_state.h"

#include "base/clock.h"
#include "base/json.h"
#include "train/standby.h"

#include <stdio.h>

ls_status ls_trainer_write(const ls_trainer *t, const ls_state *state)
{
    ls_status status = ls_run_folder_check(t->run);
    if (status != LS_OK)
        return status;
    status =
        ls_checkpoint_save(t->folder, state, (ls_keep){t->config->keep, t->config->keep_every});
    return ls_run_folder_blame(t->run, status);
}

/* Saves a checkpoint; on rank 0. Local. */
static ls_status save(const ls_trainer *t, const ls_partial *partial)
{
    ls_progress progress = t->progress;
    progress.partial = *partial;
    const ls_state state = {.identity = &t->identity,
                            .progress = &progress,
                            .history = t->history,
                            .network = t->replica.network,
                            .params = ls_reducer_params(t->replica.reducer),
                            .optimizer = t->replica.optimizer};
    ls_standby_lock(t->standby);
    ls_status status = ls_trainer_write(t, &state);
    ls_standby_unlock(t->standby, status == LS_OK);
    return status;
}

ls_status ls_trainer_log_error(ls_trainer *t, ls_status error, const char *event, int64_t epoch)
{
    char text[LS_ERROR_TEXT_MAX];
    if (t->log == NULL)
        return error;
    snprintf(text, sizeof text, "%s", ls_error_text());
    ls_status written =
        ls_run_log_event(t->log, event, epoch, json_pack("{s:o}", "text", ls_json_text(text)));
    (void)written; /* the error that came first is the one to report */
    return ls_fail(error, "%s", text);
}

/* Reports a failure after which training goes on. Local. */
static void report(ls_trainer *t, ls_status error)
{
    error = ls_trainer_log_error(t, error, "save_failed", t->progress.epoch);
    ls_trainer_note(t, "%s; training goes on and saves again when a checkpoint is due",
                    ls_error_text());
}

/* Afterwards the parameters are everywhere, and none is spoiled. Collective. */
static ls_status finish_step(ls_replica *r)
{
    ls_step_finish(r, NULL);
    return ls_step_agree(r);
}

ls_status ls_trainer_collect(ls_trainer *t, ls_partial *partial)
{
    ls_replica *r = &t->replica;
    ls_status status = finish_step(r);
    if (status != LS_OK)
        return status;
    for (int i = 0; i < ls_optimizer_slots(r->optimizer); i++)
        ls_reducer_complete(r->reducer, ls_optimizer_slot(r->optimizer, i));
    *partial = t->progress.partial;
    double sums[] = {partial->compute_s, partial->communicate_s, partial->exchange_s};
    ls_sum_doubles(t->comm, sums, 3);
    partial->compute_s = sums[0];
    partial->communicate_s = sums[1];
    partial->exchange_s = sums[2];
    t->progress.ranks = t->plan.ranks;
    t->progress.reduce = ls_trainer_reduce(t);
    return LS_OK;
}

ls_status ls_trainer_save(ls_trainer *t, bool best, bool needed)
{
    ls_progress *progress = &t->progress;
    const double begin = ls_now();
    const int64_t saved_best = progress->best_steps;
    ls_partial partial;
    ls_watchdog_at(t->watchdog, LS_AT_CHECKPOINT, progress->epoch, progress->step);
    ls_status status =
        *t->config->run != '\0' ? ls_trainer_collect(t, &partial) : finish_step(&t->replica);
    if (status != LS_OK || *t->config->run == '\0')
        return status;
    if (best)
        progress->best_steps = progress->optimizer_steps;
    status = ls_agree(t->comm, t->log != NULL ? save(t, &partial) : LS_OK);
    t->saved = ls_now();
    if (status != LS_OK) {
        progress->best_steps = saved_best;
        if (needed || t->config->on_save_failure == LS_SAVE_FAILURE_STOPS)
            return t->has_saved
                       ? ls_fail(status, "%s; the checkpoints before it are whole", ls_error_text())
                       : status;
        report(t, status);
        return LS_OK;
    }
    t->has_saved = true;
    t->save_seconds = t->saved - begin;
    ls_trainer_limit_time(t, ls_trainer_save_margin(t));
    if (t->log != NULL)
        status = ls_run_log_event(
            t->log, "checkpoint", progress->epoch,
            json_pack("{s:I, s:b}", "steps", (json_int_t)progress->optimizer_steps, "best", best));
    return ls_agree(t->comm, status);
}
