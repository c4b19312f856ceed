/* Checkpoints: one HDF5 file that holds all that training depends on, and the folder they lie in.
 *
 *     attributes                the fields of ls_identity and ls_progress
 *     /parameters/<layer>/<name>   float32
 *     /optimizer/<slot>/<layer>/<name>   float32, the optimizer's state
 *     /average/<layer>/<name>   float32, the average of the parameters if one is kept
 *     /metrics                  float64 [epochs][columns], the history; read by the names in the
 *                               attribute `columns`
 *
 * The file begins with a sealed user block: its digest is verified before HDF5 reads any of it.
 * All functions are Local: one rank reads or writes, and sends the result to the others. */
#ifndef LOCKSTEP_CHECKPOINT_H
#define LOCKSTEP_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lockstep/early_stop.h>
#include <lockstep/metrics.h>
#include <lockstep/network.h>
#include <lockstep/optimizer.h>
#include <lockstep/reducer.h>
#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { LS_RUN_ID = 17 };

/* Describes a trained model, apart from its parameters: network, input and data set. */
typedef struct ls_model_info {
    char *run; /* the id of the run that wrote it, at most LS_RUN_ID - 1 characters; "" or NULL:
                  none */
    char *model;
    ls_loss loss;
    int classes;
    ls_shape input;
    double mean, std;     /* of the normalisation */
    char *dataset;        /* the data set's name */
    uint64_t fingerprint; /* of the training rows: a hash that does not depend on their order; 0:
                             not known, as they were not read before training */
    uint64_t validation_fingerprint; /* the same of the validation rows; 0: there are none */
    bool knows_validation; /* else the former is 0: a checkpoint of an older version, or as above */
    char *compute;         /* the library of matrix products and its kernel */
    char *config;          /* the resolved configuration, `key = value` lines */
} ls_model_info;

/* Totals of an epoch that is not finished. */
typedef struct ls_epoch_totals {
    ls_score score;   /* of the rows trained on in it, the same on all ranks */
    double seconds;   /* without checkpoints */
    double compute_s; /* this and the next two: of this rank; in a checkpoint, summed over ranks */
    double communicate_s;
    double exchange_s;
} ls_epoch_totals;

/* How far training is. A plain value. */
typedef struct ls_progress {
    int64_t epoch;           /* epochs finished */
    int64_t step;            /* steps taken in the next one */
    ls_epoch_totals totals;  /* of those steps */
    int64_t optimizer_steps; /* steps taken since the beginning */
    int64_t best_steps;      /* the same at the end of the best epoch that was saved; 0: none */
    ls_early_stop early_stop;
    int64_t ranks;    /* that trained it so far; 0: none yet */
    ls_reduce reduce; /* how they summed gradients; LS_REDUCE_AUTO while that is undecided */
} ls_progress;

/* Everything, borrowed, to be written. */
typedef struct ls_state {
    const ls_model_info *info;
    const ls_progress *progress;
    const ls_metrics *history; /* [progress->epoch] */
    const ls_network *network;
    const float *params;
    ls_optimizer *optimizer;
    const float *const *slots; /* [ls_optimizer_slots()] its arenas; NULL: those that it has */
} ls_state;

/* The folder that a run writes its checkpoints into. It knows which of the files there are the
 * run's own: others are never removed, replaced or counted. */
typedef struct ls_checkpoint_folder ls_checkpoint_folder;

/* Opens a folder, which is made if it is not there, for a run that has written nothing into it yet.
 * Errors: LS_ERR_FAILURE. */
ls_status ls_checkpoint_folder_open(ls_checkpoint_folder **out, const char *path) LS_MUST_CHECK;

/* Frees it and sets *folder to NULL; accepts NULL. */
void ls_checkpoint_folder_close(ls_checkpoint_folder **folder);

/* Makes a folder as it was when the run had come to this progress, and finds out which files are
 * the run's own: the links lead to where they did, and its later checkpoints, and later damaged
 * ones, are removed; later files that were not written as checkpoints are renamed to NAME.aside. To
 * be called before training resumes from there.
 * run  the run's id; files without one are taken for its own
 * Errors: LS_ERR_FAILURE; LS_ERR_DATA if the folder can't be read, or a later checkpoint is another
 * run's or can't be read. Nothing is removed then. */
ls_status ls_checkpoint_rewind(ls_checkpoint_folder *folder, const char *run,
                               const ls_progress *progress) LS_MUST_CHECK;

/* Which of a run's checkpoints stay in its folder, beside the best. */
typedef struct ls_keep {
    int64_t newest; /* number of the newest ones */
    int64_t every;  /* also those whose steps are a multiple of this; 0: none */
} ls_keep;

