/* The reducer hierarchical. The ranks of a node lay their gradients into shared memory and share
 * one copy of the parameters. The arena is cut into blocks, each block into slices, one for each
 * local rank, or for as many as every node has; local rank k of each node owns slice k of every
 * block there:
 *
 *     barrier                  all gradients of the node are written
 *     sum my slices            over the ranks of the node, in their order
 *     allreduce                with the owners of the same slices on the other nodes
 *     update my slices         of the node's parameters
 *     barrier                  all parameters of the node are new
 *
 * Where all nodes have as many ranks, those of a node are a group, too, see lockstep/group.h: a
 * matrix that it splits is a block, cut between its rows, and its slices are summed when they are
 * computed. What lies between such matrices is a block of the other kind.
 *
 * On a single node nothing is copied at all: a rank reads the others' gradients where they were
 * written, in pieces that stay in the cache until they are used. Sharded, the owners of the same
 * slices share the work of updating them as well: each takes a part of them, laid end to end. */
#include "parallel/reducer_kind.h"

#include "base/clock.h"
#include "base/dispatch.h"
#include "base/integer.h"
#include "base/limits.h"
#include "base/memory.h"

#include <string.h>
#include <sys/statvfs.h>

enum {
    PIECE = 1 << 12,  /* floats of a sum that is used at once */
    ALIGNMENT = 1024, /* floats: what lies in shared memory begins on a page of its own */
    CACHE_LINE = 16,  /* floats: slices don't share one */
};

/* A range of the arena that is cut into a slice for each owner. */
typedef struct block {
    int64_t first, count;
    int64_t unit; /* floats that are not cut: a row of a matrix, a cache line */
    bool split;   /* a matrix that the group splits */
} block;

typedef struct node {
    ls_reducer base;
    MPI_Comm local;   /* the ranks of this node */
    MPI_Comm column;  /* the owners of the same slices; MPI_COMM_NULL if this rank owns none */
    int size, rank;   /* of `local` */
    int owners;       /* on each node */
    int nodes, place; /* size and rank of `column` */
    block *block;     /* [blocks], in the order of the arena */
    int blocks;
    ls_group group;
    MPI_Win window;
    const float **grads;  /* [size] each local rank's gradients, control word behind them */
    int64_t owned;        /* floats in this rank's slices */
    float *sums;          /* several nodes: [owned + control] my slices, end to end; one: [PIECE] */
    float *part;          /* sharded: this rank's part of them */
    int *counts, *starts; /* sharded: [nodes] those parts */
    ls_range mine;        /* what is this rank's to update, of its slices laid end to end */
    int64_t taken;        /* of it, by next() */
} node;

static bool is_owner(const node *n)
{
    return n->rank < n->owners;
}

/* Slice k of a block. */
static ls_range slice_of(const node *n, const block *b, int k)
{
    const ls_range units = ls_shard((b->count + b->unit - 1) / b->unit, n->owners, k);
    const int64_t end = ls_min((units.first + units.count) * b->unit, b->count);
    const int64_t first = ls_min(units.first * b->unit, end);
    return (ls_range){b->first + first, end - first};
}

/* The range of the arena that position `at` of this rank's slices, laid end to end, begins, as far
 * as its slice goes, and the block that it belongs to. */
static ls_range range_at(const node *n, int64_t at, const block **of)
{
    for (int i = 0; i < n->blocks; i++) {
        const ls_range slice = slice_of(n, &n->block[i], n->rank);
        if (at < slice.count) {
            *of = &n->block[i];
            return (ls_range){slice.first + at, slice.count - at};
        }
        at -= slice.count;
    }
    return (ls_range){0};
}

/* Everything written before is seen by all ranks of the node after. */
static void meet(node *n)
{
    MPI_Win_sync(n->window);
    MPI_Barrier(n->local);
    MPI_Win_sync(n->window);
}

/* The same for the group, whose passes call it: the wait is communication that they are exposed to.
 */
