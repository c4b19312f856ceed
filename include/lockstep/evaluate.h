/* Loss, accuracy and confusion of a network on rows that are spread over ranks. */
#ifndef LOCKSTEP_EVALUATE_H
#define LOCKSTEP_EVALUATE_H

#include <stdint.h>

#include <lockstep/comm.h>
#include <lockstep/dataset.h>
#include <lockstep/network.h>
#include <lockstep/status.h>

/* Makes sure that all ranks see the same data set, copies on their nodes included, as far as its
 * description and its sources' digest tell. Collective.
 * Errors: LS_ERR_RANKS on all ranks, naming the first that differs from rank 0. */
ls_status ls_agree_on_dataset(ls_comm *comm, const ls_dataset_info *info) LS_MUST_CHECK;

/* Most classes that a confusion matrix is made for. */
enum { LS_MAX_CONFUSION = 4096 };

/* Evaluates this rank's rows and sums over ranks. Collective.
 * params     the network's parameters, the same on all ranks
 * samples    this rank's rows, may be none
 * mean, std  of the normalisation (pixel / 255 - mean) / std
 * batch      to work with, of at least 1 row; its capacity is the size of a piece
 * out        on return sums over all ranks' rows
 * confusion  [classes][classes] on return how many rows of class i were taken for class j, all
 *            ranks together; at most LS_MAX_CONFUSION classes; may be NULL, on all ranks alike
 *
 * Errors, on all ranks alike: LS_ERR_FAILURE if any rank failed; LS_ERR_USAGE if mean or std is out
 * of range. */
ls_status ls_evaluate(ls_comm *comm, ls_network *network, const float *params,
                      const ls_samples *samples, double mean, double std, ls_batch *batch,
                      int classes, ls_score *out, int64_t *confusion) LS_MUST_CHECK;

#endif
