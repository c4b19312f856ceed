/* The beginning and the end of a trainer. Whatever can fail on one rank is agreed on by all before
 * the next collective. */
#include "train/trainer_state.h"

#include "base/clock.h"
#include "base/exact.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/memory.h"
#include "train/records.h"
#include "train/standby.h"

#include <lockstep/compute.h>
#include <lockstep/evaluate.h>
#include <lockstep/settings.h>

#include <math.h>
#include <string.h>

/* What is watched, and whether that can be. The same on all ranks. Local. */
static ls_status choose_monitor(ls_trainer *t)
{
    const ls_train_config *c = t->config;
    t->monitor = c->monitor;
    if (t->dataset.rows[LS_VALIDATION] == 0 &&
        (c->monitor == LS_MONITOR_VAL_LOSS || c->monitor == LS_MONITOR_VAL_ACCURACY)) {
        if (c->patience > 0)
            return ls_fail(LS_ERR_USAGE,
                           "--patience watches %s but there are no validation rows: give "
                           "--validation 0.1, or --monitor loss",
                           ls_trainer_monitor_name(t));
        t->monitor = c->monitor == LS_MONITOR_VAL_LOSS ? LS_MONITOR_LOSS : LS_MONITOR_ACCURACY;
    }
    bool accuracy = t->monitor == LS_MONITOR_VAL_ACCURACY || t->monitor == LS_MONITOR_ACCURACY;
    t->stop_config = (ls_early_stop_config){
        .maximise = c->mode == LS_MODE_AUTO ? accuracy : c->mode == LS_MODE_MAX,
        .patience = c->patience,
        .min_delta = c->min_delta};
    return LS_OK;
}

/* The most rows that a step can give a rank. */
static int64_t largest_slice(const ls_plan *plan, int rank)
{
    /* No slice is larger than the average, rounded up to a whole block. */
    int64_t mine = ls_plan_rank_rows(plan, rank);
    int64_t of_batch = plan->batch / plan->ranks + plan->block;
    int64_t of_steps = mine / plan->steps + plan->block;
    int64_t largest = of_batch > of_steps ? of_batch : of_steps;
    return largest < mine ? largest : mine;
}

/* The most rows that a pass has. */
static int64_t largest_pass(int64_t slice)
{
    return slice > LS_EVALUATION_ROWS ? slice : LS_EVALUATION_ROWS;
}

static ls_status make_optimizer(ls_trainer *t)
{
    int rows;
    const ls_param *table = ls_network_params(t->replica.network, &rows);
    return ls_optimizer_create(&t->replica.optimizer, &t->config->optimizer, table, rows);
}

/* Makes this rank's replica. Local. */
static ls_status make_replica(ls_trainer *t)
{
    const ls_train_config *c = t->config;
    const ls_shape input = {t->dataset.channels, t->dataset.height, t->dataset.width};
    const int64_t rows = largest_pass(largest_slice(&t->plan, t->rank));
    ls_status status =
        ls_network_create(&t->replica.network, c->model, input, t->dataset.classes, c->loss, rows);
    if (status != LS_OK)
        return status;
    if (c->batch < ls_network_least_batch(t->replica.network))
        return ls_fail(LS_ERR_USAGE,
                       "--batch %lld: batchnorm needs the statistics of %d rows or more",
                       (long long)c->batch, ls_network_least_batch(t->replica.network));
    t->replica.comm = t->comm;
    t->replica.label_smoothing = c->label_smoothing;
    if (c->reproducible) {
        t->replica.block = c->block;
        t->replica.loss_quantum = ls_exact_quantum(LS_DIVERGED * (double)(c->batch + c->block));
    }
    t->replica.seed = c->seed;
    const int64_t size = ls_network_size(t->replica.network);
    status = ls_augment_create(&t->replica.augment, c->augment, input);
    if (status == LS_OK)
        status = ls_batch_create(&t->replica.batch, rows, t->dataset.features);
    if (status == LS_OK)
        status = make_optimizer(t);
    if (status != LS_OK)
        return status;
    t->start_params = ls_alloc(size, sizeof(float));
    t->best_params = c->restore_best ? ls_alloc(size, sizeof(float)) : NULL;
    t->history = ls_alloc(c->epochs, sizeof *t->history);
    t->hashes = ls_alloc(t->plan.ranks, sizeof *t->hashes);
    if (t->hashes == NULL || t->start_params == NULL || t->history == NULL ||
        (c->restore_best && t->best_params == NULL))
        return LS_ERR_FAILURE;
    ls_network_initialise(t->replica.network, c->seed, t->start_params);
    ls_optimizer_start(t->replica.optimizer, t->start_params);
    /* Until one is written: parameters and slots to a slow disk. */
    t->save_seconds =
        0.5 + (double)size * sizeof(float) * (1 + ls_optimizer_slots(t->replica.optimizer)) / 50e6;
    return LS_OK;
}

/* Whether updating is shared: alone there is nobody to share it with. Local. */
static bool shards(const ls_trainer *t)
{
    return t->config->shard_optimizer && ls_comm_size(t->comm) > 1;
}

