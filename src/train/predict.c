/* Predictions: batches of rows in memory, and all rows of a split, window by window.
 *
 *     window   rank 0: rows 0..255   rank 1: rows 256..511   rank 2: rows 512..767   computed
 *              rank 0  <----------------- rank 1  <----------------- rank 2          gathered
 *              sink(0..255)  sink(256..511)  sink(512..767)
 *
 * Every rank's part is whole batches of LS_EVALUATION_ROWS rows, as in an evaluation: the batches,
 * and so the bits of the outputs, are the same on any number of ranks. */
#include "train/model_state.h"
#include "train/model_outputs.h"
#include "train/tokens.h"

#include "base/integer.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "data/element.h"
#include "parallel/collectives.h"

#include <assert.h>
#include <string.h>

enum { WINDOW_BYTES = 8 << 20 /* of a rank's rows, and of their outputs */ };

/* Fills the model's batch from numbers [rows][features]. */
static void fill_batch(const ls_model *m, const ls_conversion *c, const uint8_t *inputs,
                       int64_t rows)
{
    const ls_normalization *n = &c->normalization;
    ls_batch_drop_lengths(m->batch);
    m->batch->rows = rows;
    ls_element_convert(m->info.element, rows * m->batch->features, inputs,
                       m->info.element == LS_U8 ? n->byte_scale : n->scale, n->shift, m->batch->x);
    ls_conversion_finish(c, m->batch);
}

ls_status ls_model_outputs(const ls_model *m, const void *inputs, int64_t rows, float *y,
                           int32_t *predicted)
{
    const size_t row_bytes =
        (size_t)ls_shape_size(m->info.input) * ls_element_bytes(m->info.element);
    const ls_input_format format = ls_model_format(m);
    const int64_t steps = ls_model_steps(m);
    ls_conversion conversion;
    if (m->params == NULL)
        return ls_fail(LS_ERR_USAGE, "%s: opened without its parameters", m->path);
    ls_status status = ls_conversion_make(&conversion, &format);
    for (int64_t at = 0; status == LS_OK && at < rows; at += LS_EVALUATION_ROWS) {
        fill_batch(m, &conversion, (const uint8_t *)inputs + (size_t)at * row_bytes,
                   ls_min(rows - at, LS_EVALUATION_ROWS));
        if (conversion.vocabulary > 0)
            status = ls_tokens_check_batch(m->batch, NULL, "given", conversion.vocabulary);
        if (status != LS_OK)
            break;
        status = ls_model_convert(m, at, m->batch->rows,
                                  ls_network_forward(m->network, m->params, m->batch),
                                  y + at * steps * ls_model_outputs_count(m),
                                  predicted != NULL ? predicted + at * steps : NULL);
    }
    return status;
}

/* A prediction of a split. */
typedef struct prediction {
    const ls_model *model;
    ls_source *source;
    ls_split split;
    ls_conversion conversion;
    int64_t total; /* rows of the split */
    int64_t most;  /* rows of a rank in a window, whole batches */
    int64_t size;  /* numbers of a row's prediction */
    int64_t T;     /* its steps */
    /* Of one rank's part of a window: */
    float *y, *targets;         /* [most][size]; targets only if they are values */
    int32_t *predicted, *label; /* [most][T] */
    ls_prediction_sink sink;
    void *user;
} prediction;

/* Returns the rows of a rank in the window that begins at a row. */
static ls_range part_of(const prediction *p, int64_t window, int rank)
{
    const int ranks = ls_comm_size(p->model->comm);
    ls_range part = ls_shard_blocks(ls_min(p->total - window, p->most * ranks), LS_EVALUATION_ROWS,
                                    ranks, rank);
    part.first += window;
    return part;
}

/* Copies the true classes or values of the batch, before these are standardised; of an autoencoder
 * the inputs before they are normalised. */
