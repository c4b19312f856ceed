/* The streamed backend: a rank's rows are read from the file when they are needed. */
#include "train/loader_backend.h"

#include "base/memory.h"

typedef struct streamed {
    ls_stream *stream;
    ls_range train, validation; /* this rank's shards */
} streamed;

static void streamed_close(void *backend)
{
    streamed *s = backend;
    if (s == NULL)
        return;
    ls_stream_destroy(&s->stream);
    ls_free(s);
}

/* Opens the stream, with the largest windows that fit into --memory. Local. */
static ls_status open_stream(streamed *s, const ls_backend_setup *setup)
{
    const int rank = ls_comm_rank(setup->comm);
    const int64_t shard = ls_plan_rank_rows(setup->plan, rank);
    const ls_dataset_info *d = setup->dataset;
    const int64_t bytes = setup->config->memory;
    const int64_t window = ls_stream_window(bytes, d);
    if (window < 1)
        return ls_fail(
            LS_ERR_USAGE,
            "--memory: %lld bytes are too few for two windows and the rows of a step, at %lld "
            "bytes a row; give some megabytes, for example 256M",
            (long long)bytes, (long long)d->features * (long long)ls_element_bytes(d->element));
    setup->plan->window = window < shard ? window : shard > 0 ? shard : 1;
    return ls_stream_create(&s->stream, setup->config->data, setup->options, setup->plan, rank);
}

static ls_status streamed_open(void **out, const ls_backend_setup *setup)
{
    streamed *s = ls_alloc(1, sizeof *s);
    const ls_status status =
        ls_agree(setup->comm, s == NULL ? LS_ERR_FAILURE : open_stream(s, setup));
    if (status != LS_OK) {
        streamed_close(s);
        return status;
    }
    s->train = ls_backend_shard(setup, LS_TRAIN);
    s->validation = ls_backend_shard(setup, LS_VALIDATION);
    *out = s;
    return LS_OK;
}

/* Nothing to do: no rows move between ranks, and the first window is being read ahead already. */
static ls_status streamed_epoch(void *backend, int64_t epoch)
{
    (void)backend, (void)epoch;
    return LS_OK;
}

static ls_status streamed_take(void *backend, int64_t epoch, ls_range slice,
                               const ls_samples **samples, const int32_t **order)
{
    const streamed *s = backend;
    *order = NULL;
    return ls_stream_take(s->stream, epoch, slice, samples);
}

static void streamed_origin(void *backend, ls_split split, ls_rows_origin *origin)
{
    const streamed *s = backend;
    origin->stream = s->stream;
    origin->range = split == LS_TRAIN ? s->train : s->validation;
}

const ls_backend_kind ls_backend_streamed = {.open = streamed_open,
                                             .epoch = streamed_epoch,
                                             .take = streamed_take,
                                             .origin = streamed_origin,
                                             .close = streamed_close};
