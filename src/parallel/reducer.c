#include "parallel/reducer.h"

#include "base/clock.h"
#include "base/dispatch.h"
#include "base/integer.h"
#include "base/memory.h"
#include "parallel/reducer_kind.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

static const ls_reducer_kind *const kinds[LS_REDUCERS] = {
    [LS_REDUCE_FUSED] = &ls_reducer_fused,
    [LS_REDUCE_OVERLAP] = &ls_reducer_overlap,
    [LS_REDUCE_HIERARCHICAL] = &ls_reducer_hierarchical,
    [LS_REDUCE_EXACT] = &ls_reducer_exact,
};

const char *ls_reduce_name(ls_reduce kind)
{
    static const char *const names[] = {LS_REDUCE_LIST(LS_CHOICE_NAME)};
    return names[kind];
}

bool ls_reduce_applies(ls_reduce kind, int ranks, int nodes)
{
    return kind == LS_REDUCE_AUTO || kinds[kind]->applies == NULL ||
           kinds[kind]->applies(ranks, nodes);
}

bool ls_reduce_is_candidate(ls_reduce kind)
{
    return kind != LS_REDUCE_AUTO && !kinds[kind]->on_request;
}

bool ls_reduce_by_blocks(ls_reduce kind)
{
    return kind != LS_REDUCE_AUTO && kinds[kind]->by_blocks;
}

ls_reduce ls_reducer_which(const ls_reducer *reducer)
{
    int kind = 0;
    while (kinds[kind] != reducer->kind)
        kind++;
    return (ls_reduce)kind;
}

/* Factor of a rank's gradients in the self-test. */
static float test_weight(int rank)
{
    enum { WEIGHTS = 13 };
    return (float)(rank % WEIGHTS + 1);
}

/* Sum of the factors over the group: the gradient that a pass leaves in a matrix that is split.
 * Collective on the group. */
static float test_weight_of_group(const ls_reducer *r)
{
    const ls_group *group = r->group;
    float sum = 0;
    group->shared[group->rank] = test_weight(r->comm->rank);
    group->barrier(group->user);
    for (int k = 0; k < group->size; k++)
        sum += group->shared[k];
    return sum;
}

int ls_self_test_values(int64_t weights)
{
    const int64_t most = 61, exact = INT64_C(1) << FLT_MANT_DIG;
    return ls_int(ls_min(most, 1 + exact / weights));
}

/* Runs a step on small integers, whose float sums are exact, and compares sums and parameters with
 * the expected values. Collective. */
static ls_status self_test(ls_reducer *r)
{
    const float mine = test_weight(r->comm->rank);
    const float of_group = r->group != NULL ? test_weight_of_group(r) : 0;
    float all = 0;
    for (int rank = 0; rank < r->comm->size; rank++)
        all += test_weight(rank);
    const int values = ls_self_test_values((int64_t)all);
    for (int64_t i = 0; i < r->count; i++)
        r->grads[i] = (float)(i % values) * mine;
    for (int m = 0; r->group != NULL && m < r->layout->matrices; m++) {
        const ls_matrix *W = &r->layout->matrix[m];
        if (!ls_group_splits(r->group->size, r->group->rows, W))
            continue;
        for (int64_t i = W->offset; i < W->offset + W->rows * W->columns; i++)
            r->grads[i] = (float)(i % values) * of_group;
    }
    ls_control control = {.score.rows = 1};
    ls_reducer_begin(r, &control);
    ls_grads_ready(ls_reducer_grad_hook(r), 0);
    ls_reducer_finish(r, &control);
    bool right = control.score.rows == r->comm->size;
    ls_owned_range piece;
    while (ls_reducer_next(r, &piece))
        for (int64_t i = 0; i < piece.count; i++) {
            float expected = (float)((piece.first + i) % values) * all;
            right = right && piece.grads[i] == expected;
            piece.params[i] = expected;
        }
    ls_reducer_allgather_params(r);
    for (int64_t i = 0; i < r->count; i++)
        right = right && r->params[i] == (float)(i % values) * all;
    r->times = (ls_reducer_times){0};
    return ls_agree(
        r->comm, right ? LS_OK
                       : ls_fail(LS_ERR_FAILURE,
                                 "--reduce %s: MPI returned wrong sums in the self-test; check the "
                                 "MPI settings or use another --reduce",
                                 ls_reduce_name(ls_reducer_which(r))));
}

