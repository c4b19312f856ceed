/* Creates and destroys a trainer. All ranks agree on a failure of one rank before the next
 * collective. */
#include "train/trainer_state.h"
#include "parallel/collectives.h"
#include "nn/schedule.h"
#include "train/evaluate.h"

#include "base/clock.h"
#include "base/exact.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/show.h"
#include "data/class_names.h"
#include "nn/pass.h"
#include "train/reconstruction.h"
#include "train/records.h"
#include "train/standby.h"

#include <lockstep/compute.h>
#include <lockstep/settings.h>

#include <math.h>
#include <string.h>

/* Checks that the monitor's metric is defined for the task. The same on all ranks. Local. */
static ls_status check_metric(const ls_trainer *t, ls_metric at)
{
    const ls_metric_kind *metric = ls_metric_describe(at);
    const char *name = ls_monitor_name(t->config->monitor);
    if (ls_metric_applies(at, &t->task))
        return LS_OK;
    if ((metric->tasks & t->task.kind) == 0)
        return ls_fail(LS_ERR_USAGE,
                       "--monitor %s is not defined for a %s task (--loss %s): give --monitor "
                       "val_loss or val_%s",
                       name, ls_task_name(t->task.kind), ls_loss_name(t->config->loss),
                       t->task.kind == LS_TASK_REGRESSION ? "rmse" : "accuracy");
    return ls_fail(LS_ERR_USAGE,
                   "--monitor %s needs %d classes or more, the data set has %d: give --monitor "
                   "val_accuracy",
                   name, metric->outputs, t->task.outputs);
}

/* Chooses the monitor of early stopping, and checks that its metric exists. The same on all ranks.
 * Local. */
static ls_status setup_monitor(ls_trainer *t)
{
    const ls_train_config *c = t->config;
    t->monitor = c->monitor;
    if (ls_trainer_dataset(t)->rows[LS_VALIDATION] == 0 && ls_monitor_is_validation(c->monitor)) {
        if (c->patience > 0)
            return ls_fail(LS_ERR_USAGE,
                           "--patience monitors %s, but there are no validation rows: give "
                           "--validation 0.1 or --monitor loss",
                           ls_monitor_name(c->monitor));
        t->monitor = ls_monitor_of_training(c->monitor);
        if (t->monitor == LS_MONITORS)
            return ls_fail(LS_ERR_USAGE,
                           "--monitor %s needs validation rows: give --validation 0.1 or "
                           "--monitor loss",
                           ls_monitor_name(c->monitor));
    }
    const ls_status status = check_metric(t, ls_monitor_metric(t->monitor));
    if (status != LS_OK)
        return status;
    const bool more = ls_metric_describe(ls_monitor_metric(t->monitor))->better == LS_BETTER_MORE;
    t->stop_config =
        (ls_early_stop_config){.maximise = c->mode == LS_MODE_AUTO ? more : c->mode == LS_MODE_MAX,
                               .patience = c->patience,
                               .min_delta = c->min_delta};
    return LS_OK;
}

/* Returns the most rows of a pass. Local. */
static int64_t pass_capacity(const ls_trainer *t)
{
    const int64_t step = ls_loader_step_rows(t->loader);
    return step > LS_EVALUATION_ROWS ? step : LS_EVALUATION_ROWS;
}

/* Creates this rank's network, optimizer and batch. Local. */
static ls_status create_replica(ls_trainer *t)
{
    const ls_train_config *c = t->config;
    const ls_dataset_info *d = ls_trainer_dataset(t);
    const ls_replica_config config = {.model = c->model,
                                      .input = {d->channels, d->height, d->width},
                                      .outputs = t->task.outputs,
                                      .values = ls_trainer_dataset(t)->values,
                                      .loss = c->loss,
                                      .huber = c->huber,
                                      .optimizer = c->optimizer,
                                      .label_smoothing = c->label_smoothing,
                                      .rows = pass_capacity(t)};
    const ls_status status = ls_replica_create(&t->replica, t->comm, &config);
    if (status != LS_OK)
        return status;
    if (ls_loader_weighs(t->loader) && ls_batch_add_weights(ls_replica_batch(t->replica)) != LS_OK)
        return LS_ERR_FAILURE;
    ls_network *network = ls_replica_network(t->replica);
    const ls_columns *targets = &ls_loader_standardization(t->loader)->targets;
    if (d->values > 0 && targets->count == d->values &&
        ls_network_set_target_scale(network, targets->std) != LS_OK)
        return LS_ERR_FAILURE;
    if (d->reconstructs) {
        const ls_status fits = ls_reconstruction_check_network(network);
        if (fits != LS_OK)
            return fits;
        ls_network_set_reconstructs(network);
    }
    const int least = ls_network_least_batch(network);
    if (c->batch < least)
        return ls_fail(LS_ERR_USAGE,
                       "--batch %lld: batchnorm needs the statistics of %d rows or more",
                       (long long)c->batch, least);
    t->task = ls_network_task(network, d->values);
    ls_loader_set_channels_last(t->loader, ls_network_channels_last(network));
    if (c->reproducible)
        ls_replica_set_micro_batch(t->replica, c->block,
                                   ls_exact_quantum(LS_DIVERGED * (double)(c->batch + c->block)));
    return LS_OK;
}

