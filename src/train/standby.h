/* A copy of the training's state in the memory of rank 0, for runs whose steps are long: mpirun
 * kills a job a second after Ctrl-C, before a long step comes to its end. When a signal comes, a
 * thread writes the copy as a checkpoint at once; the step continues, and if it can still
 * finish the run stops as any other, with a checkpoint of its own. */
#ifndef LS_TRAIN_STANDBY_H
#define LS_TRAIN_STANDBY_H

#include <stdbool.h>

#include <lockstep/status.h>

struct ls_trainer;
typedef struct ls_standby ls_standby;

/* Seconds of a step that is long; to be changed by tests only. */
extern double ls_standby_long_step;

/* Returns true if the state should be copied after the next step, for its control word: steps are
 * long, and copying takes little of the time. Local; on rank 0.
 * step_seconds  of the step before */
bool ls_standby_is_due(const struct ls_trainer *trainer, double step_seconds);

/* Copies the state, after a step. Collective. Where memory or a thread is short the run continues
 * without copies. Errors, on all ranks alike: the error that the latest step deferred. */
ls_status ls_standby_copy(struct ls_trainer *trainer) LS_MUST_CHECK;

/* Keeps the thread from writing while this rank saves a newer state, and lets it. Accept NULL.
 * Local.
 * saved  the copy is of no use any more */
void ls_standby_lock(ls_standby *standby);
void ls_standby_unlock(ls_standby *standby, bool saved);

/* Ends the thread, frees and sets *standby to NULL; accepts NULL. Local. */
void ls_standby_destroy(ls_standby **standby);

#endif
