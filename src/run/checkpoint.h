/* Checkpoints: HDF5 files with the complete state of a training, and their folder.
 *
 *     attributes                         the fields of ls_model_info and ls_progress
 *     /parameters/<layer>/<name>         float32
 *     /optimizer/<slot>/<layer>/<name>   float32, the optimizer's state
 *     /average/<layer>/<name>            float32, the average of the parameters if one is kept
 *     /discriminator/...                 of a GAN, whose model is the generator: the same three
 *     /standardization/...               float64, statistics of --standardize
 *     /vocabulary                        strings, the texts of the tokens of the inputs
 *     /metrics                           float64 [epochs][columns], the history; read by the names
 *                                        in the attribute `columns`
 *
 * The file begins with a sealed user block: its digest is verified before HDF5 reads any of it.
 * All functions are Local: one rank reads or writes, and sends the result to the others. */
#ifndef LS_RUN_CHECKPOINT_H
#define LS_RUN_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lockstep/comm.h>
#include <lockstep/dataset.h>
#include <lockstep/metrics.h>
#include <lockstep/network.h>
#include <lockstep/status.h>

#include "base/text_list.h"
#include "data/standardize.h"
#include "nn/optimizer.h"
#include "run/early_stop.h"

enum { LS_RUN_ID = 17 };

/* Describes a trained model, apart from its parameters: network, input and data set. */
typedef struct ls_model_info {
    char *run; /* the id of the run, at most LS_RUN_ID - 1 characters; "" or NULL: none */
    char *model;
    ls_loss loss;
    double huber;             /* D of LS_HUBER; 1 with others */
    int classes;              /* 0: the targets are values */
    int values;               /* in a target; 0: the target is a class; with classes they are those
                                 of so many steps */
    ls_text_list class_names; /* [classes]; empty: none */
    int vocabulary;           /* the inputs are tokens 0 .. vocabulary-1; 0: they are not */
    ls_text_list tokens;      /* [vocabulary] their texts; empty: none */
    ls_shape input;
    /* A GAN, whose model is the generator: the discriminator's model string, and the shape of its
     * inputs, a row of the data set; the generator's targets are so many values. */
    bool generates;
    char *discriminator;
    ls_shape picture;
    ls_element picture_element;
    int conditions;     /* classes that the generator is told, as the last of its inputs; 0: none */
    ls_element element; /* type of the inputs; uint8 is divided by 255 first */
    double mean, std;   /* of the normalisation */
    const ls_standardization *standardization; /* after it; borrowed; NULL: none */
    char *dataset;                             /* the data set's name */
    uint64_t fingerprint; /* of the training rows: a hash that does not depend on their order; 0:
                             unknown, as they were not read before training */
    uint64_t validation_fingerprint; /* of the validation rows; 0: unknown, or there are none */
    bool knows_validation; /* false: validation_fingerprint is unknown, as above or in a checkpoint
                              of an older version */
    bool has_border;       /* false: the inputs are no pictures, or unknown, as above */
    double border;         /* mean of the border of the training rows' pictures, 0 to 1 */
    char *compute;         /* the BLAS library and its kernel */
    char *config;          /* the resolved configuration, `key = value` lines */
} ls_model_info;

/* Returns true if the targets are the classes of the steps of a sequence. Local. */
static inline bool ls_model_info_by_step(const ls_model_info *info)
{
    return info->classes > 0 && info->values > 0;
}

/* Returns the number of the discriminator's outputs: its judgement, and one of each class.
 * Local. */
static inline int ls_model_info_judgements(const ls_model_info *info)
{
    return 1 + info->conditions;
}

/* Returns the number of the network's outputs. Local. */
static inline int ls_model_info_outputs(const ls_model_info *info)
{
    return ls_loss_outputs(info->loss, info->values, info->classes);
}

