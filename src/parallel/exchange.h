/* Exchange of samples between ranks at the beginning of an epoch: afterwards each rank holds the
 * samples that the plan assigns to it for the epoch. */
#ifndef LS_PARALLEL_EXCHANGE_H
#define LS_PARALLEL_EXCHANGE_H

#include <stdint.h>

#include "data/plan.h"

#include <lockstep/comm.h>
#include <lockstep/dataset.h>
#include <lockstep/status.h>

typedef struct ls_exchange ls_exchange;

/* Returns the capacity in samples that a rank needs: the larger of its shard of the file and its
 * part of an epoch. Local. */
int64_t ls_exchange_capacity(const ls_plan *plan, int rank);

/* Creates an exchange.
 * Collective.
 * plan     copied
 * samples  this rank's shard of the training split, with capacity ls_exchange_capacity(); borrowed
 * Errors: LS_ERR_FAILURE if any rank is out of memory (all ranks get it); *out is unchanged. */
ls_status ls_exchange_create(ls_exchange **out, ls_comm *comm, const ls_plan *plan,
                             ls_samples *samples) LS_MUST_CHECK;

/* Frees an exchange and sets *exchange to NULL; accepts NULL. Local. */
void ls_exchange_destroy(ls_exchange **exchange);

/* Moves samples to the ranks that use them in an epoch, from any earlier distribution.
 * Collective; `epoch` is the same on all ranks.
 * order  on return [ls_plan_rank_rows] indices in `samples` of this rank's samples, in the order of
 *        the epoch; borrowed until the next call
 * Errors (all ranks get them): LS_ERR_FAILURE if any rank failed, LS_ERR_RANKS if the numbers of
 * samples don't match the plan; samples are then not moved. */
ls_status ls_exchange_epoch(ls_exchange *exchange, int64_t epoch,
                            const int32_t **order) LS_MUST_CHECK;

#endif
