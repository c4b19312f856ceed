/* Data-parallel training: every rank trains a replica on its part of each global batch.
 *
 *     ls_config_default(&config);                     see lockstep/config.h
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

#include <lockstep/comm.h>
#include <lockstep/config.h>
#include <lockstep/dataset.h>
#include <lockstep/metrics.h>
#include <lockstep/network.h>
#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ls_trainer ls_trainer;

/* Facts about a training before its first step. Borrowed; valid during the call. */
typedef struct ls_run_info {
    const ls_train_config *config;
    const ls_dataset_info *dataset;
    const ls_network *network;       /* of a GAN the generator */
    const ls_network *discriminator; /* of a GAN; else NULL */
    ls_task task;
    const ls_topology *topology;
    int64_t steps_per_epoch;
    int64_t epochs_done;  /* in the resumed checkpoint; 0: a new run */
    int64_t steps_done;   /* of the next epoch */
    const char *resumed;  /* path of the resumed checkpoint; "": a new run */
    const char *monitor;  /* column that early stopping watches */
    double lr;            /* learning rate, scaled to the batch */
    bool augmented;       /* training images are augmented */
    bool corrupted;       /* inputs are corrupted */
    double setup_seconds; /* from ls_trainer_create() to this call */
} ls_run_info;

typedef struct ls_train_result {
    int64_t epochs;     /* finished epochs, including those before a resume */
    bool stopped_early; /* patience ran out */
    bool nothing_to_do; /* the resumed run had finished already */
    bool restored;      /* the parameters are the best epoch's, not the last epoch's */
    int64_t best_epoch; /* by the monitor, from 1; 0: none */
    double best;        /* value of the monitor in that epoch */
    int64_t waited;     /* epochs since then */
    ls_metrics final;   /* of the epoch of the final parameters */
    double seconds;     /* of ls_trainer_run() */
    uint64_t digest;    /* XXH3-64 of the final parameters, see ls_trainer_params() */
} ls_train_result;

/* Rows that a network makes: a GAN generates them, an autoencoder reconstructs them. */
typedef struct ls_generated {
    int64_t epoch; /* after which they were made, from 1 */
    int64_t rows;
    int classes; /* row i is of class i % classes; 0: of none */
    /* 0: the rows are of noise. Else they are so many views of rows / views rows of the data set,
     * one view after the other: the rows, the corrupted rows if there are 3, reconstructions */
    int views;
    ls_shape shape;     /* of a row */
    ls_element element; /* type of the data set's numbers */
    const float *x;     /* [rows][channels][height][width] in the units of the data set */
} ls_generated;

/* Most rows of the data set that are shown beside their reconstructions. */
enum { LS_RECONSTRUCTED = 16 };

/* Takes rows to be shown. */
typedef ls_status (*ls_pictures_sink)(void *user, const ls_generated *rows);

/* Callbacks for progress and messages, called by the training thread on rank 0 only, unless a
 * comment says otherwise. Any function may be NULL. */
typedef struct ls_observer {
    void *user; /* passed to each */
    void (*start)(void *user, const ls_run_info *info);
    /* After each step. epoch: from 1; rows: of this epoch so far; loss: mean of this step. */
    void (*step)(void *user, int64_t epoch, int64_t rows, double loss);
    void (*epoch)(void *user, const ls_metrics *metrics, bool best);
    /* After each epoch of a GAN: rows made of the same noise each time; of an autoencoder: the
     * first validation rows and their reconstructions. An error ends the training. */
    ls_pictures_sink samples;
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