/* Totals of an unfinished epoch. */
typedef struct ls_epoch_totals {
    ls_score score;   /* of its rows so far, the same on all ranks */
    double seconds;   /* without checkpoints */
    double compute_s; /* of this rank, in a checkpoint summed over ranks; like the next two */
    double communicate_s;
    double exchange_s;
} ls_epoch_totals;

/* The progress of a training. A plain value. */
typedef struct ls_progress {
    int64_t epoch;           /* finished epochs */
    int64_t step;            /* steps of the current epoch */
    ls_epoch_totals totals;  /* of these steps */
    int64_t optimizer_steps; /* steps of the whole training */
    int64_t best_steps;      /* optimizer_steps of the best checkpoint that was saved; 0: none */
    ls_early_stop early_stop;
    int64_t ranks;    /* number of ranks; 0: before the first checkpoint */
    ls_reduce reduce; /* their reduction algorithm; LS_REDUCE_AUTO until it is chosen */
} ls_progress;

/* The networks that a training can have: of a GAN the model is the generator. */
typedef enum ls_player { LS_MODEL, LS_DISCRIMINATOR, LS_PLAYERS } ls_player;

/* The state of a network; all borrowed. */
typedef struct ls_trained {
    const ls_network *network; /* NULL: there is no such network */
    const float *params;
    ls_optimizer *optimizer;
    const float *const *slots; /* [ls_optimizer_slots()] arenas; NULL: the optimizer's own */
} ls_trained;

/* The complete state to be written; all borrowed. */
typedef struct ls_state {
    const ls_model_info *info;
    const ls_progress *progress;
    const ls_metrics *history; /* [progress->epoch] */
    ls_trained trained[LS_PLAYERS];
} ls_state;

/* The folder that a run writes its checkpoints into. It keeps a list of the run's own files: others
 * are never removed, replaced or counted. */
typedef struct ls_checkpoint_folder ls_checkpoint_folder;

/* Opens a folder, which is created if it does not exist. No file counts as the run's own yet.
 * Errors: LS_ERR_FAILURE. */
ls_status ls_checkpoint_folder_open(ls_checkpoint_folder **out, const char *path) LS_MUST_CHECK;

/* Closes, frees and sets *folder to NULL; accepts NULL. */
void ls_checkpoint_folder_close(ls_checkpoint_folder **folder);

/* Restores a folder to an earlier progress of the run, and lists the run's own files. The links are
 * set back; the run's later checkpoints, and later damaged ones, are removed; later files that were
 * not written as checkpoints are renamed to NAME.aside. Must be called before training resumes.
 * run  the run's id; files without an id count as the run's own
 * Errors: LS_ERR_FAILURE; LS_ERR_DATA if the folder can't be read, or a later checkpoint belongs to
 * another run or can't be read. Nothing is removed then. */
ls_status ls_checkpoint_rewind(ls_checkpoint_folder *folder, const char *run,
                               const ls_progress *progress) LS_MUST_CHECK;

/* The checkpoints of a run to keep in its folder, in addition to the best. */
typedef struct ls_keep {
    int64_t newest; /* number of newest checkpoints, 1 or more */
    int64_t every;  /* also those whose steps are a multiple of this; 0: none */
} ls_keep;

/* Writes a checkpoint into a folder, as step-NNNNNNNN.h5 with the number of steps in its name; then
 * removes the run's own checkpoints except those to keep and the best, ignoring errors. The file
 * appears under its name only when it is completely on disk. If the file system has symbolic links,
 * `last` points to it, and `best` to the checkpoint of the best epoch, for people and other
 * programs.
 * Errors: LS_ERR_FAILURE, also if a file of that name is not the run's own, or the folder was
 * replaced (a folder that was removed is created again); LS_ERR_USAGE if a path is too long. The
 * existing checkpoints are then left alone. */
ls_status ls_checkpoint_save(ls_checkpoint_folder *folder, const ls_state *state,
                             ls_keep keep) LS_MUST_CHECK;