static void group_barrier(void *user)
{
    node *n = user;
    const double begin = ls_now();
    ls_wait_begin(n->base.comm);
    meet(n);
    ls_wait_end(n->base.comm);
    n->base.times.exposed += ls_now() - begin;
}

/* Floats of this rank's gradients in shared memory, and of all that it lays there. */
static int64_t grads_floats(const node *n)
{
    const int64_t count = n->base.count;
    return (count + LS_CONTROL_VALUES + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT +
           LS_LANE_PARAMS * LS_LANE_FLOATS;
}

static int64_t team_floats(const node *n)
{
    return n->group.size > 0 ? ls_group_floats(n->group.size, n->group.rows, n->base.layout) : 0;
}

/* Rank 0 lays there the parameters, and behind them what the group shares. */
static int64_t params_floats(const node *n)
{
    return (n->base.count + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static int64_t shared_floats(const node *n)
{
    return grads_floats(n) + (n->rank == 0 ? params_floats(n) + team_floats(n) : 0);
}

/* Whether the node has room for it, and its first rank, which makes the memory, can. To be asked
 * first: where Open MPI can't have it, some of its ranks wait for ever. Collective on the node. */
static ls_status check_room(const node *n)
{
    enum { SPARE = 1 << 20 /* bytes, for what MPI adds */, FILES = 8 };
    struct statvfs room;
    int64_t bytes = shared_floats(n) * (int64_t)sizeof(float);
    MPI_Allreduce(MPI_IN_PLACE, &bytes, 1, MPI_INT64_T, MPI_SUM, n->local);
    ls_status status = ls_limits_try_files(FILES);
    if (status == LS_OK && n->rank == 0)
        status = ls_limits_try_shared_memory();
    if (status == LS_OK && statvfs("/dev/shm", &room) == 0 &&
        (uint64_t)room.f_bavail * room.f_frsize < (uint64_t)bytes + SPARE)
        status = ls_fail(LS_ERR_FAILURE, "/dev/shm has no room for %lld bytes", (long long)bytes);
    return status == LS_OK
               ? LS_OK
               : ls_fail(status, "--reduce hierarchical: %s; another --reduce needs none",
                         ls_error_text());
}

/* Takes the shared memory. */
static ls_status share_memory(node *n)
{
    const int64_t grads = grads_floats(n), floats = shared_floats(n);
    float *base;
    MPI_Info info;
    MPI_Info_create(&info);
    MPI_Info_set(info, "alloc_shared_noncontig", "true");
    MPI_Comm_set_errhandler(n->local, MPI_ERRORS_RETURN);
    int code = MPI_Win_allocate_shared((MPI_Aint)((size_t)floats * sizeof *base), sizeof *base,
                                       info, n->local, &base, &n->window);
    MPI_Comm_set_errhandler(n->local, MPI_ERRORS_ARE_FATAL);
    MPI_Info_free(&info);
    if (code != MPI_SUCCESS) {
        n->window = MPI_WIN_NULL;
        return ls_fail(
            LS_ERR_FAILURE,
            "--reduce hierarchical: no shared memory for %lld floats (look at /dev/shm); "
            "another --reduce needs none",
            (long long)floats);
    }
    MPI_Win_lock_all(MPI_MODE_NOCHECK, n->window);
    for (int r = 0; r < n->size; r++) {
        MPI_Aint bytes;
        int unit;
        float *theirs;
        MPI_Win_shared_query(n->window, r, &bytes, &unit, &theirs);
        n->grads[r] = theirs;
        if (r == 0) {
            n->base.params = theirs + grads;
            n->group.shared = n->base.params + params_floats(n);
        }
        if (r == n->rank)
            n->base.grads = theirs;
    }
    return LS_OK;
}

/* Cuts the arena into blocks. Local. */
static ls_status make_blocks(node *n)
{
    const ls_layout *layout = n->base.layout;
    n->block = ls_alloc(2 * (int64_t)layout->matrices + 1, sizeof *n->block);
    if (n->block == NULL)
        return LS_ERR_FAILURE;
    int64_t done = 0;
    for (int i = 0; i < layout->matrices; i++) {
        const ls_matrix *m = &layout->matrix[i];
        if (n->group.size == 0 || !ls_group_splits(n->group.size, n->group.rows, m))
            continue;
        if (m->offset > done)
            n->block[n->blocks++] = (block){done, m->offset - done, CACHE_LINE, false};
        n->block[n->blocks++] = (block){m->offset, m->rows * m->columns, m->columns, true};
        done = m->offset + m->rows * m->columns;
    }
    if (layout->count > done)
        n->block[n->blocks++] = (block){done, layout->count - done, CACHE_LINE, false};
    return LS_OK;
}

/* Makes room for this rank's slices, and cuts sharded ones into parts. Local. */
static ls_status make_room(node *n)
{
    if (!is_owner(n))
        return LS_OK;
    for (int i = 0; i < n->blocks; i++)
        n->owned += slice_of(n, &n->block[i], n->rank).count;
    n->mine = (ls_range){0, n->owned};
    n->sums = ls_alloc(n->nodes > 1 ? n->owned + LS_CONTROL_VALUES : PIECE, sizeof *n->sums);
    if (n->sums == NULL)
        return LS_ERR_FAILURE;
    if (!n->base.shard || n->nodes == 1)
        return LS_OK;
    n->mine = ls_shard(n->owned, n->nodes, n->place);
    n->counts = ls_alloc(2 * (int64_t)n->nodes, sizeof *n->counts);
    n->part = n->counts != NULL ? ls_alloc(n->mine.count, sizeof *n->part) : NULL;
    if (n->part == NULL)
        return LS_ERR_FAILURE;
    n->starts = n->counts + n->nodes;
    for (int i = 0; i < n->nodes; i++) {
        const ls_range part = ls_shard(n->owned, n->nodes, i);
        n->counts[i] = ls_int(part.count);
        n->starts[i] = ls_int(part.first);
    }
    return LS_OK;
}

static ls_status create(ls_reducer *r)
{
    node *n = (node *)r;
    MPI_Comm all = r->comm->mpi;
    n->window = MPI_WIN_NULL;
    MPI_Comm_split_type(all, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &n->local);
    MPI_Comm_size(n->local, &n->size);
    MPI_Comm_rank(n->local, &n->rank);
    int most;
    MPI_Allreduce(&n->size, &n->owners, 1, MPI_INT, MPI_MIN, all);
    MPI_Allreduce(&n->size, &most, 1, MPI_INT, MPI_MAX, all);
    MPI_Comm_split(all, is_owner(n) ? n->rank : MPI_UNDEFINED, r->comm->rank, &n->column);
    if (is_owner(n)) {
        MPI_Comm_size(n->column, &n->nodes);
        MPI_Comm_rank(n->column, &n->place);
    }
    MPI_Bcast(&n->nodes, 1, MPI_INT, 0, n->local);
    if (n->owners == most && n->size > 1) {
        n->group = (ls_group){.size = n->size,
                              .rank = n->rank,
                              .rows = r->rows.mine,
                              .barrier = group_barrier,
                              .user = n};
        r->group = &n->group;
    }
    n->grads = ls_alloc(n->size, sizeof *n->grads);
    ls_status status = ls_agree(r->comm, n->grads == NULL ? LS_ERR_FAILURE : make_blocks(n));
    if (status == LS_OK)
        status = ls_agree(r->comm, check_room(n));
    if (status == LS_OK)
        status = ls_agree(r->comm, share_memory(n));
    return status == LS_OK ? ls_agree(r->comm, make_room(n)) : status;
}

static void destroy(ls_reducer *r)
{
    node *n = (node *)r;
    if (n->window != MPI_WIN_NULL) {
        MPI_Win_unlock_all(n->window);
        MPI_Win_free(&n->window);
    }
    if (n->column != MPI_COMM_NULL)
        MPI_Comm_free(&n->column);
    MPI_Comm_free(&n->local);
    ls_free(n->block);
    ls_free(n->grads);
    ls_free(n->sums);
    ls_free(n->counts);
    ls_free(n->part);
}

/* Each owner copies its slices, so that they lie in memory near to it. */
static void set_params(ls_reducer *r, const float *params)
{
    node *n = (node *)r;
    meet(n);
    for (int i = 0; params != r->params && is_owner(n) && i < n->blocks; i++) {
        const ls_range slice = slice_of(n, &n->block[i], n->rank);
        memcpy(r->params + slice.first, params + slice.first, (size_t)slice.count * sizeof *params);
    }
    meet(n);
}

/* Adds up floats first .. first+count-1 of all local ranks' arenas, in the order of ranks. */
LS_DISPATCH static void sum_locally(const node *n, int64_t first, int64_t count,
                                    float *restrict out)
{
    const float *restrict a = n->grads[0] + first;
    if (n->size == 1) {
        memcpy(out, a, (size_t)count * sizeof *out);
        return;
    }
    const float *restrict b = n->grads[1] + first;
    for (int64_t i = 0; i < count; i++)
        out[i] = a[i] + b[i];
    for (int r = 2; r < n->size; r++) {
        const float *restrict c = n->grads[r] + first;
        for (int64_t i = 0; i < count; i++)
            out[i] += c[i];
    }
}

/* Lays this rank's slices, summed over the node, end to end. */
static void collect(node *n)
{
    float *out = n->sums;
    for (int i = 0; i < n->blocks; i++) {
        const ls_range slice = slice_of(n, &n->block[i], n->rank);
        if (n->block[i].split)
            memcpy(out, n->base.grads + slice.first, (size_t)slice.count * sizeof *out);
        for (int64_t done = 0; !n->block[i].split && done < slice.count; done += PIECE) {
            int64_t left = slice.count - done;
            sum_locally(n, slice.first + done, ls_min(left, PIECE), out + done);
        }
        out += slice.count;
    }
    sum_locally(n, n->base.count, LS_CONTROL_VALUES, out);
}

/* Sums them, and the control word behind them, over the nodes. */
static void sum_over_nodes(node *n, float word[LS_CONTROL_VALUES])
{
    float *control = n->sums + n->owned;
    collect(n);
    if (n->base.shard) {
        MPI_Request request;
        MPI_Iallreduce(MPI_IN_PLACE, control, LS_CONTROL_VALUES, MPI_FLOAT, MPI_SUM, n->column,
                       &request);
        MPI_Reduce_scatter(n->sums, n->part, n->counts, MPI_FLOAT, MPI_SUM, n->column);
        MPI_Wait(&request, MPI_STATUS_IGNORE);
    } else {
        for (int64_t done = 0; done < n->owned + LS_CONTROL_VALUES; done += LS_MPI_VALUES) {
            int64_t left = n->owned + LS_CONTROL_VALUES - done;
            MPI_Allreduce(MPI_IN_PLACE, n->sums + done, ls_int(ls_min(left, LS_MPI_VALUES)),
                          MPI_FLOAT, MPI_SUM, n->column);
        }
    }
    memcpy(word, control, LS_CONTROL_VALUES * sizeof *word);
}

static void finish(ls_reducer *r, double word[LS_CONTROL_VALUES])
{
    node *n = (node *)r;
    float sum[LS_CONTROL_VALUES];
    ls_control_put(word, r->grads + r->count);
    meet(n);
    if (n->nodes == 1) {
        sum_locally(n, r->count, LS_CONTROL_VALUES, sum);
    } else {
        if (is_owner(n))
            sum_over_nodes(n, sum);
        if (n->owners < n->size)
            MPI_Bcast(sum, LS_CONTROL_VALUES, MPI_FLOAT, 0, n->local);
    }
    ls_control_take(sum, word);
    n->taken = 0;
}

static bool next(ls_reducer *r, ls_owned_range *piece)
{
    node *n = (node *)r;
    const block *of = NULL;
    int64_t left = n->mine.count - n->taken;
    if (left == 0)
        return false;
    const ls_range range = range_at(n, n->mine.first + n->taken, &of);
    left = ls_min(range.count, left);
    *piece = (ls_owned_range){
        .first = range.first, .count = left, .params = r->params + range.first, .fresh = r->count};
    if (n->part != NULL) {
        piece->grads = n->part + n->taken;
    } else if (n->nodes > 1) {
        piece->grads = n->sums + n->taken;
    } else if (of->split) {
        piece->grads = r->grads + range.first;
    } else {
        piece->count = ls_min(left, PIECE);
        piece->grads = r->holds ? r->grads + piece->first : n->sums;
        if (!r->again)
            sum_locally(n, piece->first, piece->count, n->sums);
        /* Nobody else reads this slice of this rank's own gradients. */
        if (!r->again && r->holds)
            memcpy(r->grads + piece->first, n->sums, (size_t)piece->count * sizeof *n->sums);
        /* Other ranks have read these parameters: what comes next is asked for in time. */
        for (int64_t i = piece->count; i < left && i < 2 * PIECE; i += CACHE_LINE)
            __builtin_prefetch(piece->params + i, 1);
    }
    n->taken += piece->count;
    return true;
}

static void rewind_pieces(ls_reducer *r)
{
    ((node *)r)->taken = 0;
}

/* Without sharding the owners of the same slices on all nodes have the same pieces. */
static ls_share share(const ls_reducer *r)
{
    const node *n = (const node *)r;
    if (n->nodes == 1 && n->size == 1)
        return LS_SHARE_ALL;
    return n->part != NULL || (is_owner(n) && n->place == 0) ? LS_SHARE_OWN : LS_SHARE_OTHERS;
}

/* Gathers the parts of sharded slices from the other nodes' owners. */
static void gather(node *n, float *arena)
{
    const block *of;
    int64_t some;
    if (n->part == NULL)
        return;
    for (int64_t at = n->mine.first; at < n->mine.first + n->mine.count; at += some) {
        const ls_range range = range_at(n, at, &of);
        const int64_t left = n->mine.first + n->mine.count - at;
        some = ls_min(range.count, left);
        memcpy(n->sums + at, arena + range.first, (size_t)some * sizeof *arena);
    }
    MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, n->sums, n->counts, n->starts, MPI_FLOAT,
                   n->column);
    for (int64_t at = 0; at < n->owned; at += some) {
        const ls_range range = range_at(n, at, &of);
        some = range.count;
        memcpy(arena + range.first, n->sums + at, (size_t)some * sizeof *arena);
    }
}

static void publish(ls_reducer *r)
{
    node *n = (node *)r;
    gather(n, r->params);
    meet(n);
}

static void complete(ls_reducer *r, float *arena)
{
    node *n = (node *)r;
    gather(n, arena);
    for (int k = 0; k < n->owners; k++)
        for (int i = 0; i < n->blocks; i++) {
            const ls_range slice = slice_of(n, &n->block[i], k);
            for (int64_t done = 0; done < slice.count; done += LS_MPI_VALUES) {
                int64_t left = slice.count - done;
                MPI_Bcast(arena + slice.first + done, ls_int(ls_min(left, LS_MPI_VALUES)),
                          MPI_FLOAT, k, n->local);
            }
        }
}

static bool several_on_a_node(int ranks, int nodes)
{
    return ranks > nodes;
}

const ls_reducer_kind ls_reducer_hierarchical = {
    .size = sizeof(node),
    .applies = several_on_a_node,
    .create = create,
    .destroy = destroy,
    .set_params = set_params,
    .finish = finish,
    .next = next,
    .rewind = rewind_pieces,
    .share = share,
    .publish = publish,
    .complete = complete,
};
