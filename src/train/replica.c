#include "train/replica_state.h"

#include "parallel/collectives.h"
#include "base/clock.h"
#include "base/exact.h"
#include "base/memory.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

/* Creates network, batch and optimizer. Local. */
static ls_status create_parts(ls_replica *r, const ls_replica_config *c)
{
    int rows;
    ls_status status =
        ls_network_create(&r->network, c->model, c->input, c->outputs, c->loss, c->rows);
    if (status == LS_OK)
        status = ls_batch_create(&r->batch, c->rows, ls_shape_size(c->input), c->values);
    if (status == LS_OK) {
        if (c->loss == LS_HUBER)
            ls_network_set_huber(r->network, c->huber);
        const ls_param *table = ls_network_params(r->network, &rows);
        status = ls_optimizer_create(&r->optimizer, &c->optimizer, table, rows);
    }
    return status;
}

ls_status ls_replica_create(ls_replica **out, ls_comm *comm, const ls_replica_config *config)
{
    ls_replica *r = ls_alloc(1, sizeof *r);
    if (r == NULL)
        return LS_ERR_FAILURE;
    r->comm = comm;
    r->label_smoothing = config->label_smoothing;
    const ls_status status = create_parts(r, config);
    if (status == LS_OK)
        *out = r;
    else
        ls_replica_destroy(&r);
    return status;
}

void ls_replica_destroy(ls_replica **replica)
{
    if (replica == NULL || *replica == NULL)
        return;
    ls_network_destroy(&(*replica)->network);
    ls_optimizer_destroy(&(*replica)->optimizer);
    ls_batch_destroy(&(*replica)->batch);
    ls_free(*replica);
    *replica = NULL;
}

ls_network *ls_replica_network(const ls_replica *r)
{
    return r->network;
}

ls_optimizer *ls_replica_optimizer(const ls_replica *r)
{
    return r->optimizer;
}

ls_batch *ls_replica_batch(const ls_replica *r)
{
    return r->batch;
}

int64_t ls_replica_size(const ls_replica *r)
{
    return ls_network_size(r->network);
}

/* Rests are at most half of the first quantum; their number is at most that of the rows. */
void ls_replica_set_micro_batch(ls_replica *r, int64_t rows, double most)
{
    r->micro_batch = rows;
    r->quanta[0] = ls_exact_quantum(LS_DIVERGED * most);
    r->quanta[1] = ls_exact_quantum(r->quanta[0] * most);
}

void ls_replica_update(ls_replica *r, int64_t from)
{
    ls_owned_range piece;
    while (r->update_pending && (from == 0 || r->current_from > from)) {
        if (!ls_reducer_next(r->reducer, &piece)) {
            ls_reducer_allgather_params(r->reducer);
            r->update_pending = false;
            break;
        }
        const double begin = ls_now();
        ls_optimizer_update(r->optimizer, piece.first, piece.count, piece.grads, piece.params);
        r->update_s += ls_now() - begin;
        r->current_from = piece.current_from;
    }
}

void ls_replica_defer(ls_replica *r, ls_status status)
{
    if (status != LS_OK)
        snprintf(r->deferred_text, sizeof r->deferred_text, "%s", ls_error_text());
    r->deferred = status;
}

ls_status ls_replica_deferred(const ls_replica *r)
{
    return r->deferred == LS_OK ? LS_OK : ls_fail(r->deferred, "%s", r->deferred_text);
}

void ls_replica_use(ls_replica *r, ls_reducer *reducer)
{
    if (r->reducer == reducer)
        return;
    if (r->reducer != NULL) {
        ls_replica_update(r, 0);
        ls_replica_complete_slots(r);
        ls_reducer_set_params(reducer, ls_reducer_params(r->reducer));
    }
    r->reducer = reducer;
}

ls_reduce ls_replica_reduce(const ls_replica *r)
{
    return ls_reducer_which(r->reducer);
}

ls_status ls_replica_params(ls_replica *r, const float **params)
{
    if (!r->settled) {
        ls_replica_update(r, 0);
        const ls_status status = ls_agree(r->comm, ls_replica_deferred(r));
        if (status != LS_OK)
            return status;
        r->settled = true;
    }
    *params = ls_reducer_params(r->reducer);
    return LS_OK;
}

const float *ls_replica_current_params(const ls_replica *r)
{
    assert(!r->update_pending);
    return ls_reducer_params(r->reducer);
}

ls_status ls_replica_evaluated_params(ls_replica *r, const float **params)
{
    float *average = ls_optimizer_average(r->optimizer);
    const ls_status status = ls_replica_params(r, params);
    if (status != LS_OK || average == NULL)
        return status;
    ls_reducer_allgather_state(r->reducer, average);
    *params = average;
    return LS_OK;
}

void ls_replica_set_params(ls_replica *r, const float *params)
{
    ls_reducer_set_params(r->reducer, params);
    r->update_pending = false;
    r->deferred = LS_OK;
    r->settled = true;
}

void ls_replica_complete_slots(ls_replica *r)
{
    for (int i = 0; i < ls_optimizer_slots(r->optimizer); i++)
        ls_reducer_allgather_state(r->reducer, ls_optimizer_slot(r->optimizer, i));
}

uint64_t ls_replica_hash(const ls_replica *r)
{
    const size_t bytes = (size_t)ls_replica_size(r) * sizeof(float);
    const float *average = ls_optimizer_average(r->optimizer);
    const uint64_t hash = XXH3_64bits(ls_replica_current_params(r), bytes);
    if (average == NULL || ls_reducer_is_sharded(r->reducer))
        return hash;
    return XXH3_64bits_withSeed(average, bytes, hash);
}

ls_status ls_replica_copy_from(ls_replica *r, int rank)
{
    const size_t bytes = (size_t)ls_replica_size(r) * sizeof(float);
    float *params = ls_alloc(ls_replica_size(r), sizeof *params);
    const ls_status status = ls_agree(r->comm, params == NULL ? LS_ERR_FAILURE : LS_OK);
    if (status == LS_OK) {
        memcpy(params, ls_replica_current_params(r), bytes);
        ls_broadcast_from(r->comm, params, bytes, rank);
        ls_replica_set_params(r, params);
        ls_replica_complete_slots(r);
        for (int i = 0; i < ls_optimizer_slots(r->optimizer); i++)
            ls_broadcast_from(r->comm, ls_optimizer_slot(r->optimizer, i), bytes, rank);
    }
    ls_free(params);
    return status;
}

void ls_replica_flip_bit(ls_replica *r)
{
    unsigned char *byte = (void *)(uintptr_t)ls_reducer_params(r->reducer);
    byte[2] ^= 1;
}
