/* A small network during training, for tests of checkpoints. */
#ifndef LS_TESTS_TINY_TRAINING_H
#define LS_TESTS_TINY_TRAINING_H

#include <stdbool.h>

#include "run/checkpoint.h"

enum { TINY_TRAINING_EPOCHS = 3 };

typedef struct tiny_training {
    ls_network *network;
    ls_optimizer *optimizer;
    float *params;
    ls_metrics history[TINY_TRAINING_EPOCHS];
    ls_model_info info;
    ls_progress progress;
} tiny_training;

/* Makes a network of this model, initialised with a seed, in the state after TINY_TRAINING_EPOCHS
 * epochs and 5 steps; or frees it. */
void tiny_training_make(tiny_training *w, const char *model, uint64_t seed);
void tiny_training_free(tiny_training *w);

/* Saves a checkpoint in run/checkpoints after `steps` steps, at the end of an epoch.
 * best  true: of the best epoch so far */
ls_status tiny_training_save(tiny_training *w, int64_t steps, bool best,
                             int64_t keep) LS_MUST_CHECK;

/* Rewinds run/checkpoints to this progress, as a resumed run with this id does. */
ls_status tiny_training_rewind(const char *run, const ls_progress *progress) LS_MUST_CHECK;

/* Makes a folder, or removes its files, for a new run. */
void empty_folder(const char *path);

#endif
