/* The reducers fused and overlap. The arena is divided into buckets, numbered from its end down:
 * the order in which a backward pass finishes gradients. The control word is stored behind the
 * arena's end and is reduced with bucket 0, the first bucket to be sent.
 *
 *     arena   | bucket 2 | bucket 1 | bucket 0 | control |
 *
 * fused: one bucket (or as few as MPI's counts allow), reduced after the backward pass.
 * overlap: the reduction of a bucket starts as soon as its gradients are final. It progresses
 * during the rest of the backward pass and the updates of earlier buckets, whenever MPI is called.
 *
 * Sharded: each bucket is divided into a part for each rank. A reduce-scatter sends the sum of a
 * part to its rank, which updates it; then the parameters are allgathered. A reduce-scatter cannot
 * send the control word to all ranks, so the control word has an allreduce of its own, once all
 * gradients are known. */
#include "parallel/reducer_kind.h"

#include "base/clock.h"
#include "base/integer.h"
#include "base/memory.h"

#include "base/range.h"

#include <string.h>

/* MIN_FLOATS: minimum size of an overlapped bucket. MAX_TESTS: calls of MPI_Test per opportunity:
 * one call handles one event, and the reduction of a bucket has several. */
enum { MIN_FLOATS = 1 << 12, MAX_TESTS = 4 };

typedef struct bucket {
    int64_t first, count;  /* range of the arena */
    ls_range mine;         /* this rank's part, relative to `first` */
    float *sum;            /* [mine.count] the sum of this rank's part */
    int *counts, *starts;  /* sharded: [ranks] each rank's part */
    MPI_Request reducing;  /* reduction of the gradients */
    MPI_Request gathering; /* sharded: allgather of the parameters */
} bucket;

typedef struct buckets {
    ls_reducer base;
    float *arena; /* [count + control_values] gradients and control word */
    float *sums;  /* sharded: [sum of mine.count over buckets] */
    int *parts;   /* sharded: [buckets][2][ranks] */
    bucket *bucket;
    int count;           /* number of buckets */
    int started, summed; /* number of buckets whose reduction has started, has finished */
    int taken;           /* number of buckets returned by next() */
    MPI_Request control; /* sharded: reduction of the control word */
} buckets;

static bool overlaps(const buckets *b)
{
    return b->base.kind == &ls_reducer_overlap;
}

/* Returns the first offset of the bucket that ends at `end`. Buckets begin where a backward pass
 * reports final gradients or, fused, where MPI's maximum count requires it. */
static int64_t bucket_begin(const buckets *b, int64_t end)
{
    const ls_layout *layout = b->base.layout;
    int64_t first = ls_max(end - LS_MPI_VALUES, 0);
    if (!overlaps(b))
        return first;
    const int64_t most = end - MIN_FLOATS;
    for (int i = 0; i < layout->matrices; i++) {
        const ls_matrix *m = &layout->matrix[i];
        const int64_t slice = ls_matrix_slice(m) * m->columns;
        const int64_t length = m->rows * m->columns;
        /* Last slice boundary of this matrix, including its end, that is not after `most`. */
        int64_t within = most - m->offset;
        if (within < 0)
            break;
        within = within >= length ? length : within / slice * slice;
        if (m->offset + within > first)
            first = m->offset + within;
    }
    return first;
}

/* Divides the arena into buckets, returns their number. into: [buckets]; NULL: only counts */
static int make_buckets(const buckets *b, bucket *into)
{
    int count = 0;
    for (int64_t end = b->base.count; end > 0; count++) {
        const int64_t first = bucket_begin(b, end);
        if (into != NULL)
            into[count] = (bucket){.first = first,
                                   .count = end - first,
                                   .mine = {0, end - first},
                                   .sum = b->arena + first,
                                   .reducing = MPI_REQUEST_NULL,
                                   .gathering = MPI_REQUEST_NULL};
        end = first;
    }
    return count;
}

/* Divides each bucket into a part for each rank. */
static void make_parts(buckets *b)
{
    const int ranks = b->base.comm->size;
    float *sum = b->sums;
    for (int i = 0; i < b->count; i++) {
        bucket *k = &b->bucket[i];
        k->counts = b->parts + (int64_t)i * 2 * ranks;
        k->starts = k->counts + ranks;
        for (int r = 0; r < ranks; r++) {
            ls_range part = ls_shard(k->count, ranks, r);
            k->counts[r] = ls_int(part.count);
            k->starts[r] = ls_int(part.first);
        }
        k->mine = ls_shard(k->count, ranks, b->base.comm->rank);
        k->sum = sum;
        sum += k->mine.count;
    }
}

