/* The algorithm. What it works with is set up in setup.c.
 *
 *     for each epoch
 *         exchange samples
 *         for each step                                                          (step.c)
 *             gather, forward, backward with the reduction over ranks, update
 *             checkpoint or stop, if some rank asked for it: the control word tells all at once
 *         validate, decide, log, checkpoint
 */
#include "train/trainer_state.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/text.h"
#include "train/diagnosis.h"
#include "train/health.h"
#include "train/standby.h"
#include "train/summary.h"

#include <lockstep/evaluate.h>

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

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
        status = ls_run_log_event(t->log, LS_EVENT_REDUCE, t->progress.epoch + 1,
                                  json_pack("{s:s, s:s}", "chosen",
                                            ls_reduce_name(ls_reducer_which(t->replica.reducer)),
                                            "text", verdict));
    return ls_agree(t->comm, status);
}

/* What this rank has to say before a step beside its rows: whether it was asked to end, or will be
 * before the step is likely to have ended, and, on rank 0, what is due. Local. */
static ls_control wishes(const ls_trainer *t)
{
    const ls_train_config *c = t->config;
    ls_control control = {.stop = ls_interrupt_age() + t->step_seconds >= 0};
    if (t->rank != 0)
        return control;
    if (c->checkpoint_every.seconds > 0 && ls_now() - t->saved >= c->checkpoint_every.seconds)
        control.save = 1;
    control.copy = ls_standby_is_due(t, t->step_seconds);
    return control;
}

/* Tells the watchdog what comes next. Local. */
static void go_on_with(const ls_trainer *t, ls_activity activity)
{
    ls_watchdog_at(t->watchdog, activity, t->progress.epoch, t->progress.step);
}

/* Whether a checkpoint is due after so many steps, or epochs, of the run. Local. */
static bool is_due(int64_t done, int64_t every)
{
    return every > 0 && done % every == 0;
}

/* Does what faults are told to do before a step. Local. */
static void inject_faults(const ls_trainer *t)
{
    if (ls_fault(LS_FAULT_STALL) != LS_OK)
        pause();
    if (ls_fault(LS_FAULT_FLIP) != LS_OK) {
        unsigned char *byte = (void *)(uintptr_t)ls_reducer_params(t->replica.reducer);
        byte[2] ^= 1;
    }
}

/* The learning rate of a step of the epoch, from 0. Local. */
static double rate_of(const ls_trainer *t, int64_t step)
{
    const ls_schedule_at at = {.step = t->progress.epoch * t->plan.steps + step,
                               .steps_per_epoch = t->plan.steps,
                               .epochs = t->config->epochs,
                               .plateaus = t->plateaus};
    return ls_schedule_rate(&t->config->schedule, t->base_lr, &at);
}

/* Counts the plateaus in the history, as rank 0 sees it. Collective. */
static void count_plateaus(ls_trainer *t)
{
    ls_early_stop_config config = t->stop_config;
    ls_early_stop state = {0};
    if (t->config->schedule.kind != LS_SCHEDULE_PLATEAU)
        return;
    config.patience = t->config->schedule.patience;
    t->plateaus = 0;
    for (int64_t e = 0; e < t->progress.epoch; e++)
        t->plateaus += ls_early_stop_plateau(&state, &config, e + 1,
                                             ls_monitor_value(t->monitor, &t->history[e]));
    ls_broadcast(t->comm, &t->plateaus, sizeof t->plateaus);
}

/* The samples of a slice of the epoch's order, and which of them come in which order; a rank that
 * can't get them takes part in the step with none. Local. */
static int64_t samples_of(ls_trainer *t, ls_range slice, const int64_t *epoch_order,
                          const ls_samples **samples, const int64_t **order)
{
    if (t->stream == NULL) {
        *samples = t->samples;
        *order = epoch_order + slice.first;
        return slice.count;
    }
    const double begin = ls_now();
    const ls_status status = ls_stream_take(t->stream, t->progress.epoch, slice, samples);
    t->progress.partial.exchange_s += ls_now() - begin;
    *order = NULL;
    if (status != LS_OK)
        ls_step_fail(&t->replica, status);
    return (*samples)->rows;
}

