/* Early stopping: which epoch is the best so far, and whether to go on. Pure. */
#ifndef LOCKSTEP_EARLY_STOP_H
#define LOCKSTEP_EARLY_STOP_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/choice.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LS_MODE_LIST(X)                                                                            \
    X(LS_MODE_AUTO, "auto", "a loss is minimised, an accuracy maximised")                          \
    X(LS_MODE_MIN, "min", "smaller is better")                                                     \
    X(LS_MODE_MAX, "max", "larger is better")

typedef enum ls_mode { LS_MODE_LIST(LS_CHOICE_ENUM) } ls_mode;

typedef struct ls_early_stop_config {
    bool maximise;    /* larger is better */
    int64_t patience; /* epochs without improvement after which to stop; 0: never */
    double min_delta; /* a change counts as improvement if it is larger than this; 0 or more */
} ls_early_stop_config;

/* The state, all of it: a checkpoint holds it. Zeroed: no epoch yet. */
typedef struct ls_early_stop {
    int64_t best_epoch; /* from 1; 0: none yet */
    double best;        /* its value */
    int64_t waited;     /* epochs since */
} ls_early_stop;

/* Takes up the value of an epoch, counted from 1, and returns whether it is the best so far. NaN
 * never is. Local. */
bool ls_early_stop_update(ls_early_stop *state, const ls_early_stop_config *config, int64_t epoch,
                          double value);

/* Whether patience has run out. Local. */
bool ls_early_stop_reached(const ls_early_stop *state, const ls_early_stop_config *config);

/* Takes up a value as ls_early_stop_update() does, for something that is to happen whenever
 * patience runs out, as a cut of the learning rate: returns whether it has, and waiting begins
 * anew. Local. */
bool ls_early_stop_plateau(ls_early_stop *state, const ls_early_stop_config *config, int64_t epoch,
                           double value);

#ifdef __cplusplus
}
#endif

#endif
