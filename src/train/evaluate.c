#include "train/evaluate.h"

#include "parallel/collectives.h"
#include "base/exact.h"
#include "base/fault.h"
#include "base/integer.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "train/calibration.h"

#include <assert.h>
#include <string.h>

/* Sums over this rank's rows. */
typedef struct totals {
    ls_score score;
    int64_t *confusion;               /* or NULL */
    ls_calibration_sums *calibration; /* or NULL */
} totals;

/* Adds the rows of the batch to confusion and calibration.
 * predicted  [rows] */
static void add_batch(const ls_evaluation *e, const int32_t *predicted, totals *t)
{
    const int K = ls_network_classes(e->network);
    const float *y = ls_network_activation(e->network, ls_network_layers(e->network) - 1);
    const double quantum = ls_exact_quantum(4 * (double)(ls_rows_total(e->rows) + 1));
    for (int64_t i = 0; i < e->batch->rows; i++, y += K) {
        const int32_t label = e->batch->labels[i];
        if (t->confusion != NULL)
            t->confusion[label * (int64_t)K + predicted[i]]++;
        if (t->calibration != NULL)
            ls_calibration_add(t->calibration, K, y, label, predicted[i], quantum);
    }
}

/* Adds up this rank's rows. Local.
 * predicted  [LS_EVALUATION_ROWS] scratch */
static ls_status score_rows(const ls_evaluation *e, int32_t *predicted, totals *t)
{
    const double quantum =
        ls_exact_quantum(LS_DIVERGED * (double)(ls_rows_total(e->rows) + LS_EVALUATION_ROWS));
    ls_status status = ls_interrupt_poll(LS_INTERRUPT_GRACE);
    ls_rows_rewind(e->rows);
    while (status == LS_OK && (status = ls_rows_next(e->rows, e->batch)) == LS_OK &&
           e->batch->rows > 0) {
        const ls_score score = ls_network_evaluate(e->network, e->params, e->batch, predicted);
        ls_score_add(&t->score, &score, quantum);
        add_batch(e, predicted, t);
        status = ls_interrupt_poll(LS_INTERRUPT_GRACE);
    }
    return status;
}

/* Evaluates this rank's rows. Local. */
static ls_status evaluate_local(const ls_evaluation *e, totals *t)
{
    ls_status status = ls_fault(LS_FAULT_VALIDATION);
    if (status != LS_OK)
        return status;
    int32_t *predicted = ls_alloc(LS_EVALUATION_ROWS, sizeof *predicted);
    if (predicted == NULL)
        return LS_ERR_FAILURE;
    status = score_rows(e, predicted, t);
    ls_free(predicted);
    return status;
}

/* Sums the calibration over ranks. Collective. */
static void sum_calibration(ls_comm *comm, ls_calibration_sums *sums)
{
    ls_allreduce_integers(comm, sums->rows, LS_CALIBRATION_BINS);
    ls_allreduce_integers(comm, sums->right, LS_CALIBRATION_BINS);
    ls_allreduce_doubles(comm, sums->probability, LS_CALIBRATION_BINS);
    ls_allreduce_doubles(comm, &sums->brier, 1);
}

/* Sums a score over ranks. Collective. */
static void sum_score(ls_comm *comm, ls_score *score)
{
    double sums[LS_SUMS];
    ls_score_get(score, sums);
    ls_allreduce_integers(comm, &score->rows, 1);
    ls_allreduce_doubles(comm, sums, LS_SUMS);
    ls_score_set(score, sums);
}

ls_status ls_evaluate(const ls_evaluation *e, ls_score *out, int64_t *confusion,
                      ls_calibration *calibration)
{
    const int64_t classes = ls_network_classes(e->network);
    const bool probable = ls_loss_takes_logits(ls_network_loss_kind(e->network));
    ls_calibration_sums sums = {0};
    totals t = {.confusion = confusion,
                .calibration = calibration != NULL && probable ? &sums : NULL};
    assert(confusion == NULL || classes <= LS_MAX_CONFUSION);
    if (confusion != NULL)
        memset(confusion, 0, (size_t)(classes * classes) * sizeof *confusion);
    const ls_status status = ls_agree(e->comm, evaluate_local(e, &t));
    if (status != LS_OK)
        return status;
    sum_score(e->comm, &t.score);
    *out = t.score;
    if (confusion != NULL)
        ls_allreduce_integers(e->comm, confusion, ls_int(classes * classes));
    if (t.calibration != NULL)
        sum_calibration(e->comm, &sums);
    if (calibration != NULL)
        *calibration = ls_calibration_finish(&sums);
    return LS_OK;
}
