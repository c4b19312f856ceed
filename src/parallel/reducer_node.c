/* The reducer hierarchical. The ranks of a node write their gradients to shared memory and share
 * one copy of the parameters. The arena is divided into sections, each section into slices, one per
 * owner. The owners of a node are its lowest ranks; their number is the smallest number of ranks on
 * any node. Owner k of each node owns slice k of every section:
 *
 *     barrier                  all gradients of the node are written
 *     sum my slices            over the ranks of the node, in the order of ranks
 *     allreduce                with the owners of the same slices on the other nodes
 *     update my slices         of the node's parameters
 *     barrier                  all parameters of the node are updated
 *
 * If all nodes have the same number of ranks, the ranks of a node are also a tensor-parallel group,
 * see base/group.h. A matrix that the group splits is a section, divided between rows; its
 * slices are already summed by the backward pass. The ranges between such matrices are the other
 * sections.
 *
 * On a single node no gradients are copied: a rank reads the other ranks' gradients in place, in
 * pieces that stay in the cache until they are used. Sharded, the owners of the same slices also
 * divide the updates: each updates a part of these slices, concatenated. */
#include "parallel/reducer_kind.h"

#include "base/clock.h"
#include "base/dispatch.h"
#include "base/integer.h"
#include "base/limits.h"
#include "base/memory.h"

#include <string.h>
#include <sys/statvfs.h>

enum {
    PIECE = 1 << 12,  /* floats per piece */
    ALIGNMENT = 1024, /* floats: arrays in shared memory are page-aligned */
    CACHE_LINE = 16,  /* floats: two slices never share a cache line */
};

/* A range of the arena that is divided into a slice for each owner. */
typedef struct section {
    int64_t first, count;
    int64_t unit; /* floats; slices are multiples of it: a row of a matrix, a cache line */
    bool split;   /* true: a matrix that the group splits */
} section;

typedef struct node {
    ls_reducer base;
    MPI_Comm local;  /* the ranks of this node */
    MPI_Comm column; /* the owners of the same slices; MPI_COMM_NULL if this rank owns none */
    int size, rank;  /* of `local` */
    int owners;      /* number of owners on each node */
    int nodes, column_rank; /* size of `column`, this rank in it */
    section *section;       /* [sections], in the order of the arena */
    int sections;
    ls_group group;
    MPI_Win window;
    const float **grads; /* [size] each local rank's gradients, then its control word */
    int64_t owned;       /* floats in this rank's slices */
    float *sums; /* several nodes: [owned + control] slices, concatenated; one node: [PIECE] */
    float *part; /* sharded: [mine.count] sum of this rank's part of `sums` */
    int *counts, *starts; /* sharded: [nodes] each node's part of `sums` */
    ls_range mine;        /* range of the concatenated slices that this rank updates */
    int64_t taken;        /* floats of `mine` returned by next() */
} node;

static bool is_owner(const node *n)
{
    return n->rank < n->owners;
}

/* Returns slice k of a section. */
static ls_range slice_of(const node *n, const section *s, int k)
{
    const ls_range units = ls_shard((s->count + s->unit - 1) / s->unit, n->owners, k);
    const int64_t end = ls_min((units.first + units.count) * s->unit, s->count);
    const int64_t first = ls_min(units.first * s->unit, end);
    return (ls_range){s->first + first, end - first};
}

/* Maps position `at` of this rank's concatenated slices to the arena. Returns the range from there
 * to the end of its slice. of: on return its section */
static ls_range range_at(const node *n, int64_t at, const section **of)
{
    for (int i = 0; i < n->sections; i++) {
        const ls_range slice = slice_of(n, &n->section[i], n->rank);
        if (at < slice.count) {
            *of = &n->section[i];
            return (ls_range){slice.first + at, slice.count - at};
        }
        at -= slice.count;
    }
    return (ls_range){0};
}

/* Barrier on the node; writes before it are visible to all ranks of the node after it. Collective
 * on the node. */
static void node_barrier(node *n)
{
    MPI_Win_sync(n->window);
    MPI_Barrier(n->local);
    MPI_Win_sync(n->window);
}

