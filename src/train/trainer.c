/* The training algorithm. Its modules are created in setup.c.
 *
 *     for each epoch
 *         move the epoch's rows to their ranks                                   (loader.c)
 *         for each step
 *             fill the batch                                                     (loader.c)
 *             forward, backward with the reduction over ranks, update            (step.c)
 *             checkpoint or stop if a rank requested it in the control word      (save.c)
 *         validate, update early stopping, checkpoint, log                       (epoch.c)
 */
#include "train/trainer_state.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/rng.h"
#include "train/adversarial.h"
#include "train/diagnosis.h"
#include "train/epoch.h"
#include "train/standby.h"
#include "train/summary.h"

#include <assert.h>
#include <unistd.h>

/* Passes the seconds of a step to --reduce auto, and reports its choice. Collective. */
static ls_status tune(ls_trainer *t, ls_learner *l, double seconds)
{
    char verdict[LS_VERDICT_TEXT];
    l->reducer = ls_tuner_step(l->tuner, seconds, l->replica, verdict);
    if (l->reducer == NULL)
        return LS_OK;
    ls_tuner_destroy(&l->tuner);
    ls_trainer_note(t, "--reduce auto%s: %s",
                    t->players == 1                      ? ""
                    : l == &t->learner[LS_DISCRIMINATOR] ? ", discriminator"
                                                         : ", generator",
                    verdict);
    ls_status status = LS_OK;
    if (t->records.log != NULL)
        status = ls_run_log_event(t->records.log, LS_EVENT_REDUCE, t->progress.epoch + 1,
                                  json_pack("{s:s, s:s}", "chosen",
                                            ls_reduce_name(ls_replica_reduce(l->replica)), "text",
                                            verdict));
    return ls_agree_root(t->comm, status);
}

/* Builds this rank's control word: stop after a signal, or if the time limit is likely to pass
 * during the step; on rank 0 also save and copy when their time has come. Local. */
static ls_control local_control(const ls_trainer *t)
{
    const ls_train_config *c = t->config;
    const double step_seconds = t->loop.step_seconds;
    ls_control control = {.stop = ls_interrupt_age() + step_seconds >= 0};
    if (t->rank != 0)
        return control;
    if (c->checkpoint_every.seconds > 0 &&
        ls_now() - t->records.saved >= c->checkpoint_every.seconds)
        control.save = 1;
    control.copy = ls_standby_is_due(t, step_seconds);
    return control;
}

/* Test hook: LOCKSTEP_FAULT=stall or flip. Local. */
static void inject_faults(const ls_trainer *t)
{
    if (ls_fault(LS_FAULT_STALL) != LS_OK)
        pause();
    if (ls_fault(LS_FAULT_FLIP) != LS_OK)
        ls_replica_flip_bit(ls_trainer_replica(t));
}

/* Fills the batch with this rank's rows of the step. Local. */
static void load_batch(ls_trainer *t, ls_step_io *io)
{
    const double begin = ls_now();
    io->loaded = ls_loader_next(t->loader, ls_trainer_batch(t));
    const double waited = ls_loader_take_wait(t->loader);
    io->gather_s = ls_now() - begin - waited;
    t->progress.totals.exchange_s += waited;
}

/* Adds a step to the epoch's totals. Local. */
static void add_step(ls_trainer *t, const ls_control *control)
{
    ls_epoch_totals *sums = &t->progress.totals;
    ls_score_add(&sums->score, &control->score);
    if (t->rank == 0 && t->observer->step != NULL)
        t->observer->step(t->observer->user, t->progress.epoch + 1, sums->score.rows,
                          ls_metric_value(LS_METRIC_LOSS, &t->task, &control->score));
}

