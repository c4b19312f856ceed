/* Passes of training: the seam between a network, which computes, and a trainer with its reducer,
 * which moves parameters and gradients between ranks meanwhile. */
#ifndef LS_NN_PASS_H
#define LS_NN_PASS_H

#include <stdint.h>

#include <lockstep/network.h>
#include <lockstep/hooks.h>
#include <lockstep/group.h>

/* Adds up numbers over the ranks that a batch is spread over, so that each has the sums. `call` may
 * be NULL: this rank has all of the batch. Collective on those ranks. */
typedef struct ls_sum {
    void (*call)(void *user, double *values, int count);
    void *user;
} ls_sum;

/* Context of a training pass: hooks, key of random numbers, micro-batches. All zeros: a rank
 * alone. */
typedef struct ls_pass {
    const ls_group *group;    /* computes large products together; NULL: this rank alone */
    ls_param_hook param_hook; /* parameter hook: called before parameters are read */
    ls_grad_hook grad_hook;   /* gradient hook: called when gradients are final */
    ls_sum sum;               /* of statistics over the global batch */
    uint64_t key;             /* random numbers depend on it and on the rows' ids */

    /* e: the target of cross-entropy is 1 - e for the label, and e / K more for each class
     * (Szegedy et al., Rethinking the Inception Architecture, 2016). 0 or more, below 1. */
    double label_smoothing;

    /* Rows of a micro-batch. With micro-batches the result of a call does not depend on how many of
     * them this rank has: `ready` gets the gradients of one at a time, see ls_grad_hook, and sums are
     * exact, those of losses in multiples of the quantum, see base/exact.h. 0: all rows at once. */
    int64_t block;
    double quantum;

    /* [B][input] on return of the backward pass the gradient of the sum of the rows' losses with
     * respect to the batch's inputs; NULL: not wanted. */
    float *input_gradient;
} ls_pass;

/* A training pass in two halves: forward to the loss, and back to the gradient of the sum of the
 * rows' losses. From the first half's beginning to the second half's end batch, parameters and
 * `pass` stay as they are; only the number of rows may become 0 in between: so a rank that failed
 * takes part in the collective calls of the others.
 * With a group, or sums: Collective on its ranks. Of the matrices that a group splits a rank gets only
 * the gradient of its rows of the matrix, summed over the group's batch rows, at most group->rows of
 * each rank.
 * grads  [ls_network_size], overwritten; zeros if B is 0, except for a group's sums */
ls_score ls_network_loss(ls_network *network, const float *params, const ls_batch *batch,
                         const ls_pass *pass);
void ls_network_backward(ls_network *network, const float *params, const ls_batch *batch,
                         const ls_pass *pass, float *grads);

/* The arena of parameters as a reducer needs to know it; borrowed. Local. */
const ls_layout *ls_network_layout(const ls_network *network);

#endif