/* Allocates parameters and history, and initialises the parameters. Local. */
static ls_status initialise_params(ls_trainer *t)
{
    const ls_train_config *c = t->config;
    const int64_t size = ls_replica_size(t->replica);
    ls_optimizer *optimizer = ls_replica_optimizer(t->replica);
    t->start_params = ls_alloc(size, sizeof(float));
    t->best.params = c->restore_best ? ls_alloc(size, sizeof(float)) : NULL;
    t->history = ls_alloc(c->epochs, sizeof *t->history);
    if (t->start_params == NULL || t->history == NULL ||
        (c->restore_best && t->best.params == NULL))
        return LS_ERR_FAILURE;
    ls_network_initialise(ls_replica_network(t->replica), c->seed, t->start_params);
    ls_optimizer_start(optimizer, t->start_params);
    /* Estimate until a checkpoint is written: parameters and slots to a slow disk, 50 MB/s. */
    t->records.save_seconds =
        0.5 + (double)size * sizeof(float) * (1 + ls_optimizer_slots(optimizer)) / 50e6;
    return ls_health_create(&t->health, ls_trainer_plan(t)->ranks);
}

/* Creates and initialises the replica. Collective. */
static ls_status setup_replica(ls_trainer *t)
{
    ls_status status = create_replica(t);
    if (status == LS_OK)
        status = initialise_params(t);
    return ls_agree(t->comm, status);
}

/* Returns true if the optimizer is sharded over ranks. Local. */
static bool shards_optimizer(const ls_trainer *t)
{
    return t->config->shard_optimizer && ls_comm_size(t->comm) > 1;
}

/* Returns true unless the task is a classification without weights. The same on all ranks.
 * Local. */
static bool has_all_sums(const ls_trainer *t)
{
    return t->task.kind != LS_TASK_CLASSIFICATION || ls_replica_batch(t->replica)->weights != NULL;
}

/* Creates the reducer, or the tuner's candidates, and sets the parameters. Collective. */
static ls_status setup_reducer(ls_trainer *t)
{
    const ls_train_config *c = t->config;
    const ls_layout *layout = ls_network_layout(ls_replica_network(t->replica));
    const ls_step_rows rows = {.mine = ls_loader_step_rows(t->loader),
                               .batch = c->batch,
                               .block = c->block,
                               .all_sums = has_all_sums(t)};
    const bool shard = shards_optimizer(t);
    ls_reduce reduce = c->reproducible ? LS_REDUCE_EXACT : c->reduce;
    const bool checks_first = c->on_nan == LS_ON_NAN_SKIP;
    if (reduce == LS_REDUCE_AUTO && t->progress.ranks == ls_trainer_plan(t)->ranks &&
        ls_reduce_is_candidate(t->progress.reduce) &&
        (!checks_first || ls_reduce_checks_before_update(t->progress.reduce, shard)))
        reduce = t->progress.reduce; /* the choice of the resumed run */
    ls_reducer *reducer = NULL;
    ls_status status = LS_OK;
    if (reduce != LS_REDUCE_AUTO)
        status = ls_reducer_create(&reducer, t->comm, reduce, shard, layout, rows);
    if (status != LS_OK && c->reduce == LS_REDUCE_AUTO && !c->reproducible) {
        ls_trainer_note(t, "--reduce auto had chosen %s, which is not available here: %s",
                        ls_reduce_name(reduce), ls_error_text());
        reduce = LS_REDUCE_AUTO;
    }
    if (reduce == LS_REDUCE_AUTO)
        status = ls_tuner_create(&t->tuner, t->comm, t->topology->nodes, shard, checks_first,
                                 layout, rows, &reducer);
    if (status != LS_OK)
        return status;
    t->reducer = t->tuner == NULL ? reducer : NULL;
    ls_replica_use(t->replica, reducer);
    ls_replica_set_params(t->replica, t->start_params);
    ls_free(t->start_params);
    t->start_params = NULL;
    return LS_OK;
}

