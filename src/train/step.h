/* One training step of a replica, and the times of its phases. */
#ifndef LS_TRAIN_STEP_H
#define LS_TRAIN_STEP_H

#include <lockstep/augment.h>
#include <lockstep/network.h>
#include <lockstep/optimizer.h>
#include <lockstep/reducer.h>

#include "data/samples.h"

/* What a rank trains with. */
typedef struct ls_replica {
    ls_comm *comm; /* of all replicas; borrowed */
    ls_network *network;
    ls_reducer *reducer; /* owns the arenas of gradients and parameters */
    ls_optimizer *optimizer;
    ls_batch *batch;
    ls_normalization normalization;

    ls_augment *augment;    /* of the samples; NULL: none */
    double label_smoothing; /* see ls_pass */
    uint64_t seed;          /* what is random in a step follows from it, */
    int64_t epoch;          /* and from the epoch that the step is of */

    /* With a reducer that is exact, see ls_pass. */
    int64_t block; /* rows; 0: all of a rank's rows at once */
    double loss_quantum;

    double summing; /* seconds in statistics of the global batch so far */

    /* The latest step's updates, as far as they are left for the next forward pass. */
    bool unfinished;
    int64_t fresh;   /* parameters from here on are new */
    double updating; /* seconds of all updates so far */

    /* What was found in the latest step when it was too late to let the others know. */
    ls_status late;
    char late_text[LS_ERROR_TEXT_MAX];
} ls_replica;

/* Seconds of this rank in the phases of a step; all doubles. */
typedef struct ls_phases {
    double gather;    /* bytes to floats, augmented */
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

/* Looks at what a rank has computed. Local. */
typedef struct ls_step_checks {
    const void *user; /* handed to each */
    ls_status (*score)(const void *user,
                       const ls_score *score);               /* of a pass, before the gradient */
    ls_status (*gradient)(const void *user, int64_t offset); /* what is wrong with this one */
} ls_step_checks;

/* One step. Where the reducer defers, parameters that are still on their way when it ends are
 * updated in the next step's forward pass. Collective.
 * samples  this rank's; [count] of them in `order`, NULL: the first ones
 * checks   a failure that they find on any rank ends the step on all of them, alike, before
 *          anything is updated; a gradient that a reducer does not foresee ends the next step, or
 *          ls_step_agree(). May be NULL
 * score    on return this rank's
 * control  its wishes to stop and to save are the caller's; on return the sum over ranks
 * phases   times are added
 * Errors, on all ranks alike: those of the checks. */
ls_status ls_step(ls_replica *replica, const ls_samples *samples, const int64_t *order,
                  int64_t count, double lr, const ls_step_checks *checks, ls_score *score,
                  ls_control *control, ls_phases *phases) LS_MUST_CHECK;

/* Goes on after a step that failed as if its gradient had been zero: nothing is updated.
 * Collective. */
void ls_step_skip(ls_replica *replica);

/* Finishes what the latest step has left: afterwards the parameters are everywhere. To be called
 * before anything else than the next step uses them. Collective.
 * phases  times are added; NULL: nowhere */
void ls_step_finish(ls_replica *replica, ls_phases *phases);

/* Tells of a failure of this rank before a step: it takes part in that with no rows, and all ranks
 * get the failure from it. Local. */
void ls_step_fail(ls_replica *replica, ls_status status);

/* Lets all ranks know what was found too late in the latest step. To be called after
 * ls_step_finish(), before the parameters are used for anything that lasts. Collective.
 * Errors, on all ranks alike: those of the checks. */
ls_status ls_step_agree(const ls_replica *replica) LS_MUST_CHECK;

#endif
