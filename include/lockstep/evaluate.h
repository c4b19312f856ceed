/* Loss, accuracy and confusion of a network on rows that are spread over ranks. */
#ifndef LOCKSTEP_EVALUATE_H
#define LOCKSTEP_EVALUATE_H

#include <stdint.h>

#include <lockstep/comm.h>
#include <lockstep/dataset.h>
#include <lockstep/network.h>
#include <lockstep/range.h>
#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Most classes that a confusion matrix is made for. */
enum { LS_MAX_CONFUSION = 4096 };

/* Rows that are evaluated at a time. */
enum { LS_EVALUATION_ROWS = 128 };

/* The rows of a split that a rank is to evaluate: whole blocks of LS_EVALUATION_ROWS, but for the
 * last. Local. */
ls_range ls_evaluation_shard(int64_t rows, int ranks, int rank);

/* Evaluates this rank's rows and sums over ranks. Where they are an ls_evaluation_shard(), and each
 * rank uses one BLAS thread, the result has the same bits on any number of ranks. Collective.
 * params     the network's parameters, the same on all ranks
 * samples    this rank's rows, may be none
 * mean, std  of the normalisation (pixel / 255 - mean) / std
 * batch      to work with, of at least LS_EVALUATION_ROWS rows, as the network
 * out        on return sums over all ranks' rows
 * confusion  [classes][classes] on return how many rows of class i were taken for class j, all
 *            ranks together; at most LS_MAX_CONFUSION classes; may be NULL, on all ranks alike
 * Errors, on all ranks alike: LS_ERR_FAILURE if any rank failed; LS_ERR_USAGE if mean or std is out
 * of range. */
ls_status ls_evaluate(ls_comm *comm, ls_network *network, const float *params,
                      const ls_samples *samples, double mean, double std, ls_batch *batch,
                      int classes, ls_score *out, int64_t *confusion) LS_MUST_CHECK;

/* The same piece by piece, for rows that are not all in memory. */
typedef struct ls_evaluation {
    ls_network *network; /* these five as above, to be set before it begins */
    const float *params;
    ls_batch *batch;
    int classes;
    int64_t *confusion;
    float scale, shift; /* of pixels */
    double quantum;     /* of losses */
    ls_score score;     /* so far */
} ls_evaluation;

/* Begins an evaluation.
 * Local.
 * rows  of all ranks together, that are to come
 * Errors: as above. */
ls_status ls_evaluation_begin(ls_evaluation *evaluation, double mean, double std,
                              int64_t rows) LS_MUST_CHECK;

/* Evaluates some rows; all pieces but the last of a rank have whole blocks of LS_EVALUATION_ROWS.
 * Local.
 * evaluation  an ls_evaluation
 * Errors: LS_ERR_FAILURE when memory is short. */
ls_status ls_evaluation_add(void *evaluation, const ls_samples *samples) LS_MUST_CHECK;

/* Sums over ranks.
 * Collective.
 * status  of this rank's ls_evaluation_add() calls
 * Errors: any rank's status, on all ranks alike. */
ls_status ls_evaluation_finish(ls_comm *comm, ls_evaluation *evaluation, ls_status status,
                               ls_score *out) LS_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
