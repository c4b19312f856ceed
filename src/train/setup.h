/* Steps of a trainer's setup, in the order in which setup.c runs them. Every step returns the same
 * status on all ranks. */
#ifndef LS_TRAIN_SETUP_H
#define LS_TRAIN_SETUP_H

#include "train/trainer_state.h"

/* Checks the settings, that they are the same on all ranks, and the run folder, before any work
 * is done. Collective.
 * Errors: LS_ERR_USAGE; those of ls_records_check(). */
ls_status ls_setup_settings(ls_trainer *trainer) LS_MUST_CHECK;

/* Chooses the loss and the task, now that the targets are known. Collective.
 * Errors: LS_ERR_USAGE if the loss is not defined for the targets. */
ls_status ls_setup_loss(ls_trainer *trainer) LS_MUST_CHECK;

/* Chooses the monitor of early stopping, and checks that its metric exists. Local; the same on all
 * ranks.
 * Errors: LS_ERR_USAGE. */
ls_status ls_setup_monitor(ls_trainer *trainer) LS_MUST_CHECK;

/* Creates the network, the optimizer and the batch, and initialises the parameters. Collective.
 * Errors: LS_ERR_USAGE if the network does not fit the data or the settings. */
ls_status ls_setup_replica(ls_trainer *trainer) LS_MUST_CHECK;

/* Creates the reducer, or the tuner's candidates, and sets the parameters. Collective.
 * Errors: as ls_reducer_create(). */
ls_status ls_setup_reducer(ls_trainer *trainer) LS_MUST_CHECK;

/* Reports the start, and what the user should know of the data. Collective.
 * Errors: LS_ERR_FAILURE if the events can't be written. */
ls_status ls_setup_report(ls_trainer *trainer) LS_MUST_CHECK;

/* Returns true if the optimizer is sharded over ranks. Local. */
static inline bool ls_setup_shards(const ls_trainer *trainer)
{
    return trainer->config->shard_optimizer && ls_comm_size(trainer->comm) > 1;
}

#endif
