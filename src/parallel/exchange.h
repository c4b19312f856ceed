/* Moving samples between ranks at an epoch boundary, so that each rank holds the samples that the
 * plan wants it to use in the coming epoch. */
#ifndef LS_PARALLEL_EXCHANGE_H
#define LS_PARALLEL_EXCHANGE_H

#include <stdint.h>

#include <lockstep/comm.h>
#include <lockstep/dataset.h>
#include <lockstep/plan.h>
#include <lockstep/status.h>

typedef struct ls_exchange ls_exchange;

/* How many samples a rank must have room for: its shard of the file, or its part of an epoch, the
 * larger. Local. */
int64_t ls_exchange_capacity(const ls_plan *plan, int rank);

/* Makes an exchange. Collective.
 * plan     copied
 * samples  this rank's shard of the training split, of that capacity; borrowed
 * Errors: LS_ERR_FAILURE when memory is short on any rank (all ranks get it). */
ls_status ls_exchange_create(ls_exchange **out, ls_comm *comm, const ls_plan *plan,
                             ls_samples *samples) LS_MUST_CHECK;

/* Frees an exchange and sets *exchange to NULL; accepts NULL. Local. */
void ls_exchange_destroy(ls_exchange **exchange);

/* Brings the samples of an epoch to their ranks, wherever they are now. Collective.
 * order  on return [ls_plan_rank_rows] for each of this rank's samples, in the order of the epoch,
 *        where it lies in `samples`; borrowed until the next call
 * Errors, on all ranks alike: LS_ERR_FAILURE if any rank failed, LS_ERR_RANKS if the ranks hold
 * other samples than the plan's; the samples are then where they were. */
ls_status ls_exchange_epoch(ls_exchange *exchange, int64_t epoch,
                            const int64_t **order) LS_MUST_CHECK;

#endif
