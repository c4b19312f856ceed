/* A replica: the network, parameters and optimizer that one rank trains, and the reducer that sums
 * its gradients with the others'. A step (step.h) may leave updates pending, to be applied in the
 * next step's forward pass, and an error deferred that was found after the others could be told:
 * whoever wants the parameters gets them from here, current and agreed on. */
#ifndef LS_TRAIN_REPLICA_H
#define LS_TRAIN_REPLICA_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/batch.h>
#include <lockstep/comm.h>
#include <lockstep/network.h>
#include <lockstep/optimizer.h>
#include <lockstep/reducer.h>

typedef struct ls_replica ls_replica;

/* What a replica is made of; texts are borrowed during the call. */
typedef struct ls_replica_config {
    const char *model;
    ls_shape input;
    int classes;
    ls_loss loss;
    ls_optimizer_config optimizer;
    double label_smoothing; /* see ls_pass */
    int64_t rows;           /* capacity of its batch, and the most rows of a pass */
} ls_replica_config;

/* Makes a replica that has no reducer, and so no parameters, yet. Local.
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

/* Sets that passes go by micro-batches, as an exact reducer needs it, see ls_pass. Local.
 * rows     of a micro-batch; 0: all of a rank's rows at once
 * quantum  of losses */
void ls_replica_set_micro_batch(ls_replica *replica, int64_t rows, double quantum);

/* Goes over to a reducer, borrowed: parameters and the optimizer's state, of which each rank may
 * have a part, are taken along from the one before, if there was one. Collective. */
void ls_replica_use(ls_replica *replica, ls_reducer *reducer);

/* The algorithm of the reducer in use. Local. */
ls_reduce ls_replica_reduce(const ls_replica *replica);

/* Gives the parameters, after all pending updates are applied. Collective.
 * params  [ls_replica_size] on return borrowed until the next step
 * Errors, on all ranks alike: the error that the latest step deferred. */
ls_status ls_replica_params(ls_replica *replica, const float **params) LS_MUST_CHECK;

/* The same between ls_replica_params() or ls_replica_set_params() and the next step. Local. */
const float *ls_replica_current_params(const ls_replica *replica);

/* The same, but for their average where the optimizer keeps one: the parameters that a run is
 * judged by, and ends with. Collective. Errors: as above. */
ls_status ls_replica_evaluated_params(ls_replica *replica, const float **params) LS_MUST_CHECK;

/* Replaces the parameters; a deferred error is forgotten. Collective.
 * params  [ls_replica_size] the same on all ranks */
void ls_replica_set_params(ls_replica *replica, const float *params);

/* Completes the optimizer's slots, of which each rank may have a part. Collective. */
void ls_replica_complete_slots(ls_replica *replica);

/* A hash of what must be the same on all ranks: the parameters, which must be current, and their
 * average where every rank keeps all of it. Local. */
uint64_t ls_replica_hash(const ls_replica *replica);

/* Copies parameters and optimizer slots of one rank to all. The parameters must be current.
 * Collective. Errors, on all ranks alike: LS_ERR_FAILURE when memory is short. */
ls_status ls_replica_copy_from(ls_replica *replica, int rank) LS_MUST_CHECK;

/* Test hook: flips a bit of this rank's parameters. Local. */
void ls_replica_flip_bit(ls_replica *replica);

#endif
