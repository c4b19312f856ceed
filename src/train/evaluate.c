#include <lockstep/evaluate.h>

#include "base/exact.h"
#include "base/fault.h"
#include "base/integer.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "data/samples.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

ls_range ls_evaluation_shard(int64_t rows, int ranks, int rank)
{
    return ls_shard_blocks(rows, LS_EVALUATION_ROWS, ranks, rank);
}

ls_status ls_evaluation_begin(ls_evaluation *e, double mean, double std, int64_t rows)
{
    assert(e->confusion == NULL || e->classes <= LS_MAX_CONFUSION);
    ls_normalization normalization;
    ls_status status = ls_normalization_make(&normalization, mean, std);
    e->score = (ls_score){0};
    e->scale = normalization.scale;
    e->shift = normalization.shift;
    e->quantum = ls_exact_quantum(LS_DIVERGED * (double)(rows + LS_EVALUATION_ROWS));
    if (e->confusion != NULL)
        memset(e->confusion, 0, (size_t)e->classes * (size_t)e->classes * sizeof *e->confusion);
    return status == LS_OK ? ls_fault(LS_FAULT_VALIDATION) : status;
}

ls_status ls_evaluation_add(void *evaluation, const ls_samples *samples)
{
    ls_evaluation *e = evaluation;
    const ls_normalization normalization = {e->scale, e->shift};
    assert(e->batch->capacity >= LS_EVALUATION_ROWS);
    int32_t *predicted = ls_alloc(LS_EVALUATION_ROWS, sizeof *predicted);
    if (predicted == NULL)
        return LS_ERR_FAILURE;
    ls_status status = ls_interrupt_poll(LS_INTERRUPT_GRACE);
    for (int64_t done = 0; status == LS_OK && done < samples->rows; done += LS_EVALUATION_ROWS) {
        int64_t left = samples->rows - done;
        int64_t some = left < LS_EVALUATION_ROWS ? left : LS_EVALUATION_ROWS;
        ls_samples_gather(samples, NULL, done, some, normalization, e->batch);
        ls_score score = ls_network_evaluate(e->network, e->params, e->batch, predicted);
        ls_score_add(&e->score, &score, e->quantum);
        for (int64_t i = 0; e->confusion != NULL && i < some; i++)
            e->confusion[e->batch->labels[i] * (int64_t)e->classes + predicted[i]]++;
        status = ls_interrupt_poll(LS_INTERRUPT_GRACE);
    }
    ls_free(predicted);
    return status;
}

ls_status ls_evaluation_finish(ls_comm *comm, ls_evaluation *e, ls_status status, ls_score *out)
{
    status = ls_agree(comm, status);
    if (status != LS_OK)
        return status;
    double sums[LS_SUMS];
    *out = e->score;
    ls_score_get(out, sums);
    ls_sum_integers(comm, &out->rows, 1);
    ls_sum_doubles(comm, sums, LS_SUMS);
    ls_score_set(out, sums);
    if (e->confusion != NULL)
        ls_sum_integers(comm, e->confusion, ls_int((int64_t)e->classes * e->classes));
    return LS_OK;
}

ls_status ls_evaluate(ls_comm *comm, ls_network *network, const float *params,
                      const ls_samples *samples, double mean, double std, ls_batch *batch,
                      int classes, ls_score *out, int64_t *confusion)
{
    ls_evaluation e = {.network = network,
                       .params = params,
                       .batch = batch,
                       .classes = classes,
                       .confusion = confusion};
    int64_t rows = samples->rows;
    ls_sum_integers(comm, &rows, 1);
    ls_status status = ls_evaluation_begin(&e, mean, std, rows);
    if (status == LS_OK)
        status = ls_evaluation_add(&e, samples);
    return ls_evaluation_finish(comm, &e, status, out);
}
