/* How a trainer gets hold of its rank's rows, and plans what becomes of them. */
#include "train/trainer_state.h"

#include "base/memory.h"
#include "data/class_gaps.h"

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

/* What is to be known of a split's rows. */
typedef struct census {
    uint64_t fingerprint;
    int64_t *classes; /* [classes] rows of each; borrowed */
} census;

static ls_status take_census(void *user, const ls_samples *samples)
{
    census *c = user;
    c->fingerprint += ls_samples_fingerprint(samples);
    for (int64_t i = 0; i < samples->rows; i++)
        c->classes[ls_sample_at(samples, i)->label]++;
    return LS_OK;
}

static ls_dataset_options options_of(const ls_train_config *c)
{
    return (ls_dataset_options){
        .validation = c->validation, .hold_out = c->hold_out, .seed = c->seed, .layout = c->layout};
}

/* Opens the stream of this rank's rows. Local. */
static ls_status open_stream(ls_trainer *t)
{
    const ls_train_config *c = t->config;
    const ls_dataset_options options = options_of(c);
    const int64_t shard = ls_plan_rank_rows(&t->plan, t->rank);
    const int64_t window = ls_stream_window(c->memory, t->dataset.features);
    if (window < 1)
        return ls_fail(
            LS_ERR_USAGE,
            "--memory: %lld bytes hold no two windows of rows, and a step's, of %lld bytes each; "
            "give some megabytes, as 256M",
            (long long)c->memory, (long long)t->dataset.features);
    t->plan.window = window < shard ? window : shard > 0 ? shard : 1;
    return ls_stream_create(&t->stream, c->data, &options, &t->plan, t->rank);
}

/* Takes the census of this rank's rows of a split; a stream is read through for it. Local. */
static ls_status count_split(ls_trainer *t, ls_split split, census *out)
{
    const ls_samples *held = split == LS_TRAIN ? t->samples : t->validation;
    if (t->stream == NULL)
        return take_census(out, held);
    const int64_t rows = t->dataset.rows[split];
    return ls_stream_walk(t->stream, split,
                          split == LS_TRAIN ? ls_shard(rows, t->plan.ranks, t->rank)
                                            : ls_evaluation_shard(rows, t->plan.ranks, t->rank),
                          take_census, out);
}

/* Finds out what is to be known of all ranks' rows together; a stream of rows that are trusted is
 * not read through for it. Collective. */
static ls_status know_rows(ls_trainer *t)
{
    if (t->config->stream && t->config->trust_data)
        return LS_OK;
    const int64_t classes = t->dataset.classes;
    int64_t *counts = ls_alloc(LS_SPLITS * classes, sizeof *counts); /* none of the test rows */
    census c[2] = {{.classes = counts}, {.classes = counts + classes}};
    ls_status status = counts == NULL ? LS_ERR_FAILURE : LS_OK;
    for (int split = LS_TRAIN; status == LS_OK && split <= LS_VALIDATION; split++)
        status = count_split(t, (ls_split)split, &c[split]);
    status = ls_agree(t->comm, status);
    if (status == LS_OK) {
        int64_t sums[2] = {(int64_t)c[LS_TRAIN].fingerprint, (int64_t)c[LS_VALIDATION].fingerprint};
        ls_sum_integers(t->comm, sums, 2);
        ls_sum_integers(t->comm, counts, (int)(2 * classes));
        t->identity.fingerprint = (uint64_t)sums[LS_TRAIN];
        t->identity.validation_fingerprint = (uint64_t)sums[LS_VALIDATION];
        t->identity.knows_validation = true;
        ls_class_gaps(&t->dataset, counts, t->class_gaps);
    }
    ls_free(counts);
    return status;
}

ls_status ls_trainer_load(ls_trainer *t)
{
    const ls_train_config *c = t->config;
    const ls_dataset_options options = options_of(c);
    ls_source *source = NULL;
    ls_status status =
        ls_source_open(&source, t->comm, c->data, &options, !c->trust_data, c->read, &t->dataset);
    if (status == LS_OK)
        status = ls_plan_make(&t->plan, t->dataset.rows[LS_TRAIN], ls_comm_size(t->comm), c->batch,
                              c->seed, c->shuffle, c->reproducible ? c->block : 1);
    if (status == LS_OK && !c->stream)
        status = read_shards(t, source);
    ls_source_close(&source);
    if (status == LS_OK && c->stream)
        status = ls_agree(t->comm, open_stream(t));
    if (status == LS_OK)
        status = know_rows(t);
    return status == LS_OK && !c->stream
               ? ls_exchange_create(&t->exchange, t->comm, &t->plan, t->samples)
               : status;
}
