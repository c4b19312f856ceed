#include "train/evaluate.h"

#include "parallel/collectives.h"
#include "base/exact.h"
#include "base/fault.h"
#include "base/integer.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "train/calibration.h"
#include "train/tally.h"

#include <assert.h>
#include <string.h>

/* An evaluation in progress. */
typedef struct work {
    const ls_evaluation *e;
    const ls_evaluated *out;
    ls_tally *tally;
    int32_t *predicted; /* [LS_EVALUATION_ROWS][T], see ls_network_evaluate() */
    ls_calibration_sums calibration;
    bool calibrates;
    bool by_step;
} work;

/* Adds the rows of the batch to confusion and calibration. */
static void add_batch(work *w, const float *y)
{
    const ls_batch *batch = w->e->batch;
    const int K = ls_network_outputs(w->e->network);
    const int64_t classes = K > 1 ? K : 2;
    const double quantum = ls_exact_quantum(4 * (double)(ls_rows_total(w->e->rows) + 1));
    for (int64_t i = 0; i < batch->rows; i++, y += K) {
        const int32_t label =
            batch->values > 0 ? batch->targets[i * batch->values] > 0.5f : batch->labels[i];
        if (w->out->confusion != NULL)
            w->out->confusion[label * classes + w->predicted[i]]++;
        if (w->calibrates)
            ls_calibration_add(&w->calibration, K, y, label, w->predicted[i], quantum);
    }
}

/* Adds the steps of the batch, up to each row's length, to the confusion. */
static void add_batch_steps(work *w)
{
    const ls_batch *batch = w->e->batch;
    const int64_t classes = ls_network_outputs(w->e->network);
    for (int64_t i = 0; i < batch->rows * batch->values; i++)
        if (w->predicted[i] >= 0)
            w->out->confusion[(int64_t)batch->targets[i] * classes + w->predicted[i]]++;
}

/* Reads this rank's first batch, and allocates. Local. */
static ls_status begin(work *w)
{
    const ls_evaluation *e = w->e;
    ls_status status = ls_fault(LS_FAULT_VALIDATION);
    if (status != LS_OK)
        return status;
    w->predicted =
        ls_alloc(LS_EVALUATION_ROWS * ls_network_steps(e->network), sizeof *w->predicted);
    status = w->predicted == NULL ? LS_ERR_FAILURE : LS_OK;
    if (status == LS_OK)
        status = ls_tally_create(&w->tally, e->network, e->batch->values, ls_rows_total(e->rows));
    if (status == LS_OK)
        status = ls_interrupt_poll(LS_INTERRUPT_GRACE);
    ls_rows_rewind(e->rows);
    return status == LS_OK ? ls_rows_next(e->rows, e->batch) : status;
}

/* Adds up this rank's rows, from the first batch on. Local. */
static ls_status score_rows(work *w)
{
    const ls_evaluation *e = w->e;
    ls_status status = LS_OK;
    while (status == LS_OK && e->batch->rows > 0) {
        const ls_score score = ls_network_evaluate(e->network, e->params, e->batch, w->predicted);
        const float *y = ls_network_activation(e->network, ls_network_layers(e->network) - 1);
        ls_tally_add(w->tally, &score, e->batch, y, w->predicted);
        if (w->by_step && w->out->confusion != NULL)
            add_batch_steps(w);
        else if (w->out->confusion != NULL || w->calibrates)
            add_batch(w, y);
        if (e->see != NULL)
            status = e->see(e->user, e->batch, y);
        if (status == LS_OK)
            status = ls_interrupt_poll(LS_INTERRUPT_GRACE);
        if (status == LS_OK)
            status = ls_rows_next(e->rows, e->batch);
    }
    return status;
}

/* Evaluates this rank's rows. Collective. */
static ls_status score_all(work *w)
{
    const ls_evaluation *e = w->e;
    ls_status status = begin(w);
    if (ls_network_task(e->network, e->batch->values).kind == LS_TASK_REGRESSION) {
        status = ls_agree(e->comm, status);
        if (status == LS_OK)
            ls_tally_share_origin(w->tally, e->comm, e->batch);
    }
    return ls_agree(e->comm, status == LS_OK ? score_rows(w) : status);
}

/* Sums the calibration over ranks. Collective. */
static void sum_calibration(ls_comm *comm, ls_calibration_sums *sums)
{
    ls_allreduce_integers(comm, sums->rows, LS_CALIBRATION_BINS);
    ls_allreduce_integers(comm, sums->right, LS_CALIBRATION_BINS);
    ls_allreduce_doubles(comm, sums->probability, LS_CALIBRATION_BINS);
    ls_allreduce_doubles(comm, &sums->brier, 1);
}

/* Sums over ranks. Collective.
 * classes  of the confusion matrix */
static void finish(work *w, int64_t classes, ls_evaluated *out)
{
    ls_comm *comm = w->e->comm;
    ls_tally_sum(w->tally, comm);
    out->score = ls_tally_score(w->tally);
    for (int m = 0; m < LS_METRICS; m++)
        out->metric[m] = ls_tally_metric(w->tally, (ls_metric)m);
    for (int k = 0; out->output != NULL && k < ls_network_outputs(w->e->network); k++)
        out->output[k] = ls_tally_output(w->tally, k);
    for (int k = 0; out->label != NULL && k < ls_network_outputs(w->e->network); k++)
        out->label[k] = ls_tally_label(w->tally, k);
    if (out->confusion != NULL)
        ls_allreduce_integers(comm, out->confusion, ls_int(classes * classes));
    if (w->calibrates)
        sum_calibration(comm, &w->calibration);
    if (out->calibration != NULL)
        *out->calibration = ls_calibration_finish(&w->calibration);
}

ls_status ls_evaluate(const ls_evaluation *e, ls_evaluated *out)
{
    const ls_task task = ls_network_task(e->network, e->batch->values);
    const int64_t classes = task.kind == LS_TASK_BINARY ? 2 : task.outputs;
    work w = {.e = e, .out = out, .by_step = task.kind == LS_TASK_STEPS};
    w.calibrates = out->calibration != NULL && task.kind == LS_TASK_CLASSIFICATION &&
                   ls_loss_takes_logits(ls_network_loss_kind(e->network));
    assert(out->confusion == NULL ||
           ((task.kind & (LS_TASK_ONE_OF | LS_TASK_BINARY)) != 0 && classes <= LS_MAX_CONFUSION));
    assert(out->output == NULL || task.kind == LS_TASK_REGRESSION);
    assert(out->label == NULL || task.kind == LS_TASK_MULTILABEL);
    if (out->confusion != NULL)
        memset(out->confusion, 0, (size_t)(classes * classes) * sizeof *out->confusion);
    const ls_status status = score_all(&w);
    if (status == LS_OK)
        finish(&w, classes, out);
    ls_tally_destroy(&w.tally);
    ls_free(w.predicted);
    return status;
}
