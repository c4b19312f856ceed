/* The networks of a GAN, and the description of its model. */
#include "train/adversarial_state.h"

#include "base/memory.h"
#include "nn/gan_preset.h"
#include "train/reconstruction.h"
#include "train/rows.h"
#include "train/replica_state.h"

#include <lockstep/compute.h>

#include <string.h>

/* Returns the function at the end of a preset generator, whose range is that of the rows: bytes, as
 * --normalize makes them. */
static const char *range_of_rows(const ls_trainer *t)
{
    const double least = (0 - t->config->mean) / t->config->std;
    const double most = (1 - t->config->mean) / t->config->std;
    const bool bytes = ls_trainer_dataset(t)->element == LS_U8;
    return bytes && least == 0 && most == 1    ? "sigmoid"
           : bytes && least == -1 && most == 1 ? "tanh"
                                               : "";
}

/* Returns the latest error, of a model string, with the name of its option. Local. */
static ls_status name_option(const char *option)
{
    static const char usual[] = "--model";
    const char *text = ls_error_text();
    const bool named = strncmp(text, usual, sizeof usual - 1) == 0;
    return ls_fail(LS_ERR_USAGE, "%s%s%s", option, named ? "" : ": ",
                   named ? text + sizeof usual - 1 : text);
}

/* Creates a replica of one of the networks. Local.
 * model  its layers or the name of a preset */
static ls_status create_player(ls_trainer *t, ls_player player, const char *model,
                               ls_replica_config config)
{
    const ls_train_config *c = t->config;
    const ls_dataset_info *d = ls_trainer_dataset(t);
    const ls_gan_data data = {.picture = {d->channels, d->height, d->width},
                              .judgements = 1 + (c->conditional ? d->classes : 0),
                              .range = range_of_rows(t)};
    char *layers = NULL;
    ls_status status = ls_gan_expand(&layers, model, player == LS_DISCRIMINATOR, &data);
    config.model = layers;
    if (status == LS_OK)
        status = ls_replica_create(&t->learner[player].replica, t->comm, &config);
    if (status == LS_ERR_USAGE)
        status = name_option(player == LS_DISCRIMINATOR ? "--discriminator" : "--generator");
    ls_free(layers);
    return status;
}

/* Checks that the generator makes rows of the data set's shape, in the order that the discriminator
 * reads. Local. */
static ls_status check_rows(const ls_trainer *t)
{
    const ls_network *network = ls_replica_network(t->learner[LS_MODEL].replica);
    const ls_dataset_info *d = ls_trainer_dataset(t);
    const ls_layer_info last = ls_network_layer(network, ls_network_layers(network) - 1);
    const bool same = last.out.channels == d->channels && last.out.height == d->height &&
                      last.out.width == d->width;
    if (same || d->channels == 1 || d->height * d->width == 1)
        return LS_OK;
    return ls_fail(LS_ERR_USAGE,
                   "--generator: the rows of the data set are %lldx%lldx%lld, the last layer '%s' "
                   "makes %lldx%lldx%lld: end with reshape:%lldx%lldx%lld",
                   (long long)d->channels, (long long)d->height, (long long)d->width, last.word,
                   (long long)last.out.channels, (long long)last.out.height,
                   (long long)last.out.width, (long long)d->channels, (long long)d->height,
                   (long long)d->width);
}

/* Creates the generator and the discriminator. Local. */
static ls_status create_players(ls_trainer *t, int64_t rows, int classes)
{
    const ls_train_config *c = t->config;
    const ls_dataset_info *d = ls_trainer_dataset(t);
    const ls_shape picture = {d->channels, d->height, d->width};
    ls_replica_config config = {.input = {c->latent + classes, 1, 1},
                                .outputs = (int)ls_shape_size(picture),
                                .loss = LS_MSE,
                                .optimizer = c->optimizer,
                                .rows = rows};
    ls_status status = create_player(t, LS_MODEL, c->generator, config);
    config.input = picture;
    config.outputs = 1 + classes;
    config.values = d->values;
    config.loss = LS_BCE;
    config.optimizer.ema = 0;
    const char *discriminator = *c->discriminator != '\0' ? c->discriminator : c->generator;
    if (status == LS_OK)
        status = create_player(t, LS_DISCRIMINATOR, discriminator, config);
    return status == LS_OK ? check_rows(t) : status;
}