/* Number of a score's sums in the control word. */
static int score_sums(const ls_reducer *r)
{
    return r->rows.sums == LS_CONTROL_OF_CLASSES ? (int)LS_CONTROL_CLASS_SUMS
           : r->rows.sums == LS_CONTROL_OF_ROWS  ? (int)LS_CONTROL_ROW_SUMS
           : r->rows.sums == LS_CONTROL_OF_STEPS ? (int)LS_CONTROL_STEP_SUMS
                                                 : (int)LS_CONTROL_LATENT_SUMS;
}

ls_status ls_reducer_create(ls_reducer **out, ls_comm *comm, ls_reduce kind, bool shard,
                            const ls_layout *layout, ls_step_rows rows)
{
    ls_reducer *r = ls_alloc(1, kinds[kind]->size);
    ls_status status = ls_agree(comm, r == NULL ? LS_ERR_FAILURE : LS_OK);
    if (status != LS_OK) {
        ls_free(r);
        return status;
    }
    r->kind = kinds[kind];
    r->comm = comm;
    r->shard = shard && comm->size > 1;
    r->layout = layout;
    r->count = layout->count;
    r->rows = rows;
    r->control_values = LS_CONTROL_SUMS + (r->kind->by_blocks ? 2 : 1) * score_sums(r);
    r->final_from = r->count;
    r->bad = -1;
    r->limit = FLT_MAX;
    MPI_Allreduce(MPI_IN_PLACE, &r->rows.mine, 1, MPI_INT64_T, MPI_MAX, comm->mpi);
    status = r->kind->create(r);
    if (status == LS_OK)
        status = self_test(r);
    if (status != LS_OK) {
        ls_reducer_destroy(&r);
        return status;
    }
    *out = r;
    return LS_OK;
}

void ls_reducer_destroy(ls_reducer **reducer)
{
    if (reducer == NULL || *reducer == NULL)
        return;
    (*reducer)->kind->destroy(*reducer);
    ls_free(*reducer);
    *reducer = NULL;
}

const ls_group *ls_reducer_group(const ls_reducer *reducer)
{
    return reducer->group;
}

void ls_reducer_keep_pieces(ls_reducer *reducer, bool keep)
{
    reducer->keeps_pieces = keep;
}

bool ls_reducer_updates_lazily(const ls_reducer *reducer)
{
    return reducer->kind->overlaps && !reducer->shard && !reducer->keeps_pieces;
}

static ls_share sharing_of(const ls_reducer *r)
{
    return r->kind->share != NULL ? r->kind->share(r) : LS_SHARE_ALL;
}

bool ls_reducer_is_sharded(const ls_reducer *reducer)
{
    return sharing_of(reducer) != LS_SHARE_ALL;
}

bool ls_reduce_checks_before_update(ls_reduce kind, bool shard)
{
    return kind != LS_REDUCE_AUTO && (!kinds[kind]->overlaps || shard);
}

float *ls_reducer_grads(ls_reducer *reducer)
{
    return reducer->grads;
}

const float *ls_reducer_params(const ls_reducer *reducer)
{
    return reducer->params;
}

void ls_reducer_set_params(ls_reducer *reducer, const float *params)
{
    ls_wait_begin(reducer->comm);
    reducer->kind->set_params(reducer, params);
    ls_wait_end(reducer->comm);
}

/* Begin and end of a section of exposed communication: the step waits for it. end_exposed() returns
 * the time at the end, in s. */
static double begin_exposed(ls_reducer *r)
{
    ls_wait_begin(r->comm);
    return ls_now();
}

static double end_exposed(ls_reducer *r, double begin)
{
    const double end = ls_now();
    ls_wait_end(r->comm);
    r->times.exposed += end - begin;
    return end;
}

