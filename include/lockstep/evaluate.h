/* Loss, accuracy and confusion of a network on rows that are spread over ranks. */
#ifndef LOCKSTEP_EVALUATE_H
#define LOCKSTEP_EVALUATE_H

#include <stdint.h>

#include <lockstep/comm.h>
#include <lockstep/dataset.h>
#include <lockstep/network.h>
#include <lockstep/status.h>

/* Evaluates this rank's rows and sums over ranks. Collective.
 * params     the network's parameters, the same on all ranks
 * samples    this rank's rows, may be none
 * mean, std  of the normalisation (pixel / 255 - mean) / std
 * batch      to work with, of at least 1 row; its capacity is the size of a piece
 * out        on return sums over all ranks' rows
 * confusion  [classes][classes] on return how many rows of class i were taken for class j, all
 * ranks together; may be NULL, on all ranks alike Errors: LS_ERR_FAILURE on all ranks if any rank
 * failed. */
ls_status ls_evaluate(ls_comm *comm, ls_network *network, const float *params,
                      const ls_samples *samples, double mean, double std, ls_batch *batch,
                      int classes, ls_score *out, int64_t *confusion) LS_MUST_CHECK;

#endif