static void keep_truth(const prediction *p, const ls_samples *samples, int64_t at)
{
    const ls_batch *batch = p->model->batch;
    for (int64_t i = 0; i < batch->rows; i++)
        ls_model_labels(p->model, samples, at + i, p->label + (at + i) * p->T);
    if (p->targets == NULL)
        return;
    if (p->conversion.reconstructs)
        ls_samples_inputs(samples, at, batch->rows, p->targets + at * batch->values);
    else
        memcpy(p->targets + at * batch->values, batch->targets,
               (size_t)(batch->rows * batch->values) * sizeof *p->targets);
}

/* Computes this rank's part of a window. Local. */
static ls_status compute_part(const prediction *p, const ls_samples *samples)
{
    const ls_model *m = p->model;
    ls_status status = LS_OK;
    for (int64_t at = 0; status == LS_OK && at < samples->rows; at += LS_EVALUATION_ROWS) {
        status = ls_conversion_gather(&p->conversion, samples, NULL, at,
                                      ls_min(samples->rows - at, LS_EVALUATION_ROWS), m->batch);
        if (status == LS_OK && p->conversion.vocabulary > 0)
            status = ls_tokens_check_batch(m->batch, ls_source_path(p->source, p->split),
                                           ls_split_name(p->split), p->conversion.vocabulary);
        if (status != LS_OK)
            break;
        keep_truth(p, samples, at);
        ls_conversion_finish(&p->conversion, m->batch);
        status = ls_model_predict_batch(m, m->batch->ids[0], m->batch,
                                        ls_network_forward(m->network, m->params, m->batch),
                                        p->y + at * p->size, p->predicted + at * p->T);
        if (status == LS_OK)
            status = ls_interrupt_poll(LS_INTERRUPT_GRACE);
    }
    return status;
}

/* Passes a part to the sink, unless an earlier one failed; on rank 0. Local. */
static ls_status pass_part(const prediction *p, ls_range part, ls_status status)
{
    if (status != LS_OK || part.count == 0)
        return status;
    return p->sink(p->user, &(ls_predictions){.first = part.first,
                                              .rows = part.count,
                                              .outputs = ls_model_outputs_count(p->model),
                                              .steps = p->T,
                                              .y = p->y,
                                              .targets = p->targets,
                                              .predicted = p->predicted,
                                              .label = p->label});
}

/* Receives the ranks' parts on rank 0, one after the other, in the order of rows. Collective. */
static ls_status gather_parts(const prediction *p, int64_t window)
{
    ls_comm *comm = p->model->comm;
    const int rank = ls_comm_rank(comm), ranks = ls_comm_size(comm);
    ls_status status = LS_OK;
    for (int from = 0; from < ranks; from++) {
        const ls_range part = part_of(p, window, from);
        const size_t numbers = (size_t)(part.count * p->size);
        const size_t classes = (size_t)(part.count * p->T);
        if (from > 0 && (rank == 0 || rank == from)) {
            ls_send_to_root(comm, p->y, numbers * sizeof *p->y, from);
            if (p->targets != NULL)
                ls_send_to_root(comm, p->targets, numbers * sizeof *p->y, from);
            ls_send_to_root(comm, p->predicted, classes * sizeof *p->predicted, from);
            ls_send_to_root(comm, p->label, classes * sizeof *p->label, from);
        }
        if (rank == 0)
            status = pass_part(p, part, status);
    }
    return ls_agree_root(comm, status);
}

/* Reads, computes and gathers a window. Collective. */
static ls_status predict_window(const prediction *p, int64_t window)
{
    ls_comm *comm = p->model->comm;
    const ls_range mine = part_of(p, window, ls_comm_rank(comm));
    ls_samples *samples = NULL;
    ls_status status = ls_source_read(p->source, p->split, mine, mine.count, &samples);
    if (status == LS_OK)
        status = ls_agree(comm, compute_part(p, samples));
    ls_samples_destroy(&samples);
    return status == LS_OK ? gather_parts(p, window) : status;
}