/* Describes the model and the data for checkpoints. Local. */
static void describe_model_info(ls_trainer *t)
{
    const ls_train_config *c = t->config;
    const ls_dataset_info *d = ls_trainer_dataset(t);
    const ls_census *census = ls_loader_census(t->loader);
    const ls_text_list *names = ls_loader_class_names(t->loader);
    t->records.info =
        (ls_model_info){.run = t->records.id,
                        .model = (char *)ls_network_model(ls_replica_network(t->replica)),
                        .loss = c->loss,
                        .huber = c->huber,
                        .classes = d->classes,
                        .values = d->values,
                        .class_names = ls_class_names_fit(names) ? *names : (ls_text_list){0},
                        .input = {d->channels, d->height, d->width},
                        .element = d->element,
                        .mean = c->mean,
                        .std = c->std,
                        .standardization = ls_loader_standardization(t->loader),
                        .dataset = (char *)d->name,
                        .fingerprint = census->fingerprint,
                        .validation_fingerprint = census->validation_fingerprint,
                        .knows_validation = census->known,
                        .has_border = census->has_border,
                        .border = census->border,
                        .compute = (char *)ls_compute_version(),
                        .config = t->text};
}

/* Checks the settings, including the rules that depend on the number of ranks. Local. */
static ls_status check_settings(const ls_trainer *t)
{
    const ls_train_config *c = t->config;
    const ls_status status = ls_config_check(c);
    if (status == LS_OK && c->on_nan == LS_ON_NAN_SKIP && c->reduce != LS_REDUCE_AUTO &&
        !ls_reduce_checks_before_update(c->reduce, shards_optimizer(t)))
        return ls_fail(
            LS_ERR_USAGE,
            "--on-nan skip can't be combined with --reduce %s, which updates some parameters "
            "before all gradients are known",
            ls_reduce_name(c->reduce));
    return status;
}

/* Writes the settings as text. Local. */
static ls_status write_settings(ls_trainer *t)
{
    const size_t length = ls_config_text(t->config, NULL, 0);
    ls_free(t->text);
    t->text = ls_alloc((int64_t)length + 1, 1);
    if (t->text == NULL)
        return LS_ERR_FAILURE;
    ls_config_text(t->config, t->text, length + 1);
    return LS_OK;
}

/* Checks that the settings are valid and the same on all ranks. Collective. */
static ls_status agree_on_settings(ls_trainer *t)
{
    ls_status status = ls_agree(t->comm, check_settings(t));
    if (status == LS_OK)
        status = ls_agree(t->comm, write_settings(t));
    return status == LS_OK ? ls_agree_equal(t->comm, t->text, "the configuration") : status;
}

/* Checks the settings and the run folder, before any work is done. Collective. */
static ls_status setup_config(ls_trainer *t)
{
    const ls_status status = agree_on_settings(t);
    return status == LS_OK ? ls_agree_root(t->comm, ls_records_check(t)) : status;
}

/* Finds the ranks' nodes and cores, and checks that matrix products are correct and, with
 * --reproducible, computed by the same kernel on all ranks. Collective. */
static ls_status setup_compute(ls_trainer *t)
{
    const ls_train_config *c = t->config;
    ls_status status =
        ls_topology_create(&t->topology, t->comm, c->reproducible ? 1 : (int)c->threads);
    if (status == LS_OK && c->reproducible)
        status = ls_agree_equal(t->comm, ls_compute_version(),
                                "the BLAS library or its kernel (see OPENBLAS_CORETYPE)");
    if (status != LS_OK)
        return status;
    ls_compute_set_threads(t->topology->mine.threads);
    return ls_agree(t->comm, ls_compute_check());
}

/* Opens the data loader. Collective. */
static ls_status setup_loader(ls_trainer *t)
{
    return ls_loader_open(&t->loader, t->comm, t->config);
}

