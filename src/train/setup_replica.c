/* Creates a rank's replica: its network, optimizer and batch, its first parameters, its reducer. */
#include "train/setup.h"

#include "parallel/collectives.h"
#include "nn/pass.h"
#include "nn/vocabulary.h"
#include "train/evaluate.h"
#include "train/reconstruction.h"

#include "base/memory.h"
#include "base/text.h"

/* Returns the most rows of a pass. Local. */
static int64_t pass_capacity(const ls_trainer *t)
{
    const int64_t step = ls_loader_step_rows(t->loader);
    return step > LS_EVALUATION_ROWS ? step : LS_EVALUATION_ROWS;
}

/* Returns a bound of the weight of a step's rows, at least their number; by step of all their
 * steps. Local. */
static double most_weight(const ls_trainer *t)
{
    const int64_t rows = t->config->batch + t->config->block;
    return (double)rows * ls_loader_weight_bound(t->loader, rows);
}

/* Checks that a network fits the data set's targets and lengths. Local. */
static ls_status check_sequences(const ls_network *network, const ls_dataset_info *d)
{
    ls_status status = d->reconstructs ? ls_reconstruction_check_network(network)
                                       : ls_network_check_targets(network, d->values);
    if (status == LS_OK && d->ragged)
        status = ls_network_check_lengths(network, ls_dataset_steps(d));
    return status;
}

/* Creates this rank's network, optimizer and batch. Local. */
static ls_status create_replica(ls_trainer *t)
{
    const ls_train_config *c = t->config;
    const ls_dataset_info *d = ls_trainer_dataset(t);
    char *model = ls_model_complete(c->model, ls_trainer_model_data(t));
    if (model == NULL)
        return LS_ERR_FAILURE;
    const ls_replica_config config = {.model = model,
                                      .input = {d->channels, d->height, d->width},
                                      .outputs = t->task.outputs,
                                      .values = ls_trainer_dataset(t)->values,
                                      .loss = c->loss,
                                      .huber = c->huber,
                                      .optimizer = c->optimizer,
                                      .label_smoothing = c->label_smoothing,
                                      .rows = pass_capacity(t)};
    const ls_status status = ls_replica_create(&t->replica, t->comm, &config);
    ls_free(model);
    if (status != LS_OK)
        return status;
    ls_batch *batch = ls_replica_batch(t->replica);
    if ((ls_loader_weighs(t->loader) && ls_batch_add_weights(batch) != LS_OK) ||
        (d->ragged && ls_batch_add_lengths(batch) != LS_OK))
        return LS_ERR_FAILURE;
    ls_network *network = ls_replica_network(t->replica);
    const ls_status fits = check_sequences(network, d);
    if (fits != LS_OK)
        return fits;
    const ls_columns *targets = &ls_loader_standardization(t->loader)->targets;
    if (d->values > 0 && targets->count == d->values &&
        ls_network_set_target_scale(network, targets->std) != LS_OK)
        return LS_ERR_FAILURE;
    if (d->reconstructs)
        ls_network_set_reconstructs(network);
    const int least = ls_network_least_batch(network);
    if (c->batch < least)
        return ls_fail(LS_ERR_USAGE,
                       "--batch %lld: batchnorm needs the statistics of %d rows or more",
                       (long long)c->batch, least);
    t->task = ls_network_task(network, d->values);
    ls_loader_set_channels_last(t->loader, ls_network_channels_last(network));
    if (c->reproducible)
        ls_replica_set_micro_batch(t->replica, c->block, most_weight(t));
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

ls_status ls_setup_replica(ls_trainer *t)
{
    ls_status status = create_replica(t);
    if (status == LS_OK)
        status = initialise_params(t);
    return ls_agree(t->comm, status);
}

/* Returns which sums the control word needs. The same on all ranks. Local. */
static ls_control_sums control_sums(const ls_trainer *t)
{
    if (t->task.kind == LS_TASK_STEPS)
        return LS_CONTROL_OF_STEPS;
    return t->task.kind == LS_TASK_CLASSIFICATION && ls_replica_batch(t->replica)->weights == NULL
               ? LS_CONTROL_OF_CLASSES
               : LS_CONTROL_OF_ROWS;
}

ls_status ls_setup_reducer(ls_trainer *t)
{
    const ls_train_config *c = t->config;
    const ls_layout *layout = ls_network_layout(ls_replica_network(t->replica));
    const ls_step_rows rows = {.mine = ls_loader_step_rows(t->loader),
                               .batch = c->batch,
                               .block = c->block,
                               .weight = ls_loader_weight_bound(t->loader, c->block),
                               .sums = control_sums(t)};
    const bool shard = ls_setup_shards(t);
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
