/* The settings of a training.
 *
 *     ls_train_config config;
 *     ls_config_default(&config);
 *     config.data = "data.h5";                              a field, or by name:
 *     status = ls_config_set(&config, "checkpoint-every", "10min");
 *
 * ls_trainer_create() checks the result. All functions are Local. */
#ifndef LOCKSTEP_CONFIG_H
#define LOCKSTEP_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lockstep/choice.h>
#include <lockstep/comm.h>
#include <lockstep/compute.h>
#include <lockstep/dataset.h>
#include <lockstep/metrics.h>
#include <lockstep/network.h>
#include <lockstep/objective.h>
#include <lockstep/optimizer.h>
#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

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
 * ls_config_default(); the table of lockstep/settings.h has the defaults, the ranges, and the
 * settings that may change when a run is resumed. */
typedef struct ls_train_config {
    const char *data;  /* path of the data set, see ls_dataset_open() */
    double validation; /* see ls_dataset_options, like the next six */
    ls_hold_out hold_out;
    const char *test_data, *test_rows, *split, *fold;
    ls_layout_order layout;
    ls_order order;
    const char *inputs, *targets; /* see ls_dataset_options; "": Lockstep's own layout */
    const char *weights;          /* the same; "": all weights are 1 */
    const char *lengths;          /* the same; "": those of Lockstep's own layout, if any */
    int64_t padding;              /* the same; -1: rows are not padded */
    /* Weights of the training rows by class, by which the above are multiplied: "none"; "balanced":
     * all classes weigh the same; or "w0,w1,...". */
    const char *class_weights;
    double mean, std; /* pixels become (x / 255 - mean) / std */
    /* Then columns, which are channels of the inputs, become (x - mean) / std: "none"; "fit": by
     * the column's mean and standard deviation in the training rows; "file:FILE.h5:/mean,/std": by
     * the numbers of two datasets. */
    const char *standardize;
    bool standardize_targets; /* values of the targets, by the training rows */
    ls_shuffle shuffle;
    const char *augment; /* of the training rows, see lockstep/augment.h; "": none */
    /* Of the training rows' inputs, of an autoencoder also of the validation rows', see
     * lockstep/corrupt.h; "": none */
    const char *corrupt;
    ls_read read;   /* ranks that read the data set */
    bool stream;    /* read rows when they are needed; requires LS_SHUFFLE_LOCAL */
    int64_t memory; /* with `stream`: most bytes of a rank's rows */
    /* Don't read the data set once before training. Otherwise one rank of each node reads it, to
     * verify its digest or, if it has none, that it can be read; with `stream` all ranks read their
     * rows, to recognise them when a run is resumed. */
    bool trust_data;
    ls_objective objective;
    const char *model;      /* model string; of LS_SUPERVISED */
    ls_loss loss;           /* LS_LOSS_AUTO: chosen by the targets */
    double huber;           /* D of LS_HUBER */
    double label_smoothing; /* see ls_pass */
    /* LS_GAN: the model strings of its networks, or the name of a preset; "": of the discriminator
     * the generator's preset */
    const char *generator, *discriminator;
    int64_t latent;   /* numbers of noise in the generator's inputs */
    bool conditional; /* the generator is told a class of the data set, too */
    ls_adversarial_loss adversarial_loss;
    double discriminator_lr;     /* 0: as lr */
    int64_t discriminator_steps; /* the generator is updated after as many steps */
    const char *score;           /* path of a classifier that scores generated rows; "": none */
    int64_t score_rows;          /* generated rows that are scored */
    int64_t samples;             /* generated or reconstructed rows that an epoch shows; 0: none */
    uint64_t seed; /* for initialisation, shuffle, dropout, augmentation, corruption, hold_out */
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
    bool tensorboard;  /* also write event files of TensorBoard into the run folder */
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
    int64_t block;        /* rows of a micro-batch */
    int64_t threads;      /* BLAS threads of a rank; 0: see ls_topology_create() */
    ls_products products; /* who computes the matrix products of dense layers */
    bool dry_run;         /* check everything, write nothing; ls_trainer_run() is not called */
} ls_train_config;

/* Sets all settings to their defaults. */
void ls_config_default(ls_train_config *config);

/* Sets a setting by its name, from a text that the config borrows.
 * Errors: LS_ERR_USAGE, the config is left alone. */
ls_status ls_config_set(ls_train_config *config, const char *name, const char *text) LS_MUST_CHECK;

/* Sets settings from lines `key = value`; `#` begins a comment line. A value may be in quotes.
 * text  modified; the config borrows parts of it
 * name  of the file, for messages
 * Errors: LS_ERR_USAGE, naming the line, also for a key with two values; LS_ERR_FAILURE when memory
 * is short. The config is undefined after an error. */
ls_status ls_config_read(ls_train_config *config, char *text, const char *name) LS_MUST_CHECK;

/* Checks that all settings are in their ranges and can be combined. ls_trainer_create() checks the
 * rules that depend on the data set or the number of ranks. Errors: LS_ERR_USAGE. */
ls_status ls_config_check(const ls_train_config *config) LS_MUST_CHECK;

/* Writes the settings as ls_settings_text() does: the text of config.conf and checkpoints. */
size_t ls_config_text(const ls_train_config *config, char *out, size_t size);

/* Lists the settings that differ from those in a text, as "--lr is 0.1, was 0.2; ...", truncated to
 * `size` bytes. Returns true if any differs.
 * before   written by ls_config_text() of this or an older version: a setting that is missing has
 *          its default
 * data     that both train on: models are compared by their layers for these data, so a named
 *          network, or one without its vocabulary, is the same as its layers with it
 * changes  the settings to compare, a set of ls_change */
bool ls_config_diff(const char *before, const ls_train_config *config, const ls_preset_data *data,
                    int changes, char *out, size_t size);

/* Shortens time_limit in a batch job whose end is known ($LOCKSTEP_END_TIME, else
 * $SLURM_JOB_END_TIME, in seconds since 1970), so that the run ends stop_margin seconds before the
 * job does, but not before its first step has ended. */
void ls_config_limit_to_job(ls_train_config *config);

#ifdef __cplusplus
}
#endif

#endif