/* Packs this rank's control word. A failed rank sends zero rows; its stop and save flags still
 * count. */
static void pack_control(const ls_reducer *r, const ls_control *mine, double word[LS_CONTROL_MOST])
{
    const bool well = mine->failed == 0;
    const ls_score score = well ? mine->score : (ls_score){0};
    const ls_score rest = well ? mine->rest : (ls_score){0};
    memset(word, 0, LS_CONTROL_MOST * sizeof *word);
    word[LS_CONTROL_ROWS] = (double)score.rows;
    word[LS_CONTROL_FAILED] = !well;
    word[LS_CONTROL_STOP] = (double)mine->stop;
    word[LS_CONTROL_DUE] = (double)(mine->save + 2 * mine->copy);
    ls_score_get(&score, word + LS_CONTROL_SUMS);
    if (r->kind->by_blocks)
        ls_score_get(&rest, word + LS_CONTROL_SUMS + score_sums(r));
}

/* Returns the score whose sums begin at a place of the control word; those that it lacks are 0. */
static ls_score take_sums(const ls_reducer *r, const double *from)
{
    double sums[LS_SUMS] = {0};
    ls_score score = {0};
    memcpy(sums, from, (size_t)score_sums(r) * sizeof *sums);
    ls_score_set(&score, sums);
    return score;
}

/* Unpacks the sum of the control words. */
static void unpack_control(const ls_reducer *r, const double word[LS_CONTROL_MOST], ls_control *sum)
{
    const int64_t due = (int64_t)word[LS_CONTROL_DUE];
    sum->score = take_sums(r, word + LS_CONTROL_SUMS);
    const ls_score rest = take_sums(r, word + LS_CONTROL_SUMS + score_sums(r));
    if (r->kind->by_blocks)
        ls_score_add(&sum->score, &rest);
    sum->rest = (ls_score){0};
    sum->score.rows = (int64_t)word[LS_CONTROL_ROWS];
    if (r->rows.sums == LS_CONTROL_OF_CLASSES)
        sum->score.weight = (double)sum->score.rows;
    sum->failed = (int64_t)word[LS_CONTROL_FAILED];
    sum->stop = (int64_t)word[LS_CONTROL_STOP];
    sum->save = due & 1;
    sum->copy = due >> 1 & 1;
}

void ls_reducer_begin(ls_reducer *reducer, const ls_control *mine)
{
    const double begin = begin_exposed(reducer);
    double word[LS_CONTROL_MOST];
    assert(reducer->comm->rank == 0 || (mine->save == 0 && mine->copy == 0));
    reducer->control = *mine;
    reducer->begun = 0;
    if (reducer->kind->begin != NULL) {
        pack_control(reducer, mine, word);
        reducer->kind->begin(reducer, word);
    }
    end_exposed(reducer, begin);
}

/* Returns true if all magnitudes are at most `limit`; false for NaN. */
LS_DISPATCH static bool all_within(int64_t count, float limit, const float *values)
{
    int beyond = 0;
    for (int64_t i = 0; i < count; i++)
        beyond |= !(fabsf(values[i]) <= limit);
    return beyond == 0;
}

/* Records the first gradient of a range, which may be empty, that exceeds the limit or is NaN. */
static void check_range(ls_reducer *r, int64_t first, int64_t end)
{
    if (r->bad >= 0 || first >= end || all_within(end - first, r->limit, r->grads + first))
        return;
    while (fabsf(r->grads[first]) <= r->limit)
        first++;
    r->bad = first;
}

/* Checks gradients that were just computed, while they are in the cache; skips the rows of split
 * matrices that other ranks of the group compute. */
