/* The reducer hierarchical. The ranks of a node lay their gradients into shared memory and share
 * one copy of the parameters. The arena is cut into slices, one for each local rank, or for as many
 * as every node has; local rank k of each node is the owner of slice k there:
 *
 *     barrier                  all gradients of the node are written
 *     sum slice k              over the ranks of the node, in their order
 *     allreduce                with the owners of slice k on the other nodes
 *     update slice k           of the node's parameters
 *     barrier                  all parameters of the node are new
 *
 * On a single node nothing is copied at all: a rank reads the others' gradients where they were
 * written, in pieces that stay in the cache until they are used. Sharded, the owners of slice k
 * share the work of updating it as well. */
#include "parallel/reducer_kind.h"

#include "base/integer.h"
#include "base/memory.h"

#include <lockstep/plan.h>

#include <string.h>
#include <sys/statvfs.h>

enum {
    PIECE = 1 << 12,  /* floats of a sum that is used at once */
    ALIGNMENT = 1024, /* floats: what lies in shared memory begins on a page of its own */
    CACHE_LINE = 16,  /* floats: slices don't share one */
};

typedef struct node {
    ls_reducer base;
    MPI_Comm local;   /* the ranks of this node */
    MPI_Comm column;  /* the owners of the same slice; MPI_COMM_NULL if this rank owns none */
    int size, rank;   /* of `local` */
    int slices;       /* owners on each node */
    int nodes, place; /* size and rank of `column` */
    MPI_Win window;
    const float **grads;  /* [size] each local rank's gradients, control word behind them */
    float *buffer;        /* several nodes: [slice + control] the sum; one: [PIECE] */
    float *part;          /* sharded: this rank's part of it */
    int *counts, *starts; /* sharded: [nodes] the parts of the slice */
    ls_range mine;        /* the range of the arena that is this rank's to update */
    int64_t taken;        /* of it, by next() */
} node;

/* Slice k of the arena. */
static ls_range slice_of(const node *n, int k)
{
    int64_t lines = (n->base.count + CACHE_LINE - 1) / CACHE_LINE;
    ls_range part = ls_shard(lines, n->slices, k);
    int64_t end = (part.first + part.count) * CACHE_LINE;
    end = end < n->base.count ? end : n->base.count;
    int64_t first = part.first * CACHE_LINE;
    first = first < end ? first : end;
    return (ls_range){first, end - first};
}

static bool is_owner(const node *n)
{
    return n->rank < n->slices;
}

/* Everything written before is seen by all ranks of the node after. */
static void meet(node *n)
{
    MPI_Win_sync(n->window);
    MPI_Barrier(n->local);
    MPI_Win_sync(n->window);
}

/* Floats of this rank's gradients in shared memory, and of all that it lays there. */
static int64_t grads_floats(const node *n)
{
    const int64_t count = n->base.count;
    return (count + LS_CONTROL_FLOATS + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT +
           LS_LANE_PARAMS * LS_LANE_FLOATS;
}

static int64_t shared_floats(const node *n)
{
    return grads_floats(n) + (n->rank == 0 ? n->base.count : 0);
}

/* Whether the node has room for it. To be asked first: where Open MPI finds too little, some of its
 * ranks wait for ever. Collective on the node. */
static ls_status check_room(const node *n)
{
    enum { SPARE = 1 << 20 }; /* for what MPI adds */
    struct statvfs room;
    int64_t bytes = shared_floats(n) * (int64_t)sizeof(float);
    MPI_Allreduce(MPI_IN_PLACE, &bytes, 1, MPI_INT64_T, MPI_SUM, n->local);
    if (statvfs("/dev/shm", &room) != 0 ||
        (uint64_t)room.f_bavail * room.f_frsize >= (uint64_t)bytes + SPARE)
        return LS_OK;
    return ls_fail(LS_ERR_FAILURE,
                   "--reduce hierarchical: /dev/shm has no room for %lld bytes; another --reduce "
                   "needs none",
                   (long long)bytes);
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
        if (r == 0)
            n->base.params = theirs + grads;
        if (r == n->rank)
            n->base.grads = theirs;
    }
    return LS_OK;
}

/* Cuts the arena into slices, and sharded ones into parts. Local. */
static ls_status cut(node *n)
{
    if (!is_owner(n))
        return LS_OK;
    n->mine = slice_of(n, n->rank);
    n->buffer =
        ls_alloc(n->nodes > 1 ? n->mine.count + LS_CONTROL_FLOATS : PIECE, sizeof *n->buffer);
    if (n->buffer == NULL)
        return LS_ERR_FAILURE;
    if (!n->base.shard || n->nodes == 1)
        return LS_OK;
    n->counts = ls_alloc(2 * (int64_t)n->nodes, sizeof *n->counts);
    ls_range part = ls_shard(n->mine.count, n->nodes, n->place);
    n->part = n->counts != NULL ? ls_alloc(part.count, sizeof *n->part) : NULL;
    if (n->part == NULL)
        return LS_ERR_FAILURE;
    n->starts = n->counts + n->nodes;
    for (int i = 0; i < n->nodes; i++) {
        ls_range other = ls_shard(n->mine.count, n->nodes, i);
        n->counts[i] = ls_int(other.count);
        n->starts[i] = ls_int(other.first);
    }
    n->mine = (ls_range){n->mine.first + part.first, part.count};
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
    MPI_Allreduce(&n->size, &n->slices, 1, MPI_INT, MPI_MIN, all);
    MPI_Comm_split(all, is_owner(n) ? n->rank : MPI_UNDEFINED, r->comm->rank, &n->column);
    if (is_owner(n)) {
        MPI_Comm_size(n->column, &n->nodes);
        MPI_Comm_rank(n->column, &n->place);
    }
    MPI_Bcast(&n->nodes, 1, MPI_INT, 0, n->local);
    n->grads = ls_alloc(n->size, sizeof *n->grads);
    ls_status status = ls_agree(r->comm, n->grads == NULL ? LS_ERR_FAILURE : LS_OK);
    if (status == LS_OK)
        status = ls_agree(r->comm, check_room(n));
    if (status == LS_OK)
        status = ls_agree(r->comm, share_memory(n));
    return status == LS_OK ? ls_agree(r->comm, cut(n)) : status;
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
    ls_free(n->grads);
    ls_free(n->buffer);
    ls_free(n->counts);
    ls_free(n->part);
}

