/* Training passes: the interface between a network, which computes, and a trainer with its reducer,
 * which communicates parameters and gradients at the same time. */
#ifndef LS_NN_PASS_H
#define LS_NN_PASS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hooks.h"
#include "base/group.h"

#include <lockstep/network.h>

/* Allreduce: sums numbers over the ranks that share a batch, in place on every rank. `call` may be
 * NULL: this rank has the whole batch. Collective on those ranks. */
typedef struct ls_sum {
    void (*call)(void *user, double *values, int count);
    void *user;
} ls_sum;

/* A loss instead of the network's own: returns the score of rows first .. first+rows-1 of a batch.
 * Local.
 * y   [rows][outputs]
 * dy  the same: on return the gradient of the sum of the rows' losses with respect to y */
typedef struct ls_pass_loss {
    ls_score (*call)(const void *user, const ls_batch *batch, int64_t first, int64_t rows,
                     const float *y, float *dy); /* NULL: the network's */
    const void *user;
} ls_pass_loss;

/* Context of a training pass: hooks, RNG key, micro-batches. All zeros: a single rank. */
typedef struct ls_pass {
    const ls_group *group; /* ranks that split large matrices; NULL: this rank alone */
    int slot; /* of the group's memory that keeps inputs for the backward pass: two passes whose
                 forward passes both come before a backward pass have different ones */
    ls_param_hook param_hook; /* parameter hook: called before parameters are read */
    ls_grad_hook grad_hook;   /* gradient hook: called when gradients are final */
    ls_sum sum;               /* allreduce of batch statistics */
    ls_pass_loss loss;        /* of ls_network_loss() */
    uint64_t key;             /* RNG key; random numbers depend on the key and on the rows' ids */

    /* e: the targets of cross-entropy are (1 - e) one-hot + e / K (Szegedy et al., Rethinking the
     * Inception Architecture, 2016). 0 or more, below 1. */
    double label_smoothing;

    /* Rows of a micro-batch; 0: all rows at once. With micro-batches the result does not depend
     * on how micro-batches are distributed over ranks: grad_hook gets the gradients of one
     * micro-batch at a time, and sums are exact, those of the score by ls_score_add_exact(). */
    int64_t block;
    double quanta[2]; /* of the score */
    ls_score
        *rest; /* on return of ls_network_loss() what the quanta leave of the score; NULL: lost */

    /* [B][input] on return of the backward pass the gradient of the sum of the rows' losses with
     * respect to the batch's inputs, in the order of batch->x; NULL: not needed. */
    float *input_gradient;

    /* [B][outputs], by step [B][T][K]: the gradient of the sum of the rows' losses with respect to
     * the outputs, if the loss is another than the network's; not changed. NULL: the network's. */
    const float *output_gradient;

    /* The backward pass computes input_gradient only: it calls no gradient hook, and its `grads`
     * may be NULL. */
    bool frozen;
} ls_pass;

/* The two halves of a pass through two networks, of which the second one judges the outputs y of
 * the first one, by an example: the first one learns, the second one is frozen.
 *
 *     y = ls_network_forward_training(first, ..., first_pass)
 *     ls_network_loss(second, ..., batch of y, {.frozen = true, .input_gradient = dy})
 *     ls_network_backward(second, ..., the same, NULL)
 *     ls_network_backward(first, ..., first_pass and .output_gradient = dy, grads)
 *
 * Each network keeps the values of its latest forward pass for its backward pass. Normalisation
 * uses the statistics of each batch. Running statistics are parameters, which a pass does not
 * change: the optimizer does, by the gradients of a pass that is not frozen. */

/* A training pass in two calls: forward pass and loss, then the backward pass to the gradient of
 * the sum of the rows' losses. If pass->output_gradient is that of another loss,
 * ls_network_forward_training() is the first call: it returns the outputs as ls_network_forward()
 * does, and output_gradient may be set between the calls. Batch, parameters and `pass` must not
 * otherwise change from the beginning of the first call to the end of the second, except that the
 * number of rows may become 0 in between: so a failed rank continues to take part in the collective
 * calls.
 * Collective on the ranks of pass->group and pass->sum, if set; else Local. If a group splits a
 * matrix, each rank gets the gradient of its own rows of the matrix only, summed over the batch
 * rows of the group, at most group->rows of each rank.
 * grads  [ls_network_size] overwritten; zeros if B is 0, except for matrices that a group splits;
 *        may be NULL if the pass is frozen */
const float *ls_network_forward_training(ls_network *network, const float *params,
                                         const ls_batch *batch, const ls_pass *pass);
ls_score ls_network_loss(ls_network *network, const float *params, const ls_batch *batch,
                         const ls_pass *pass);
void ls_network_backward(ls_network *network, const float *params, const ls_batch *batch,
                         const ls_pass *pass, float *grads);

/* Returns the layout of the parameter arena, for reducers; borrowed. Local. */
const ls_layout *ls_network_layout(const ls_network *network);

#endif
