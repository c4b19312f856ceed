/* The reducers fused and overlap. The arena is cut into buckets, numbered from its end down, which
 * is the order in which a backward pass makes gradients final. The control word lies behind the
 * arena's end and so travels with bucket 0, the first to go.
 *
 *     arena   | bucket 2 | bucket 1 | bucket 0 | control |
 *
 * fused: one bucket (or as few as MPI's counts allow), summed when the backward pass is over.
 * overlap: a bucket's sum starts as soon as its gradients are final, and goes on, whenever MPI gets
 * a chance, under the rest of the backward pass and the updates of the buckets before it.
 *
 * Sharded, a bucket is cut into a part for each rank. The sum of a part goes to its rank alone
 * (reduce-scatter), which updates it; then all gather the parameters. A reduce-scatter has no place
 * for a word that all must get, so the control word is summed beside it, once all gradients are
 * known. */
#include "parallel/reducer_kind.h"

#include "base/clock.h"
#include "base/integer.h"
#include "base/memory.h"

#include <lockstep/range.h>

#include <string.h>

/* Fewest floats of a bucket that is summed while other work goes on. How often MPI is asked to go
 * on each time that it gets a chance: once handles one event, and a bucket's exchange has several.
 */
enum { LEAST = 1 << 12, CHANCES = 4 };

typedef struct bucket {
    int64_t first, count;  /* its range of the arena */
    ls_range mine;         /* this rank's part of it, from `first` */
    float *sum;            /* where the sum of that part arrives */
    int *counts, *starts;  /* sharded: [ranks] each rank's part */
    MPI_Request reducing;  /* its sum, under way */
    MPI_Request gathering; /* sharded: its parameters, on their way */
} bucket;

typedef struct buckets {
    ls_reducer base;
    float *arena; /* [count + LS_CONTROL_VALUES] gradients and control word */
    float *sums;  /* sharded: [all of mine.count] */
    int *parts;   /* sharded: [buckets][2][ranks] */
    bucket *bucket;
    int count;           /* of buckets */
    int started, summed; /* how many of them, in this step */
    int taken;           /* by next() */
    MPI_Request control; /* sharded: the control word's sum */
} buckets;

static bool overlaps(const buckets *b)
{
    return b->base.kind == &ls_reducer_overlap;
}

/* Where the bucket that ends at `end` begins. A bucket ends where a backward pass tells of final
 * gradients, or, fused, where MPI's counts do. */
static int64_t first_of(const buckets *b, int64_t end)
{
    const ls_layout *layout = b->base.layout;
    int64_t first = ls_max(end - LS_MPI_VALUES, 0);
    if (!overlaps(b))
        return first;
    const int64_t most = end - LEAST;
    for (int i = 0; i < layout->matrices; i++) {
        const ls_matrix *m = &layout->matrix[i];
        const int64_t slice = ls_matrix_slice(m) * m->columns;
        const int64_t length = m->rows * m->columns;
        /* The last boundary of this matrix, its own end included, at or before `most`. */
        int64_t within = most - m->offset;
        if (within < 0)
            break;
        within = within >= length ? length : within / slice * slice;
        if (m->offset + within > first)
            first = m->offset + within;
    }
    return first;
}

/* Cuts the arena into buckets. Returns their number; NULL only counts. */
static int cut(const buckets *b, bucket *into)
{
    int count = 0;
    for (int64_t end = b->base.count; end > 0; count++) {
        const int64_t first = first_of(b, end);
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

/* Cuts each bucket into a part for each rank. */
static void cut_parts(buckets *b)
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

static ls_status create(ls_reducer *r)
{
    buckets *b = (buckets *)r;
    b->control = MPI_REQUEST_NULL;
    b->count = cut(b, NULL);
    b->arena = ls_arena_alloc(r->count + LS_CONTROL_VALUES, LS_LANE_GRADS);
    r->grads = b->arena;
    r->params = r->grads != NULL ? ls_arena_alloc(r->count, LS_LANE_PARAMS) : NULL;
    b->bucket = r->params != NULL ? ls_alloc(b->count, sizeof *b->bucket) : NULL;
    bool well = b->bucket != NULL;
    if (well)
        (void)cut(b, b->bucket);
    if (well && r->shard) {
        /* No part is larger than the average, rounded up. */
        b->sums = ls_alloc(r->count / r->comm->size + b->count, sizeof *b->sums);
        b->parts = b->sums != NULL
                       ? ls_alloc(2 * (int64_t)r->comm->size * b->count, sizeof *b->parts)
                       : NULL;
        well = b->parts != NULL;
        if (well)
            cut_parts(b);
    }
    return ls_agree(r->comm, well ? LS_OK : LS_ERR_FAILURE);
}

static void destroy(ls_reducer *r)
{
    buckets *b = (buckets *)r;
    /* A step that was left unfinished has sums under way into what is freed here. */
    MPI_Wait(&b->control, MPI_STATUS_IGNORE);
    for (int i = 0; b->bucket != NULL && i < b->count; i++) {
        MPI_Wait(&b->bucket[i].reducing, MPI_STATUS_IGNORE);
        MPI_Wait(&b->bucket[i].gathering, MPI_STATUS_IGNORE);
    }
    ls_arena_free(b->arena, LS_LANE_GRADS);
    ls_arena_free(r->params, LS_LANE_PARAMS);
    ls_free(b->bucket);
    ls_free(b->sums);
    ls_free(b->parts);
}

static void set_params(ls_reducer *r, const float *params)
{
    if (params != r->params)
        memcpy(r->params, params, (size_t)r->count * sizeof *params);
}

/* The control word leaves with bucket 0, before the other gradients are known. */
static bool speaks_early(const buckets *b)
{
    return overlaps(b) && !b->base.shard;
}

static void begin(ls_reducer *r, const double word[LS_CONTROL_VALUES])
{
    buckets *b = (buckets *)r;
    ls_control_put(word, b->arena + r->count);
    b->started = b->summed = b->taken = 0;
}

/* Floats of a bucket that one allreduce takes: with bucket 0 goes the control word. */
static int floats_of(const buckets *b, int at)
{
    return ls_int(b->bucket[at].count + (at == 0 ? LS_CONTROL_VALUES : 0));
}

/* Lets the sums that are under way go on. */
static void go_on(buckets *b)
{
    b->summed = b->summed > b->taken ? b->summed : b->taken;
    for (int i = 0; i < CHANCES && b->summed < b->started; i++) {
        int done;
        MPI_Test(&b->bucket[b->summed].reducing, &done, MPI_STATUS_IGNORE);
        b->summed += done;
    }
}

/* Starts the sums of all buckets whose gradients are final, and lets those under way go on. */
static void start(buckets *b, int64_t from)
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
            MPI_Iallreduce(MPI_IN_PLACE, grads, floats_of(b, b->started), MPI_FLOAT, MPI_SUM,
                           r->comm->mpi, &k->reducing);
    }
    go_on(b);
}