/* Writes a checkpoint into a folder, as step-NNNNNNNN.h5 with the steps taken as its number, and
 * then removes all of the run's but those to keep and the best, as far as they can be removed.
 * The file appears under its name only when all of it is on disk. Where the file system has
 * symbolic links, `last` leads to it, and `best` to the one of the best epoch: for people and other
 * programs.
 * keep  newest checkpoints to keep beside the best, 1 or more
 * Errors: LS_ERR_FAILURE, also if a file of that name is not the run's, or the folder
 * another one than was opened (one that was removed is made anew); LS_ERR_USAGE if a path is too
 * long. What was there before is then still there. */
ls_status ls_checkpoint_save(ls_checkpoint_folder *folder, const ls_state *state,
                             ls_keep keep) LS_MUST_CHECK;

/* A checkpoint that is being read. */
typedef struct ls_checkpoint ls_checkpoint;

/* Verifies a file's digest, opens it, reads its attributes, and makes sure that it has parameters
 * of the shapes that its model asks for.
 * Errors: LS_ERR_DATA; *out is left alone. */
ls_status ls_checkpoint_open(ls_checkpoint **out, const char *path) LS_MUST_CHECK;

/* Closes, frees and sets *checkpoint to NULL; accepts NULL. */
void ls_checkpoint_close(ls_checkpoint **checkpoint);

/* The file's path; identity and progress that it holds. Borrowed, valid as long as the checkpoint. */
const char *ls_checkpoint_path(const ls_checkpoint *checkpoint);
const ls_model_info *ls_checkpoint_model(const ls_checkpoint *checkpoint);
const ls_progress *ls_checkpoint_progress(const ls_checkpoint *checkpoint);

/* Reads the history. Columns that are not known here are ignored, those that the file lacks are
 * NaN.
 * Local.
 * history  [progress->epoch]
 * Errors: LS_ERR_DATA, LS_ERR_FAILURE. */
ls_status ls_checkpoint_read_history(const ls_checkpoint *checkpoint,
                                     ls_metrics *history) LS_MUST_CHECK;

/* Reads the parameters into an arena of the network's layout.
 * params  [ls_network_size()]
 * Errors: LS_ERR_DATA if a name or a shape is not the network's. */
ls_status ls_checkpoint_read_params(const ls_checkpoint *checkpoint, const ls_network *network,
                                    float *params) LS_MUST_CHECK;

/* Returns true if it holds an average of the parameters. */
bool ls_checkpoint_has_average(const ls_checkpoint *checkpoint);

/* Reads the parameters that the run was judged by: their average if there is one, else the
 * parameters themselves.
 * params  [ls_network_size()]
 * Errors: as above. */
ls_status ls_checkpoint_read_outcome(const ls_checkpoint *checkpoint, const ls_network *network,
                                     float *params) LS_MUST_CHECK;

/* Reads the optimizer's slots and steps; an average that the checkpoint does not have is left as it
 * is.
 * Errors: as above. */
ls_status ls_checkpoint_read_optimizer(const ls_checkpoint *checkpoint, const ls_network *network,
                                       ls_optimizer *optimizer) LS_MUST_CHECK;

/* Opens the best checkpoint that the run has saved so far, as `current` knows it: itself, or one
 * beside it; *out is NULL if there is none.
 * missing  on return why there is none: it is not there, damaged, or of no epoch that was the best
 *          one; "" if there is one, or none was saved
 * Errors: LS_ERR_DATA if it is there and can't be read. */
ls_status ls_checkpoint_open_best(const ls_checkpoint *current, ls_checkpoint **out,
                                  char missing[LS_ERROR_TEXT_MAX]) LS_MUST_CHECK;

/* Removes the run's checkpoints again, as far as they can be removed; the latest failure's text
 * stays what it was. */
void ls_checkpoint_discard(ls_checkpoint_folder *folder);

/* Copies a checkpoint into a folder, whole; it is then the run's own.
 * Errors: LS_ERR_FAILURE, LS_ERR_DATA. */
ls_status ls_checkpoint_copy(const ls_checkpoint *checkpoint,
                             ls_checkpoint_folder *folder) LS_MUST_CHECK;

/* Finds the checkpoint that a user means by a path: a file; a run folder or its folder of
 * checkpoints, whose best, else last, is meant (`newest`: whose last); or `best` or `last` in that
 * folder. Where there are no such links the checkpoints themselves tell.
 * Errors: LS_ERR_DATA if there is none, or it can't be told which it is. LS_ERR_USAGE if the path
 * is too long for `size` bytes. */
ls_status ls_checkpoint_find(const char *path, bool newest, char *out, size_t size) LS_MUST_CHECK;

/* Opens the newest checkpoint of a run folder, or of its folder of checkpoints, that is intact;
 * *out is NULL if there is none at all.
 * skipped  on return the text of what is wrong with a newer one that is damaged, "" if all is well
 * Errors: LS_ERR_DATA if there are some but none that is intact; if a newer one can't be read, which
 * may be intact. */
ls_status ls_checkpoint_open_newest(const char *run, ls_checkpoint **out,
                                    char skipped[LS_ERROR_TEXT_MAX]) LS_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