/* An open checkpoint. */
typedef struct ls_checkpoint ls_checkpoint;

/* Verifies a file's digest, opens it, reads its attributes, and checks that its parameters have the
 * shapes of its model.
 * Errors: LS_ERR_DATA; *out is left alone. */
ls_status ls_checkpoint_open(ls_checkpoint **out, const char *path) LS_MUST_CHECK;

/* Closes, frees and sets *checkpoint to NULL; accepts NULL. */
void ls_checkpoint_close(ls_checkpoint **checkpoint);

/* Return the file's path, and its model info and progress; borrowed, valid until it is closed. */
const char *ls_checkpoint_path(const ls_checkpoint *checkpoint);
const ls_model_info *ls_checkpoint_model(const ls_checkpoint *checkpoint);
const ls_progress *ls_checkpoint_progress(const ls_checkpoint *checkpoint);

/* Reads the history. Unknown columns are ignored, missing columns are NaN.
 * history  [progress->epoch]
 * Errors: LS_ERR_DATA, LS_ERR_FAILURE. */
ls_status ls_checkpoint_read_history(const ls_checkpoint *checkpoint,
                                     ls_metrics *history) LS_MUST_CHECK;

/* Reads the parameters of one of the networks into an arena of the network's layout.
 * params  [ls_network_size()]
 * Errors: LS_ERR_DATA if a name or a shape differs from the network's. */
ls_status ls_checkpoint_read_params(const ls_checkpoint *checkpoint, ls_player player,
                                    const ls_network *network, float *params) LS_MUST_CHECK;

/* Returns true if a checkpoint has an average of a network's parameters. */
bool ls_checkpoint_has_average(const ls_checkpoint *checkpoint, ls_player player);

/* Reads the model's evaluated parameters: their average if there is one, else the parameters
 * themselves.
 * params  [ls_network_size()]
 * Errors: as above. */
ls_status ls_checkpoint_read_outcome(const ls_checkpoint *checkpoint, const ls_network *network,
                                     float *params) LS_MUST_CHECK;

/* Reads the slots of a network's optimizer; if the checkpoint has no average, the optimizer's is
 * left alone. Errors: as above. */
ls_status ls_checkpoint_read_optimizer(const ls_checkpoint *checkpoint, ls_player player,
                                       const ls_network *network,
                                       ls_optimizer *optimizer) LS_MUST_CHECK;

/* Opens the best checkpoint so far according to `current`: the same file, or one in its folder;
 * *out is NULL if there is none.
 * missing  on return the reason why a saved best checkpoint is not opened: the file does not exist,
 *          is damaged, or is not of a best epoch; "" if *out is set, or no best one was saved
 * Errors: LS_ERR_DATA if the file exists and can't be read. */
ls_status ls_checkpoint_open_best(const ls_checkpoint *current, ls_checkpoint **out,
                                  char missing[LS_ERROR_TEXT_MAX]) LS_MUST_CHECK;

/* Removes the run's own checkpoints, up to the first error, which is ignored; the latest error's
 * text is left alone. */
void ls_checkpoint_discard(ls_checkpoint_folder *folder);

/* Copies a checkpoint file into a folder; the copy is the run's own.
 * Errors: LS_ERR_FAILURE, LS_ERR_DATA. */
ls_status ls_checkpoint_copy(const ls_checkpoint *checkpoint,
                             ls_checkpoint_folder *folder) LS_MUST_CHECK;

/* Opens the newest intact checkpoint of a run folder, or of its folder of checkpoints; *out is NULL
 * if there are no checkpoints.
 * skipped  on return the error text of a newer damaged checkpoint; "" if there is none
 * Errors: LS_ERR_DATA if no checkpoint is intact, or a newer one can't be read but may be. */
ls_status ls_checkpoint_open_newest(const char *run, ls_checkpoint **out,
                                    char skipped[LS_ERROR_TEXT_MAX]) LS_MUST_CHECK;

#endif