static void check_own_grads(ls_reducer *r, ls_range final)
{
    const ls_group *group = r->group;
    const int64_t end = final.first + final.count;
    int64_t at = final.first;
    for (int m = 0; group != NULL && m < r->layout->matrices; m++) {
        const ls_matrix *W = &r->layout->matrix[m];
        if (!ls_group_splits(group->size, group->rows, W))
            continue;
        const ls_range rows = ls_shard(W->rows, group->size, group->rank);
        const int64_t first = W->offset + rows.first * W->columns;
        check_range(r, at, ls_min(W->offset, end));
        check_range(r, ls_max(at, first), ls_min(first + rows.count * W->columns, end));
        at = ls_max(at, W->offset + W->rows * W->columns);
    }
    check_range(r, at, end);
}

static void hook_grads_ready(void *user, int64_t from)
{
    ls_reducer *r = user;
    const ls_range final = {from, r->final_from - from};
    r->final_from = from > 0 ? from : r->count;
    check_own_grads(r, final);
    if (r->kind->grads_ready == NULL)
        return;
    const double begin = begin_exposed(r);
    const bool first = r->begun == 0;
    r->kind->grads_ready(r, final);
    if (first)
        r->exposed_before = r->times.exposed;
    end_exposed(r, begin);
}

static void hook_next_micro_batch(void *user, int64_t end)
{
    ls_reducer *r = user;
    r->final_from = end;
}

ls_grad_hook ls_reducer_grad_hook(ls_reducer *reducer)
{
    return (ls_grad_hook){
        .call = hook_grads_ready, .again = hook_next_micro_batch, .user = reducer};
}

int64_t ls_reducer_finish(ls_reducer *reducer, ls_control *sum)
{
    const double begin = begin_exposed(reducer);
    const int64_t bad = reducer->bad;
    double word[LS_CONTROL_MOST];
    if (reducer->begun == 0) {
        reducer->begun = begin;
        reducer->exposed_before = reducer->times.exposed;
    }
    reducer->control.failed |= bad >= 0;
    pack_control(reducer, &reducer->control, word);
    reducer->kind->finish(reducer, word);
    reducer->bad = -1;
    reducer->rewound = false;
    unpack_control(reducer, word, sum);
    end_exposed(reducer, begin);
    return bad;
}

bool ls_reducer_next(ls_reducer *reducer, ls_owned_range *piece)
{
    const double begin = begin_exposed(reducer);
    bool more = reducer->kind->next(reducer, piece);
    const double end = end_exposed(reducer, begin);
    if (reducer->rewound)
        return more;
    if (more) {
        reducer->arrived = end;
        reducer->exposed_until = reducer->times.exposed;
    } else if (reducer->kind->overlaps) {
        /* From the first start to the last arrival, minus the time in the reducer's functions. */
        const double hidden =
            reducer->arrived - reducer->begun - (reducer->exposed_until - reducer->exposed_before);
        reducer->times.hidden += hidden > 0 ? hidden : 0;
    }
    return more;
}

void ls_reducer_rewind(ls_reducer *reducer)
{
    assert(reducer->keeps_pieces);
    reducer->rewound = true;
    reducer->kind->rewind(reducer);
}

void ls_reducer_allreduce(ls_reducer *reducer, double *values, int count)
{
    const ls_share share = sharing_of(reducer);
    if (share == LS_SHARE_ALL)
        return;
    if (share == LS_SHARE_OTHERS)
        memset(values, 0, (size_t)count * sizeof *values);
    const double begin = begin_exposed(reducer);
    MPI_Allreduce(MPI_IN_PLACE, values, count, MPI_DOUBLE, MPI_SUM, reducer->comm->mpi);
    end_exposed(reducer, begin);
}

void ls_reducer_allgather_params(ls_reducer *reducer)
{
    const double begin = begin_exposed(reducer);
    if (reducer->kind->allgather_params != NULL)
        reducer->kind->allgather_params(reducer);
    end_exposed(reducer, begin);
}

void ls_reducer_allgather_state(ls_reducer *reducer, float *arena)
{
    if (reducer->kind->allgather_state == NULL)
        return;
    ls_wait_begin(reducer->comm);
    reducer->kind->allgather_state(reducer, arena);
    ls_wait_end(reducer->comm);
}

ls_reducer_times ls_reducer_clock(const ls_reducer *reducer)
{
    return reducer->times;
}