/* Makes the reducer, or those to choose from, and hands it the parameters. Collective. */
static ls_status make_reducer(ls_trainer *t)
{
    const ls_train_config *c = t->config;
    const ls_layout *layout = ls_network_layout(t->replica.network);
    const ls_step_rows rows = {largest_slice(&t->plan, t->rank), c->batch, c->block};
    const bool shard = shards(t);
    ls_reduce reduce = c->reproducible ? LS_REDUCE_EXACT : c->reduce;
    const bool foresee = c->on_nan == LS_ON_NAN_SKIP;
    if (reduce == LS_REDUCE_AUTO && t->progress.ranks == t->plan.ranks &&
        t->progress.reduce != LS_REDUCE_EXACT &&
        (!foresee || ls_reduce_foresees(t->progress.reduce, shard)))
        reduce = t->progress.reduce; /* what the run that goes on here had settled on */
    ls_status status = LS_OK;
    if (reduce != LS_REDUCE_AUTO)
        status = ls_reducer_create(&t->replica.reducer, t->comm, reduce, shard, layout, rows);
    if (status != LS_OK && c->reduce == LS_REDUCE_AUTO && !c->reproducible) {
        ls_trainer_note(t, "--reduce auto had chosen %s, which can't be had here: %s",
                        ls_reduce_name(reduce), ls_error_text());
        reduce = LS_REDUCE_AUTO;
    }
    if (reduce == LS_REDUCE_AUTO)
        status = ls_tuner_create(&t->tuner, t->comm, t->topology->nodes, shard, foresee, layout,
                                 rows, &t->replica.reducer);
    if (status != LS_OK)
        return status;
    ls_reducer_set_params(t->replica.reducer, t->start_params);
    ls_free(t->start_params);
    t->start_params = NULL;
    return LS_OK;
}

static void describe_identity(ls_trainer *t)
{
    const ls_train_config *c = t->config;
    t->identity.run = t->id;
    t->identity.model = (char *)ls_network_model(t->replica.network);
    t->identity.loss = c->loss;
    t->identity.classes = t->dataset.classes;
    t->identity.input = (ls_shape){t->dataset.channels, t->dataset.height, t->dataset.width};
    t->identity.mean = c->mean;
    t->identity.std = c->std;
    t->identity.dataset = t->dataset.name;
    t->identity.compute = (char *)ls_compute_version();
    t->identity.config = t->text;
}

/* Checks the settings; what depends on the number of ranks, here. Local. */
static ls_status check_settings(const ls_trainer *t)
{
    const ls_train_config *c = t->config;
    const ls_status status = ls_config_check(c);
    if (status == LS_OK && c->on_nan == LS_ON_NAN_SKIP && c->reduce != LS_REDUCE_AUTO &&
        !ls_reduce_foresees(c->reduce, shards(t)))
        return ls_fail(
            LS_ERR_USAGE,
            "--on-nan skip and --reduce %s don't go together: it updates some parameters "
            "before all gradients are known",
            ls_reduce_name(c->reduce));
    return status;
}

/* Writes the settings as text. Local. */
static ls_status write_settings(ls_trainer *t)
{
    const size_t length = ls_config_text(t->config, NULL, 0);
    t->text = ls_alloc((int64_t)length + 1, 1);
    if (t->text == NULL)
        return LS_ERR_FAILURE;
    ls_config_text(t->config, t->text, length + 1);
    return LS_OK;
}

/* Makes sure that the settings are valid, and the same on all ranks. Collective. */
static ls_status agree_on_settings(ls_trainer *t)
{
    ls_status status = ls_agree(t->comm, check_settings(t));
    if (status == LS_OK)
        status = ls_agree(t->comm, write_settings(t));
    return status == LS_OK ? ls_agree_equal(t->comm, t->text, "the configuration") : status;
}

/* Tells of classes that can't be learned from the rows; on rank 0. Local. */
static ls_status tell_of_gaps(const ls_trainer *t)
{
    ls_trainer_note(t, "classes: %s", t->class_gaps);
    if (t->log == NULL)
        return LS_OK;
    return ls_run_log_event(t->log, "classes", t->progress.epoch,
                            json_pack("{s:o}", "text", ls_json_text(t->class_gaps)));
}

