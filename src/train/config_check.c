/* Rules that combine several settings. The range of each setting is in the table. */
#include <lockstep/config.h>
#include <lockstep/comm.h>
#include <lockstep/settings.h>

#include <math.h>
#include <string.h>

#include "nn/schedule.h"
#include "nn/optimizer.h"
#include "run/run_log.h"
#include "train/reading.h"
#include "train/statistics.h"
#include "train/weighting.h"

static ls_status check_ranges(const ls_train_config *config)
{
    int count;
    const ls_setting *rows = ls_settings(&count);
    ls_status status = LS_OK;
    for (int i = 0; status == LS_OK && i < count; i++)
        status = ls_setting_check(&rows[i], config);
    return status;
}

static ls_status check_reproducible(const ls_train_config *c)
{
    if (!c->reproducible)
        return c->reduce == LS_REDUCE_EXACT
                   ? ls_fail(LS_ERR_USAGE, "--reduce exact is part of --reproducible: give that")
                   : LS_OK;
    if (c->reduce != LS_REDUCE_AUTO && c->reduce != LS_REDUCE_EXACT)
        return ls_fail(LS_ERR_USAGE, "--reproducible has its own reduction: leave --reduce %s out",
                       ls_reduce_name(c->reduce));
    if (c->shuffle == LS_SHUFFLE_LOCAL)
        return ls_fail(LS_ERR_USAGE, "--reproducible excludes --shuffle local, with which the "
                                     "samples of a step depend on the number of ranks");
    if (c->shard_optimizer)
        return ls_fail(LS_ERR_USAGE, "--reproducible can't be combined with --shard-optimizer");
    if (c->threads > 1)
        return ls_fail(LS_ERR_USAGE,
                       "--reproducible needs one BLAS thread per rank, not --threads %lld: how a "
                       "product is split between threads changes its last bits",
                       (long long)c->threads);
    return LS_OK;
}

/* Refuses settings that other ones make useless, unless they have their defaults, as in a run's
 * config.conf. */
static ls_status check_useless(const ls_train_config *c)
{
    ls_train_config initial;
    ls_config_default(&initial);
    const bool fold = *c->fold != '\0', split = *c->split != '\0';
    if ((fold || split) && c->validation != initial.validation)
        return ls_fail(LS_ERR_USAGE, "--%s chooses the validation rows: leave --validation out",
                       fold ? "fold" : "split");
    if (!c->stream && c->memory != initial.memory)
        return ls_fail(LS_ERR_USAGE,
                       "--memory is for --stream: without it a rank's rows are all in memory: give "
                       "--stream, or leave --memory out");
    return LS_OK;
}

/* Refuses settings of the group that a setting is in.
 * objective  what they are for */
static ls_status refuse_group(const ls_train_config *c, const char *member, const char *objective)
{
    const char *group = ls_setting_find(member, strlen(member))->group;
    ls_train_config initial;
    char given[256], usual[256];
    int count;
    const ls_setting *rows = ls_settings(&count);
    ls_config_default(&initial);
    for (int i = 0; i < count; i++) {
        if (rows[i].group != group)
            continue;
        ls_setting_format(&rows[i], c, given, sizeof given);
        ls_setting_format(&rows[i], &initial, usual, sizeof usual);
        if (strcmp(given, usual) != 0)
            return ls_fail(LS_ERR_USAGE, "--%s is for --objective %s: give that, or leave it out",
                           rows[i].name, objective);
    }
    return LS_OK;
}

static ls_status check_supervised(const ls_train_config *c)
{
    const ls_status status = refuse_group(c, "generator", "gan");
    return status == LS_OK ? refuse_group(c, "score", "gan or vae") : status;
}

/* Checks the settings of a variational autoencoder, whose network is checked when it is created. */
static ls_status check_vae(const ls_train_config *c)
{
    if (*c->targets != '\0' && strcmp(c->targets, "inputs") != 0)
        return ls_fail(LS_ERR_USAGE,
                       "--objective vae: the targets are the inputs: leave --targets out");
    return refuse_group(c, "generator", "gan");
}

/* Checks the settings of a GAN. */
static ls_status check_gan(const ls_train_config *c)
{
    ls_train_config initial;
    ls_config_default(&initial);
    if (*c->generator == '\0')
        return ls_fail(LS_ERR_USAGE, "--objective gan needs --generator: layers, or gan or dcgan");
    if (strcmp(c->model, initial.model) != 0)
        return ls_fail(LS_ERR_USAGE, "--objective gan has two networks: give --generator and "
                                     "--discriminator instead of --model");
    if (c->loss != initial.loss)
        return ls_fail(LS_ERR_USAGE, "--objective gan: give --adversarial-loss instead of --loss");
    if (*c->weights != '\0' || strcmp(c->class_weights, initial.class_weights) != 0)
        return ls_fail(LS_ERR_USAGE, "--objective gan: all rows weigh the same: leave %s out",
                       *c->weights != '\0' ? "--weights" : "--class-weights");
    if (strcmp(c->targets, "inputs") == 0)
        return ls_fail(LS_ERR_USAGE, "--objective gan reconstructs no rows: leave --targets inputs "
                                     "out");
    if (c->label_smoothing > 0 && c->adversarial_loss != LS_NON_SATURATING &&
        c->adversarial_loss != LS_SATURATING)
        return ls_fail(LS_ERR_USAGE, "--label-smoothing needs --adversarial-loss non-saturating or "
                                     "saturating");
    if (strcmp(c->corrupt, initial.corrupt) != 0)
        return ls_fail(LS_ERR_USAGE, "--objective gan: no network of a GAN learns to undo "
                                     "--corrupt: leave it out, or begin --discriminator with a "
                                     "layer noise:S");
    if (strcmp(c->standardize, initial.standardize) != 0 || c->standardize_targets)
        return ls_fail(LS_ERR_USAGE, "--objective gan: give --normalize instead of %s",
                       c->standardize_targets ? "--standardize-targets" : "--standardize");
    return LS_OK;
}

