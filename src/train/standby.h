/* A copy of the training's state in the memory of rank 0, for runs with long steps: mpirun kills a
 * job a second after Ctrl-C, before a long step ends. When a signal comes, a thread writes the copy
 * as a checkpoint at once. The step continues, and if it can still finish, the run stops as usual,
 * with a checkpoint after that step. */
#ifndef LS_TRAIN_STANDBY_H
#define LS_TRAIN_STANDBY_H

#include <stdbool.h>

#include <lockstep/status.h>

struct ls_trainer;
typedef struct ls_standby ls_standby;

/* Shortest duration of a long step, in seconds; only tests change it. */
extern double ls_standby_long_step;

/* Returns true if the state should be copied after the next step: steps are long, and copying takes
 * a small part of the time. Local; on rank 0.
 * step_seconds  duration of the previous step */
bool ls_standby_is_due(const struct ls_trainer *trainer, double step_seconds);

/* Copies the state, after a step. Without enough memory, or without a thread, the run continues
 * without copies. Collective.
 * Errors, on all ranks alike: the error that the latest step deferred. */
ls_status ls_standby_copy(struct ls_trainer *trainer) LS_MUST_CHECK;

/* Lock and unlock the copy: the thread does not write while this rank saves a newer state. Accept
 * NULL. Local.
 * saved  the newer state is saved, or the copy is obsolete: the thread need not write it */
void ls_standby_lock(ls_standby *standby);
void ls_standby_unlock(ls_standby *standby, bool saved);

/* Ends the thread, frees and sets *standby to NULL; accepts NULL. Local. */
void ls_standby_destroy(ls_standby **standby);

#endif