/* One step, and what it adds to the epoch. Collective.
 * control  on return the sum over ranks */
static ls_status take_step(ls_trainer *t, const int64_t *epoch_order, ls_control *control)
{
    ls_progress *progress = &t->progress;
    ls_partial *sums = &progress->partial;
    ls_score score;
    ls_phases phases = {0};
    const ls_step_checks checks = ls_health_checks(t);
    const ls_samples *samples;
    const int64_t *order;
    go_on_with(t, LS_AT_STEP);
    inject_faults(t);
    *control = wishes(t);
    t->replica.epoch = progress->epoch;
    const int64_t rows = samples_of(t, ls_plan_slice(&t->plan, t->rank, progress->step),
                                    epoch_order, &samples, &order);
    ls_status status = ls_step(&t->replica, samples, order, rows, rate_of(t, progress->step),
                               &checks, &score, control, &phases);
    const bool skipped = status == LS_ERR_NUMERIC && t->config->on_nan == LS_ON_NAN_SKIP;
    if (skipped)
        status = ls_health_skip(t);
    if (status != LS_OK)
        return status;
    progress->step++;
    if (progress->step == t->plan.steps)
        ls_step_finish(&t->replica, &phases);
    progress->optimizer_steps = ls_optimizer_steps(t->replica.optimizer);
    sums->compute_s += phases.total - phases.exposed;
    sums->communicate_s += phases.exposed;
    t->step_seconds = phases.total;
    if (skipped)
        return LS_OK;
    t->skipped = 0;
    ls_score_add(&sums->score, &control->score, 0);
    if (t->rank == 0 && t->observer->step != NULL)
        t->observer->step(t->observer->user, progress->epoch + 1, sums->score.rows,
                          control->score.loss / (double)control->score.rows);
    return t->tuner != NULL ? tune(t, phases.total) : LS_OK;
}

/* Copies the state, from which a run may go on if it is killed: as good as one that is saved.
 * Collective. */
static ls_status copy_state(ls_trainer *t)
{
    const ls_status status = ls_health_check_replicas(t);
    return status == LS_OK ? ls_standby_copy(t) : status;
}

/* All steps of an epoch that are left. Collective. */
static ls_status train_epoch(ls_trainer *t)
{
    const int64_t *order = NULL;
    ls_partial *sums = &t->progress.partial;
    ls_status status = LS_OK;
    double mark = ls_now();
    go_on_with(t, LS_AT_EXCHANGE);
    if (t->stream == NULL)
        status = ls_exchange_epoch(t->exchange, t->progress.epoch, &order);
    sums->exchange_s += ls_now() - mark;
    while (status == LS_OK && t->progress.step < t->plan.steps) {
        ls_control control;
        status = take_step(t, order, &control);
        if (status != LS_OK)
            break;
        if (is_due(t->progress.optimizer_steps, t->config->check_replicas))
            status = ls_health_check_replicas(t);
        if (status != LS_OK)
            break;
        t->stopping = t->stopping || control.stop > 0;
        t->due = control.save > 0 ||
                 is_due(t->progress.optimizer_steps, t->config->checkpoint_every.steps);
        const bool last = t->progress.step == t->plan.steps;
        if (last)
            continue;
        if (!(t->stopping || t->due || control.copy > 0))
            continue;
        sums->seconds += ls_now() - mark;
        mark = ls_now();
        if (!(t->stopping || t->due)) {
            status = copy_state(t);
            continue;
        }
        status = ls_health_check_replicas(t); /* what is saved, lasts */
        if (status == LS_OK)
            status = ls_trainer_save(t, false, t->stopping);
        if (status == LS_OK && t->stopping)
            status = ls_trainer_interrupted(t, true);
        mark = ls_now();
    }
    sums->seconds += ls_now() - mark;
    return status;
}

