/* Data-parallel training: every rank trains a replica on its share of each global batch.
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

/* What early stopping and the best checkpoint watch: columns of the metrics. */
#define LS_MONITOR_LIST(X)                                                                         \
    X(LS_MONITOR_VAL_LOSS, "val_loss", "validation loss")                                          \
    X(LS_MONITOR_VAL_ACCURACY, "val_accuracy", "validation accuracy")                              \
    X(LS_MONITOR_LOSS, "loss", "training loss")                                                    \
    X(LS_MONITOR_ACCURACY, "accuracy", "training accuracy")

typedef enum ls_monitor { LS_MONITOR_LIST(LS_CHOICE_ENUM) } ls_monitor;

/* How often: one of them is above 0. */
typedef struct ls_interval {
    int64_t epochs, steps;
    double seconds;
} ls_interval;

/* What happens when a loss or gradient is NaN or Inf. With skip too many such steps in a row, with
 * rollback the same step failing again, stop the run. */
#define LS_ON_NAN_LIST(X)                                                                          \
    X(LS_ON_NAN_STOP, "stop", "end the run")                                                       \
    X(LS_ON_NAN_SKIP, "skip", "leave the step's update out")                                       \
    X(LS_ON_NAN_ROLLBACK, "rollback", "return to the latest checkpoint and continue from it")

typedef enum ls_on_nan { LS_ON_NAN_LIST(LS_CHOICE_ENUM) } ls_on_nan;

/* What happens when a checkpoint can't be saved. The last one of a run must be saved all the same. */
#define LS_SAVE_FAILURE_LIST(X)                                                                    \
    X(LS_SAVE_FAILURE_STOPS, "stop", "end the run")                                                \
    X(LS_SAVE_FAILURE_CONTINUES, "continue", "report it and train on")

typedef enum ls_save_failure { LS_SAVE_FAILURE_LIST(LS_CHOICE_ENUM) } ls_save_failure;

/* All settings of a training; the same on all ranks. Texts are borrowed and never NULL. Begin with
 * ls_config_default() of lockstep/settings.h, whose table holds the defaults, the ranges and what
 * may change when a run is resumed. */
typedef struct ls_train_config {
    const char *data;      /* path of the data set */
    double validation;     /* this and the next two: see ls_dataset_options */
    ls_hold_out hold_out;
    ls_layout_order layout;
    double mean, std;      /* pixels become (x / 255 - mean) / std */
    ls_shuffle shuffle;
    const char *augment;   /* of the training rows, see lockstep/augment.h; "": none */
    ls_read read;          /* who reads the data set */
    bool stream;           /* rows are read when they are needed; with LS_SHUFFLE_LOCAL */
    int64_t memory;        /* bytes that a rank's rows may take then */
    bool trust_data;       /* the data set is not read once before training: on one rank of each
                              node, to verify its digest or, where it has none, that all of it can
                              be read; with `stream` on all, to know the rows when a run is resumed */
    const char *model;     /* model string */
    ls_loss loss;
    double label_smoothing; /* see ls_pass */
    uint64_t seed;         /* of initialisation, shuffle, dropout, augmentation and hold_out */
    ls_optimizer_config optimizer;
    double lr;             /* learning rate */
    ls_schedule_config schedule;
    int64_t epochs;
    int64_t batch;         /* global batch: rows in a step, over all ranks */
    ls_monitor monitor;    /* without validation rows val_loss means loss, val_accuracy accuracy */
    ls_mode mode;
    int64_t patience;      /* epochs without improvement before stopping; 0: never stop early */
    double min_delta;      /* a smaller change is no improvement */
    bool restore_best;     /* end with the best epoch's parameters instead of the last's */
    const char *run;       /* run folder for logs and checkpoints; "": nothing is written */
    const char *resume;    /* "": start anew; "auto": from the run folder's newest intact checkpoint,
                              if there is one; else a checkpoint file or a run folder */
    bool resume_anyway;    /* with other settings and data, where that is possible */
    ls_interval checkpoint_every; /* the best and the last are always written */
    int64_t keep;          /* newest checkpoints to keep beside the best */
    ls_save_failure on_save_failure;
    double time_limit;     /* seconds from ls_trainer_create() on within which the run ends, its last
                              checkpoint written; 0: none. Rank 0's clock counts. */
    double stop_margin;    /* seconds, see ls_config_limit_to_job() */
    ls_on_nan on_nan;
    int64_t check_replicas; /* steps after which the ranks' parameters are compared; 0: never */
    bool heal;             /* continue with the parameters of most ranks where some differ */
    double watchdog;       /* seconds without progress after which observer->stuck is called;
                              0: never */
    ls_reduce reduce;      /* how gradients are summed over ranks */
    bool shard_optimizer;  /* ranks share the work of updating, see ls_reducer_create() */
    bool reproducible;     /* the same bits on any number of ranks: steps are computed in blocks,
                              `reduce` is LS_REDUCE_EXACT or AUTO, one BLAS thread */
    int64_t block;         /* rows of a block */
    int64_t threads;       /* BLAS threads of a rank; 0: see ls_topology_create() */
    bool dry_run;          /* check everything, write nothing; ls_trainer_run() is not called */
} ls_train_config;

