/* How far rows are from the nearest training row: a network that has copied its training rows makes
 * rows that are much nearer to them than other real rows are. */
#ifndef LS_TRAIN_NEAREST_H
#define LS_TRAIN_NEAREST_H

#include <lockstep/comm.h>

#include "train/loader.h"

/* Computes the mean, over some rows, of the Euclidean distance from the nearest of all ranks'
 * training rows. The same bits on any number of ranks. Collective.
 * loader  of the training rows, without --stream
 * batch   scratch for at least LS_EVALUATION_ROWS of them
 * count   rows, 1 or more
 * rows    [count][features] as the network reads them, the same on all ranks
 * Errors, on all ranks alike: those of reading the training rows; LS_ERR_FAILURE. */
ls_status ls_nearest_distance(ls_comm *comm, ls_loader *loader, ls_batch *batch, int64_t count,
                              const float *rows, double *out) LS_MUST_CHECK;

#endif