/* Checks the settings that depend on the data set. Local. */
static ls_status check_data(const ls_trainer *t)
{
    const ls_train_config *c = t->config;
    const ls_dataset_info *d = ls_trainer_dataset(t);
    if (c->conditional && (d->classes == 0 || d->values > 0))
        return ls_fail(LS_ERR_USAGE, "--conditional needs classes as targets: those of %s are %s",
                       c->data, d->values > 0 ? "values" : "none");
    if (*c->discriminator == '\0' && !ls_gan_is_preset(c->generator))
        return ls_fail(LS_ERR_USAGE,
                       "--objective gan needs --discriminator: layers, or gan or dcgan");
    if (d->ragged || d->vocabulary > 0)
        return ls_fail(LS_ERR_USAGE,
                       "--objective gan: the rows of %s are sequences of %s, which "
                       "no generator makes: give rows of numbers",
                       c->data, d->ragged ? "different lengths" : "tokens");
    return LS_OK;
}

/* Allocates what the steps need beside the replicas. Local. */
static ls_status create_judge(ls_adversarial *a, int64_t rows)
{
    const ls_network *network = a->discriminator->network;
    const int64_t picture = ls_shape_size(ls_network_input(network));
    const ls_status status =
        ls_network_create(&a->judge, ls_network_model(network), ls_network_input(network),
                          ls_network_outputs(network), LS_BCE, rows);
    a->dx = ls_alloc(rows * picture, sizeof *a->dx);
    a->earlier = ls_alloc(ls_network_size(network), sizeof *a->earlier);
    return status == LS_OK && (a->dx == NULL || a->earlier == NULL) ? LS_ERR_FAILURE : status;
}

/* Creates the sampler, whose generator is the model. Local. */
static ls_status create_sampler(ls_trainer *t)
{
    const ls_adversarial *a = t->adversarial;
    const ls_status status = ls_sampler_create(t, &a->units.targets);
    if (status != LS_OK)
        return status;
    t->sampler->generator.network = ls_replica_network(a->generator);
    t->sampler->generator.batch = ls_replica_batch(a->generator);
    t->sampler->generator.classes = a->of_data.classes;
    return LS_OK;
}

ls_status ls_adversarial_create(ls_trainer *t, int64_t rows)
{
    const ls_train_config *c = t->config;
    const int classes = c->conditional ? ls_trainer_dataset(t)->classes : 0;
    ls_adversarial *a = t->adversarial = ls_alloc(1, sizeof *a);
    ls_status status = a != NULL ? check_data(t) : LS_ERR_FAILURE;
    if (status == LS_OK)
        status = create_players(t, rows, classes);
    if (status != LS_OK)
        return status;
    t->players = LS_PLAYERS;
    a->generator = t->learner[LS_MODEL].replica;
    a->discriminator = t->learner[LS_DISCRIMINATOR].replica;
    a->of_data =
        (ls_adversarial_terms){c->adversarial_loss, LS_SIDE_DATA, classes, c->label_smoothing};
    a->of_generated = a->of_generator = a->of_data;
    a->of_generated.side = LS_SIDE_GENERATED;
    a->of_generator.side = LS_SIDE_GENERATOR;
    status = create_judge(a, rows);
    if (status == LS_OK)
        status = ls_reconstruction_columns(&a->units.targets, ls_trainer_dataset(t), c->mean,
                                           c->std, &a->units.inputs);
    return status == LS_OK ? create_sampler(t) : status;
}

void ls_adversarial_describe(const ls_trainer *t, ls_model_info *info)
{
    const ls_adversarial *a = t->adversarial;
    const ls_dataset_info *d = ls_trainer_dataset(t);
    const ls_census *census = ls_loader_census(t->loader);
    *info = (ls_model_info){.model = (char *)ls_network_model(ls_replica_network(a->generator)),
                            .loss = LS_MSE,
                            .huber = 1,
                            .values = (int)d->features,
                            .input = ls_network_input(ls_replica_network(a->generator)),
                            .generates = true,
                            .discriminator =
                                (char *)ls_network_model(ls_replica_network(a->discriminator)),
                            .picture = {d->channels, d->height, d->width},
                            .picture_element = d->element,
                            .conditions = a->of_data.classes,
                            .element = LS_F32,
                            .std = 1,
                            .standardization = &a->units,
                            .dataset = (char *)d->name,
                            .fingerprint = census->fingerprint,
                            .validation_fingerprint = census->validation_fingerprint,
                            .knows_validation = census->known,
                            .compute = (char *)ls_compute_version(),
                            .config = t->text};
}

void ls_adversarial_destroy(ls_adversarial **adversarial)
{
    if (adversarial == NULL || *adversarial == NULL)
        return;
    ls_network_destroy(&(*adversarial)->judge);
    ls_standardization_destroy(&(*adversarial)->units);
    ls_free((*adversarial)->dx);
    ls_free((*adversarial)->earlier);
    ls_free(*adversarial);
    *adversarial = NULL;
}