ls_status ls_trainer_learn(ls_trainer *t, ls_player player, ls_step_io *io, bool *skipped)
{
    ls_learner *l = &t->learner[player];
    ls_status status = ls_step(l->replica, io);
    *skipped = status == LS_ERR_NUMERIC && t->config->on_nan == LS_ON_NAN_SKIP;
    if (*skipped)
        return ls_health_skip(t, l->replica);
    return status == LS_OK && l->tuner != NULL ? tune(t, l, io->phases.total) : status;
}

/* Trains one step; with --on-nan skip a step that fails is skipped. Collective.
 * control  on return the sum over ranks */
static ls_status train_step(ls_trainer *t, ls_control *control)
{
    ls_progress *progress = &t->progress;
    ls_step_io io = {.lr = ls_trainer_rate(t, t->config->lr, progress->step),
                     .key = ls_rng_key(t->config->seed, LS_RNG_PASS, (uint64_t)progress->epoch),
                     .last = progress->step + 1 == ls_trainer_plan(t)->steps,
                     .checks = ls_health_checks(t)};
    ls_trainer_set_activity(t, LS_AT_STEP);
    inject_faults(t);
    io.control = local_control(t);
    load_batch(t, &io);
    bool skipped = false;
    const ls_status status = t->adversarial != NULL ? ls_adversarial_step(t, &io, &skipped)
                                                    : ls_trainer_learn(t, LS_MODEL, &io, &skipped);
    if (status != LS_OK)
        return status;
    *control = io.control;
    progress->step++;
    progress->optimizer_steps++;
    progress->totals.compute_s += io.phases.total - io.phases.exposed;
    progress->totals.communicate_s += io.phases.exposed;
    t->loop.step_seconds = io.phases.total;
    if (skipped)
        return LS_OK;
    ls_health_step_taken(t);
    add_step(t, control);
    return LS_OK;
}

/* Saves a checkpoint between two steps, and ends the run if it is stopping. Collective. */
static ls_status save_state(ls_trainer *t)
{
    ls_status status = ls_health_check_replicas(t); /* never save a damaged replica */
    if (status == LS_OK)
        status = ls_trainer_save(t, false, t->loop.stopping);
    return status == LS_OK && t->loop.stopping ? ls_trainer_interrupted(t, true) : status;
}

/* Copies the state, to be saved if a signal comes in a long step; checked like a saved one.
 * Collective. */
static ls_status copy_state(ls_trainer *t)
{
    const ls_status status = ls_health_check_replicas(t);
    return status == LS_OK ? ls_standby_copy(t) : status;
}

/* Executes the control word of a step: stop, save or copy. After an epoch's last step
 * ls_epoch_record() saves instead. Collective.
 * mark  start of the seconds not yet added to the epoch's totals, which leave checkpoints out */
static ls_status apply_control(ls_trainer *t, const ls_control *control, double *mark)
{
    ls_loop *loop = &t->loop;
    loop->stopping = loop->stopping || control->stop > 0;
    loop->save_due = control->save > 0 ||
                     ls_is_due(t->progress.optimizer_steps, t->config->checkpoint_every.steps);
    const bool saves = loop->stopping || loop->save_due;
    if (t->progress.step == ls_trainer_plan(t)->steps || !(saves || control->copy > 0))
        return LS_OK;
    t->progress.totals.seconds += ls_now() - *mark;
    *mark = ls_now();
    if (!saves)
        return copy_state(t);
    const ls_status status = save_state(t);
    *mark = ls_now();
    return status;
}

/* Trains the remaining steps of an epoch. Collective. */
static ls_status train_epoch(ls_trainer *t)
{
    ls_epoch_totals *sums = &t->progress.totals;
    double mark = ls_now();
    ls_trainer_set_activity(t, LS_AT_EXCHANGE);
    ls_status status = ls_loader_epoch(t->loader, t->progress.epoch, t->progress.step);
    sums->exchange_s += ls_loader_take_wait(t->loader);
    while (status == LS_OK && t->progress.step < ls_trainer_plan(t)->steps) {
        ls_control control;
        status = train_step(t, &control);
        if (status == LS_OK && ls_is_due(t->progress.optimizer_steps, t->config->check_replicas))
            status = ls_health_check_replicas(t);
        if (status == LS_OK)
            status = apply_control(t, &control, &mark);
    }
    sums->seconds += ls_now() - mark;
    return status;
}

