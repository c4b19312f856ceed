/* Creates a rank's replica: its network, optimizer and batch, its first parameters, its reducer. */
#include "train/setup.h"

#include "parallel/collectives.h"
#include "nn/pass.h"
#include "nn/vocabulary.h"
#include "train/evaluate.h"
#include "train/adversarial.h"
#include "train/reconstruction.h"
#include "train/sampler.h"

#include "base/memory.h"
#include "base/rng.h"
#include "base/text.h"

/* Returns the most rows of a pass. Local. */
static int64_t pass_capacity(const ls_trainer *t)
{
    const int64_t step = ls_loader_step_rows(t->loader);
    return step > LS_EVALUATION_ROWS ? step : LS_EVALUATION_ROWS;
}

/* Returns the passes over as many rows in a step of a network: the discriminator's are over rows of
 * the data and generated ones. */
static int passes(ls_player player)
{
    return player == LS_DISCRIMINATOR ? 2 : 1;
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

/* Prepares the model's replica for the rows of the data set. Local. */
static ls_status fit_to_rows(ls_trainer *t)
{
    const ls_dataset_info *d = ls_trainer_dataset(t);
    ls_batch *batch = ls_replica_batch(ls_trainer_replica(t));
    ls_network *network = ls_replica_network(ls_trainer_replica(t));
    if ((ls_loader_weighs(t->loader) && ls_batch_add_weights(batch) != LS_OK) ||
        (d->ragged && ls_batch_add_lengths(batch) != LS_OK))
        return LS_ERR_FAILURE;
    const ls_status fits = check_sequences(network, d);
    if (fits != LS_OK)
        return fits;
    const ls_columns *targets = &ls_loader_standardization(t->loader)->targets;
    if (d->values > 0 && targets->count == d->values &&
        ls_network_set_target_scale(network, targets->std) != LS_OK)
        return LS_ERR_FAILURE;
    if (d->reconstructs)
        ls_network_set_reconstructs(network);
    t->task = ls_network_task(network, d->values);
    return LS_OK;
}

/* Creates the replica of a supervised training. Local. */
static ls_status create_supervised(ls_trainer *t)
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
    const ls_status status = ls_replica_create(&t->learner[LS_MODEL].replica, t->comm, &config);
    ls_free(model);
    t->players = status == LS_OK ? 1 : 0;
    return status == LS_OK ? fit_to_rows(t) : status;
}

/* Checks that a network has latent variables if it is to be a variational autoencoder, and none
 * otherwise. Local. */
static ls_status check_latent(const ls_trainer *t, const ls_network *network)
{
    const bool wanted = t->config->objective == LS_VAE;
    if ((ls_network_latent(network) > 0) == wanted)
        return LS_OK;
    return wanted ? ls_fail(LS_ERR_USAGE,
                            "--objective vae: no layer of --model makes latent variables: give "
                            "--model vae, or a layer gaussian between encoder and decoder, as "
                            "\"dense:400 relu dense:40 gaussian dense:400 relu dense:%lld\"",
                            (long long)ls_trainer_dataset(t)->features)
                  : ls_fail(LS_ERR_USAGE, "the layer gaussian needs --objective vae");
}

/* Checks that --batch has enough rows for the batch statistics of a network. Local. */
static ls_status check_batch(const ls_trainer *t, const ls_network *network)
{
    const int least = ls_network_least_batch(network);
    return t->config->batch >= least
               ? LS_OK
               : ls_fail(LS_ERR_USAGE,
                         "--batch %lld: batchnorm needs the statistics of %d rows or more",
                         (long long)t->config->batch, least);
}

/* Returns true if the rows of batches are [height][width][channels]: those of a GAN always, as the
 * pictures that layers make. Local. */
static bool reads_channels_last(const ls_trainer *t, const ls_network *network)
{
    return t->adversarial != NULL ? ls_trainer_dataset(t)->channels > 1
                                  : ls_network_channels_last(network);
}

/* Creates this rank's replicas. Local. */
static ls_status create_replicas(ls_trainer *t)
{
    bool channels_last = false;
    ls_status status = t->config->objective == LS_GAN ? ls_adversarial_create(t, pass_capacity(t))
                                                      : create_supervised(t);
    for (int p = 0; status == LS_OK && p < t->players; p++) {
        const ls_network *network = ls_replica_network(t->learner[p].replica);
        status = check_latent(t, network);
        if (status == LS_OK)
            status = check_batch(t, network);
        channels_last = channels_last || reads_channels_last(t, network);
        if (t->config->reproducible)
            ls_replica_set_micro_batch(t->learner[p].replica, t->config->block,
                                       passes((ls_player)p) * most_weight(t));
    }
    ls_loader_set_channels_last(t->loader, channels_last);
    return status == LS_OK && t->task.variational ? ls_sampler_create_decoder(t) : status;
}

