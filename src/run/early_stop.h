/* Early stopping: the best epoch so far, and the end of patience. Pure. */
#ifndef LS_RUN_EARLY_STOP_H
#define LS_RUN_EARLY_STOP_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/choice.h>

typedef struct ls_early_stop_config {
    bool maximise;    /* larger is better */
    int64_t patience; /* epochs without improvement after which to stop; 0: never */
    double min_delta; /* a change counts as improvement if it is larger than this; 0 or more */
} ls_early_stop_config;

/* The complete state, as in a checkpoint. Zeroed: no epoch yet. */
typedef struct ls_early_stop {
    int64_t best_epoch; /* from 1; 0: none yet */
    double best;        /* value of the best epoch */
    int64_t waited;     /* epochs since the best one */
} ls_early_stop;

/* Adds the value of an epoch. Returns true if it is the best so far; NaN never is. Local.
 * epoch  from 1 */
bool ls_early_stop_update(ls_early_stop *state, const ls_early_stop_config *config, int64_t epoch,
                          double value);

/* Returns true if patience has run out. Local. */
bool ls_early_stop_reached(const ls_early_stop *state, const ls_early_stop_config *config);

/* As ls_early_stop_update(), for an action at each end of patience, such as a cut of the learning
 * rate. Returns true if patience has run out, and restarts it. Local. */
bool ls_early_stop_plateau(ls_early_stop *state, const ls_early_stop_config *config, int64_t epoch,
                           double value);

#endif