static ls_status buckets_create(ls_reducer *r)
{
    buckets *b = (buckets *)r;
    b->control = MPI_REQUEST_NULL;
    b->count = make_buckets(b, NULL);
    b->arena = ls_arena_alloc(r->count + r->control_values, LS_ARENA_GRADS);
    r->grads = b->arena;
    r->params = r->grads != NULL ? ls_arena_alloc(r->count, LS_ARENA_PARAMS) : NULL;
    b->bucket = r->params != NULL ? ls_alloc(b->count, sizeof *b->bucket) : NULL;
    bool well = b->bucket != NULL;
    if (well)
        (void)make_buckets(b, b->bucket);
    if (well && r->shard) {
        /* No part is larger than the average, rounded up. */
        b->sums = ls_alloc(r->count / r->comm->size + b->count, sizeof *b->sums);
        b->parts = b->sums != NULL
                       ? ls_alloc(2 * (int64_t)r->comm->size * b->count, sizeof *b->parts)
                       : NULL;
        well = b->parts != NULL;
        if (well)
            make_parts(b);
    }
    return ls_agree(r->comm, well ? LS_OK : LS_ERR_FAILURE);
}

static void buckets_destroy(ls_reducer *r)
{
    buckets *b = (buckets *)r;
    /* Reductions of an unfinished step write into the buffers that are freed here. */
    MPI_Wait(&b->control, MPI_STATUS_IGNORE);
    for (int i = 0; b->bucket != NULL && i < b->count; i++) {
        MPI_Wait(&b->bucket[i].reducing, MPI_STATUS_IGNORE);
        MPI_Wait(&b->bucket[i].gathering, MPI_STATUS_IGNORE);
    }
    ls_arena_free(b->arena, LS_ARENA_GRADS);
    ls_arena_free(r->params, LS_ARENA_PARAMS);
    ls_free(b->bucket);
    ls_free(b->sums);
    ls_free(b->parts);
}

static void buckets_set_params(ls_reducer *r, const float *params)
{
    if (params != r->params)
        memcpy(r->params, params, (size_t)r->count * sizeof *params);
}

/* Returns true if the control word is sent with bucket 0, before the other gradients are known. */
static bool sends_control_early(const buckets *b)
{
    return overlaps(b) && !b->base.shard;
}

static void buckets_begin(ls_reducer *r, const double word[LS_CONTROL_MOST])
{
    buckets *b = (buckets *)r;
    ls_control_put(r, word, b->arena + r->count);
    b->started = b->summed = b->taken = 0;
}

/* Floats in the allreduce of a bucket; bucket 0 includes the control word. */
static int allreduce_floats(const buckets *b, int at)
{
    return ls_int(b->bucket[at].count + (at == 0 ? b->base.control_values : 0));
}

/* Makes MPI progress started reductions. */
static void progress(buckets *b)
{
    b->summed = b->summed > b->taken ? b->summed : b->taken;
    for (int i = 0; i < MAX_TESTS && b->summed < b->started; i++) {
        int done;
        MPI_Test(&b->bucket[b->summed].reducing, &done, MPI_STATUS_IGNORE);
        b->summed += done;
    }
}

/* Starts the reductions of all buckets from offset `from` on, whose gradients are final, and
 * progresses started ones. */
static void start_reductions(buckets *b, int64_t from)
{
    ls_reducer *r = &b->base;
    for (; b->started < b->count && b->bucket[b->started].first >= from; b->started++) {
        bucket *k = &b->bucket[b->started];
        float *grads = b->arena + k->first;
        if (r->begun == 0)
            r->begun = ls_now();
        if (r->shard)
            MPI_Ireduce_scatter(grads, k->sum, k->counts, MPI_FLOAT, MPI_SUM, r->comm->mpi,
                                &k->reducing);
        else
            MPI_Iallreduce(MPI_IN_PLACE, grads, allreduce_floats(b, b->started), MPI_FLOAT, MPI_SUM,
                           r->comm->mpi, &k->reducing);
    }
    progress(b);
}

static void buckets_grads_ready(ls_reducer *r, ls_range final)
{
    start_reductions((buckets *)r, final.first);
}

