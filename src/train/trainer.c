/* The algorithm. What it works with is set up in setup.c.
 *
 *     for each epoch
 *         exchange samples
 *         for each step                                                          (step.c)
 *             gather, forward, backward with the reduction over ranks, update
 *         validate, decide, log, checkpoint
 */
#include "train/trainer_state.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/json.h"
#include "train/summary.h"

#include <lockstep/evaluate.h>

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

/* What a rank adds up in an epoch; summed over ranks at its end. All doubles: one reduction. */
typedef struct epoch_sums {
    double loss;    /* sum over rows */
    double correct; /* exact up to 2^53 */
    double compute_s, communicate_s, exchange_s, validation_s;
} epoch_sums;
enum { EPOCH_SUMS = sizeof(epoch_sums) / sizeof(double) };

/* What check_step() needs to know beside the score. */
typedef struct step_place {
    const ls_trainer *trainer;
    int64_t step;
} step_place;

/* Whether this rank's part of a step went well. Local. */
static ls_status check_step(const void *user, const ls_score *score)
{
    const step_place *place = user;
    const ls_trainer *t = place->trainer;
    ls_status status = ls_fault(LS_FAULT_STEP);
    if (status != LS_OK || score->rows == 0)
        return status;
    double mean = score->loss / (double)score->rows;
    if (isfinite(mean) && mean < LS_DIVERGED)
        return LS_OK;
    return ls_fail(LS_ERR_NUMERIC,
                   "loss %g in step %lld of epoch %lld: training diverged; try a smaller --lr "
                   "(it is %g)",
                   mean, (long long)place->step + 1, (long long)t->progress.epoch + 1,
                   t->config->lr);
}

/* Lets --reduce auto know how long a step took, and goes on with what it decides. Collective. */
static ls_status tune(ls_trainer *t, double seconds)
{
    char verdict[LS_VERDICT_TEXT];
    if (!ls_tuner_step(t->tuner, seconds, &t->replica, verdict))
        return LS_OK;
    ls_tuner_destroy(&t->tuner);
    ls_trainer_note(t, "--reduce auto: %s", verdict);
    ls_status status = LS_OK;
    if (t->log != NULL)
        status = ls_run_log_event(t->log, "reduce", t->progress.epoch + 1,
                                  json_pack("{s:s, s:s}", "chosen",
                                            ls_reduce_name(ls_reducer_which(t->replica.reducer)),
                                            "text", verdict));
    return ls_agree(t->comm, status);
}

/* All steps of an epoch. Collective. */
static ls_status train_epoch(ls_trainer *t, epoch_sums *sums)
{
    const int64_t *order;
    double begin = ls_now();
    ls_status status = ls_exchange_epoch(t->exchange, t->progress.epoch, &order);
    sums->exchange_s = ls_now() - begin;
    ls_phases phases = {0};
    int64_t rows = 0;
    for (int64_t step = 0; status == LS_OK && step < t->plan.steps; step++) {
        ls_score score;
        ls_control control;
        const step_place place = {t, step};
        const ls_range slice = ls_plan_slice(&t->plan, t->rank, step);
        const double before = phases.total;
        status = ls_step(&t->replica, t->samples, order + slice.first, slice.count, t->config->lr,
                         t->comm, check_step, &place, &score, &control, &phases);
        if (status != LS_OK)
            break;
        sums->loss += score.loss;
        sums->correct += (double)score.correct;
        rows += control.rows;
        if (t->rank == 0 && t->observer->step != NULL)
            t->observer->step(t->observer->user, t->progress.epoch + 1, rows,
                              control.loss / (double)control.rows);
        if (t->tuner != NULL)
            status = tune(t, phases.total - before);
    }
    if (status == LS_OK)
        ls_step_finish(&t->replica);
    sums->compute_s = phases.total - phases.exposed;
    sums->communicate_s = phases.exposed;
    t->progress.optimizer_steps = ls_optimizer_steps(t->replica.optimizer);
    return status;
}

