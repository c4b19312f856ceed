/* --reduce auto: tries the reducers on the first steps of the training itself, in turn, and keeps
 * the fastest. */
#ifndef LS_TRAIN_TUNER_H
#define LS_TRAIN_TUNER_H

#include <stdbool.h>

#include "train/replica.h"

enum { LS_VERDICT_TEXT = 256 };

typedef struct ls_tuner ls_tuner;

/* Creates the candidates, all reducers that apply, and a tuner if there are several. Collective.
 * nodes         number of nodes of the ranks
 * checks_first  only candidates with ls_reduce_checks_before_update()
 * shard, layout, rows  see ls_reducer_create()
 * out           on return NULL if there is only one candidate
 * reducer       on return the first candidate, owned by the caller unless there is a tuner
 * Errors, on all ranks alike: LS_ERR_FAILURE. */
ls_status ls_tuner_create(ls_tuner **out, ls_comm *comm, int nodes, bool shard, bool checks_first,
                          const ls_layout *layout, ls_step_rows rows,
                          ls_reducer **reducer) LS_MUST_CHECK;

/* Frees a tuner and its reducers and sets *tuner to NULL; accepts NULL on all ranks alike.
 * Collective. */
void ls_tuner_destroy(ls_tuner **tuner);

/* Records a step's duration, and changes to the next reducer at the end of a turn. Returns the
 * fastest reducer, then owned by the caller, when the trial ends; NULL before, on all ranks alike.
 * Collective.
 * seconds  duration of the step
 * replica  its reducer is replaced when it changes
 * verdict  at the end of the trial, the measured times as text; those of reducers that left the
 *          trial early, which are of fewer steps, are marked */
ls_reducer *ls_tuner_step(ls_tuner *tuner, double seconds, ls_replica *replica,
                          char verdict[LS_VERDICT_TEXT]) LS_MUST_CHECK;

#endif