/* The group's barrier, called by passes: the wait counts as exposed communication. */
static void group_barrier(void *user)
{
    node *n = user;
    const double begin = ls_now();
    ls_wait_begin(n->base.comm);
    node_barrier(n);
    ls_wait_end(n->base.comm);
    n->base.times.exposed += ls_now() - begin;
}

/* Floats of this rank's gradients in shared memory, with the control word and padding. */
static int64_t grads_floats(const node *n)
{
    const int64_t count = n->base.count;
    return (count + n->base.control_values + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT +
           LS_ARENA_PARAMS * LS_ARENA_STAGGER;
}

/* Floats of the group's buffers; 0 without a group. */
static int64_t group_floats(const node *n)
{
    return n->group.size > 0 ? ls_group_floats(&n->group, n->base.layout) : 0;
}

/* Floats of the parameters in shared memory, allocated by rank 0 with the group's buffers behind
 * them. */
static int64_t params_floats(const node *n)
{
    return (n->base.count + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Floats of shared memory that this rank allocates. */
static int64_t shared_floats(const node *n)
{
    return grads_floats(n) + (n->rank == 0 ? params_floats(n) + group_floats(n) : 0);
}

/* Checks that the node has enough shared memory and that its first rank can create it. Called
 * before the allocation, because some ranks of Open MPI wait for ever if it fails. Collective on
 * the node. */
static ls_status check_shared_memory(const node *n)
{
    enum { SPARE = 1 << 20 /* bytes that MPI adds */, FILES = 8 };
    struct statvfs fs;
    int64_t bytes = shared_floats(n) * (int64_t)sizeof(float);
    MPI_Allreduce(MPI_IN_PLACE, &bytes, 1, MPI_INT64_T, MPI_SUM, n->local);
    ls_status status = ls_limits_try_files(FILES);
    if (status == LS_OK && n->rank == 0)
        status = ls_limits_try_shared_memory();
    if (status == LS_OK && statvfs("/dev/shm", &fs) == 0 &&
        (uint64_t)fs.f_bavail * fs.f_frsize < (uint64_t)bytes + SPARE)
        status = ls_fail(LS_ERR_FAILURE, "/dev/shm has no room for %lld bytes", (long long)bytes);
    return status == LS_OK ? LS_OK
                           : ls_fail(status, "--reduce hierarchical: %s; use another --reduce",
                                     ls_error_text());
}

/* Allocates the shared memory. Collective on the node. */
static ls_status alloc_shared_memory(node *n)
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
        return ls_fail(LS_ERR_FAILURE,
                       "--reduce hierarchical: no shared memory for %lld floats (check /dev/shm); "
                       "use another --reduce",
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

/* Divides the arena into sections. Local. */
static ls_status make_sections(node *n)
{
    const ls_layout *layout = n->base.layout;
    n->section = ls_alloc(2 * (int64_t)layout->matrices + 1, sizeof *n->section);
    if (n->section == NULL)
        return LS_ERR_FAILURE;
    int64_t done = 0;
    for (int i = 0; i < layout->matrices; i++) {
        const ls_matrix *m = &layout->matrix[i];
        if (n->group.size == 0 || !ls_group_splits(n->group.size, n->group.rows, m))
            continue;
        if (m->offset > done)
            n->section[n->sections++] = (section){done, m->offset - done, CACHE_LINE, false};
        n->section[n->sections++] = (section){m->offset, m->rows * m->columns, m->columns, true};
        done = m->offset + m->rows * m->columns;
    }
    if (layout->count > done)
        n->section[n->sections++] = (section){done, layout->count - done, CACHE_LINE, false};
    return LS_OK;
}

/* Allocates the sums of this rank's slices and, if sharded, divides them into parts. Local. */
static ls_status alloc_sums(node *n)
{
    if (!is_owner(n))
        return LS_OK;
    for (int i = 0; i < n->sections; i++)
        n->owned += slice_of(n, &n->section[i], n->rank).count;
    n->mine = (ls_range){0, n->owned};
    n->sums = ls_alloc(n->nodes > 1 ? n->owned + n->base.control_values : PIECE, sizeof *n->sums);
    if (n->sums == NULL)
        return LS_ERR_FAILURE;
    if (!n->base.shard || n->nodes == 1)
        return LS_OK;
    n->mine = ls_shard(n->owned, n->nodes, n->column_rank);
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

static ls_status node_create(ls_reducer *r)
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
        MPI_Comm_rank(n->column, &n->column_rank);
    }
    MPI_Bcast(&n->nodes, 1, MPI_INT, 0, n->local);
    if (n->owners == most && n->size > 1) {
        n->group = (ls_group){.size = n->size,
                              .rank = n->rank,
                              .rows = r->rows.mine,
                              .passes = r->rows.passes,
                              .barrier = group_barrier,
                              .user = n};
        r->group = &n->group;
    }
    n->grads = ls_alloc(n->size, sizeof *n->grads);
    ls_status status = ls_agree(r->comm, n->grads == NULL ? LS_ERR_FAILURE : make_sections(n));
    if (status == LS_OK)
        status = ls_agree(r->comm, check_shared_memory(n));
    if (status == LS_OK)
        status = ls_agree(r->comm, alloc_shared_memory(n));
    return status == LS_OK ? ls_agree(r->comm, alloc_sums(n)) : status;
}

static void node_destroy(ls_reducer *r)
{
    node *n = (node *)r;
    if (n->window != MPI_WIN_NULL) {
        MPI_Win_unlock_all(n->window);
        MPI_Win_free(&n->window);
    }
    if (n->column != MPI_COMM_NULL)
        MPI_Comm_free(&n->column);
    MPI_Comm_free(&n->local);
    ls_free(n->section);
    ls_free(n->grads);
    ls_free(n->sums);
    ls_free(n->counts);
    ls_free(n->part);
}

/* Each owner copies its own slices, so that their pages are on its NUMA domain (first touch). */
static void node_set_params(ls_reducer *r, const float *params)
{
    node *n = (node *)r;
    node_barrier(n);
    for (int i = 0; params != r->params && is_owner(n) && i < n->sections; i++) {
        const ls_range slice = slice_of(n, &n->section[i], n->rank);
        memcpy(r->params + slice.first, params + slice.first, (size_t)slice.count * sizeof *params);
    }
    node_barrier(n);
}

/* Sums floats [first, first + count) of all local ranks' gradients, in the order of ranks. */
LS_DISPATCH static void sum_local_ranks(const node *n, int64_t first, int64_t count,
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

/* Concatenates this rank's slices, summed over the node, and the summed control word in n->sums. */
static void sum_slices(node *n)
{
    float *out = n->sums;
    for (int i = 0; i < n->sections; i++) {
        const ls_range slice = slice_of(n, &n->section[i], n->rank);
        if (n->section[i].split)
            memcpy(out, n->base.grads + slice.first, (size_t)slice.count * sizeof *out);
        for (int64_t done = 0; !n->section[i].split && done < slice.count; done += PIECE) {
            int64_t left = slice.count - done;
            sum_local_ranks(n, slice.first + done, ls_min(left, PIECE), out + done);
        }
        out += slice.count;
    }
    sum_local_ranks(n, n->base.count, n->base.control_values, out);
}

/* Sums this rank's slices and the control word over the nodes. Collective on `column`. */
static void reduce_over_nodes(node *n, float word[LS_CONTROL_MOST])
{
    float *control = n->sums + n->owned;
    sum_slices(n);
    if (n->base.shard) {
        MPI_Request request;
        MPI_Iallreduce(MPI_IN_PLACE, control, n->base.control_values, MPI_FLOAT, MPI_SUM, n->column,
                       &request);
        MPI_Reduce_scatter(n->sums, n->part, n->counts, MPI_FLOAT, MPI_SUM, n->column);
        MPI_Wait(&request, MPI_STATUS_IGNORE);
    } else {
        for (int64_t done = 0; done < n->owned + n->base.control_values; done += LS_MPI_VALUES) {
            int64_t left = n->owned + n->base.control_values - done;
            MPI_Allreduce(MPI_IN_PLACE, n->sums + done, ls_int(ls_min(left, LS_MPI_VALUES)),
                          MPI_FLOAT, MPI_SUM, n->column);
        }
    }
    memcpy(word, control, (size_t)n->base.control_values * sizeof *word);
}

static void node_finish(ls_reducer *r, double word[LS_CONTROL_MOST])
{
    node *n = (node *)r;
    float sum[LS_CONTROL_MOST];
    ls_control_put(r, word, r->grads + r->count);
    node_barrier(n);
    if (n->nodes == 1) {
        sum_local_ranks(n, r->count, r->control_values, sum);
    } else {
        if (is_owner(n))
            reduce_over_nodes(n, sum);
        if (n->owners < n->size)
            MPI_Bcast(sum, r->control_values, MPI_FLOAT, 0, n->local);
    }
    ls_control_take(r, sum, word);
    n->taken = 0;
}

static bool node_next(ls_reducer *r, ls_owned_range *piece)
{
    node *n = (node *)r;
    const section *of = NULL;
    int64_t left = n->mine.count - n->taken;
    if (left == 0)
        return false;
    const ls_range range = range_at(n, n->mine.first + n->taken, &of);
    left = ls_min(range.count, left);
    *piece = (ls_owned_range){.first = range.first,
                              .count = left,
                              .params = r->params + range.first,
                              .current_from = r->count};
    if (n->part != NULL) {
        piece->grads = n->part + n->taken;
    } else if (n->nodes > 1) {
        piece->grads = n->sums + n->taken;
    } else if (of->split) {
        piece->grads = r->grads + range.first;
    } else {
        piece->count = ls_min(left, PIECE);
        piece->grads = r->keeps_pieces ? r->grads + piece->first : n->sums;
        if (!r->rewound)
            sum_local_ranks(n, piece->first, piece->count, n->sums);
        /* Only this rank reads this slice of its own gradients: kept sums are stored there. */
        if (!r->rewound && r->keeps_pieces)
            memcpy(r->grads + piece->first, n->sums, (size_t)piece->count * sizeof *n->sums);
        /* Other ranks have read these parameters: prefetch the next piece's for writing. */
        for (int64_t i = piece->count; i < left && i < 2 * PIECE; i += CACHE_LINE)
            __builtin_prefetch(piece->params + i, 1);
    }
    n->taken += piece->count;
    return true;
}

static void node_rewind(ls_reducer *r)
{
    ((node *)r)->taken = 0;
}

/* Without sharding, the owners of the same slices on all nodes have the same pieces: those of the
 * first node count. */
static ls_share node_share(const ls_reducer *r)
{
    const node *n = (const node *)r;
    if (n->nodes == 1 && n->size == 1)
        return LS_SHARE_ALL;
    return n->part != NULL || (is_owner(n) && n->column_rank == 0) ? LS_SHARE_OWN : LS_SHARE_OTHERS;
}

/* Allgathers the parts of sharded slices between the owners of the same slices. */
static void allgather_parts(node *n, float *arena)
{
    const section *of;
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

static void node_allgather_params(ls_reducer *r)
{
    node *n = (node *)r;
    allgather_parts(n, r->params);
    node_barrier(n);
}

static void node_allgather_state(ls_reducer *r, float *arena)
{
    node *n = (node *)r;
    allgather_parts(n, arena);
    for (int k = 0; k < n->owners; k++)
        for (int i = 0; i < n->sections; i++) {
            const ls_range slice = slice_of(n, &n->section[i], k);
            for (int64_t done = 0; done < slice.count; done += LS_MPI_VALUES) {
                int64_t left = slice.count - done;
                MPI_Bcast(arena + slice.first + done, ls_int(ls_min(left, LS_MPI_VALUES)),
                          MPI_FLOAT, k, n->local);
            }
        }
}

static bool node_applies(int ranks, int nodes)
{
    return ranks > nodes;
}

const ls_reducer_kind ls_reducer_hierarchical = {
    .size = sizeof(node),
    .applies = node_applies,
    .create = node_create,
    .destroy = node_destroy,
    .set_params = node_set_params,
    .finish = node_finish,
    .next = node_next,
    .rewind = node_rewind,
    .share = node_share,
    .allgather_params = node_allgather_params,
    .allgather_state = node_allgather_state,
};
