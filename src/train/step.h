/* One training step of a replica, and the times of its phases. */
#ifndef LS_TRAIN_STEP_H
#define LS_TRAIN_STEP_H

#include "nn/pass.h"
#include "train/replica.h"

/* Seconds of this rank in the phases of a step; all doubles. */
typedef struct ls_phases {
    double gather;    /* bytes to floats, augmented */
    double forward;   /* and the loss */
    double backward;  /* without the exposed reduction */
    double exposed;   /* reduction: communication and waiting not overlapped by computing */
    double hidden;    /* reduction overlapped by other phases; not part of the total */
    double optimizer; /* update of this rank's parameters */
    double total;
} ls_phases;
enum { LS_PHASES = sizeof(ls_phases) / sizeof(double) };

/* Adds the times of another step. Local. */
void ls_phases_add(ls_phases *phases, const ls_phases *other);

/* Returns the name of phase `at`, from 0: "gather", ... Local. */
const char *ls_phase_name(int at);

/* Checks of a rank's results. Both are Local. */
typedef struct ls_step_checks {
    const void *user; /* passed to both */
    /* Checks the score of a network's pass, before its backward pass. */
    ls_status (*score)(const void *user, const ls_network *network, const ls_score *score);
    /* Makes the error for a gradient that is NaN or Inf, at an offset in the arena. */
    ls_status (*gradient)(const void *user, const ls_network *network, int64_t offset);
} ls_step_checks;

/* The passes of a step over this rank's rows, for objectives that have others than one through the
 * replica's network. Both are Collective. */
typedef struct ls_step_passes {
    void *user; /* passed to both */
    /* Runs the forward passes and the loss. Returns this rank's score. */
    ls_score (*forward)(void *user, const ls_pass *pass);
    /* Runs the backward passes. The replica's batch has no rows if the rank failed meanwhile.
     * grads  [ls_replica_size] on return the gradients, announced by the pass's hook */
    void (*backward)(void *user, const ls_pass *pass, float *grads);
} ls_step_passes;

/* Inputs and outputs of a step. */
typedef struct ls_step_io {
    /* Set by the caller. The replica's batch holds this rank's rows. */
    ls_status loaded;      /* LS_OK, or the error of filling the batch, which is the latest error */
    double gather_s;       /* seconds to fill the batch */
    double lr;             /* learning rate */
    uint64_t key;          /* RNG key of the pass */
    bool last;             /* last step of an epoch: no update is left pending */
    ls_step_checks checks; /* zeros: none */
    ls_step_passes passes; /* zeros: of the replica's network, over its batch */
    ls_control control;    /* this rank's stop, save and copy; on return the sum over ranks */

    /* Set by the step. */
    ls_score score;   /* this rank's */
    ls_phases phases; /* times are added */
} ls_step_io;

/* Runs one step: forward, backward with the reduction over ranks, update. If the reducer updates
 * lazily, the update is left pending and applied in the next step's forward pass. A rank that could
 * not fill its batch takes part with zero rows and raises its failed flag. If the weights of all
 * rows are 0, nothing is updated. Collective.
 * Errors, on all ranks alike: `loaded` of any rank, and the errors of the checks, before anything
 * is updated. A non-finite gradient that the reducer finds only during the update is deferred: the
 * next step, or ls_replica_params(), returns the error. */
ls_status ls_step(ls_replica *replica, ls_step_io *io) LS_MUST_CHECK;

/* Continues after a failed step without its update; the step is counted. Collective. */
void ls_step_skip(ls_replica *replica);

#endif
