/* Data-parallel training: every rank trains a replica on its part of each global batch.
 *
 *     ls_config_default(&config);                     see lockstep/settings.h
 *     config.data = "data.h5";
 *     ls_status status = ls_trainer_create(&trainer, comm, &config, &observer);
 *     if (status == LS_OK)
 *         status = ls_trainer_run(trainer, &result);
 *     ls_trainer_destroy(&trainer);
 *
 * The status is the same on all ranks. */
#ifndef LOCKSTEP_TRAINER_H
#define LOCKSTEP_TRAINER_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/choice.h>
#include <lockstep/comm.h>
#include <lockstep/dataset.h>
#include <lockstep/early_stop.h>
#include <lockstep/metrics.h>
#include <lockstep/network.h>
#include <lockstep/optimizer.h>
#include <lockstep/plan.h>
#include <lockstep/reducer.h>
#include <lockstep/schedule.h>
#include <lockstep/source.h>
#include <lockstep/status.h>
#include <lockstep/topology.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ls_trainer ls_trainer;

/* An interval; exactly one field is above 0. */
typedef struct ls_interval {
    int64_t epochs, steps;
    double seconds;
} ls_interval;

/* Reaction to a loss or gradient that is NaN or Inf. The run ends anyway after too many skipped
 * steps in a row, and if the same step fails again after a rollback. */
#define LS_ON_NAN_LIST(X)                                                                          \
    X(LS_ON_NAN_STOP, "stop", "end the run")                                                       \
    X(LS_ON_NAN_SKIP, "skip", "skip the step's update")                                            \
    X(LS_ON_NAN_ROLLBACK, "rollback", "return to the latest checkpoint and continue from it")

typedef enum ls_on_nan { LS_ON_NAN_LIST(LS_CHOICE_ENUM) } ls_on_nan;

/* Reaction to a checkpoint that can't be saved. The last one of a run must be saved in any case. */
#define LS_SAVE_FAILURE_LIST(X)                                                                    \
    X(LS_SAVE_FAILURE_STOPS, "stop", "end the run")                                                \
    X(LS_SAVE_FAILURE_CONTINUES, "continue", "report it and continue")

typedef enum ls_save_failure { LS_SAVE_FAILURE_LIST(LS_CHOICE_ENUM) } ls_save_failure;

/* All settings of a training; the same on all ranks. Texts are borrowed and never NULL. Begin with
 * ls_config_default() of lockstep/settings.h: its table has the defaults, the ranges, and the
 * settings that may change when a run is resumed. */
typedef struct ls_train_config {
    const char *data;  /* path of the data set */
    double validation; /* see ls_dataset_options, like the next two */
    ls_hold_out hold_out;
    ls_layout_order layout;
    double mean, std; /* pixels become (x / 255 - mean) / std */
    ls_shuffle shuffle;
    const char *augment; /* of the training rows, see lockstep/augment.h; "": none */
    ls_read read;        /* ranks that read the data set */
    bool stream;         /* read rows when they are needed; requires LS_SHUFFLE_LOCAL */
    int64_t memory;      /* with `stream`: most bytes of a rank's rows */
    /* Don't read the data set once before training. Otherwise one rank of each node reads it, to
     * verify its digest or, if it has none, that it can be read; with `stream` all ranks read their
     * rows, to recognise them when a run is resumed. */
    bool trust_data;
    const char *model; /* model string */
    ls_loss loss;
    double label_smoothing; /* see ls_pass */
    uint64_t seed;          /* for initialisation, shuffle, dropout, augmentation and hold_out */
    ls_optimizer_config optimizer;
    double lr; /* learning rate */
    ls_schedule_config schedule;
    int64_t epochs;
    int64_t batch;      /* global batch: rows in a step, over all ranks */
    ls_monitor monitor; /* if there are no validation rows, val_NAME means NAME */
    ls_mode mode;
    int64_t patience;  /* epochs without improvement before stopping; 0: never stop early */
    double min_delta;  /* a smaller change is no improvement */
    bool restore_best; /* end with the best epoch's parameters instead of the last epoch's */
    const char *run;   /* run folder for logs and checkpoints; "": nothing is written */
    /* "": a new run; "auto": resume from the run folder's newest intact checkpoint, if there is
     * one; else the path of a checkpoint file or a run folder */
    const char *resume;
    bool resume_anyway;           /* also with other settings and data, if that is possible */
    ls_interval checkpoint_every; /* the best and the last are always written */
    int64_t keep;                 /* newest checkpoints to keep in addition to the best */
    int64_t keep_every;           /* also keep those at multiples of this many steps; 0: none */
    ls_save_failure on_save_failure;
    /* seconds after ls_trainer_create() within which the run ends, with its last checkpoint
     * written, by rank 0's clock; 0: none */
    double time_limit;
    double stop_margin; /* seconds, see ls_config_limit_to_job() */
    ls_on_nan on_nan;
    int64_t check_replicas; /* steps between comparisons of the ranks' parameters; 0: never */
    bool heal;              /* if a few ranks' parameters differ, use those of most ranks */
    /* seconds without progress after which observer->stuck is called; 0: never */
    double watchdog;
    ls_reduce reduce;     /* algorithm that sums gradients over ranks */
    bool shard_optimizer; /* each rank updates a shard of the parameters, see ls_reducer_create() */
    /* the same bits on any number of ranks: steps are computed by micro-batches, `reduce` is
     * LS_REDUCE_EXACT or AUTO, one BLAS thread */
    bool reproducible;
    int64_t block;   /* rows of a micro-batch */
    int64_t threads; /* BLAS threads of a rank; 0: see ls_topology_create() */
    bool dry_run;    /* check everything, write nothing; ls_trainer_run() is not called */
} ls_train_config;

