/* Evaluation and prediction in one pass: each rank keeps the outputs of its rows, then sends them
 * to rank 0, one rank after the other, which is the order of rows. */
#include "parallel/collectives.h"
#include "base/integer.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "train/evaluate.h"
#include "train/model_outputs.h"
#include "train/model_state.h"

#include <string.h>

enum { WINDOW_BYTES = 8 << 20 /* of the outputs in a message */ };

typedef struct work {
    const ls_model *model;
    const ls_samples *samples; /* this rank's */
    int64_t total;             /* rows, over all ranks */
    int64_t most;              /* rows of a window */
    int64_t size;              /* numbers of a row's prediction */
    int64_t T;                 /* its steps */
    /* Of this rank's rows: */
    float *y;           /* [rows][size] */
    int32_t *predicted; /* [rows][T] */
    int64_t kept;       /* rows */
    /* Of a window: */
    float *received, *targets; /* [most][size]; targets only if they are values */
    int32_t *classes, *label;  /* [most][T] */
    ls_prediction_sink sink;
    void *user;
} work;

/* Keeps the outputs of a batch. */
static ls_status keep(void *user, const ls_batch *batch, const float *y)
{
    work *w = user;
    const ls_status status = ls_model_predict_batch(
        w->model, batch->ids[0], batch, y, w->y + w->kept * w->size, w->predicted + w->kept * w->T);
    w->kept += batch->rows;
    return status;
}

static ls_status make_room(work *w)
{
    const int64_t rows = w->samples->rows, row_bytes = w->size * (int64_t)sizeof *w->y;
    const bool values = w->model->info.classes == 0;
    w->most = ls_max(1, WINDOW_BYTES / row_bytes);
    w->y = ls_alloc(rows * w->size, sizeof *w->y);
    w->predicted = ls_alloc(rows * w->T, sizeof *w->predicted);
    w->received = ls_alloc(w->most * w->size, sizeof *w->received);
    w->targets = values ? ls_alloc(w->most * w->size, sizeof *w->targets) : NULL;
    w->classes = ls_alloc(w->most * w->T, sizeof *w->classes);
    w->label = ls_alloc(w->most * w->T, sizeof *w->label);
    return w->y != NULL && w->predicted != NULL && w->received != NULL && w->classes != NULL &&
                   w->label != NULL && (w->targets != NULL || !values)
               ? LS_OK
               : LS_ERR_FAILURE;
}

static void free_room(work *w)
{
    ls_free(w->y);
    ls_free(w->predicted);
    ls_free(w->received);
    ls_free(w->targets);
    ls_free(w->classes);
    ls_free(w->label);
}

/* Copies true values to the window: of an autoencoder the inputs before they are normalised. */
static void copy_targets(const work *w, int64_t at, int64_t count)
{
    if (w->model->reconstructs)
        ls_samples_inputs(w->samples, at, count, w->targets);
    for (int64_t i = 0; i < count && !w->model->reconstructs; i++)
        memcpy(w->targets + i * w->size,
               ls_sample_targets(w->samples, ls_sample_at(w->samples, at + i)),
               (size_t)w->size * sizeof *w->targets);
}

/* Copies this rank's rows at .. at+count-1 to the window. Local. */
static void fill_window(const work *w, int64_t at, int64_t count)
{
    memcpy(w->received, w->y + at * w->size, (size_t)(count * w->size) * sizeof *w->y);
    memcpy(w->classes, w->predicted + at * w->T, (size_t)(count * w->T) * sizeof *w->predicted);
    for (int64_t i = 0; i < count; i++)
        ls_model_labels(w->model, w->samples, at + i, w->label + i * w->T);
    if (w->targets != NULL)
        copy_targets(w, at, count);
}

/* Sends the window of rank `from` to rank 0; called on both. */
static void send_window(const work *w, int64_t count, int from)
{
    ls_comm *comm = w->model->comm;
    const size_t classes = (size_t)(count * w->T), outputs = (size_t)(count * w->size);
    ls_send_to_root(comm, w->received, outputs * sizeof *w->received, from);
    if (w->targets != NULL)
        ls_send_to_root(comm, w->targets, outputs * sizeof *w->targets, from);
    ls_send_to_root(comm, w->classes, classes * sizeof *w->classes, from);
    ls_send_to_root(comm, w->label, classes * sizeof *w->label, from);
}

/* Passes the rows of a rank to the sink, window by window, until it fails. Called on rank 0 and the
 * rank. */
static ls_status pass_rows(const work *w, int from, ls_range rows, ls_status status)
{
    const int rank = ls_comm_rank(w->model->comm);
    for (int64_t at = 0; at < rows.count; at += w->most) {
        const int64_t count = ls_min(w->most, rows.count - at);
        if (rank == from)
            fill_window(w, at, count);
        if (from > 0)
            send_window(w, count, from);
        if (rank == 0 && status == LS_OK)
            status = w->sink(w->user, &(ls_predictions){.first = rows.first + at,
                                                        .rows = count,
                                                        .outputs = ls_model_outputs_count(w->model),
                                                        .steps = w->T,
                                                        .y = w->received,
                                                        .targets = w->targets,
                                                        .predicted = w->classes,
                                                        .label = w->label});
        if (rank == 0 && status == LS_OK)
            status = ls_interrupt_poll(LS_INTERRUPT_GRACE);
    }
    return status;
}

/* Passes all rows to the sink. Collective. */
static ls_status pass_all(const work *w)
{
    ls_comm *comm = w->model->comm;
    const int rank = ls_comm_rank(comm), ranks = ls_comm_size(comm);
    ls_status status = LS_OK;
    for (int from = 0; from < ranks; from++)
        if (rank == 0 || rank == from)
            status = pass_rows(w, from, ls_evaluation_shard(w->total, ranks, from), status);
    return ls_agree_root(comm, status);
}

ls_status ls_model_evaluate_to(const ls_model *m, ls_rows *rows, ls_evaluated *out,
                               ls_prediction_sink sink, void *user)
{
    work w = {.model = m,
              .samples = ls_rows_samples(rows),
              .total = ls_rows_total(rows),
              .size = ls_model_prediction_size(m),
              .T = ls_model_steps(m),
              .sink = sink,
              .user = user};
    const ls_evaluation evaluation = {.comm = m->comm,
                                      .network = m->network,
                                      .params = m->params,
                                      .rows = rows,
                                      .batch = m->batch,
                                      .see = keep,
                                      .user = &w};
    ls_status status = ls_agree(m->comm, make_room(&w));
    if (status == LS_OK)
        status = ls_evaluate(&evaluation, out);
    if (status == LS_OK)
        status = pass_all(&w);
    free_room(&w);
    return status;
}