/* Stops after an epoch's last step, when its validation was interrupted: a resumed run begins with
 * the validation. Collective. */
static ls_status stop_in_validation(ls_trainer *t)
{
    t->loop.stopping = true;
    ls_status status = ls_trainer_save(t, false, true);
    return status == LS_OK ? ls_trainer_interrupted(t, true) : status;
}

/* Checks all parameters after an epoch. Collective.
 * params  on return the parameters to validate: their average if the optimizer keeps one */
static ls_status check_epoch(ls_trainer *t, const float **params)
{
    ls_status status = ls_health_check_params(t);
    if (status == LS_OK)
        status = ls_health_check_replicas(t);
    return status == LS_OK ? ls_replica_evaluated_params(ls_trainer_replica(t), params) : status;
}

/* Runs one epoch, from the exchange to the checkpoint. Collective. */
static ls_status run_epoch(ls_trainer *t)
{
    ls_metrics m = {.epoch = (double)t->progress.epoch + 1};
    const float *params;
    ls_trainer_count_plateaus(t);
    ls_status status = train_epoch(t);
    if (status == LS_OK)
        status = check_epoch(t, &params);
    if (status != LS_OK)
        return status;
    const double begin = ls_now();
    status = ls_epoch_validate(t, params, &m);
    if (status == LS_INTERRUPTED)
        return stop_in_validation(t);
    if (status != LS_OK)
        return status;
    ls_epoch_make_metrics(t, ls_now() - begin, &m);
    const bool best = ls_epoch_finish(t, params, &m);
    status = ls_epoch_record(t, &m, best);
    return status == LS_OK ? ls_diagnosis_after_epoch(t) : status;
}

/* Trains the remaining epochs. Collective.
 * epoch  on return the number of the latest epoch, from 1 */
static ls_status train(ls_trainer *t, int64_t *epoch)
{
    ls_status status = LS_OK;
    while (status == LS_OK && ls_trainer_epochs_left(t)) {
        *epoch = t->progress.epoch + 1;
        status = run_epoch(t);
        if (status == LS_ERR_NUMERIC && t->config->on_nan == LS_ON_NAN_ROLLBACK) {
            status = ls_health_rollback(t);
            if (status == LS_INTERRUPTED)
                status = ls_trainer_interrupted(t, true);
        }
        if (status == LS_OK && t->loop.stopping && ls_trainer_epochs_left(t))
            status = ls_trainer_interrupted(t, true);
    }
    return status;
}

ls_status ls_trainer_run(ls_trainer *t, ls_train_result *result)
{
    assert(!t->config->dry_run);
    const double begin = ls_now();
    const bool idle = !ls_trainer_epochs_left(t);
    int64_t epoch = t->progress.epoch;
    ls_trainer_limit_time(t, ls_trainer_save_margin(t));
    ls_status status = ls_agree_root(t->comm, t->records.log != NULL && !idle
                                                  ? ls_run_log_retract_summary(t->records.log)
                                                  : LS_OK);
    if (status == LS_OK)
        status = train(t, &epoch);
    if (status == LS_OK && !idle)
        status = ls_diagnosis_at_end(t);
    if (status == LS_OK)
        status = ls_epoch_make_result(t, begin, idle, result);
    if (status == LS_INTERRUPTED)
        return ls_trainer_log_error(t, status, LS_EVENT_STOP, t->progress.epoch);
    if (status != LS_OK)
        return ls_trainer_log_error(t, status, LS_EVENT_FAILURE, epoch);
    return ls_agree_root(t->comm, t->records.log != NULL ? ls_summary_write(t, result) : LS_OK);
}
