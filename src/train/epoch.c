#include "train/epoch.h"

#include "parallel/collectives.h"
#include "base/clock.h"
#include "base/text.h"
#include "train/trainer_state.h"

#include "train/adversarial.h"
#include "train/evaluate.h"
#include "train/reconstruct.h"
#include "train/sampler.h"

#include <math.h>
#include <string.h>
#include <xxhash.h>

#include <lockstep/run.h>

/* Passes reconstructed rows to the observer, if it wants them; on rank 0. Local. */
static ls_status show_rows(void *user, const ls_generated *rows)
{
    return ls_trainer_show(user, rows);
}

/* Shows the first validation rows of an autoencoder and their reconstructions, if no generated rows
 * are shown. Collective. */
static ls_status show_reconstructions(ls_trainer *t, const ls_evaluation *evaluation)
{
    const ls_dataset_info *d = ls_trainer_dataset(t);
    const ls_generated wanted = {.epoch = t->progress.epoch + 1,
                                 .rows = t->config->samples,
                                 .shape = {d->channels, d->height, d->width},
                                 .element = d->element};
    if (!d->reconstructs || t->sampler != NULL || wanted.rows == 0)
        return LS_OK;
    return ls_reconstruct(evaluation, wanted, show_rows, t);
}

/* Evaluates the validation rows. Collective. */
static ls_status evaluate_rows(ls_trainer *t, const float *params, ls_metrics *m)
{
    ls_evaluation evaluation = {.comm = t->comm,
                                .network = ls_replica_network(ls_trainer_replica(t)),
                                .params = params,
                                .batch = ls_replica_batch(ls_trainer_replica(t))};
    ls_evaluated evaluated = {0};
    if (ls_trainer_dataset(t)->rows[LS_VALIDATION] == 0)
        return LS_OK;
    ls_status status = ls_agree(t->comm, ls_loader_rows(&evaluation.rows, t->loader, true));
    if (status == LS_OK)
        status = ls_evaluate(&evaluation, &evaluated);
    if (status == LS_OK)
        status = show_reconstructions(t, &evaluation);
    ls_rows_destroy(&evaluation.rows);
    if (status != LS_OK)
        return status;
    ls_metrics_set_values(m, evaluated.metric);
    if (!isfinite(m->val_loss))
        return ls_fail(LS_ERR_NUMERIC, "validation loss is %g after epoch %lld; try a smaller --lr",
                       ls_plain_number(m->val_loss), (long long)t->progress.epoch + 1);
    return LS_OK;
}

ls_status ls_epoch_validate(ls_trainer *t, const float *params, ls_metrics *m)
{
    double unknown[LS_METRICS];
    ls_trainer_set_activity(t, LS_AT_VALIDATION);
    for (int i = 0; i < LS_METRICS; i++)
        unknown[i] = NAN;
    ls_metrics_set_values(m, unknown);
    const ls_status status =
        t->adversarial != NULL ? ls_adversarial_measure(t, params, m) : evaluate_rows(t, params, m);
    return status == LS_OK ? ls_sampler_measure(t, params, m) : status;
}

void ls_epoch_make_metrics(ls_trainer *t, double validation_s, ls_metrics *m)
{
    const ls_epoch_totals *sums = &t->progress.totals;
    const double rows = (double)sums->score.rows, ranks = ls_trainer_plan(t)->ranks;
    double times[] = {sums->compute_s, sums->communicate_s, sums->exchange_s, validation_s};
    m->slowest_rank = ls_argmax_rank(t->comm, sums->compute_s);
    ls_allreduce_doubles(t->comm, times, sizeof times / sizeof *times);
    m->seconds = sums->seconds;
    ls_allreduce_max(t->comm, &m->seconds, 1);
    ls_metrics_set_score(m, false, &t->task, &sums->score);
    m->lr = ls_trainer_rate(t, t->config->lr, ls_trainer_plan(t)->steps - 1);
    m->samples_per_second = rows / m->seconds;
    m->compute_s = times[0] / ranks;
    m->communicate_s = times[1] / ranks;
    m->exchange_s = times[2] / ranks;
    m->validation_s = times[3] / ranks;
    m->checkpoint_s = NAN; /* unknown until the checkpoint is saved */
}

