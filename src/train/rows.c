#include "train/rows.h"

#include "base/memory.h"

#include "train/tokens.h"
#include "train/weighting.h"

#include <assert.h>
#include <string.h>

struct ls_rows {
    ls_rows_origin from;
    ls_conversion conversion;
    ls_samples *owned; /* or NULL */
    int64_t read;      /* rows returned in pieces */

    const ls_samples *piece; /* source of the batches; NULL: none yet */
    int64_t taken;           /* its rows that were in batches */
};

ls_status ls_conversion_make(ls_conversion *out, const ls_input_format *format)
{
    const ls_dataset_info inputs = {.channels = format->shape.channels,
                                    .height = format->shape.height,
                                    .width = format->shape.width};
    *out = (ls_conversion){.channels = inputs.channels,
                           .pixels = inputs.height * inputs.width,
                           .steps = ls_dataset_steps(&inputs),
                           .vocabulary = format->vocabulary,
                           .standardization = format->standardization,
                           .reconstructs = format->reconstructs,
                           .corruption = format->corruption,
                           .draw = LS_CORRUPTION_EVALUATED,
                           .channels_last = format->channels_last};
    out->normalization = ls_normalization_of_tokens();
    return format->vocabulary > 0
               ? LS_OK
               : ls_normalization_make(&out->normalization, format->mean, format->std);
}

ls_normalization ls_normalization_of_tokens(void)
{
    return (ls_normalization){.byte_scale = 1, .scale = 1};
}

ls_status ls_conversion_gather(const ls_conversion *c, const ls_samples *samples,
                               const int32_t *order, int64_t first, int64_t count, ls_batch *batch)
{
    if (!samples->format.ragged)
        ls_batch_drop_lengths(batch);
    else if (ls_batch_add_lengths(batch) != LS_OK)
        return LS_ERR_FAILURE;
    ls_samples_gather(samples, order, first, count, c->normalization, batch);
    return LS_OK;
}

/* Sets the steps from each row's length on to 0: nothing depends on what fills rows up. */
static void clear_padding(const ls_conversion *c, ls_batch *batch)
{
    const bool flat = c->pixels == 1; /* [T] numbers, else [C] planes of [T] lines */
    const int64_t planes = flat ? 1 : c->channels;
    const int64_t plane = batch->features / planes, line = plane / c->steps;
    for (int64_t i = 0; i < batch->rows; i++)
        for (int64_t k = 0; k < planes; k++) {
            const int64_t used = batch->lengths[i] * line;
            memset(batch->x + i * batch->features + k * plane + used, 0,
                   (size_t)(plane - used) * sizeof *batch->x);
        }
}

void ls_conversion_finish(const ls_conversion *c, ls_batch *batch)
{
    if (c->standardization != NULL)
        ls_standardize_inputs(&c->standardization->inputs, batch, c->channels, c->pixels);
    if (c->reconstructs)
        memcpy(batch->targets, batch->x,
               (size_t)(batch->rows * batch->features) * sizeof *batch->x);
    else if (c->standardization != NULL)
        ls_standardize_targets(&c->standardization->targets, batch);
    ls_corruption_apply(&c->corruption, c->draw, batch->rows, batch->features, batch->ids,
                        batch->x);
    if (batch->lengths != NULL)
        clear_padding(c, batch);
    if (c->channels_last)
        ls_batch_to_channels_last(batch, c->channels, c->pixels);
}

ls_range ls_evaluation_shard(int64_t rows, int ranks, int rank)
{
    return ls_shard_blocks(rows, LS_EVALUATION_ROWS, ranks, rank);
}

ls_status ls_rows_create(ls_rows **out, const ls_rows_origin *origin,
                         const ls_conversion *conversion, ls_samples *taken)
{
    ls_rows *rows = ls_alloc(1, sizeof *rows);
    if (rows == NULL)
        return LS_ERR_FAILURE;
    rows->from = *origin;
    rows->conversion = conversion != NULL ? *conversion : (ls_conversion){0};
    rows->owned = taken;
    *out = rows;
    return LS_OK;
}

int64_t ls_rows_total(const ls_rows *rows)
{
    return rows->from.total;
}

const ls_samples *ls_rows_samples(const ls_rows *rows)
{
    return rows->from.samples;
}

const ls_conversion *ls_rows_conversion(const ls_rows *rows)
{
    return &rows->conversion;
}

void ls_rows_rewind(ls_rows *rows)
{
    rows->read = rows->taken = 0;
    rows->piece = NULL;
}

ls_status ls_rows_piece(ls_rows *rows, const ls_samples **out)
{
    const ls_rows_origin *from = &rows->from;
    const int64_t left =
        (from->samples != NULL ? from->samples->rows : from->range.count) - rows->read;
    ls_status status = LS_OK;
    *out = NULL;
    if (left > 0 && from->samples != NULL)
        *out = from->samples;
    else if (left > 0)
        status = ls_stream_read(from->stream, from->split,
                                (ls_range){from->range.first + rows->read, left}, out);
    if (*out != NULL)
        rows->read += (*out)->rows;
    return status;
}

ls_status ls_rows_next(ls_rows *rows, ls_batch *batch)
{
    assert(batch->capacity >= LS_EVALUATION_ROWS);
    ls_status status = LS_OK;
    batch->rows = 0;
    if (rows->piece == NULL || rows->taken == rows->piece->rows) {
        rows->taken = 0;
        status = ls_rows_piece(rows, &rows->piece);
    }
    if (status != LS_OK || rows->piece == NULL)
        return status;
    const int64_t left = rows->piece->rows - rows->taken;
    status = ls_conversion_gather(&rows->conversion, rows->piece, NULL, rows->taken,
                                  left < LS_EVALUATION_ROWS ? left : LS_EVALUATION_ROWS, batch);
    if (status == LS_OK && rows->conversion.vocabulary > 0)
        status =
            ls_tokens_check_batch(batch, rows->conversion.data, ls_split_name(rows->from.split),
                                  rows->conversion.vocabulary);
    if (status != LS_OK) {
        batch->rows = 0;
        return status;
    }
    ls_weighting_apply(NULL, batch);
    ls_conversion_finish(&rows->conversion, batch);
    rows->taken += batch->rows;
    return LS_OK;
}

void ls_rows_destroy(ls_rows **rows)
{
    if (rows == NULL || *rows == NULL)
        return;
    ls_samples_destroy(&(*rows)->owned);
    ls_free(*rows);
    *rows = NULL;
}
