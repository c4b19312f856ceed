/* --reduce auto: tries the reducers on the first steps of the training itself, in turn, and keeps
 * the fastest. */
#ifndef LS_TRAIN_TUNER_H
#define LS_TRAIN_TUNER_H

#include <stdbool.h>

#include "train/replica.h"

enum { LS_VERDICT_TEXT = 160 };

typedef struct ls_tuner ls_tuner;

/* Makes the reducers that apply and, where there is more than one, a tuner. Collective.
 * nodes    that the ranks run on
 * checks_first  only those of ls_reduce_checks_before_update()
 * shard, layout, rows  see ls_reducer_create()
 * out      on return NULL if there is nothing to choose
 * reducer  on return the one to begin with, owned by the caller unless there is a tuner
 * Errors, on all ranks alike: LS_ERR_FAILURE. */
ls_status ls_tuner_create(ls_tuner **out, ls_comm *comm, int nodes, bool shard, bool checks_first,
                          const ls_layout *layout, ls_step_rows rows,
                          ls_reducer **reducer) LS_MUST_CHECK;

/* Frees a tuner and its reducers, sets *tuner to NULL; accepts NULL on all ranks alike.
 * Collective. */
void ls_tuner_destroy(ls_tuner **tuner);

/* After a step: goes over to the next reducer where it is time for that. Collective.
 * seconds  that the step took
 * replica  its reducer is replaced when it changes
 * verdict  on the decision, what was measured, as text
 * Returns the fastest reducer on all ranks, then owned by the caller, once that is decided; NULL
 * before. */
ls_reducer *ls_tuner_step(ls_tuner *tuner, double seconds, ls_replica *replica,
                          char verdict[LS_VERDICT_TEXT]) LS_MUST_CHECK;

#endif
