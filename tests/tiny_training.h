/* A small network in training, for the tests of what is saved of it. */
#ifndef LS_TESTS_TINY_TRAINING_H
#define LS_TESTS_TINY_TRAINING_H

#include <stdbool.h>

#include <lockstep/checkpoint.h>

enum { TINY_TRAINING_EPOCHS = 3 };

typedef struct world {
    ls_network *network;
    ls_optimizer *optimizer;
    float *params;
    ls_metrics history[TINY_TRAINING_EPOCHS];
    ls_model_info info;
    ls_progress progress;
} tiny_training;

/* A network of this model, initialised with a seed, after TINY_TRAINING_EPOCHS epochs and 5 steps. */
void tiny_training_make(tiny_training *w, const char *model, uint64_t seed);
void tiny_training_free(tiny_training *w);

/* Saves it in run/checkpoints after so many steps, as the end of an epoch, which may be the best so
 * far. */
ls_status tiny_training_save(tiny_training *w, int64_t steps, bool best,
                             int64_t keep) LS_MUST_CHECK;

/* Goes back to this progress in run/checkpoints, as the run of this id that is resumed there. */
ls_status tiny_training_rewind(const char *run, const ls_progress *progress) LS_MUST_CHECK;

/* Makes a folder, or empties it of its files: for a new run. */
void empty_folder(const char *path);

#endif