/* Initialises the parameters of a network. Local. */
static void initialise_params(const ls_trainer *t, int player)
{
    const ls_learner *l = &t->learner[player];
    const uint64_t seed = t->config->seed;
    ls_network_initialise(ls_replica_network(l->replica),
                          player == LS_MODEL ? seed : ls_rng_at(seed, (uint64_t)player),
                          l->start_params);
    ls_optimizer_start(ls_replica_optimizer(l->replica), l->start_params);
}

/* Estimates the time to save a checkpoint, until one is written: parameters and slots to a slow
 * disk, 50 MB/s. Local. */
static double estimate_save(const ls_trainer *t)
{
    double floats = 0;
    for (int p = 0; p < t->players; p++)
        floats += (double)ls_replica_size(t->learner[p].replica) *
                  (1 + ls_optimizer_slots(ls_replica_optimizer(t->learner[p].replica)));
    return 0.5 + floats * sizeof(float) / 50e6;
}

/* Allocates parameters and history, and initialises the parameters. Local. */
static ls_status initialise(ls_trainer *t)
{
    const ls_train_config *c = t->config;
    ls_status status = ls_trainer_take_start(t);
    t->best.params =
        c->restore_best ? ls_alloc(ls_replica_size(ls_trainer_replica(t)), sizeof(float)) : NULL;
    t->history = ls_alloc(c->epochs, sizeof *t->history);
    if (status != LS_OK || t->history == NULL || (c->restore_best && t->best.params == NULL))
        return LS_ERR_FAILURE;
    for (int p = 0; p < t->players; p++)
        initialise_params(t, p);
    t->records.save_seconds = estimate_save(t);
    return ls_health_create(&t->health, ls_trainer_plan(t)->ranks);
}

ls_status ls_setup_replica(ls_trainer *t)
{
    ls_status status = create_replicas(t);
    if (status == LS_OK)
        status = initialise(t);
    return ls_agree(t->comm, status);
}

/* Returns which sums the control word needs. The same on all ranks. Local. */
static ls_control_sums control_sums(const ls_trainer *t)
{
    if (t->task.kind == LS_TASK_STEPS)
        return LS_CONTROL_OF_STEPS;
    if (t->task.variational)
        return LS_CONTROL_OF_LATENT;
    return t->task.kind == LS_TASK_CLASSIFICATION && !ls_loader_weighs(t->loader)
               ? LS_CONTROL_OF_CLASSES
               : LS_CONTROL_OF_ROWS;
}

/* Returns the reducer to begin with: the setting, or the choice of the resumed run where it can be
 * kept. The same on all ranks. Local. */
static ls_reduce first_reduce(const ls_trainer *t, bool shard)
{
    const ls_train_config *c = t->config;
    const ls_reduce chosen = t->progress.reduce;
    if (c->reproducible)
        return LS_REDUCE_EXACT;
    return c->reduce == LS_REDUCE_AUTO && t->progress.ranks == ls_trainer_plan(t)->ranks &&
                   ls_reduce_is_candidate(chosen) &&
                   (c->on_nan != LS_ON_NAN_SKIP || ls_reduce_checks_before_update(chosen, shard))
               ? chosen
               : c->reduce;
}

/* Creates the reducer of a network, or those that --reduce auto tries. Collective. */
static ls_status create_reducer(ls_trainer *t, ls_player player)
{
    const ls_train_config *c = t->config;
    ls_learner *l = &t->learner[player];
    const ls_layout *layout = ls_network_layout(ls_replica_network(l->replica));
    const ls_step_rows rows = {.mine = ls_loader_step_rows(t->loader),
                               .batch = passes(player) * c->batch,
                               .block = c->block,
                               .weight = ls_loader_weight_bound(t->loader, c->block),
                               .sums = control_sums(t),
                               .passes = passes(player)};
    const bool shard = ls_setup_shards(t);
    ls_reduce reduce = first_reduce(t, shard);
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
        status = ls_tuner_create(&l->tuner, t->comm, t->topology->nodes, shard,
                                 c->on_nan == LS_ON_NAN_SKIP, layout, rows, &reducer);
    if (status != LS_OK)
        return status;
    l->reducer = l->tuner == NULL ? reducer : NULL;
    ls_replica_use(l->replica, reducer);
    ls_replica_set_params(l->replica, l->start_params);
    return LS_OK;
}

ls_status ls_setup_reducer(ls_trainer *t)
{
    ls_status status = LS_OK;
    for (int p = 0; status == LS_OK && p < t->players; p++)
        status = create_reducer(t, (ls_player)p);
    if (status == LS_OK)
        ls_trainer_drop_start(t);
    return status;
}