static ls_status create(ls_trainer *t)
{
    const double begin = ls_now();
    const ls_train_config *c = t->config;
    ls_status status = agree_on_settings(t);
    t->base_lr = ls_schedule_base(&c->schedule, c->lr, c->batch);
    if (status == LS_OK)
        status = ls_agree(t->comm, ls_records_check(t));
    if (status == LS_OK)
        status = ls_topology_create(&t->topology, t->comm,
                                    c->reproducible ? 1 : (int)c->threads);
    if (status == LS_OK && t->config->reproducible)
        status = ls_agree_equal(t->comm, ls_compute_version(),
                                "the BLAS library or its kernel (see OPENBLAS_CORETYPE)");
    if (status == LS_OK) {
        ls_compute_set_threads(t->topology->mine.threads);
        status = ls_agree(t->comm, ls_compute_check());
    }
    if (status == LS_OK)
        status = ls_trainer_load(t);
    /* How long reading the data takes depends on their size: from here on it does not. */
    if (status == LS_OK && t->config->watchdog > 0 && t->observer->stuck != NULL)
        status = ls_watchdog_start(&t->watchdog, t->comm, t->config->watchdog, t->observer->stuck,
                                   t->observer->user);
    if (status == LS_OK && t->watchdog != NULL && t->rank == 0 && t->plan.ranks > 1 &&
        ls_watchdog_error(t->watchdog) != 0)
        ls_trainer_note(t,
                        "no UDP socket (%s): if the job hangs, the watchdog ends it, but can't say "
                        "which rank lags",
                        strerror(ls_watchdog_error(t->watchdog)));
    if (status == LS_OK)
        status = choose_monitor(t);
    if (status == LS_OK)
        status = ls_agree(t->comm, make_replica(t));
    const bool writes = t->rank == 0 && *t->config->run != '\0' && !t->config->dry_run;
    /* Before the folder's newest checkpoint is looked for: nobody may add to it from then on. */
    if (status == LS_OK)
        status = ls_agree(t->comm, writes && t->in_place ? ls_records_take(t) : LS_OK);
    if (status == LS_OK) {
        describe_identity(t);
        status = ls_trainer_resume(t);
    }
    if (status == LS_OK)
        status = make_reducer(t);
    if (status == LS_OK)
        status = ls_agree(t->comm, ls_interrupt_poll(0));
    if (status == LS_OK)
        status = ls_agree(t->comm, writes ? ls_records_begin(t) : LS_OK);
    if (status == LS_OK && t->rank == 0 && t->observer->start != NULL) {
        ls_run_info info = {.config = t->config,
                            .dataset = &t->dataset,
                            .network = t->replica.network,
                            .topology = t->topology,
                            .plan = &t->plan,
                            .epochs_done = t->progress.epoch,
                            .steps_done = t->progress.step,
                            .resumed = t->resumed,
                            .monitor = ls_trainer_monitor_name(t),
                            .lr = t->base_lr,
                            .augmented = t->replica.augment != NULL,
                            .setup_seconds = ls_now() - begin};
        t->observer->start(t->observer->user, &info);
    }
    if (status == LS_OK)
        status =
            ls_agree(t->comm, t->rank == 0 && *t->class_gaps != '\0' ? tell_of_gaps(t) : LS_OK);
    return status;
}

ls_status ls_trainer_create(ls_trainer **out, ls_comm *comm, const ls_train_config *config,
                            const ls_observer *observer)
{
    ls_trainer *t = ls_alloc(1, sizeof *t);
    ls_status status = LS_OK;
    if (t != NULL) {
        t->rolled_back = t->furthest = -1;
        t->resumed = ls_strdup("");
    }
    if (t == NULL || t->resumed == NULL)
        status = LS_ERR_FAILURE;
    status = ls_agree(comm, status);
    if (status == LS_OK) {
        t->comm = comm;
        t->config = config;
        t->observer = observer;
        t->rank = ls_comm_rank(comm);
        t->created = t->saved = ls_now();
        ls_trainer_limit_time(t, 0);
        status = ls_normalization_make(&t->replica.normalization, config->mean, config->std);
        if (status == LS_OK)
            status = create(t);
        if (status == LS_INTERRUPTED)
            status = ls_trainer_interrupted(t, false);
    }
    if (status != LS_OK) {
        ls_trainer_destroy(&t);
        return status;
    }
    *out = t;
    return LS_OK;
}

const float *ls_trainer_params(const ls_trainer *trainer)
{
    return ls_reducer_params(trainer->replica.reducer);
}

const ls_network *ls_trainer_network(const ls_trainer *trainer)
{
    return trainer->replica.network;
}

void ls_trainer_destroy(ls_trainer **trainer)
{
    if (trainer == NULL || *trainer == NULL)
        return;
    ls_trainer *t = *trainer;
    ls_watchdog_stop(&t->watchdog);
    ls_standby_destroy(&t->standby);
    ls_interrupt_at(INFINITY);
    ls_records_close(t);
    ls_exchange_destroy(&t->exchange);
    ls_stream_destroy(&t->stream);
    ls_samples_destroy(&t->samples);
    ls_samples_destroy(&t->validation);
    ls_batch_destroy(&t->replica.batch);
    ls_augment_destroy(&t->replica.augment);
    ls_network_destroy(&t->replica.network);
    if (t->tuner != NULL)
        t->replica.reducer = NULL;
    ls_tuner_destroy(&t->tuner);
    ls_reducer_destroy(&t->replica.reducer);
    ls_optimizer_destroy(&t->replica.optimizer);
    ls_topology_destroy(&t->topology);
    ls_free(t->text);
    ls_free(t->start_params);
    ls_free(t->best_params);
    ls_free(t->history);
    ls_free(t->hashes);
    ls_free(t->resumed);
    ls_free(t);
    *trainer = NULL;
}
