/* Resolves the settings: checks them, chooses the loss by the targets, and the monitor by the
 * task. */
#include "train/setup.h"

#include "parallel/collectives.h"
#include "base/memory.h"

#include <lockstep/settings.h>

#include <string.h>

/* Checks the settings, including the rules that depend on the number of ranks. Local. */
static ls_status check_settings(const ls_trainer *t)
{
    const ls_train_config *c = t->config;
    const ls_status status = ls_config_check(c);
    if (status == LS_OK && c->on_nan == LS_ON_NAN_SKIP && c->reduce != LS_REDUCE_AUTO &&
        !ls_reduce_checks_before_update(c->reduce, ls_setup_shards(t)))
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

ls_status ls_setup_settings(ls_trainer *t)
{
    const ls_status status = agree_on_settings(t);
    return status == LS_OK ? ls_agree_root(t->comm, ls_records_check(t)) : status;
}

/* Returns the loss for the data set's targets; of a variational autoencoder cross-entropy where the
 * inputs are bytes as numbers from 0 to 1. */
static ls_loss loss_of_targets(const ls_trainer *t)
{
    const ls_train_config *c = t->config;
    const ls_dataset_info *d = ls_trainer_dataset(t);
    const bool fractions =
        d->element == LS_U8 && c->mean == 0 && c->std == 1 && strcmp(c->standardize, "none") == 0;
    const bool binary = c->objective == LS_VAE && c->loss == LS_LOSS_AUTO && fractions;
    return binary ? LS_BCE : ls_loss_choose(c->loss, d->values, d->classes);
}

/* Returns the monitor of a configuration. The losses of a GAN say nothing of its rows. Local. */
static ls_monitor choose_monitor(const ls_train_config *c)
{
    if (c->monitor != LS_MONITOR_AUTO)
        return c->monitor;
    if (c->objective != LS_GAN)
        return LS_MONITOR_VAL_LOSS;
    return *c->score != '\0' ? LS_MONITOR_VAL_SCORE : LS_MONITOR_EPOCH;
}

/* Chooses the loss, the monitor and the order, now that the data are known, and the task. The same
 * on all ranks. Local. */
static ls_status choose_loss(ls_trainer *t)
{
    const ls_dataset_info *d = ls_trainer_dataset(t);
    const int64_t values = ls_trainer_dataset(t)->values;
    t->resolved = *t->config;
    t->resolved.loss = loss_of_targets(t);
    t->resolved.monitor = choose_monitor(t->config);
    if (d->column_major)
        t->resolved.order = LS_ORDER_COLUMN_MAJOR;
    t->config = &t->resolved;
    const ls_loss loss = t->config->loss;
    if (t->config->objective == LS_GAN) {
        t->resolved.loss = t->given->loss;
        t->task = (ls_task){.kind = LS_TASK_GENERATION, .outputs = 1, .unit = 1};
        return write_settings(t);
    }
    if (!ls_dataset_has_targets(d) && !d->reconstructs)
        return ls_fail(
            LS_ERR_DATA,
            "%s: has no dataset '/train/labels' or '/train/targets': there is nothing to "
            "train for; --targets inputs trains an autoencoder, --objective vae a variational one, "
            "--objective gan a GAN",
            t->config->data);
    t->task = (ls_task){.kind = d->reconstructs ? LS_TASK_REGRESSION : ls_loss_task(loss, values),
                        .outputs = ls_loss_outputs(loss, values, d->classes),
                        .unit = 1,
                        .variational = t->config->objective == LS_VAE};
    ls_status status = ls_loss_check(loss, values, d->classes);
    if (status == LS_OK)
        status = ls_config_check(t->config);
    return status == LS_OK ? write_settings(t) : status;
}

ls_status ls_setup_loss(ls_trainer *t)
{
    return ls_agree(t->comm, choose_loss(t));
}
