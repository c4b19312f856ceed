/* The resident backend: a rank's shard is read once; ranks exchange rows between epochs. */
#include "train/loader_backend.h"

#include "base/memory.h"
#include "parallel/exchange.h"

typedef struct resident {
    ls_samples *train, *validation; /* this rank's shards */
    ls_exchange *exchange;
    const int32_t *order; /* [ls_plan_rank_rows] the epoch's order, as indices in `train`;
                             borrowed from the exchange */
} resident;

static void resident_close(void *backend)
{
    resident *r = backend;
    if (r == NULL)
        return;
    ls_exchange_destroy(&r->exchange);
    ls_samples_destroy(&r->train);
    ls_samples_destroy(&r->validation);
    ls_free(r);
}

/* Reads the training and validation shards. Collective. */
static ls_status read_shards(resident *r, const ls_backend_setup *s)
{
    const ls_range train = ls_backend_shard(s, LS_TRAIN);
    const ls_range validation = ls_backend_shard(s, LS_VALIDATION);
    ls_status status =
        ls_source_read(s->source, LS_TRAIN, train,
                       ls_exchange_capacity(s->plan, ls_comm_rank(s->comm)), &r->train);
    if (status == LS_OK)
        status =
            ls_source_read(s->source, LS_VALIDATION, validation, validation.count, &r->validation);
    return status;
}

static ls_status resident_open(void **out, const ls_backend_setup *s)
{
    resident *r = ls_alloc(1, sizeof *r);
    ls_status status = ls_agree(s->comm, r == NULL ? LS_ERR_FAILURE : LS_OK);
    if (status == LS_OK)
        status = read_shards(r, s);
    if (status == LS_OK)
        status = ls_exchange_create(&r->exchange, s->comm, s->plan, r->train);
    if (status == LS_OK)
        *out = r;
    else
        resident_close(r);
    return status;
}

static ls_status resident_epoch(void *backend, int64_t epoch)
{
    resident *r = backend;
    return ls_exchange_epoch(r->exchange, epoch, &r->order);
}

static ls_status resident_take(void *backend, int64_t epoch, ls_range slice,
                               const ls_samples **samples, const int32_t **order)
{
    const resident *r = backend;
    (void)epoch;
    *samples = r->train;
    *order = r->order + slice.first;
    return LS_OK;
}

static void resident_origin(void *backend, ls_split split, ls_rows_origin *origin)
{
    const resident *r = backend;
    origin->samples = split == LS_TRAIN ? r->train : r->validation;
}

const ls_backend_kind ls_backend_resident = {.open = resident_open,
                                             .epoch = resident_epoch,
                                             .take = resident_take,
                                             .origin = resident_origin,
                                             .close = resident_close};