/* The loss tells of the parameters before the last update; this of those after it. Collective. */
static ls_status check_params(const ls_trainer *t)
{
    const int64_t size = ls_network_size(t->replica.network);
    const float *params = ls_reducer_params(t->replica.reducer);
    int64_t bad = -1;
    for (int64_t i = 0; i < size; i++)
        if (!(fabsf(params[i]) < LS_DIVERGED))
            bad = i;
    ls_status status = LS_OK;
    if (bad >= 0)
        status =
            ls_fail(LS_ERR_NUMERIC,
                    "a parameter is %g after epoch %lld: training diverged; try a smaller --lr "
                    "(it is %g)",
                    (double)params[bad], (long long)t->progress.epoch + 1, t->config->lr);
    return ls_agree(t->comm, status);
}

/* Evaluates the validation rows, if there are any. Collective. */
static ls_status validate(ls_trainer *t, ls_metrics *m)
{
    m->val_loss = m->val_accuracy = NAN;
    if (t->dataset.rows[LS_VALIDATION] == 0)
        return LS_OK;
    ls_score score;
    ls_status status = ls_evaluate(
        t->comm, t->replica.network, ls_reducer_params(t->replica.reducer), t->validation,
        t->config->mean, t->config->std, t->replica.batch, t->dataset.classes, &score, NULL);
    if (status != LS_OK)
        return status;
    m->val_loss = score.loss / (double)score.rows;
    m->val_accuracy = (double)score.correct / (double)score.rows;
    if (!isfinite(m->val_loss))
        status =
            ls_fail(LS_ERR_NUMERIC, "validation loss is %g after epoch %lld; try a smaller --lr",
                    m->val_loss, (long long)t->progress.epoch + 1);
    return status;
}

/* Rank 0 decides whether this epoch is the best so far; all ranks get its word. Collective. */
static bool decide(ls_trainer *t, const ls_metrics *m)
{
    struct {
        ls_early_stop state;
        bool best;
    } verdict;
    memset(&verdict, 0, sizeof verdict);
    if (t->rank == 0) {
        verdict.state = t->progress.early_stop;
        verdict.best = ls_early_stop_update(&verdict.state, &t->stop_config, t->progress.epoch,
                                            ls_trainer_monitor_value(t, m));
    }
    ls_broadcast(t->comm, &verdict, sizeof verdict);
    t->progress.early_stop = verdict.state;
    if (verdict.best)
        t->progress.best_steps = t->progress.optimizer_steps;
    return verdict.best;
}

/* Whether there is an epoch to be trained. The same on all ranks. Local. */
static bool goes_on(const ls_trainer *t)
{
    return t->progress.epoch < t->config->epochs &&
           !ls_early_stop_reached(&t->progress.early_stop, &t->stop_config);
}

/* Saves a checkpoint; on rank 0. Local. */
static ls_status save(ls_trainer *t, bool best)
{
    t->progress.ranks = t->plan.ranks;
    t->progress.reduce = ls_trainer_reduce(t);
    ls_state state = {.identity = &t->identity,
                      .progress = &t->progress,
                      .history = t->history,
                      .network = t->replica.network,
                      .params = ls_reducer_params(t->replica.reducer),
                      .optimizer = t->replica.optimizer};
    ls_status status = ls_checkpoint_save(t->folder, &state, t->config->keep);
    if (status == LS_OK)
        status = ls_run_log_event(t->log, "checkpoint", t->progress.epoch,
                                  json_pack("{s:I, s:b}", "steps",
                                            (json_int_t)t->progress.optimizer_steps, "best", best));
    return status;
}

/* Rank 0 writes the logs and, where it is due, a checkpoint; all ranks get the outcome. Collective.
 */
static ls_status record(ls_trainer *t, ls_metrics *m, bool best)
{
    const bool due = best || !goes_on(t) || t->progress.epoch % t->config->checkpoint_every == 0;
    const double begin = ls_now();
    ls_status status = LS_OK;
    if (due && *t->config->run != '\0') {
        for (int i = 0; i < ls_optimizer_slots(t->replica.optimizer); i++)
            ls_reducer_complete(t->replica.reducer, ls_optimizer_slot(t->replica.optimizer, i));
        if (t->log != NULL)
            status = save(t, best);
        status = ls_agree(t->comm, status);
    }
    m->checkpoint_s = ls_now() - begin;
    t->history[t->progress.epoch - 1] = *m;
    if (status == LS_OK && t->log != NULL) {
        status = ls_run_log_metrics(t->log, m);
        if (status == LS_OK)
            status = ls_run_log_event(t->log, "epoch", t->progress.epoch, ls_metrics_json(m));
    }
    return ls_agree(t->comm, status);
}

