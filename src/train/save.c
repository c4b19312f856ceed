/* Saves a training's state, and lets the training continue after a failed save. */
#include "train/trainer_state.h"

#include "parallel/collectives.h"
#include "base/clock.h"
#include "base/json.h"
#include "train/standby.h"

#include <stdio.h>

/* Saves a checkpoint; on rank 0. Local. */
static ls_status write_state(const ls_trainer *t, const ls_epoch_totals *totals)
{
    ls_progress progress = t->progress;
    progress.totals = *totals;
    ls_state state = {.info = &t->records.info, .progress = &progress, .history = t->history};
    for (int p = 0; p < t->players; p++) {
        const ls_replica *r = t->learner[p].replica;
        state.trained[p] = (ls_trained){.network = ls_replica_network(r),
                                        .params = ls_replica_current_params(r),
                                        .optimizer = ls_replica_optimizer(r)};
    }
    ls_standby_lock(t->records.standby);
    ls_status status = ls_records_write(t, &state);
    ls_standby_unlock(t->records.standby, status == LS_OK);
    return status;
}

ls_status ls_trainer_log_error(ls_trainer *t, ls_status error, ls_event event, int64_t epoch)
{
    char text[LS_ERROR_TEXT_MAX];
    if (t->records.log == NULL)
        return error;
    snprintf(text, sizeof text, "%s", ls_error_text());
    ls_status written = ls_run_log_event(t->records.log, event, epoch,
                                         json_pack("{s:o}", "text", ls_json_text(text)));
    (void)written; /* the first error is reported */
    return ls_fail(error, "%s", text);
}

/* Reports a failed save after which training continues. Local. */
static void report_failed_save(ls_trainer *t, ls_status error)
{
    if (ls_trainer_log_error(t, error, LS_EVENT_SAVE_FAILED, t->progress.epoch) != LS_OK)
        ls_trainer_note(t, "%s; training continues and saves again when a checkpoint is due",
                        ls_error_text());
}

ls_status ls_trainer_save(ls_trainer *t, bool best, bool needed)
{
    ls_progress *progress = &t->progress;
    const double begin = ls_now();
    const int64_t saved_best = progress->best_steps;
    ls_epoch_totals totals;
    ls_watchdog_at(t->watchdog, LS_AT_CHECKPOINT, progress->epoch, progress->step);
    ls_status status =
        *t->config->run != '\0' ? ls_trainer_collect(t, &totals) : ls_trainer_settle(t);
    if (status != LS_OK || *t->config->run == '\0')
        return status;
    if (best)
        progress->best_steps = progress->optimizer_steps;
    status = ls_agree_root(t->comm, t->records.log != NULL ? write_state(t, &totals) : LS_OK);
    t->records.saved = ls_now();
    if (status != LS_OK) {
        progress->best_steps = saved_best;
        if (needed || t->config->on_save_failure == LS_SAVE_FAILURE_STOPS)
            return t->records.has_saved
                       ? ls_fail(status, "%s; earlier checkpoints are intact", ls_error_text())
                       : status;
        report_failed_save(t, status);
        return LS_OK;
    }
    t->records.has_saved = true;
    t->records.save_seconds = t->records.saved - begin;
    ls_trainer_limit_time(t, ls_trainer_save_margin(t));
    if (t->records.log != NULL)
        status = ls_run_log_event(
            t->records.log, LS_EVENT_CHECKPOINT, progress->epoch,
            json_pack("{s:I, s:b}", "steps", (json_int_t)progress->optimizer_steps, "best", best));
    return ls_agree_root(t->comm, status);
}
