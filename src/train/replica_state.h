/* The replica's parts, shared by replica.c and step.c. */
#ifndef LS_TRAIN_REPLICA_STATE_H
#define LS_TRAIN_REPLICA_STATE_H

#include "nn/pass.h"
#include "train/replica.h"

struct ls_replica {
    ls_comm *comm; /* of all replicas; borrowed */
    ls_network *network;
    ls_optimizer *optimizer;
    ls_batch *batch;
    ls_reducer *reducer; /* borrowed; owns the arenas of gradients and parameters */

    double label_smoothing; /* see ls_pass, like the next two */
    int64_t micro_batch;
    double quanta[2];

    /* The latest step's update, while the next forward pass has to complete it. */
    bool update_pending;
    int64_t current_from; /* parameters from this offset on are current */
    double update_s;      /* seconds of all updates so far */
    double sum_s;         /* seconds in sums over the global batch so far */

    /* Error found after the control word had left; reported in the next step. */
    ls_status deferred;
    char deferred_text[LS_ERROR_TEXT_MAX];
    bool settled; /* no update is pending, and all ranks know that no error is deferred */
};

/* Returns the context of a pass in a step of the replica: hooks of its reducer, micro-batches.
 * Local.
 * rest  see ls_pass */
ls_pass ls_replica_pass(ls_replica *replica, uint64_t key, ls_score *rest);

/* Applies pending updates, last piece first, until params[from..] are current; with 0 all of them.
 * Collective. */
void ls_replica_update(ls_replica *replica, int64_t from);

/* Defers an error to the next step, with the latest error's text; LS_OK clears it. Local. */
void ls_replica_defer(ls_replica *replica, ls_status status);

/* Returns the deferred error as this rank's failure, LS_OK if there is none. Local. */
ls_status ls_replica_deferred(const ls_replica *replica) LS_MUST_CHECK;

#endif
