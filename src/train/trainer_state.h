/* The trainer's parts, shared by setup*.c (create and destroy), resume.c, save.c, health.c and
 * trainer.c (the algorithm). */
#ifndef LS_TRAIN_TRAINER_STATE_H
#define LS_TRAIN_TRAINER_STATE_H

#include <lockstep/trainer.h>

#include "parallel/watchdog.h"
#include "train/health.h"
#include "train/loader.h"
#include "train/records.h"
#include "train/replica.h"
#include "train/tuner.h"
#include "run/checkpoint.h"
#include "parallel/reducer.h"

/* A network that is trained: its replica, and what belongs to it. */
typedef struct ls_learner {
    ls_replica *replica;
    ls_reducer *reducer; /* used by the replica; NULL while the tuner's candidates are used */
    ls_tuner *tuner;     /* NULL: nothing to choose, or chosen already */
    /* [ls_replica_size] initial or restored parameters; NULL outside setup and rollback */
    float *start_params;
} ls_learner;

/* State of the training loop between steps. */
typedef struct ls_loop {
    double step_seconds; /* of the latest step */
    int64_t plateaus;    /* in the history, for LS_SCHEDULE_PLATEAU */
    bool stopping;       /* the run must end */
    bool save_due;       /* a checkpoint is due after the latest step */
} ls_loop;

/* The parameters of the best epoch so far, for --restore-best. */
typedef struct ls_best {
    float *params; /* [ls_replica_size], owned; NULL without --restore-best */
    int64_t epoch; /* their epoch, from 1; 0: none yet */
} ls_best;

struct ls_trainer {
    ls_comm *comm; /* borrowed, like the next two */
    const ls_observer *observer;
    const ls_train_config *given;  /* the caller's */
    const ls_train_config *config; /* `resolved`, or that of the caller until its loss is chosen */
    ls_train_config resolved;      /* with the loss and the order of rows that the data decide */
    ls_task task;
    char *text; /* the settings as ls_config_text() writes them; owned */
    int rank;
    ls_topology *topology;
    ls_watchdog *watchdog; /* NULL: none */

    ls_loader *loader;
    ls_learner learner[LS_PLAYERS];     /* by ls_player */
    struct ls_adversarial *adversarial; /* NULL: another objective than a GAN's */
    struct ls_sampler *sampler;         /* NULL: no rows are generated */
    int players;                        /* the number of networks; 0 before they are created */

    ls_monitor monitor;
    ls_early_stop_config stop_config;
    ls_progress progress;
    ls_metrics *history; /* [config->epochs or more] */
    ls_best best;
    ls_loop loop;
    ls_health *health;
    ls_records records;
};

/* The plan and the data set; borrowed. Local. */
static inline const ls_plan *ls_trainer_plan(const ls_trainer *trainer)
{
    return ls_loader_plan(trainer->loader);
}

static inline const ls_dataset_info *ls_trainer_dataset(const ls_trainer *trainer)
{
    return ls_loader_dataset(trainer->loader);
}

/* Returns the replica of the model: the network that is validated and that the run ends with.
 * Local. */
static inline ls_replica *ls_trainer_replica(const ls_trainer *trainer)
{
    return trainer->learner[LS_MODEL].replica;
}

/* Returns the batch that the loader fills: of the network that reads rows of the data set.
 * Local. */
static inline ls_batch *ls_trainer_batch(const ls_trainer *trainer)
{
    const ls_player reader = trainer->adversarial != NULL ? LS_DISCRIMINATOR : LS_MODEL;
    return ls_replica_batch(trainer->learner[reader].replica);
}

/* Trains a step of one of the networks. With --on-nan skip a step that fails is skipped.
 * Collective.
 * skipped  on return true if the step was skipped
 * Errors, on all ranks alike: as ls_step(), ls_health_skip(). */
ls_status ls_trainer_learn(ls_trainer *trainer, ls_player player, ls_step_io *io,
                           bool *skipped) LS_MUST_CHECK;

/* What a model string is completed with for the data set; from ls_setup_loss() on. Local. */
static inline ls_preset_data ls_trainer_model_data(const ls_trainer *trainer)
{
    return (ls_preset_data){.outputs = trainer->task.outputs,
                            .vocabulary = ls_trainer_dataset(trainer)->vocabulary,
                            .by_step = trainer->task.kind == LS_TASK_STEPS};
}

/* Returns true if `done` steps, or epochs, are a multiple of `every`; 0: never. Local. */
static inline bool ls_is_due(int64_t done, int64_t every)
{
    return every > 0 && done % every == 0;
}

/* Returns true if epochs are left to train. The same on all ranks. Local. */
bool ls_trainer_epochs_left(const ls_trainer *trainer);