/* Allocates the outputs of a rank's part of a window. Local. */
static ls_status make_room(prediction *p, const ls_dataset_info *info)
{
    const ls_input_format format = ls_model_format(p->model);
    const bool values = info->classes == 0 && info->values > 0;
    p->size = ls_model_prediction_size(p->model);
    p->T = ls_model_steps(p->model);
    const int64_t row =
        ls_max((int64_t)ls_sample_stride(ls_dataset_format(info)), p->size * (int64_t)sizeof *p->y);
    const int64_t batches = ls_max(1, WINDOW_BYTES / row / LS_EVALUATION_ROWS);
    p->total = info->rows[p->split];
    p->most = batches * LS_EVALUATION_ROWS;
    p->y = ls_alloc(p->most * p->size, sizeof *p->y);
    p->targets = values ? ls_alloc(p->most * p->size, sizeof *p->targets) : NULL;
    p->predicted = ls_alloc(p->most * p->T, sizeof *p->predicted);
    p->label = ls_alloc(p->most * p->T, sizeof *p->label);
    if (p->y == NULL || p->predicted == NULL || p->label == NULL || (values && p->targets == NULL))
        return LS_ERR_FAILURE;
    return ls_conversion_make(&p->conversion, &format);
}

/* Predicts all rows of an open data set. Collective. */
static ls_status predict_rows(prediction *p, const ls_dataset_info *info)
{
    ls_comm *comm = p->model->comm;
    ls_status status = ls_agree(comm, make_room(p, info));
    for (int64_t window = 0; status == LS_OK && window < p->total;
         window += p->most * ls_comm_size(comm))
        status = predict_window(p, window);
    ls_free(p->y);
    ls_free(p->targets);
    ls_free(p->predicted);
    ls_free(p->label);
    return status;
}

ls_status ls_model_predict(const ls_model *m, const ls_model_data *data, ls_prediction_sink sink,
                           void *user)
{
    prediction p = {.model = m, .split = data->split, .sink = sink, .user = user};
    ls_dataset_info info;
    ls_status status = ls_model_open_data(&p.source, m, data, &info);
    if (status == LS_OK)
        status = predict_rows(&p, &info);
    ls_source_close(&p.source);
    return status;
}

/* A file of predictions of a data set. */
typedef struct target {
    const ls_model *model;
    const ls_model_data *data;
    const char *path;
    bool truth;
    ls_prediction_file *file; /* on rank 0 */
} target;

/* Creates the file; on rank 0. Local. */
static ls_status create_file(target *t, const ls_dataset_info *info)
{
    const ls_prediction_about about = {.rows = info->rows[t->data->split],
                                       .outputs = ls_model_outputs_count(t->model),
                                       .steps = ls_model_steps(t->model),
                                       .meaning = ls_model_meaning(t->model),
                                       .class_names = t->model->facts.class_names,
                                       .truth = t->truth,
                                       .checkpoint = t->model->path,
                                       .data = t->data->path,
                                       .split = ls_split_name(t->data->split)};
    return ls_prediction_file_create(&t->file, t->path, &about);
}

static ls_status write_rows(void *user, const ls_predictions *rows)
{
    return ls_prediction_file_write(((target *)user)->file, rows);
}

ls_status ls_model_predict_to(const ls_model *m, const ls_model_data *data, const char *path,
                              bool truth, int64_t *rows)
{
    target t = {.model = m, .data = data, .path = path, .truth = truth};
    prediction p = {.model = m, .split = data->split, .sink = write_rows, .user = &t};
    const bool root = m->comm != NULL && ls_comm_rank(m->comm) == 0;
    ls_dataset_info info;
    ls_status status = ls_model_open_data(&p.source, m, data, &info);
    if (status == LS_OK && truth)
        status = ls_model_check_targets(&info);
    if (status == LS_OK)
        status = ls_agree_root(m->comm, root ? create_file(&t, &info) : LS_OK);
    if (status == LS_OK)
        status = predict_rows(&p, &info);
    if (status == LS_OK)
        *rows = info.rows[data->split];
    ls_source_close(&p.source);
    if (m->comm == NULL)
        return status;
    return ls_agree_root(m->comm, ls_prediction_file_finish(&t.file, status));
}