static ls_status check_stream(const ls_train_config *c)
{
    if (c->stream && c->shuffle != LS_SHUFFLE_LOCAL)
        return ls_fail(LS_ERR_USAGE,
                       "--stream shuffles within each rank's shard: give --shuffle local");
    if (c->stream && c->read != LS_READ_EACH)
        return ls_fail(LS_ERR_USAGE,
                       "--stream: each rank reads its own rows during training: leave --read out");
    return LS_OK;
}

static ls_status check_standardization(const ls_train_config *c)
{
    if (strcmp(c->standardize, "none") != 0 && (c->mean != 0 || c->std != 1))
        return ls_fail(LS_ERR_USAGE, "--standardize replaces --normalize: leave one of them out");
    if (c->standardize_targets && c->loss == LS_BCE)
        return ls_fail(LS_ERR_USAGE,
                       "--standardize-targets: the targets of --loss bce are 0 or 1: leave it out");
    return ls_statistics_check(c->standardize);
}

/* Checks the settings of an autoencoder. */
static ls_status check_reconstruction(const ls_train_config *c)
{
    const ls_dataset_options options = ls_reading_options(c);
    if (!ls_dataset_targets_are_inputs(&options))
        return LS_OK;
    if (c->standardize_targets)
        return ls_fail(LS_ERR_USAGE, "--targets inputs: the targets are standardised as the inputs "
                                     "are: leave --standardize-targets out");
    if (c->loss == LS_BCE && strcmp(c->standardize, "none") != 0)
        return ls_fail(LS_ERR_USAGE, "--loss bce needs inputs from 0 to 1, which standardised ones "
                                     "are not: give --normalize, or --loss mse");
    return LS_OK;
}

static ls_status check_tensorboard(const ls_train_config *c)
{
    if (!c->tensorboard)
        return LS_OK;
    return *c->run == '\0' ? ls_fail(LS_ERR_USAGE,
                                     "--tensorboard needs --run, where the event files are written")
                           : ls_run_log_check_tensorboard();
}

static ls_status check_rate(const ls_train_config *c)
{
    const double rate = ls_schedule_base(&c->schedule, c->lr, c->batch);
    if (!isfinite(rate))
        return ls_fail(LS_ERR_USAGE, "--scale-lr changes --lr %g to %g", c->lr, rate);
    return ls_schedule_check(&c->schedule, c->epochs);
}

/* Checks the texts about the data set. */
static ls_status check_data(const ls_train_config *c)
{
    const ls_dataset_options options = ls_reading_options(c);
    if (c->objective != LS_GAN && ls_dataset_targets_are_none(&options))
        return ls_fail(LS_ERR_USAGE,
                       "--targets none is for predict: there is nothing to train for");
    const ls_status status = ls_dataset_check_options(&options);
    return status == LS_OK ? ls_class_weights_check(c->class_weights) : status;
}

ls_status ls_config_check(const ls_train_config *c)
{
    ls_status status = check_ranges(c);
    if (status == LS_OK)
        status = check_data(c);
    if (status == LS_OK)
        status = c->objective == LS_GAN   ? check_gan(c)
                 : c->objective == LS_VAE ? check_vae(c)
                                          : check_supervised(c);
    if (status == LS_OK && c->objective != LS_GAN && c->label_smoothing > 0 &&
        c->loss != LS_CROSS_ENTROPY && c->loss != LS_LOSS_AUTO)
        status = ls_fail(LS_ERR_USAGE, "--label-smoothing needs --loss cross-entropy");
    if (status == LS_OK && c->on_nan == LS_ON_NAN_ROLLBACK && *c->run == '\0')
        status = ls_fail(LS_ERR_USAGE, "--on-nan rollback needs --run, for checkpoints");
    if (status == LS_OK)
        status = check_standardization(c);
    if (status == LS_OK)
        status = check_reconstruction(c);
    if (status == LS_OK)
        status = check_useless(c);
    if (status == LS_OK)
        status = check_stream(c);
    if (status == LS_OK)
        status = check_tensorboard(c);
    if (status == LS_OK)
        status = check_rate(c);
    if (status == LS_OK)
        status = ls_optimizer_check(&c->optimizer);
    return status == LS_OK ? check_reproducible(c) : status;
}
