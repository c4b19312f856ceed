/* A replica: the network, parameters and optimizer that one rank trains, and the reducer that sums
 * its gradients over ranks. A step (step.h) may leave updates pending, to be applied in the next
 * step's forward pass, and may defer an error that was found after the control word had left. The
 * functions below return parameters that are current and agreed on. */
#ifndef LS_TRAIN_REPLICA_H
#define LS_TRAIN_REPLICA_H

#include <stdbool.h>
#include <stdint.h>

#include "nn/optimizer.h"
#include "parallel/reducer.h"

#include <lockstep/batch.h>
#include <lockstep/comm.h>
#include <lockstep/network.h>
#include <lockstep/optimizer.h>

typedef struct ls_replica ls_replica;

/* Configuration of a replica; texts are borrowed during the call. */
typedef struct ls_replica_config {
    const char *model;
    ls_shape input;
    int outputs; /* of the network */
    int values;  /* in a target; 0: the targets are classes */
    ls_loss loss;
    double huber; /* D of LS_HUBER */
    ls_optimizer_config optimizer;
    double label_smoothing; /* see ls_pass */
    int64_t rows;           /* capacity of its batch: the most rows of a pass */
} ls_replica_config;

/* Creates a replica, without a reducer and therefore without parameters. Local.
 * comm  of all replicas, borrowed
 * Errors: LS_ERR_USAGE, LS_ERR_FAILURE; *out is left alone. */
ls_status ls_replica_create(ls_replica **out, ls_comm *comm,
                            const ls_replica_config *config) LS_MUST_CHECK;

/* Frees all but the reducer and sets *replica to NULL; accepts NULL. Local. */
void ls_replica_destroy(ls_replica **replica);

/* Its parts; borrowed. Local. */
ls_network *ls_replica_network(const ls_replica *replica);
ls_optimizer *ls_replica_optimizer(const ls_replica *replica);
ls_batch *ls_replica_batch(const ls_replica *replica);
int64_t ls_replica_size(const ls_replica *replica); /* parameters, see ls_network_size() */

/* Makes passes compute by micro-batches, as an exact reducer requires, see ls_pass. Local.
 * rows  of a micro-batch; 0: all rows of a rank at once
 * most  bound of the weight of a step's rows, of all ranks; at least their number */
void ls_replica_set_micro_batch(ls_replica *replica, int64_t rows, double most);

/* Sets the reducer. Parameters and the optimizer's state, which may be sharded, are carried over
 * from the previous reducer, if any. Collective.
 * reducer  borrowed */
void ls_replica_use(ls_replica *replica, ls_reducer *reducer);

/* Returns the algorithm of the current reducer. Local. */
ls_reduce ls_replica_reduce(const ls_replica *replica);

/* Applies all pending updates and returns the parameters. Collective.
 * params  [ls_replica_size] on return; borrowed until the next step
 * Errors, on all ranks alike: the error that the latest step deferred. */
ls_status ls_replica_params(ls_replica *replica, const float **params) LS_MUST_CHECK;

/* Returns the parameters between ls_replica_params() or ls_replica_set_params() and the next step.
 * Local. */
const float *ls_replica_current_params(const ls_replica *replica);

/* As ls_replica_params(), but returns their average if the optimizer keeps one: the parameters that
 * are validated and that a run ends with. Collective. Errors: as above. */
ls_status ls_replica_evaluated_params(ls_replica *replica, const float **params) LS_MUST_CHECK;

/* Replaces the parameters and clears a deferred error. Collective.
 * params  [ls_replica_size] the same on all ranks */
void ls_replica_set_params(ls_replica *replica, const float *params);

/* Gathers the optimizer's slots, which may be sharded, on all ranks. Collective. */
void ls_replica_complete_slots(ls_replica *replica);

/* Returns a hash of the state that must be the same on all ranks: the parameters, which must be
 * current, and their average unless it is sharded. Local. */
uint64_t ls_replica_hash(const ls_replica *replica);

/* Copies parameters and optimizer slots of one rank to all. The parameters must be current.
 * Collective. Errors, on all ranks alike: LS_ERR_FAILURE when memory is short. */
ls_status ls_replica_copy_from(ls_replica *replica, int rank) LS_MUST_CHECK;

/* Test hook: flips a bit of this rank's parameters. Local. */
void ls_replica_flip_bit(ls_replica *replica);

#endif
