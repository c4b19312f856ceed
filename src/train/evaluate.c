#include <lockstep/evaluate.h>

#include "base/exact.h"
#include "base/fault.h"
#include "base/integer.h"
#include "base/memory.h"
#include "data/samples.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

ls_range ls_evaluation_shard(int64_t rows, int ranks, int rank)
{
    return ls_shard_blocks(rows, LS_EVALUATION_ROWS, ranks, rank);
}

/* Sums over this rank's rows; of the losses with a quantum that makes them exact. */
static ls_status evaluate_mine(ls_network *network, const float *params, const ls_samples *samples,
                               ls_normalization normalization, double quantum, ls_batch *batch,
                               int classes, ls_score *out, int64_t *confusion)
{
    assert(batch->capacity >= LS_EVALUATION_ROWS);
    *out = (ls_score){0};
    ls_status status = ls_fault(LS_FAULT_VALIDATION);
    if (status != LS_OK)
        return status;
    int32_t *predicted = ls_alloc(batch->capacity, sizeof *predicted);
    if (predicted == NULL)
        return LS_ERR_FAILURE;
    for (int64_t done = 0; done < samples->rows; done += LS_EVALUATION_ROWS) {
        int64_t left = samples->rows - done;
        int64_t some = left < LS_EVALUATION_ROWS ? left : LS_EVALUATION_ROWS;
        ls_samples_gather(samples, NULL, done, some, normalization, batch);
        ls_score score = ls_network_evaluate(network, params, batch, predicted);
        out->rows += score.rows;
        out->correct += score.correct;
        out->loss += ls_exact_round(score.loss, quantum);
        for (int64_t i = 0; confusion != NULL && i < some; i++)
            confusion[batch->labels[i] * (int64_t)classes + predicted[i]]++;
    }
    ls_free(predicted);
    return LS_OK;
}

ls_status ls_evaluate(ls_comm *comm, ls_network *network, const float *params,
                      const ls_samples *samples, double mean, double std, ls_batch *batch,
                      int classes, ls_score *out, int64_t *confusion)
{
    assert(confusion == NULL || classes <= LS_MAX_CONFUSION);
    const int64_t cells = (int64_t)classes * classes;
    if (confusion != NULL)
        memset(confusion, 0, (size_t)cells * sizeof *confusion);
    int64_t rows = samples->rows;
    ls_sum_integers(comm, &rows, 1);
    const double quantum = ls_exact_quantum(LS_DIVERGED * (double)(rows + LS_EVALUATION_ROWS));
    ls_normalization normalization;
    ls_status status = ls_normalization_make(&normalization, mean, std);
    if (status == LS_OK)
        status = evaluate_mine(network, params, samples, normalization, quantum, batch, classes,
                               out, confusion);
    status = ls_agree(comm, status);
    if (status != LS_OK)
        return status;
    int64_t counts[2] = {out->rows, out->correct};
    ls_sum_integers(comm, counts, 2);
    ls_sum_doubles(comm, &out->loss, 1);
    out->rows = counts[0];
    out->correct = counts[1];
    if (confusion != NULL)
        ls_sum_integers(comm, confusion, ls_int(cells));
    return LS_OK;
}