/* Facts about a training before its first step. Borrowed; valid during the call. */
typedef struct ls_run_info {
    const ls_train_config *config;
    const ls_dataset_info *dataset;
    const ls_network *network;
    const ls_topology *topology;
    const ls_plan *plan;
    int64_t epochs_done;  /* in the resumed checkpoint; 0: a new run */
    int64_t steps_done;   /* of the next epoch */
    const char *resumed;  /* path of the resumed checkpoint; "": a new run */
    const char *monitor;  /* column that early stopping watches */
    double lr;            /* learning rate, scaled to the batch */
    bool augmented;       /* training images are augmented */
    double setup_seconds; /* from ls_trainer_create() to this call */
} ls_run_info;

typedef struct ls_train_result {
    int64_t epochs;     /* finished epochs, including those before a resume */
    bool stopped_early; /* patience ran out */
    bool nothing_to_do; /* the resumed run had finished already */
    bool restored;      /* the parameters are the best epoch's, not the last epoch's */
    ls_early_stop early_stop;
    ls_metrics final; /* of the epoch of the final parameters */
    double seconds;   /* of ls_trainer_run() */
    uint64_t digest;  /* XXH3-64 of the final parameters, see ls_trainer_params() */
} ls_train_result;

/* Callbacks for progress and messages, called by the training thread on rank 0 only, unless a
 * comment says otherwise. Any function may be NULL. */
typedef struct ls_observer {
    void *user; /* passed to each */
    void (*start)(void *user, const ls_run_info *info);
    /* After each step. epoch: from 1; rows: of this epoch so far; loss: mean of this step. */
    void (*step)(void *user, int64_t epoch, int64_t rows, double loss);
    void (*epoch)(void *user, const ls_metrics *metrics, bool best);
    void (*note)(void *user, const char *text); /* a message of one line */
    /* A message from another thread, possibly during another callback: a signal came in a long
     * step, and the state before that step is saved. */
    void (*urgent)(void *user, const char *text);

    /* Called on every live rank, by another thread, after config->watchdog seconds without a
     * finished step: first with this rank's activity; then, with `end` true, with the rank that
     * lags. The job hangs: after the second call the process must be ended. NULL: no watchdog. */
    void (*stuck)(void *user, const char *text, bool end);
} ls_observer;

/* Opens the data set, reads this rank's shard, creates the network, resumes if config->resume is
 * set, and calls observer->start. Checks first that the settings are valid, see ls_config_check(),
 * and the same on all ranks. Collective.
 * config, observer  borrowed, with the config's texts, until the trainer is destroyed
 * Errors, on all ranks alike: LS_ERR_DATA, LS_ERR_USAGE, LS_ERR_FAILURE, LS_ERR_RANKS;
 * LS_INTERRUPTED after a signal or the time limit before the first step; *out is left alone. */
ls_status ls_trainer_create(ls_trainer **out, ls_comm *comm, const ls_train_config *config,
                            const ls_observer *observer) LS_MUST_CHECK;

/* Trains to the end. If the process watches for signals, as the program does, a signal on any rank
 * ends the run after the current step, like the time limit. Collective.
 * Errors, on all ranks alike: LS_INTERRUPTED after a signal or the time limit, with a checkpoint to
 * resume from, or LS_ERR_FAILURE if there is no run folder; LS_ERR_NUMERIC if the loss of any rank,
 * the validation loss, or a parameter at the end of an epoch is NaN, Inf or beyond LS_DIVERGED;
 * LS_ERR_FAILURE if any rank failed or a log could not be written, or, subject to
 * `on_save_failure`, a checkpoint. */
ls_status ls_trainer_run(ls_trainer *trainer, ls_train_result *result) LS_MUST_CHECK;

/* Return the parameters [ls_network_size()], the same on all ranks, and their network; borrowed.
 * After ls_trainer_run() the parameters are the evaluated ones: their average, if the optimizer
 * keeps one, as used for validation and early stopping. Local. */
const float *ls_trainer_params(const ls_trainer *trainer);
const ls_network *ls_trainer_network(const ls_trainer *trainer);

/* Frees a trainer and sets *trainer to NULL; accepts NULL on all ranks alike. Collective. */
void ls_trainer_destroy(ls_trainer **trainer);

#ifdef __cplusplus
}
#endif

#endif
