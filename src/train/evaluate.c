#include "train/evaluate.h"

#include "parallel/collectives.h"
#include "base/exact.h"
#include "base/fault.h"
#include "base/integer.h"
#include "base/interrupt.h"
#include "base/memory.h"

#include <assert.h>
#include <string.h>

/* Adds up the scores of this rank's rows. Local.
 * predicted  [LS_EVALUATION_ROWS] scratch */
static ls_status score_rows(const ls_evaluation *e, int32_t *predicted, ls_score *sum,
                            int64_t *confusion)
{
    const int classes = ls_network_classes(e->network);
    const double quantum =
        ls_exact_quantum(LS_DIVERGED * (double)(ls_rows_total(e->rows) + LS_EVALUATION_ROWS));
    ls_status status = ls_interrupt_poll(LS_INTERRUPT_GRACE);
    ls_rows_rewind(e->rows);
    while (status == LS_OK && (status = ls_rows_next(e->rows, e->batch)) == LS_OK &&
           e->batch->rows > 0) {
        const ls_score score = ls_network_evaluate(e->network, e->params, e->batch, predicted);
        ls_score_add(sum, &score, quantum);
        for (int64_t i = 0; confusion != NULL && i < score.rows; i++)
            confusion[e->batch->labels[i] * (int64_t)classes + predicted[i]]++;
        status = ls_interrupt_poll(LS_INTERRUPT_GRACE);
    }
    return status;
}

/* Evaluates this rank's rows. Local. */
static ls_status evaluate_local(const ls_evaluation *e, ls_score *sum, int64_t *confusion)
{
    ls_status status = ls_fault(LS_FAULT_VALIDATION);
    if (status != LS_OK)
        return status;
    int32_t *predicted = ls_alloc(LS_EVALUATION_ROWS, sizeof *predicted);
    if (predicted == NULL)
        return LS_ERR_FAILURE;
    status = score_rows(e, predicted, sum, confusion);
    ls_free(predicted);
    return status;
}

ls_status ls_evaluate(const ls_evaluation *e, ls_score *out, int64_t *confusion)
{
    const int64_t classes = ls_network_classes(e->network);
    ls_score sum = {0};
    assert(confusion == NULL || classes <= LS_MAX_CONFUSION);
    if (confusion != NULL)
        memset(confusion, 0, (size_t)(classes * classes) * sizeof *confusion);
    const ls_status status = ls_agree(e->comm, evaluate_local(e, &sum, confusion));
    if (status != LS_OK)
        return status;
    double sums[LS_SUMS];
    ls_score_get(&sum, sums);
    ls_allreduce_integers(e->comm, &sum.rows, 1);
    ls_allreduce_doubles(e->comm, sums, LS_SUMS);
    *out = sum;
    ls_score_set(out, sums);
    if (confusion != NULL)
        ls_allreduce_integers(e->comm, confusion, ls_int(classes * classes));
    return LS_OK;
}
