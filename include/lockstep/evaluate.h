/* Loss, accuracy, confusion matrix and misclassified rows of a network, on rows that are spread
 * over ranks. */
#ifndef LOCKSTEP_EVALUATE_H
#define LOCKSTEP_EVALUATE_H

#include <stdint.h>

#include <lockstep/comm.h>
#include <lockstep/network.h>
#include <lockstep/rows.h>
#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Most classes that a confusion matrix is made for. */
enum { LS_MAX_CONFUSION = 4096 };

/* What is evaluated, and on which rows; all borrowed. */
typedef struct ls_evaluation {
    ls_comm *comm; /* of the ranks that the rows are spread over */
    ls_network *network;
    const float *params; /* [ls_network_size] the same on all ranks */
    ls_rows *rows;       /* this rank's, in the network's format; their position does not matter */
    ls_batch *batch;     /* to work with, of at least LS_EVALUATION_ROWS rows, as the network */
} ls_evaluation;

/* Evaluates this rank's rows and sums over ranks. Where each rank uses one BLAS thread the result
 * has the same bits on any number of ranks. Collective on evaluation->comm.
 * out        on return sums over all ranks' rows
 * confusion  [classes][classes] on return number of rows of class i that were classified as j, over
 *            all ranks; at most LS_MAX_CONFUSION classes; may be NULL, on all ranks alike
 * Errors, on all ranks alike: that of any rank's rows; LS_ERR_FAILURE when memory is short;
 * LS_INTERRUPTED after a signal. */
ls_status ls_evaluate(const ls_evaluation *evaluation, ls_score *out,
                      int64_t *confusion) LS_MUST_CHECK;

/* A row that was classified wrongly: the rows of highest confidence are what to look at to
 * understand a network, and where to look for wrong labels. */
typedef struct ls_misclassified {
    int64_t row;   /* number in its split */
    int32_t label; /* class that it is of */
    int32_t predicted;
    double probability; /* of the predicted class, by the network; under LS_MSE its output */
} ls_misclassified;

/* Finds the misclassified rows of highest confidence among all ranks' rows, in falling order; of
 * equals the lower row comes first. The same bits on any number of ranks as above. Collective on
 * evaluation->comm.
 * most   how many at most; the same on all ranks
 * out    [most] on return those found, the same on all ranks
 * count  on return their number
 * Errors, on all ranks alike: as above. */
ls_status ls_find_misclassified(const ls_evaluation *evaluation, int64_t most,
                                ls_misclassified *out, int64_t *count) LS_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