/* Chooses the loss, now that the targets are known, and the task. The same on all ranks. Local. */
static ls_status choose_loss(ls_trainer *t)
{
    const ls_dataset_info *d = ls_trainer_dataset(t);
    const int64_t values = ls_trainer_dataset(t)->values;
    t->resolved = *t->config;
    t->resolved.loss = ls_loss_choose(t->config->loss, values);
    t->config = &t->resolved;
    const ls_loss loss = t->config->loss;
    t->task = (ls_task){.kind = d->reconstructs ? LS_TASK_REGRESSION : ls_loss_task(loss, values),
                        .outputs = ls_loss_outputs(loss, values, d->classes),
                        .unit = 1};
    ls_status status = ls_loss_check(loss, values, d->classes);
    if (status == LS_OK)
        status = ls_config_check(t->config);
    return status == LS_OK ? write_settings(t) : status;
}

/* Chooses the loss. Collective. */
static ls_status setup_loss(ls_trainer *t)
{
    return ls_agree(t->comm, choose_loss(t));
}

/* Starts the watchdog, after the data are read: the time for that depends on their size.
 * Collective. */
static ls_status setup_watchdog(ls_trainer *t)
{
    if (!(t->config->watchdog > 0) || t->observer->stuck == NULL)
        return LS_OK;
    const ls_status status = ls_watchdog_start(&t->watchdog, t->comm, t->config->watchdog,
                                               t->observer->stuck, t->observer->user);
    if (status == LS_OK && t->rank == 0 && ls_trainer_plan(t)->ranks > 1 &&
        ls_watchdog_error(t->watchdog) != 0)
        ls_trainer_note(t,
                        "no UDP socket (%s): if the job hangs, the watchdog ends it, but can't "
                        "report which rank lags",
                        strerror(ls_watchdog_error(t->watchdog)));
    return status;
}

/* Returns true on rank 0 if the run writes a run folder. Local. */
static bool is_writer(const ls_trainer *t)
{
    return t->rank == 0 && *t->config->run != '\0' && !t->config->dry_run;
}

/* Restores a checkpoint, if --resume is given. The run folder is locked before its newest
 * checkpoint is looked for, so that no other process adds one. Collective. */
static ls_status setup_resume(ls_trainer *t)
{
    const ls_status status =
        ls_agree_root(t->comm, is_writer(t) && t->records.in_place ? ls_records_take(t) : LS_OK);
    if (status != LS_OK)
        return status;
    describe_model_info(t);
    return ls_trainer_resume(t);
}

/* Ends the setup if a signal came on any rank. Collective. */
static ls_status setup_interrupt(ls_trainer *t)
{
    return ls_agree(t->comm, ls_interrupt_poll(0));
}

/* Begins the run folder's records. Collective. */
static ls_status setup_records(ls_trainer *t)
{
    return ls_agree_root(t->comm, is_writer(t) ? ls_records_begin(t) : LS_OK);
}

/* Calls observer->start; on rank 0. Local. */
static void notify_start(const ls_trainer *t)
{
    const ls_train_config *c = t->config;
    const ls_run_info info = {.config = c,
                              .dataset = ls_trainer_dataset(t),
                              .network = ls_replica_network(t->replica),
                              .task = t->task,
                              .topology = t->topology,
                              .steps_per_epoch = ls_trainer_plan(t)->steps,
                              .epochs_done = t->progress.epoch,
                              .steps_done = t->progress.step,
                              .resumed = t->records.resumed,
                              .monitor = ls_monitor_name(t->monitor),
                              .lr = ls_schedule_base(&c->schedule, c->lr, c->batch),
                              .augmented = ls_loader_augments(t->loader),
                              .setup_seconds = ls_now() - t->records.created};
    if (t->observer->start != NULL)
        t->observer->start(t->observer->user, &info);
}

/* Reports classes that can't be learned from the training rows; on rank 0. Local. */
static ls_status report_class_gaps(const ls_trainer *t)
{
    const char *gaps = ls_loader_census(t->loader)->class_gaps;
    if (*gaps == '\0')
        return LS_OK;
    ls_trainer_note(t, "classes: %s", gaps);
    if (t->records.log == NULL)
        return LS_OK;
    return ls_run_log_event(t->records.log, LS_EVENT_CLASSES, t->progress.epoch,
                            json_pack("{s:o}", "text", ls_json_text(gaps)));
}