static void set_params(ls_reducer *r, const float *params)
{
    node *n = (node *)r;
    meet(n);
    if (n->rank == 0 && params != r->params)
        memcpy(r->params, params, (size_t)r->count * sizeof *params);
    meet(n);
}

static void begin(ls_reducer *r, const float word[LS_CONTROL_FLOATS])
{
    memcpy(r->grads + r->count, word, LS_CONTROL_FLOATS * sizeof *word);
}

/* Adds up floats first .. first+count-1 of all local ranks' arenas, in the order of ranks. */
static void sum_locally(const node *n, int64_t first, int64_t count, float *restrict out)
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

/* Sums this rank's slice, and the control word behind it, over the nodes. */
static void sum_over_nodes(node *n, float word[LS_CONTROL_FLOATS])
{
    const ls_range slice = slice_of(n, n->rank);
    float *control = n->buffer + slice.count;
    for (int64_t done = 0; done < slice.count; done += PIECE) {
        int64_t left = slice.count - done;
        sum_locally(n, slice.first + done, left < PIECE ? left : PIECE, n->buffer + done);
    }
    sum_locally(n, n->base.count, LS_CONTROL_FLOATS, control);
    if (n->base.shard) {
        MPI_Request request;
        MPI_Iallreduce(MPI_IN_PLACE, control, LS_CONTROL_FLOATS, MPI_FLOAT, MPI_SUM, n->column,
                       &request);
        MPI_Reduce_scatter(n->buffer, n->part, n->counts, MPI_FLOAT, MPI_SUM, n->column);
        MPI_Wait(&request, MPI_STATUS_IGNORE);
    } else {
        for (int64_t done = 0; done < slice.count + LS_CONTROL_FLOATS; done += LS_MPI_FLOATS) {
            int64_t left = slice.count + LS_CONTROL_FLOATS - done;
            MPI_Allreduce(MPI_IN_PLACE, n->buffer + done,
                          ls_int(left < LS_MPI_FLOATS ? left : LS_MPI_FLOATS), MPI_FLOAT, MPI_SUM,
                          n->column);
        }
    }
    memcpy(word, control, LS_CONTROL_FLOATS * sizeof *word);
}

static void finish(ls_reducer *r, float word[LS_CONTROL_FLOATS])
{
    node *n = (node *)r;
    meet(n);
    if (n->nodes == 1) {
        sum_locally(n, r->count, LS_CONTROL_FLOATS, word);
    } else {
        if (is_owner(n))
            sum_over_nodes(n, word);
        if (n->slices < n->size)
            MPI_Bcast(word, LS_CONTROL_FLOATS, MPI_FLOAT, 0, n->local);
    }
    n->taken = 0;
}

static bool next(ls_reducer *r, ls_piece *piece)
{
    node *n = (node *)r;
    int64_t left = n->mine.count - n->taken;
    if (left == 0)
        return false;
    *piece = (ls_piece){.first = n->mine.first + n->taken, .count = left};
    if (n->nodes == 1) {
        piece->count = left < PIECE ? left : PIECE;
        sum_locally(n, piece->first, piece->count, n->buffer);
        piece->grads = n->buffer;
    } else {
        piece->grads = n->part != NULL ? n->part : n->buffer;
    }
    piece->params = r->params + piece->first;
    n->taken += piece->count;
    left -= piece->count;
    for (int64_t i = 0; i < (left < PIECE ? left : PIECE); i += CACHE_LINE)
        __builtin_prefetch(piece->params + piece->count + i, 1);
    return true;
}

/* Gathers the parts of a sharded slice from the other nodes' owners. */
static void gather(node *n, float *arena)
{
    if (n->part != NULL)
        MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, arena + slice_of(n, n->rank).first,
                       n->counts, n->starts, MPI_FLOAT, n->column);
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
    for (int k = 0; k < n->slices; k++) {
        ls_range slice = slice_of(n, k);
        for (int64_t done = 0; done < slice.count; done += LS_MPI_FLOATS) {
            int64_t left = slice.count - done;
            MPI_Bcast(arena + slice.first + done,
                      ls_int(left < LS_MPI_FLOATS ? left : LS_MPI_FLOATS), MPI_FLOAT, k, n->local);
        }
    }
}

const ls_reducer_kind ls_reducer_hierarchical = {
    .name = "hierarchical",
    .size = sizeof(node),
    .create = create,
    .destroy = destroy,
    .set_params = set_params,
    .begin = begin,
    .finish = finish,
    .next = next,
    .publish = publish,
    .complete = complete,
};