/* Reduces all buckets, one after the other. */
static void reduce_all(buckets *b)
{
    for (int i = 0; i < b->count; i++) {
        float *grads = b->arena + b->bucket[i].first;
        if (b->base.shard)
            MPI_Reduce_scatter(grads, b->bucket[i].sum, b->bucket[i].counts, MPI_FLOAT, MPI_SUM,
                               b->base.comm->mpi);
        else
            MPI_Allreduce(MPI_IN_PLACE, grads, allreduce_floats(b, i), MPI_FLOAT, MPI_SUM,
                          b->base.comm->mpi);
    }
}

static void buckets_finish(ls_reducer *r, double word[LS_CONTROL_MOST])
{
    buckets *b = (buckets *)r;
    float *control = b->arena + r->count;
    if (!sends_control_early(b))
        ls_control_put(r, word, control);
    if (overlaps(b))
        start_reductions(b, 0);
    if (r->shard)
        MPI_Iallreduce(MPI_IN_PLACE, control, r->control_values, MPI_FLOAT, MPI_SUM, r->comm->mpi,
                       &b->control);
    if (!overlaps(b))
        reduce_all(b);
    MPI_Wait(sends_control_early(b) ? &b->bucket[0].reducing : &b->control, MPI_STATUS_IGNORE);
    ls_control_take(r, control, word);
    for (int i = 0; word[LS_CONTROL_FAILED] > 0 && i < b->count; i++)
        MPI_Wait(&b->bucket[i].reducing, MPI_STATUS_IGNORE);
}

/* Starts the allgather of a bucket's updated parameters. */
static void allgather_bucket(buckets *b, int at)
{
    bucket *k = &b->bucket[at];
    MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, b->base.params + k->first, k->counts,
                    k->starts, MPI_FLOAT, b->base.comm->mpi, &k->gathering);
}

static bool buckets_next(ls_reducer *r, ls_owned_range *piece)
{
    buckets *b = (buckets *)r;
    if (r->shard && !r->keeps_pieces && b->taken > 0)
        allgather_bucket(b, b->taken - 1);
    if (b->taken == b->count)
        return false;
    bucket *k = &b->bucket[b->taken++];
    MPI_Wait(&k->reducing, MPI_STATUS_IGNORE);
    if (overlaps(b))
        progress(b);
    *piece = (ls_owned_range){.first = k->first + k->mine.first,
                              .count = k->mine.count,
                              .grads = k->sum,
                              .params = r->params + k->first + k->mine.first,
                              .current_from = r->shard ? r->count : k->first};
    return true;
}

static void buckets_rewind(ls_reducer *r)
{
    ((buckets *)r)->taken = 0;
}

static ls_share buckets_share(const ls_reducer *r)
{
    return r->shard ? LS_SHARE_OWN : LS_SHARE_ALL;
}

static void buckets_allgather_params(ls_reducer *r)
{
    buckets *b = (buckets *)r;
    /* Kept pieces are updated only by now; after a failed step none was taken. */
    for (int i = 0; r->shard && r->keeps_pieces && i < b->taken; i++)
        allgather_bucket(b, i);
    for (int i = 0; r->shard && i < b->count; i++)
        MPI_Wait(&b->bucket[i].gathering, MPI_STATUS_IGNORE);
}

static void buckets_allgather_state(ls_reducer *r, float *arena)
{
    buckets *b = (buckets *)r;
    for (int i = 0; r->shard && i < b->count; i++)
        MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, arena + b->bucket[i].first,
                       b->bucket[i].counts, b->bucket[i].starts, MPI_FLOAT, r->comm->mpi);
}

static bool buckets_apply(int ranks, int nodes)
{
    (void)nodes;
    return ranks > 1;
}

const ls_reducer_kind ls_reducer_fused = {
    .size = sizeof(buckets),
    .create = buckets_create,
    .destroy = buckets_destroy,
    .set_params = buckets_set_params,
    .begin = buckets_begin,
    .finish = buckets_finish,
    .next = buckets_next,
    .rewind = buckets_rewind,
    .share = buckets_share,
    .allgather_params = buckets_allgather_params,
    .allgather_state = buckets_allgather_state,
};

const ls_reducer_kind ls_reducer_overlap = {
    .size = sizeof(buckets),
    .overlaps = true,
    .applies = buckets_apply,
    .create = buckets_create,
    .destroy = buckets_destroy,
    .set_params = buckets_set_params,
    .begin = buckets_begin,
    .grads_ready = buckets_grads_ready,
    .finish = buckets_finish,
    .next = buckets_next,
    .rewind = buckets_rewind,
    .share = buckets_share,
    .allgather_params = buckets_allgather_params,
    .allgather_state = buckets_allgather_state,
};