/* Updates early stopping on rank 0 and broadcasts the state. Returns true if this epoch is the best
 * so far. Collective. */
static bool update_early_stop(ls_trainer *t, const ls_metrics *m)
{
    struct {
        ls_early_stop state;
        bool best;
    } verdict;
    memset(&verdict, 0, sizeof verdict);
    if (t->rank == 0) {
        verdict.state = t->progress.early_stop;
        verdict.best = ls_early_stop_update(&verdict.state, &t->stop_config, t->progress.epoch,
                                            ls_monitor_value(t->monitor, m));
    }
    ls_broadcast(t->comm, &verdict, sizeof verdict);
    t->progress.early_stop = verdict.state;
    return verdict.best;
}

bool ls_epoch_finish(ls_trainer *t, const float *params, const ls_metrics *m)
{
    t->history[t->progress.epoch++] = *m;
    t->progress.step = 0;
    t->progress.totals = (ls_epoch_totals){0};
    const bool best = update_early_stop(t, m);
    if (best && t->best.params != NULL) {
        memcpy(t->best.params, params,
               (size_t)ls_replica_size(ls_trainer_replica(t)) * sizeof(float));
        t->best.epoch = t->progress.epoch;
    }
    return best;
}

ls_status ls_epoch_record(ls_trainer *t, ls_metrics *m, bool best)
{
    const bool last = t->loop.stopping || !ls_trainer_epochs_left(t);
    const bool due = best || t->loop.save_due || last ||
                     ls_is_due(t->progress.epoch, t->config->checkpoint_every.epochs);
    const double begin = ls_now();
    ls_status status = due ? ls_trainer_save(t, best, last) : LS_OK;
    m->checkpoint_s = ls_now() - begin;
    ls_trainer_set_activity(t, LS_AT_RECORD);
    t->history[t->progress.epoch - 1] = *m;
    if (status == LS_OK && t->records.log != NULL) {
        status = ls_run_log_metrics(t->records.log, t->history, t->progress.epoch);
        if (status == LS_OK)
            status = ls_run_log_event(t->records.log, LS_EVENT_EPOCH, t->progress.epoch,
                                      ls_metrics_json(m, ls_task_kinds(&t->task)));
    }
    status = ls_agree_root(t->comm, status);
    if (status == LS_OK && t->rank == 0 && t->observer->epoch != NULL)
        t->observer->epoch(t->observer->user, m, best);
    return status;
}

ls_status ls_epoch_make_result(ls_trainer *t, double begin, bool idle, ls_train_result *result)
{
    const ls_early_stop *stop = &t->progress.early_stop;
    const bool restored = t->best.epoch > 0;
    const int64_t shown = restored ? t->best.epoch : t->progress.epoch;
    const float *params = t->best.params;
    const ls_status status =
        restored ? LS_OK : ls_replica_evaluated_params(ls_trainer_replica(t), &params);
    if (status != LS_OK)
        return status;
    ls_replica_set_params(ls_trainer_replica(t), params);
    *result = (ls_train_result){
        .epochs = t->progress.epoch,
        .stopped_early =
            t->progress.epoch < t->config->epochs && ls_early_stop_reached(stop, &t->stop_config),
        .nothing_to_do = idle,
        .restored = restored,
        .best_epoch = stop->best_epoch,
        .best = stop->best,
        .waited = stop->waited,
        .digest = XXH3_64bits(ls_replica_current_params(ls_trainer_replica(t)),
                              (size_t)ls_replica_size(ls_trainer_replica(t)) * sizeof(float)),
        .seconds = ls_now() - begin};
    if (shown > 0)
        result->final = t->history[shown - 1];
    return LS_OK;
}