static void ready(ls_reducer *r, ls_range final)
{
    start((buckets *)r, final.first);
}

/* Sums all buckets, one after the other. */
static void sum_all(buckets *b)
{
    for (int i = 0; i < b->count; i++) {
        float *grads = b->arena + b->bucket[i].first;
        if (b->base.shard)
            MPI_Reduce_scatter(grads, b->bucket[i].sum, b->bucket[i].counts, MPI_FLOAT, MPI_SUM,
                               b->base.comm->mpi);
        else
            MPI_Allreduce(MPI_IN_PLACE, grads, floats_of(b, i), MPI_FLOAT, MPI_SUM,
                          b->base.comm->mpi);
    }
}

static void finish(ls_reducer *r, double word[LS_CONTROL_VALUES])
{
    buckets *b = (buckets *)r;
    float *control = b->arena + r->count;
    if (!speaks_early(b))
        ls_control_put(word, control);
    if (overlaps(b))
        start(b, 0);
    if (r->shard)
        MPI_Iallreduce(MPI_IN_PLACE, control, LS_CONTROL_VALUES, MPI_FLOAT, MPI_SUM, r->comm->mpi,
                       &b->control);
    if (!overlaps(b))
        sum_all(b);
    MPI_Wait(speaks_early(b) ? &b->bucket[0].reducing : &b->control, MPI_STATUS_IGNORE);
    ls_control_take(control, word);
    for (int i = 0; word[LS_CONTROL_FAILED] > 0 && i < b->count; i++)
        MPI_Wait(&b->bucket[i].reducing, MPI_STATUS_IGNORE);
}

/* Sends the parameters of this rank's part of a bucket to all ranks. */
static void gather(buckets *b, int at)
{
    bucket *k = &b->bucket[at];
    MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, b->base.params + k->first, k->counts,
                    k->starts, MPI_FLOAT, b->base.comm->mpi, &k->gathering);
}

static bool next(ls_reducer *r, ls_owned_range *piece)
{
    buckets *b = (buckets *)r;
    if (r->shard && !r->holds && b->taken > 0)
        gather(b, b->taken - 1);
    if (b->taken == b->count)
        return false;
    bucket *k = &b->bucket[b->taken++];
    MPI_Wait(&k->reducing, MPI_STATUS_IGNORE);
    if (overlaps(b))
        go_on(b);
    *piece = (ls_owned_range){.first = k->first + k->mine.first,
                              .count = k->mine.count,
                              .grads = k->sum,
                              .params = r->params + k->first + k->mine.first,
                              .fresh = r->shard ? r->count : k->first};
    return true;
}

static void rewind_pieces(ls_reducer *r)
{
    ((buckets *)r)->taken = 0;
}

static ls_share share(const ls_reducer *r)
{
    return r->shard ? LS_SHARE_OWN : LS_SHARE_ALL;
}

static void publish(ls_reducer *r)
{
    buckets *b = (buckets *)r;
    /* Pieces that were held are new only now; after a failed step none was taken. */
    for (int i = 0; r->shard && r->holds && i < b->taken; i++)
        gather(b, i);
    for (int i = 0; r->shard && i < b->count; i++)
        MPI_Wait(&b->bucket[i].gathering, MPI_STATUS_IGNORE);
}

static void complete(ls_reducer *r, float *arena)
{
    buckets *b = (buckets *)r;
    for (int i = 0; r->shard && i < b->count; i++)
        MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, arena + b->bucket[i].first,
                       b->bucket[i].counts, b->bucket[i].starts, MPI_FLOAT, r->comm->mpi);
}

static bool several_ranks(int ranks, int nodes)
{
    (void)nodes;
    return ranks > 1;
}

const ls_reducer_kind ls_reducer_fused = {
    .size = sizeof(buckets),
    .create = create,
    .destroy = destroy,
    .set_params = set_params,
    .begin = begin,
    .finish = finish,
    .next = next,
    .rewind = rewind_pieces,
    .share = share,
    .publish = publish,
    .complete = complete,
};

const ls_reducer_kind ls_reducer_overlap = {
    .size = sizeof(buckets),
    .overlaps = true,
    .applies = several_ranks,
    .create = create,
    .destroy = destroy,
    .set_params = set_params,
    .begin = begin,
    .ready = ready,
    .finish = finish,
    .next = next,
    .rewind = rewind_pieces,
    .share = share,
    .publish = publish,
    .complete = complete,
};