/* Reports columns that --standardize makes 0; on rank 0. Local. */
static void report_constant_columns(const ls_trainer *t)
{
    const int64_t constant = ls_loader_census(t->loader)->constant_columns;
    if (constant > 0)
        ls_trainer_note(t, "--standardize: %s of equal numbers in all training rows: %s 0",
                        ls_counted(constant, "column").text,
                        constant == 1 ? "it becomes" : "they become");
}

/* Reports that the rows come last in the file; on rank 0. Local. */
static void report_order(const ls_trainer *t)
{
    if (ls_trainer_dataset(t)->column_major && t->config->order == LS_ORDER_AUTO)
        ls_trainer_note(t,
                        "%s is read as column-major, rows last, as MATLAB, R, Julia and Fortran "
                        "write arrays: its datasets agree in the last dimension, not in the "
                        "first (--order)",
                        t->config->data);
}

/* Reports names of classes that checkpoints can't hold; on rank 0. Local. */
static void report_class_names(const ls_trainer *t)
{
    const ls_text_list *names = ls_loader_class_names(t->loader);
    if (!ls_class_names_fit(names))
        ls_trainer_note(t,
                        "the names of the %lld classes are too long for checkpoints: classes "
                        "are numbers there",
                        (long long)names->count);
}

/* Reports the start of the training. Collective. */
static ls_status setup_report(ls_trainer *t)
{
    if (t->rank == 0)
        notify_start(t);
    if (t->rank == 0)
        report_order(t);
    if (t->rank == 0)
        report_constant_columns(t);
    if (t->rank == 0)
        report_class_names(t);
    return ls_agree_root(t->comm, t->rank == 0 ? report_class_gaps(t) : LS_OK);
}

/* Runs the setup; each function is Collective and returns the same status on all ranks. */
static ls_status set_up(ls_trainer *t)
{
    static ls_status (*const steps[])(ls_trainer *) = {
        setup_config,  setup_compute, setup_loader,  setup_loss,      setup_watchdog, setup_monitor,
        setup_replica, setup_resume,  setup_reducer, setup_interrupt, setup_records,  setup_report};
    ls_status status = LS_OK;
    for (size_t i = 0; status == LS_OK && i < sizeof steps / sizeof *steps; i++)
        status = steps[i](t);
    return status;
}

/* Allocates a trainer and stores the arguments. Local. */
static ls_status allocate_trainer(ls_trainer **out, ls_comm *comm, const ls_train_config *config,
                                  const ls_observer *observer)
{
    ls_trainer *t = ls_alloc(1, sizeof *t);
    if (t == NULL)
        return LS_ERR_FAILURE;
    t->comm = comm;
    t->config = config;
    t->observer = observer;
    t->rank = ls_comm_rank(comm);
    t->records.created = t->records.saved = ls_now();
    t->records.resumed = ls_strdup("");
    *out = t;
    return t->records.resumed != NULL ? LS_OK : LS_ERR_FAILURE;
}

ls_status ls_trainer_create(ls_trainer **out, ls_comm *comm, const ls_train_config *config,
                            const ls_observer *observer)
{
    ls_trainer *t = NULL;
    ls_status status = ls_agree(comm, allocate_trainer(&t, comm, config, observer));
    if (status == LS_OK) {
        ls_trainer_limit_time(t, 0);
        status = set_up(t);
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
    return ls_replica_current_params(trainer->replica);
}

const ls_network *ls_trainer_network(const ls_trainer *trainer)
{
    return ls_replica_network(trainer->replica);
}

void ls_trainer_destroy(ls_trainer **trainer)
{
    if (trainer == NULL || *trainer == NULL)
        return;
    ls_trainer *t = *trainer;
    ls_watchdog_stop(&t->watchdog);
    ls_standby_destroy(&t->records.standby);
    ls_interrupt_at(INFINITY);
    ls_records_close(t);
    ls_loader_destroy(&t->loader);
    ls_replica_destroy(&t->replica);
    ls_tuner_destroy(&t->tuner);
    ls_reducer_destroy(&t->reducer);
    ls_health_destroy(&t->health);
    ls_topology_destroy(&t->topology);
    ls_free(t->text);
    ls_free(t->start_params);
    ls_free(t->best.params);
    ls_free(t->history);
    ls_free(t);
    *trainer = NULL;
}
