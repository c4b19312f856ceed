/* Metrics, confusion matrix and misclassified rows of a network, on rows that are spread
 * over ranks. */
#ifndef LS_TRAIN_EVALUATE_H
#define LS_TRAIN_EVALUATE_H

#include <stdint.h>

#include "train/rows.h"

#include <lockstep/comm.h>
#include <lockstep/model.h>
#include <lockstep/network.h>
#include <lockstep/status.h>

/* An evaluation: parameters and rows; all borrowed. */
typedef struct ls_evaluation {
    ls_comm *comm; /* of the ranks that the rows are spread over */
    ls_network *network;
    const float *params; /* [ls_network_size] the same on all ranks */
    ls_rows *rows;       /* this rank's rows, in the network's format; they are rewound first */
    ls_batch *batch;     /* scratch for at least LS_EVALUATION_ROWS rows, like the network */
    ls_status (*see)(void *user, const ls_batch *batch,
                     const float *y); /* called with the outputs [rows][K], by step [rows][T][K],
                                         of each of this rank's batches, in their order; NULL:
                                         nobody wants them */
    void *user;
} ls_evaluation;

/* Evaluates this rank's rows and sums over ranks. If each rank uses one BLAS thread, the result has
 * the same bits on any number of ranks. Collective on evaluation->comm.
 * out  see ls_model_evaluate()
 * Errors, on all ranks alike: the error of reading any rank's rows; LS_ERR_FAILURE when memory is
 * short; LS_INTERRUPTED after a signal. */
ls_status ls_evaluate(const ls_evaluation *evaluation, ls_evaluated *out) LS_MUST_CHECK;

/* Finds the misclassified rows of highest confidence among all ranks' rows, in descending order; of
 * equal ones the lower row comes first. The same bits on any number of ranks, as ls_evaluate().
 * Collective on evaluation->comm.
 * most   largest number of rows; the same on all ranks
 * out    [most] on return the rows, the same on all ranks
 * count  on return the number of rows
 * Errors, on all ranks alike: as above. */
ls_status ls_find_misclassified(const ls_evaluation *evaluation, int64_t most,
                                ls_misclassified *out, int64_t *count) LS_MUST_CHECK;

#endif
