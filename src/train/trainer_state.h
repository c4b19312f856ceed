/* The trainer's parts, shared by setup.c (its beginning and end), resume.c, save.c and trainer.c
 * (the algorithm). */
#ifndef LS_TRAIN_TRAINER_STATE_H
#define LS_TRAIN_TRAINER_STATE_H

#include <lockstep/checkpoint.h>
#include <lockstep/reducer.h>
#include <lockstep/trainer.h>

#include "data/class_gaps.h"
#include "data/samples.h"
#include "parallel/exchange.h"
#include "parallel/watchdog.h"
#include "train/run_log.h"
#include "train/step.h"
#include "train/stream.h"
#include "train/tuner.h"

struct ls_trainer {
    ls_comm *comm; /* borrowed, as the next two */
    const ls_train_config *config;
    const ls_observer *observer;
    char *text; /* the settings, as ls_config_text() writes them; owned */
    int rank;
    ls_watchdog *watchdog; /* NULL if nobody is to be told */

    ls_dataset_info dataset;
    char class_gaps[LS_CLASS_GAPS_TEXT]; /* see there */
    ls_topology *topology;
    ls_plan plan;
    ls_samples *samples;    /* this rank's training rows; NULL with a stream, as the next two */
    ls_samples *validation; /* this rank's validation rows */
    ls_exchange *exchange;
    ls_stream *stream; /* of this rank's rows, if they are not in memory; else NULL */

    ls_replica replica;
    ls_tuner *tuner;     /* owns the replica's reducer while it is there */
    float *start_params; /* [ls_network_size] what training begins with; NULL once it is ready */
    float *best_params;  /* the same size; NULL without --restore-best */
    int64_t best_params_epoch; /* that they are of; 0: none yet */

    ls_monitor monitor;
    ls_early_stop_config stop_config;
    double base_lr;   /* scaled to the batch */
    int64_t plateaus; /* in the history, for LS_SCHEDULE_PLATEAU */
    ls_progress progress;
    ls_metrics *history; /* [config->epochs or more] */

    double created;             /* when, on ls_now()'s clock */
    double saved;               /* when the latest checkpoint was */
    double save_seconds;        /* what it took, or the first is thought to take */
    bool has_saved;             /* a checkpoint */
    double step_seconds;        /* of the latest step */
    struct ls_standby *standby; /* on rank 0, where steps are long; else NULL */
    bool standby_failed;        /* it can't be had */
    int skipped;                /* steps in a row, by --on-nan skip */
    int64_t rolled_back; /* step of the run that was gone back from the last time; -1: none */
    int64_t furthest;    /* the same, the most so far */
    int rollbacks;       /* since it was reached */
    uint64_t *hashes;    /* [ranks] of their parameters */
    bool stopping;       /* the run is to come to an end */
    bool due;            /* a checkpoint is, after the latest step */

    ls_identity identity; /* borrows all its texts */
    char *resumed;        /* path of the checkpoint, owned; "" if new */
    char id[LS_RUN_ID];   /* of the run, on rank 0 */
    bool in_place;        /* the checkpoint that was resumed lies in the run folder; the same */

    /* On rank 0, unless nothing is written: see records.h. */
    ls_run_folder *run;
    ls_checkpoint_folder *folder;
    ls_run_log *log;
};

/* Gets hold of this rank's shard: reads it into memory, after which the file is closed, or opens
 * the stream of it; describes the data set and makes the plan. Collective. Errors: LS_ERR_DATA,
 * LS_ERR_USAGE, LS_ERR_RANKS, LS_ERR_FAILURE. */
ls_status ls_trainer_load(ls_trainer *trainer) LS_MUST_CHECK;

/* Loads the checkpoint that config->resume asks for into the trainer, if there is one. Collective.
 * Errors: LS_ERR_DATA, LS_ERR_USAGE if settings changed that must not, LS_ERR_FAILURE. */
ls_status ls_trainer_resume(ls_trainer *trainer) LS_MUST_CHECK;

/* Goes back to the newest checkpoint of the run folder. Collective.
 * Errors: as above; LS_ERR_NUMERIC, for what it was to get over stands, if there is none. */
ls_status ls_trainer_go_back(ls_trainer *trainer) LS_MUST_CHECK;

/* Brings the optimizer's state, and what an unfinished epoch came to over ranks, together on all of
 * them. Collective. Errors, on all ranks alike: what was found too late in the latest step. */
ls_status ls_trainer_collect(ls_trainer *trainer, ls_partial *partial) LS_MUST_CHECK;

/* Writes a state as a checkpoint of the run, in its folder, which must still be there; on rank 0,
 * one thread at a time. Local. Errors: those of ls_checkpoint_save(); LS_ERR_FAILURE. */
ls_status ls_trainer_write(const ls_trainer *trainer, const ls_state *state) LS_MUST_CHECK;

/* Sets the moment from which on config->time_limit asks the run to end: so many seconds before its
 * own end. Local. */
void ls_trainer_limit_time(const ls_trainer *trainer, double margin);

/* The margin for a checkpoint, which may take longer than the one before. Local. */
static inline double ls_trainer_save_margin(const ls_trainer *trainer)
{
    return 1.5 * trainer->save_seconds;
}

/* The end of a run that was asked to stop. Collective.
 * saved  a checkpoint of all that it has done is written */
ls_status ls_trainer_interrupted(ls_trainer *trainer, bool saved) LS_MUST_CHECK;

/* Brings the whole state together and saves it, if there is a run folder. Collective.
 * best     this is the end of the best epoch so far
 * needed   the run can't go on, or end, without it, whatever --on-save-failure says
 * Errors: as ls_checkpoint_save(). Those that training goes on after are reported and counted as
 * success; `best_steps` stays that of the best checkpoint that is saved. */
ls_status ls_trainer_save(ls_trainer *trainer, bool best, bool needed) LS_MUST_CHECK;

/* Leaves the latest error's text in the events, as far as they can still be written; on rank 0.
 * Returns that error, which is then still the latest. Local. */
ls_status ls_trainer_log_error(ls_trainer *trainer, ls_status error, const char *event,
                               int64_t epoch) LS_MUST_CHECK;

/* Tells the observer; on rank 0 only. Local. */
void ls_trainer_note(const ls_trainer *trainer, const char *format, ...) LS_PRINTF(2, 3);

/* The parameters that a run is judged by and ends with, those of the latest step: their average if
 * one is kept, else they themselves [ls_network_size()]; borrowed. Collective. */
const float *ls_trainer_outcome(ls_trainer *trainer);

/* How gradients are summed; LS_REDUCE_AUTO while that is undecided. Local. */
ls_reduce ls_trainer_reduce(const ls_trainer *trainer);

/* The column that is watched, and its value in a row. Local. */
const char *ls_trainer_monitor_name(const ls_trainer *trainer);
double ls_trainer_monitor_value(const ls_trainer *trainer, const ls_metrics *metrics);

#endif
