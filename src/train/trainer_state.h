/* The trainer's parts, shared by setup.c (its beginning and end), resume.c, save.c, health.c and
 * trainer.c (the algorithm). */
#ifndef LS_TRAIN_TRAINER_STATE_H
#define LS_TRAIN_TRAINER_STATE_H

#include <lockstep/checkpoint.h>
#include <lockstep/reducer.h>
#include <lockstep/trainer.h>

#include "parallel/watchdog.h"
#include "train/health.h"
#include "train/loader.h"
#include "train/records.h"
#include "train/replica.h"
#include "train/tuner.h"

/* What the loop remembers from one step to the next. */
typedef struct ls_loop {
    double step_seconds; /* of the latest step */
    int64_t plateaus;    /* in the history, for LS_SCHEDULE_PLATEAU */
    bool stopping;       /* the run is to end */
    bool save_due;       /* a checkpoint is due after the latest step */
} ls_loop;

/* The parameters of the best epoch so far, for --restore-best. */
typedef struct ls_best {
    float *params; /* [ls_replica_size], owned; NULL without --restore-best */
    int64_t epoch; /* that they are of; 0: none yet */
} ls_best;

struct ls_trainer {
    ls_comm *comm; /* borrowed, as the next two */
    const ls_train_config *config;
    const ls_observer *observer;
    char *text; /* the settings, as ls_config_text() writes them; owned */
    int rank;
    ls_topology *topology;
    ls_watchdog *watchdog; /* NULL: none */

    ls_loader *loader;
    ls_replica *replica;
    ls_reducer *reducer; /* in use by the replica; NULL: the tuner's candidates are */
    ls_tuner *tuner;     /* NULL: nothing to choose, or chosen */
    float
        *start_params; /* [ls_replica_size] initial, or restored; NULL outside setup and rollback */

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

/* Returns true after every `every` steps, or epochs, of the run; 0: never. Local. */
static inline bool ls_is_due(int64_t done, int64_t every)
{
    return every > 0 && done % every == 0;
}

/* Returns true if there is an epoch left to train. The same on all ranks. Local. */
bool ls_trainer_epochs_left(const ls_trainer *trainer);

/* Tells the watchdog which activity starts. Local. */
void ls_trainer_set_activity(const ls_trainer *trainer, ls_activity activity);

/* The learning rate of a step of the current epoch, from 0. Local. */
double ls_trainer_rate(const ls_trainer *trainer, int64_t step);

/* Counts the plateaus in the history, as rank 0 sees it, for the learning rate. Collective. */
void ls_trainer_count_plateaus(ls_trainer *trainer);

/* Restores the checkpoint that config->resume asks for, if there is one. Collective.
 * Errors: LS_ERR_DATA, LS_ERR_USAGE if settings changed that must not, LS_ERR_FAILURE. */
ls_status ls_trainer_resume(ls_trainer *trainer) LS_MUST_CHECK;

/* Restores the newest checkpoint of the run folder. Collective.
 * Errors: as above; LS_ERR_NUMERIC if there is none: the failure that led here remains. */
ls_status ls_trainer_rollback(ls_trainer *trainer) LS_MUST_CHECK;

/* Brings the state that a checkpoint needs together on all ranks: parameters, optimizer slots, and
 * the totals of an unfinished epoch. Collective.
 * Errors, on all ranks alike: the error that the latest step deferred. */
ls_status ls_trainer_collect(ls_trainer *trainer, ls_epoch_totals *totals) LS_MUST_CHECK;

/* Writes a state as a checkpoint of the run, in its folder, which must still be there; on rank 0,
 * one thread at a time. Local. Errors: those of ls_checkpoint_save(); LS_ERR_FAILURE. */
ls_status ls_trainer_write(const ls_trainer *trainer, const ls_state *state) LS_MUST_CHECK;

/* Sets the moment from which on config->time_limit asks the run to end. Local.
 * margin  seconds before the time limit itself */
void ls_trainer_limit_time(const ls_trainer *trainer, double margin);

/* The margin for a checkpoint, which may take longer than the one before. Local. */
static inline double ls_trainer_save_margin(const ls_trainer *trainer)
{
    return 1.5 * trainer->records.save_seconds;
}

/* Makes the error with which a run ends that was asked to stop. Collective.
 * saved  a checkpoint of everything that it has done is written */
ls_status ls_trainer_interrupted(ls_trainer *trainer, bool saved) LS_MUST_CHECK;

/* Collects the state and saves it, if there is a run folder. Collective.
 * best     this is the end of the best epoch so far
 * needed   the run can't continue, or end, without it, whatever --on-save-failure says
 * Errors: as ls_checkpoint_save(). Those that training continues after are reported and counted as
 * success; `best_steps` stays that of the best checkpoint that is saved. */
ls_status ls_trainer_save(ls_trainer *trainer, bool best, bool needed) LS_MUST_CHECK;

/* Writes the latest error's text into the events, as far as they can still be written; on rank 0.
 * Returns that error, which is then still the latest. Local. */
ls_status ls_trainer_log_error(ls_trainer *trainer, ls_status error, ls_event event,
                               int64_t epoch) LS_MUST_CHECK;

/* Gives the observer a line of text; on rank 0 only. Local. */
void ls_trainer_note(const ls_trainer *trainer, const char *format, ...) LS_PRINTF(2, 3);

/* The reduction algorithm; LS_REDUCE_AUTO while that is undecided. Local. */
ls_reduce ls_trainer_reduce(const ls_trainer *trainer);

#endif