/* The same as ls_evaluate(), of rows that are read as they are needed. Collective. */
static ls_status evaluate_stream(ls_trainer *t, const float *params, ls_score *score)
{
    const int64_t rows = t->dataset.rows[LS_VALIDATION];
    ls_evaluation e = {.network = t->replica.network,
                       .params = params,
                       .batch = t->replica.batch,
                       .classes = t->dataset.classes};
    ls_status status = ls_evaluation_begin(&e, t->config->mean, t->config->std, rows);
    if (status == LS_OK)
        status = ls_stream_walk(t->stream, LS_VALIDATION,
                                ls_evaluation_shard(rows, t->plan.ranks, t->rank),
                                ls_evaluation_add, &e);
    return ls_evaluation_finish(t->comm, &e, status, score);
}

/* Evaluates the validation rows, if there are any. Collective. */
static ls_status validate(ls_trainer *t, const float *params, ls_metrics *m)
{
    go_on_with(t, LS_AT_VALIDATION);
    ls_score score = {0};
    ls_metrics_set_score(m, true, t->dataset.classes, &score);
    if (t->dataset.rows[LS_VALIDATION] == 0)
        return LS_OK;
    ls_status status =
        t->stream != NULL
            ? evaluate_stream(t, params, &score)
            : ls_evaluate(t->comm, t->replica.network, params, t->validation, t->config->mean,
                          t->config->std, t->replica.batch, t->dataset.classes, &score, NULL);
    if (status != LS_OK)
        return status;
    ls_metrics_set_score(m, true, t->dataset.classes, &score);
    if (!isfinite(m->val_loss))
        status =
            ls_fail(LS_ERR_NUMERIC, "validation loss is %g after epoch %lld; try a smaller --lr",
                    ls_plain_number(m->val_loss), (long long)t->progress.epoch + 1);
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
                                            ls_monitor_value(t->monitor, m));
    }
    ls_broadcast(t->comm, &verdict, sizeof verdict);
    t->progress.early_stop = verdict.state;
    return verdict.best;
}

/* Whether there is an epoch to be trained. The same on all ranks. Local. */
static bool goes_on(const ls_trainer *t)
{
    return t->progress.epoch < t->config->epochs &&
           !ls_early_stop_reached(&t->progress.early_stop, &t->stop_config);
}

/* Rank 0 writes the logs and, where it is due, a checkpoint; all ranks get the outcome. Collective.
 */
static ls_status record(ls_trainer *t, ls_metrics *m, bool best)
{
    const bool last = t->stopping || !goes_on(t);
    const bool due =
        best || t->due || last || is_due(t->progress.epoch, t->config->checkpoint_every.epochs);
    const double begin = ls_now();
    ls_status status = due ? ls_trainer_save(t, best, last) : LS_OK;
    m->checkpoint_s = ls_now() - begin;
    go_on_with(t, LS_AT_RECORD);
    t->history[t->progress.epoch - 1] = *m;
    if (status == LS_OK && t->log != NULL) {
        status = ls_run_log_metrics(t->log, t->history, t->progress.epoch);
        if (status == LS_OK)
            status =
                ls_run_log_event(t->log, LS_EVENT_EPOCH, t->progress.epoch, ls_metrics_json(m));
    }
    return ls_agree(t->comm, status);
}

/* Stops after an epoch's last step: its validation, which was broken off, is what the run goes on
 * with. Collective. */
static ls_status break_off(ls_trainer *t)
{
    t->stopping = true;
    ls_status status = ls_trainer_save(t, false, true);
    return status == LS_OK ? ls_trainer_interrupted(t, true) : status;
}

