/* One training step of a replica, and the times of its phases. */
#ifndef LS_TRAIN_STEP_H
#define LS_TRAIN_STEP_H

#include "train/replica.h"

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

/* Checks of what a rank has computed. Local. */
typedef struct ls_step_checks {
    const void *user; /* handed to each */
    ls_status (*score)(const void *user,
                       const ls_score *score);               /* of a pass, before the gradient */
    ls_status (*gradient)(const void *user, int64_t offset); /* one that is not finite */
} ls_step_checks;

/* Inputs and outputs of a step. */
typedef struct ls_step_io {
    /* Set by the caller. The replica's batch holds this rank's rows. */
    ls_status loaded; /* LS_OK, or that filling the batch failed, with the latest error's text */
    double gather_s;  /* seconds that filling it took */
    double lr;        /* learning rate */
    uint64_t key;     /* of all that is random in the pass */
    bool last;        /* step of an epoch: no update is left pending */
    ls_step_checks checks; /* zeros: none */
    ls_control control;    /* this rank's stop, save and copy; on return the sum over ranks */

    /* Set by the step. */
    ls_score score;   /* this rank's */
    ls_phases phases; /* times are added */
} ls_step_io;

/* One step: forward, backward with the reduction over ranks, update. Where the reducer updates
 * lazily, the update is left pending and applied in the next step's forward pass. A rank that could
 * not fill its batch takes part with no rows and raises its failure. Collective.
 * Errors, on all ranks alike: `loaded` of any rank, and those of the checks, before anything is
 * updated; a gradient's error that the reducer finds only while it updates is deferred: it fails
 * the next step, or ls_replica_params(). */
ls_status ls_step(ls_replica *replica, ls_step_io *io) LS_MUST_CHECK;

/* Continues after a step that failed as if its gradient had been zero: nothing is updated.
 * Collective. */
void ls_step_skip(ls_replica *replica);

#endif