/* What a training is about to do. Borrowed; valid during the call. */
typedef struct ls_run_info {
    const ls_train_config *config;
    const ls_dataset_info *dataset;
    const ls_network *network;
    const ls_topology *topology;
    const ls_plan *plan;
    int64_t epochs_done;  /* by the checkpoint that it goes on from; 0: new */
    int64_t steps_done;   /* of the next epoch */
    const char *resumed;  /* path of that checkpoint, "" if new */
    const char *monitor;  /* column that is watched */
    double lr;            /* learning rate, scaled to the batch */
    bool augmented;       /* something is done to the training images */
    double setup_seconds; /* from ls_trainer_create() until here */
} ls_run_info;

typedef struct ls_train_result {
    int64_t epochs;     /* finished, resumed ones included */
    bool stopped_early; /* patience ran out */
    bool nothing_to_do; /* the run that was resumed had finished already */
    bool restored;      /* the parameters are the best epoch's, not the last's */
    ls_early_stop early_stop;
    ls_metrics final; /* of the epoch whose parameters it ended with */
    double seconds;   /* of ls_trainer_run() */
    uint64_t digest;  /* XXH3-64 of the parameters that it ended with, see ls_trainer_params() */
} ls_train_result;

/* Told what happens, by the thread that trains, on rank 0 only, unless it says otherwise. Any
 * function may be NULL. */
typedef struct ls_observer {
    void *user; /* handed to each */
    void (*start)(void *user, const ls_run_info *info);
    /* After each step. epoch: from 1; rows: of this epoch so far; loss: mean of this step. */
    void (*step)(void *user, int64_t epoch, int64_t rows, double loss);
    void (*epoch)(void *user, const ls_metrics *metrics, bool best);
    void (*note)(void *user, const char *text); /* something worth a line */
    /* The same by a thread of its own, while another function may be at work: a signal has come in
     * a long step, and what was done before it is saved. */
    void (*urgent)(void *user, const char *text);

    /* On every live rank, by a thread of its own, when no step was finished for config->watchdog
     * seconds: first with where this rank is; then, `end` is true, with who lags behind. The job
     * hangs; then the process is to be ended. NULL: nobody watches. */
    void (*stuck)(void *user, const char *text, bool end);
} ls_observer;

/* Opens the data set, reads this rank's shard, builds the network, resumes if asked to, and calls
 * observer->start. Checks first that the settings are valid, see ls_config_check(), and the same on
 * all ranks. Collective.
 * config, observer  borrowed until the trainer is destroyed; what `config` points to too
 * Errors, on all ranks alike: LS_ERR_DATA, LS_ERR_USAGE, LS_ERR_FAILURE, LS_ERR_RANKS;
 * LS_INTERRUPTED if it was asked to end before its first step; *out is left alone. */
ls_status ls_trainer_create(ls_trainer **out, ls_comm *comm, const ls_train_config *config,
                            const ls_observer *observer) LS_MUST_CHECK;

/* Trains to the end. Where the process watches for signals (the program does) one that comes on any
 * rank lets the run come to an end after the step, as the time limit does. Collective.
 * Errors, on all ranks alike: LS_INTERRUPTED if the run was ended so, with a checkpoint from which
 * it can go on; LS_ERR_FAILURE if there is no run folder for one; LS_ERR_NUMERIC if the loss of any
 * rank, the validation loss, or a parameter at the end of an epoch, is not finite or beyond
 * LS_DIVERGED; LS_ERR_FAILURE if any rank failed or a log or checkpoint, as far as
 * `on_save_failure` wants it, could not be written. */
ls_status ls_trainer_run(ls_trainer *trainer, ls_train_result *result) LS_MUST_CHECK;

/* The parameters [ls_network_size()], the same on all ranks, and their network; borrowed. After
 * ls_trainer_run() they are those that it is judged by: their average, if the optimizer keeps one,
 * as validation, early stopping and the best epoch's are. Local. */
const float *ls_trainer_params(const ls_trainer *trainer);
const ls_network *ls_trainer_network(const ls_trainer *trainer);

/* Frees a trainer and sets *trainer to NULL; accepts NULL on all ranks alike. Collective. */
void ls_trainer_destroy(ls_trainer **trainer);

#ifdef __cplusplus
}
#endif

#endif