/* Notifies the watchdog of the activity that starts. Local. */
void ls_trainer_set_activity(const ls_trainer *trainer, ls_activity activity);

/* Returns the learning rate of a step of the current epoch, by the schedule. Local.
 * lr    the rate before the schedule, of the whole training
 * step  from 0 */
double ls_trainer_rate(const ls_trainer *trainer, double lr, int64_t step);

/* Counts the plateaus in rank 0's history, for the learning rate. Collective. */
void ls_trainer_count_plateaus(ls_trainer *trainer);

/* Restores the checkpoint that config->resume names, if there is one. Collective.
 * Errors: LS_ERR_DATA; LS_ERR_USAGE if a setting changed that must not; LS_ERR_FAILURE. */
ls_status ls_trainer_resume(ls_trainer *trainer) LS_MUST_CHECK;

/* Finds the vocabulary of the checkpoint that ls_trainer_resume() will restore. Collective.
 * out  on return the vocabulary; 0 if there is no checkpoint, or its inputs are no tokens
 * Errors: LS_ERR_DATA, LS_ERR_USAGE if the checkpoint can't be opened; LS_ERR_FAILURE. */
ls_status ls_trainer_find_vocabulary(const ls_trainer *trainer, int64_t *out) LS_MUST_CHECK;

/* Restores the newest checkpoint of the run folder. Collective.
 * Errors: as above; LS_ERR_NUMERIC if there is no checkpoint: the failure that caused the rollback
 * remains. */
ls_status ls_trainer_rollback(ls_trainer *trainer) LS_MUST_CHECK;

/* Returns how often a network has been updated after progress.optimizer_steps. Local. */
int64_t ls_trainer_updates(const ls_trainer *trainer, ls_player player);

/* Allocates, and frees, start_params of all networks. Local. Errors: LS_ERR_FAILURE. */
ls_status ls_trainer_take_start(ls_trainer *trainer) LS_MUST_CHECK;
void ls_trainer_drop_start(ls_trainer *trainer);

/* Applies all pending updates of all networks. Collective.
 * Errors, on all ranks alike: an error that the latest step deferred. */
ls_status ls_trainer_settle(ls_trainer *trainer) LS_MUST_CHECK;

/* Collects the state for a checkpoint on all ranks: parameters, optimizer slots, and the totals of
 * an unfinished epoch. Collective.
 * Errors, on all ranks alike: the error that the latest step deferred. */
ls_status ls_trainer_collect(ls_trainer *trainer, ls_epoch_totals *totals) LS_MUST_CHECK;

/* Sets the time at which config->time_limit stops the run. Local.
 * margin  seconds before the time limit */
void ls_trainer_limit_time(const ls_trainer *trainer, double margin);

/* Returns the time margin for a checkpoint in seconds: it may take longer than the previous one.
 * Local. */
static inline double ls_trainer_save_margin(const ls_trainer *trainer)
{
    return 1.5 * trainer->records.save_seconds;
}

/* Makes the error of a run that was stopped by a signal or the time limit. Collective.
 * saved  a checkpoint of all steps so far is written */
ls_status ls_trainer_interrupted(ls_trainer *trainer, bool saved) LS_MUST_CHECK;

/* Collects the state and saves it, if there is a run folder. Collective.
 * best     the best epoch so far has just ended
 * needed   the run can't continue or end without this checkpoint, whatever --on-save-failure is
 * Errors: as ls_checkpoint_save(). An error after which training continues is reported, and LS_OK
 * returned; `best_steps` stays that of the best checkpoint that was saved. */
ls_status ls_trainer_save(ls_trainer *trainer, bool best, bool needed) LS_MUST_CHECK;

/* Writes the latest error's text into the events, if they can still be written; on rank 0. Returns
 * that error, which remains the latest. Local. */
ls_status ls_trainer_log_error(ls_trainer *trainer, ls_status error, ls_event event,
                               int64_t epoch) LS_MUST_CHECK;

/* Passes a line of text to the observer; on rank 0 only. Local. */
void ls_trainer_note(const ls_trainer *trainer, const char *format, ...) LS_PRINTF(2, 3);

/* Passes generated or reconstructed rows to the observer, if it wants them. If it can't write them
 * and --on-save-failure is "continue", that is noted only. On rank 0. Local.
 * Errors: as of ls_observer.samples. */
ls_status ls_trainer_show(const ls_trainer *trainer, const ls_generated *rows) LS_MUST_CHECK;

/* Returns the reduction algorithm, of the model's gradients; LS_REDUCE_AUTO until it is chosen.
 * Local. */
ls_reduce ls_trainer_reduce(const ls_trainer *trainer);

#endif
