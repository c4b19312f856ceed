/* Sums over evaluated rows, which are added over ranks, and the metrics computed from them. Sums of
 * real numbers are exact, see base/exact.h: if each rank adds whole batches of LS_EVALUATION_ROWS,
 * the results have the same bits on any number of ranks. */
#ifndef LS_TRAIN_TALLY_H
#define LS_TRAIN_TALLY_H

#include <stdint.h>

#include <lockstep/batch.h>
#include <lockstep/comm.h>
#include <lockstep/metrics.h>
#include <lockstep/model.h>
#include <lockstep/network.h>

typedef struct ls_tally ls_tally;

/* Creates a tally. Local.
 * rows  at most, of this rank
 * Errors: LS_ERR_FAILURE if memory is short; *out is left alone. */
ls_status ls_tally_create(ls_tally **out, const ls_network *network, int64_t values,
                          int64_t rows) LS_MUST_CHECK;

/* Makes all ranks measure the spread of the targets of a regression from the same value: those of
 * the first row of rank 0's batch. To be called before the first batch is added. Collective. */
void ls_tally_share_origin(ls_tally *tally, ls_comm *comm, const ls_batch *batch);

/* Adds a batch, of the network's latest pass. Local.
 * score      of its rows
 * y          [rows][K] their outputs; by step [rows][T][K]
 * predicted  [rows], by step [rows][T], their classes, see ls_network_evaluate() */
void ls_tally_add(ls_tally *tally, const ls_score *score, const ls_batch *batch, const float *y,
                  const int32_t *predicted);

/* Sums over ranks. Collective. */
void ls_tally_sum(ls_tally *tally, ls_comm *comm);

/* Return, after ls_tally_sum(), the score of all rows; the value of a metric, NaN if it is not
 * defined; the errors of output k of a regression; and the scores of output k of a multi-label
 * task. Local. */
ls_score ls_tally_score(const ls_tally *tally);
double ls_tally_metric(const ls_tally *tally, ls_metric metric);
ls_output_score ls_tally_output(const ls_tally *tally, int k);
ls_class_score ls_tally_label(const ls_tally *tally, int k);

/* Frees a tally and sets *tally to NULL; accepts NULL. Local. */
void ls_tally_destroy(ls_tally **tally);

#endif