/* One epoch, from the exchange to the checkpoint. Collective. */
static ls_status run_epoch(ls_trainer *t)
{
    double begin = ls_now();
    epoch_sums sums = {0};
    ls_metrics m = {.epoch = (double)t->progress.epoch + 1, .lr = t->config->lr};
    ls_status status = train_epoch(t, &sums);
    if (status != LS_OK)
        return status;
    m.seconds = ls_now() - begin;
    status = check_params(t);
    double checked = ls_now();
    if (status == LS_OK)
        status = validate(t, &m);
    if (status != LS_OK)
        return status;
    sums.validation_s = ls_now() - checked;

    int slowest = ls_rank_of_max(t->comm, sums.compute_s);
    ls_sum_doubles(t->comm, (double *)&sums, EPOCH_SUMS);
    ls_max_doubles(t->comm, &m.seconds, 1);
    const double rows = (double)t->plan.rows, ranks = t->plan.ranks;
    m.loss = sums.loss / rows;
    m.accuracy = sums.correct / rows;
    m.samples_per_second = rows / m.seconds;
    m.compute_s = sums.compute_s / ranks;
    m.communicate_s = sums.communicate_s / ranks;
    m.exchange_s = sums.exchange_s / ranks;
    m.validation_s = sums.validation_s / ranks;
    m.checkpoint_s = NAN; /* not known before it is saved */
    m.slowest_rank = slowest;

    t->history[t->progress.epoch++] = m;
    bool best = decide(t, &m);
    if (best && t->best_params != NULL)
        memcpy(t->best_params, ls_reducer_params(t->replica.reducer),
               (size_t)ls_network_size(t->replica.network) * sizeof(float));
    status = record(t, &m, best);
    if (status == LS_OK && t->rank == 0 && t->observer->epoch != NULL)
        t->observer->epoch(t->observer->user, &m, best);
    return status;
}

/* What training came to. The same on all ranks but for the seconds. Collective. */
static ls_train_result conclude(ls_trainer *t, double begin, bool idle)
{
    const ls_early_stop *stop = &t->progress.early_stop;
    ls_train_result result = {.epochs = t->progress.epoch,
                              .stopped_early = t->progress.epoch < t->config->epochs &&
                                               ls_early_stop_reached(stop, &t->stop_config),
                              .nothing_to_do = idle,
                              .early_stop = *stop};
    const size_t bytes = (size_t)ls_network_size(t->replica.network) * sizeof(float);
    int64_t shown = t->progress.epoch;
    if (t->best_params != NULL && stop->best_epoch > 0) {
        ls_reducer_set_params(t->replica.reducer, t->best_params);
        result.restored = true;
        shown = stop->best_epoch;
    }
    if (shown > 0)
        result.final = t->history[shown - 1];
    result.digest = XXH3_64bits(ls_reducer_params(t->replica.reducer), bytes);
    result.seconds = ls_now() - begin;
    return result;
}

/* Leaves the reason in the events, as far as they can still be written. Local. */
static void note_failure(ls_trainer *t, int64_t epoch)
{
    char text[LS_ERROR_TEXT_MAX];
    if (t->log == NULL)
        return;
    snprintf(text, sizeof text, "%s", ls_error_text());
    ls_status status =
        ls_run_log_event(t->log, "failure", epoch, json_pack("{s:o}", "text", ls_json_text(text)));
    /* The failure that ended the run is the one to report. */
    (void)ls_fail(LS_ERR_FAILURE, "%s", text);
    (void)status;
}

ls_status ls_trainer_run(ls_trainer *t, ls_train_result *result)
{
    assert(!t->config->dry_run);
    const double begin = ls_now();
    const bool idle = !goes_on(t);
    ls_status status =
        ls_agree(t->comm, t->log != NULL && !idle ? ls_run_log_retract_summary(t->log) : LS_OK);
    int64_t epoch = t->progress.epoch;
    while (status == LS_OK && goes_on(t)) {
        epoch = t->progress.epoch + 1;
        status = run_epoch(t);
    }
    if (status != LS_OK) {
        note_failure(t, epoch);
        return status;
    }
    *result = conclude(t, begin, idle);
    return ls_agree(t->comm, t->log != NULL ? ls_summary_write(t, result) : LS_OK);
}