/* One epoch, from the exchange to the checkpoint. Collective. */
static ls_status run_epoch(ls_trainer *t)
{
    ls_metrics m = {.epoch = (double)t->progress.epoch + 1};
    count_plateaus(t);
    ls_status status = train_epoch(t);
    if (status != LS_OK)
        return status;
    status = ls_health_check_params(t);
    if (status == LS_OK)
        status = ls_health_check_replicas(t);
    if (status != LS_OK)
        return status;
    double checked = ls_now();
    const float *outcome = ls_trainer_outcome(t);
    status = validate(t, outcome, &m);
    if (status == LS_INTERRUPTED)
        return break_off(t);
    if (status != LS_OK)
        return status;
    const ls_partial *sums = &t->progress.partial;
    const double rows = (double)sums->score.rows, ranks = t->plan.ranks;
    double times[] = {sums->compute_s, sums->communicate_s, sums->exchange_s, ls_now() - checked};
    int slowest = ls_rank_of_max(t->comm, sums->compute_s);
    ls_sum_doubles(t->comm, times, sizeof times / sizeof *times);
    m.seconds = sums->seconds;
    ls_max_doubles(t->comm, &m.seconds, 1);
    ls_metrics_set_score(&m, false, t->dataset.classes, &sums->score);
    m.lr = rate_of(t, t->plan.steps - 1);
    m.samples_per_second = rows / m.seconds;
    m.compute_s = times[0] / ranks;
    m.communicate_s = times[1] / ranks;
    m.exchange_s = times[2] / ranks;
    m.validation_s = times[3] / ranks;
    m.checkpoint_s = NAN; /* not known before it is saved */
    m.slowest_rank = slowest;

    t->history[t->progress.epoch++] = m;
    t->progress.step = 0;
    t->progress.partial = (ls_partial){0};
    bool best = decide(t, &m);
    if (best && t->best_params != NULL) {
        memcpy(t->best_params, outcome,
               (size_t)ls_network_size(t->replica.network) * sizeof(float));
        t->best_params_epoch = t->progress.epoch;
    }
    status = record(t, &m, best);
    if (status == LS_OK && t->rank == 0 && t->observer->epoch != NULL)
        t->observer->epoch(t->observer->user, &m, best);
    return status == LS_OK ? ls_diagnosis_after_epoch(t) : status;
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
    if (t->best_params_epoch > 0) {
        ls_reducer_set_params(t->replica.reducer, t->best_params);
        result.restored = true;
        shown = t->best_params_epoch;
    } else {
        ls_reducer_set_params(t->replica.reducer, ls_trainer_outcome(t));
    }
    if (shown > 0)
        result.final = t->history[shown - 1];
    result.digest = XXH3_64bits(ls_reducer_params(t->replica.reducer), bytes);
    result.seconds = ls_now() - begin;
    return result;
}

ls_status ls_trainer_run(ls_trainer *t, ls_train_result *result)
{
    assert(!t->config->dry_run);
    const double begin = ls_now();
    const bool idle = !goes_on(t);
    ls_trainer_limit_time(t, ls_trainer_save_margin(t));
    ls_status status =
        ls_agree(t->comm, t->log != NULL && !idle ? ls_run_log_retract_summary(t->log) : LS_OK);
    int64_t epoch = t->progress.epoch;
    while (status == LS_OK && goes_on(t)) {
        epoch = t->progress.epoch + 1;
        status = run_epoch(t);
        if (status == LS_ERR_NUMERIC && t->config->on_nan == LS_ON_NAN_ROLLBACK) {
            status = ls_health_roll_back(t);
            if (status == LS_INTERRUPTED)
                status = ls_trainer_interrupted(t, true);
        }
        if (status == LS_OK && t->stopping && goes_on(t))
            status = ls_trainer_interrupted(t, true);
    }
    if (status == LS_OK && !idle)
        status = ls_diagnosis_at_end(t);
    if (status == LS_INTERRUPTED)
        return ls_trainer_log_error(t, status, LS_EVENT_STOP, t->progress.epoch);
    if (status != LS_OK)
        return ls_trainer_log_error(t, status, LS_EVENT_FAILURE, epoch);
    *result = conclude(t, begin, idle);
    return ls_agree(t->comm, t->log != NULL ? ls_summary_write(t, result) : LS_OK);
}
