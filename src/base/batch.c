#include <lockstep/batch.h>

#include "base/memory.h"

#include <assert.h>
#include <string.h>

/* Floats after the last row: vector loads may read beyond the end of a row. */
enum { SLACK = 32 };

ls_status ls_batch_create(ls_batch **out, int64_t capacity, int64_t features, int64_t values)
{
    ls_batch *batch = ls_alloc(1, sizeof *batch);
    if (batch == NULL)
        return LS_ERR_FAILURE;
    batch->capacity = capacity;
    batch->features = features;
    batch->values = values;
    batch->x = ls_alloc((capacity + 1) * features + SLACK, sizeof *batch->x);
    batch->labels = batch->x == NULL ? NULL : ls_alloc(capacity, sizeof *batch->labels);
    batch->ids = batch->labels == NULL ? NULL : ls_alloc(capacity, sizeof *batch->ids);
    batch->targets =
        batch->ids == NULL ? NULL : ls_alloc(capacity * values, sizeof *batch->targets);
    if (batch->targets == NULL) {
        ls_batch_destroy(&batch);
        return LS_ERR_FAILURE;
    }
    *out = batch;
    return LS_OK;
}

ls_status ls_batch_add_weights(ls_batch *batch)
{
    if (batch->weights != NULL)
        return LS_OK;
    batch->weights = ls_alloc(batch->capacity, sizeof *batch->weights);
    if (batch->weights == NULL)
        return LS_ERR_FAILURE;
    for (int64_t i = 0; i < batch->capacity; i++)
        batch->weights[i] = 1;
    return LS_OK;
}

ls_status ls_batch_add_lengths(ls_batch *batch)
{
    if (batch->lengths == NULL)
        batch->lengths = ls_alloc(batch->capacity, sizeof *batch->lengths);
    return batch->lengths == NULL ? LS_ERR_FAILURE : LS_OK;
}

void ls_batch_drop_lengths(ls_batch *batch)
{
    ls_free(batch->lengths);
    batch->lengths = NULL;
}

void ls_batch_to_channels_last(ls_batch *batch, int64_t channels, int64_t pixels)
{
    assert(channels * pixels == batch->features);
    float *from = batch->x + batch->capacity * batch->features, *to = batch->x;
    for (int64_t r = 0; r < batch->rows; r++, to += batch->features) {
        memcpy(from, to, (size_t)batch->features * sizeof *from);
        for (int64_t c = 0; c < channels; c++)
            for (int64_t p = 0; p < pixels; p++)
                to[p * channels + c] = from[c * pixels + p];
    }
}

void ls_batch_destroy(ls_batch **batch)
{
    if (batch == NULL || *batch == NULL)
        return;
    ls_free((*batch)->x);
    ls_free((*batch)->labels);
    ls_free((*batch)->weights);
    ls_free((*batch)->lengths);
    ls_free((*batch)->ids);
    ls_free((*batch)->targets);
    ls_free(*batch);
    *batch = NULL;
}
