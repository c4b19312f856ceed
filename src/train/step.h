/* One training step of a replica, and the times of its phases. */
#ifndef LS_TRAIN_STEP_H
#define LS_TRAIN_STEP_H

#include <lockstep/network.h>
#include <lockstep/optimizer.h>
#include <lockstep/reducer.h>

#include "data/samples.h"

/* What a rank trains with. */
typedef struct ls_replica {
    ls_network *network;
    ls_reducer *reducer; /* owns the arenas of gradients and parameters */
    ls_optimizer *optimizer;
    ls_batch *batch;
    ls_normalization normalization;

    /* The latest step's updates, as far as they are left for the next forward pass. */
    bool unfinished;
    int64_t fresh;   /* parameters from here on are new */
    double updating; /* seconds of all updates so far */
} ls_replica;

/* Seconds of this rank in the phases of a step; all doubles. */
typedef struct ls_phases {
    double gather;    /* bytes to floats */
    double forward;   /* and the loss */
    double backward;  /* without what its reduction exposes */
    double exposed;   /* reduction: communication and waiting that nothing hides */
    double hidden;    /* reduction under way behind other phases; not part of the total */
    double optimizer; /* update of the parameters that are this rank's */
    double total;
} ls_phases;
enum { LS_PHASES = sizeof(ls_phases) / sizeof(double) };

/* "gather", ... Local. */
const char *ls_phase_name(int at);

/* Looks at a rank's score before its gradient is asked for. Local. */
typedef ls_status ls_step_check(const void *user, const ls_score *score);

/* One step. Where the reducer defers, parameters that are still on their way when it ends are
 * updated in the next step's forward pass. Collective.
 * samples  this rank's; [count] of them in `order`, NULL: the first ones
 * check    a failure that it finds on any rank ends the step on all of them, alike; may be NULL
 * score    on return this rank's
 * control  its wishes to stop and to save are the caller's; on return the sum over ranks
 * phases   times are added
 * Errors, on all ranks alike: those of check. */
ls_status ls_step(ls_replica *replica, const ls_samples *samples, const int64_t *order,
                  int64_t count, double lr, ls_comm *comm, ls_step_check *check, const void *user,
                  ls_score *score, ls_control *control, ls_phases *phases) LS_MUST_CHECK;

/* Finishes what the latest step has left: afterwards the parameters are everywhere. To be called
 * before anything else than the next step uses them. Collective.
 * phases  times are added; NULL: nowhere */
void ls_step_finish(ls_replica *replica, ls_phases *phases);

#endif
