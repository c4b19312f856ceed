/* What an autoencoder makes of rows. */
#ifndef LS_TRAIN_RECONSTRUCT_H
#define LS_TRAIN_RECONSTRUCT_H

#include <lockstep/trainer.h>

#include "train/evaluate.h"

/* Reconstructs the first rows of an evaluation, and passes them to the sink as they are, as they
 * were corrupted if they were, and reconstructed, all in the units of the data set. They have the
 * same bits on any number of ranks, as ls_evaluate(). Collective on evaluation->comm.
 * wanted  rows: at most so many, LS_RECONSTRUCTED, and fewer large ones; the others are passed on
 * sink    called on rank 0
 * user    passed to `sink`
 * Errors, on all ranks alike: the error of reading the rows; LS_ERR_FAILURE when memory is short;
 * that of the sink. */
ls_status ls_reconstruct(const ls_evaluation *evaluation, ls_generated wanted,
                         ls_pictures_sink sink, void *user) LS_MUST_CHECK;

#endif
