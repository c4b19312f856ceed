/* How a trainer gets hold of its rank's rows, and plans what becomes of them. */
#include "train/trainer_state.h"

#include <lockstep/evaluate.h>
#include <lockstep/source.h>

/* Collective. */
static ls_status read_shards(ls_trainer *t, ls_source *source)
{
    const ls_range train = ls_shard(t->dataset.rows[LS_TRAIN], t->plan.ranks, t->rank);
    const ls_range validation =
        ls_evaluation_shard(t->dataset.rows[LS_VALIDATION], t->plan.ranks, t->rank);
    ls_status status = ls_source_read(source, LS_TRAIN, train,
                                      ls_exchange_capacity(&t->plan, t->rank), &t->samples);
    if (status == LS_OK)
        status =
            ls_source_read(source, LS_VALIDATION, validation, validation.count, &t->validation);
    return status;
}

static ls_status add_fingerprint(void *sum, const ls_samples *piece)
{
    *(uint64_t *)sum += ls_samples_fingerprint(piece);
    return LS_OK;
}

/* Opens the stream of this rank's rows, and reads them once for their fingerprint. Local. */
static ls_status open_stream(ls_trainer *t, uint64_t *fingerprint)
{
    const ls_train_config *c = t->config;
    const int64_t shard = ls_plan_rank_rows(&t->plan, t->rank);
    const int64_t window = ls_stream_window(c->memory, t->dataset.features);
    if (window < 1)
        return ls_fail(
            LS_ERR_USAGE,
            "--memory: %lld bytes hold no two windows of rows, and a step's, of %lld bytes each; "
            "give some megabytes, as 256M",
            (long long)c->memory, (long long)t->dataset.features);
    t->plan.window = window < shard ? window : shard > 0 ? shard : 1;
    ls_status status = ls_stream_create(&t->stream, c->data, c->validation, &t->plan, t->rank);
    return status == LS_OK
               ? ls_stream_walk(t->stream, LS_TRAIN, ls_shard(t->plan.rows, t->plan.ranks, t->rank),
                                add_fingerprint, fingerprint)
               : status;
}

ls_status ls_trainer_load(ls_trainer *t)
{
    const ls_train_config *c = t->config;
    uint64_t sum = 0;
    ls_source *source = NULL;
    ls_status status = ls_source_open(&source, t->comm, c->data, c->validation, !c->trust_data,
                                      c->read, &t->dataset);
    if (status == LS_OK)
        status = ls_plan_make(&t->plan, t->dataset.rows[LS_TRAIN], ls_comm_size(t->comm), c->batch,
                              c->seed, c->shuffle, c->reproducible ? c->block : 1);
    if (status == LS_OK && !c->stream) {
        status = read_shards(t, source);
        sum = status == LS_OK ? ls_samples_fingerprint(t->samples) : 0;
    }
    ls_source_close(&source);
    if (status == LS_OK && c->stream)
        status = ls_agree(t->comm, open_stream(t, &sum));
    if (status != LS_OK)
        return status;
    int64_t fingerprint = (int64_t)sum;
    ls_sum_integers(t->comm, &fingerprint, 1);
    t->identity.fingerprint = (uint64_t)fingerprint;
    if (c->stream)
        return LS_OK;
    return ls_exchange_create(&t->exchange, t->comm, &t->plan, t->samples);
}
