#include <lockstep/reducer.h>

#include "base/clock.h"
#include "base/dispatch.h"
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
    switch (kind) {
    case LS_REDUCE_OVERLAP:
        return ranks > 1;
    case LS_REDUCE_HIERARCHICAL:
        return ranks > nodes;
    default:
        return true;
    }
}

ls_reduce ls_reducer_which(const ls_reducer *reducer)
{
    int kind = 0;
    while (kinds[kind] != reducer->kind)
        kind++;
    return (ls_reduce)kind;
}

/* What the gradients of a rank weigh in a proof. */
static float weight_of(int rank)
{
    enum { WEIGHTS = 13 };
    return (float)(rank % WEIGHTS + 1);
}

/* The sum of that over the team: what a pass leaves in a matrix that is split. */
static float weight_of_team(const ls_reducer *r)
{
    const ls_team *team = r->team;
    float sum = 0;
    team->shared[team->rank] = weight_of(r->comm->rank);
    team->meet(team->user);
    for (int k = 0; k < team->size; k++)
        sum += team->shared[k];
    return sum;
}

/* Sums small whole numbers, whose sums are exact, and compares them with what they must be. */
static ls_status prove(ls_reducer *r)
{
    enum { VALUES = 61 };
    const float mine = weight_of(r->comm->rank);
    const float of_team = r->team != NULL ? weight_of_team(r) : 0;
    float all = 0;
    for (int rank = 0; rank < r->comm->size; rank++)
        all += weight_of(rank);
    for (int64_t i = 0; i < r->count; i++)
        r->grads[i] = (float)(i % VALUES) * mine;
    for (int m = 0; r->team != NULL && m < r->layout->matrices; m++) {
        const ls_matrix *W = &r->layout->matrix[m];
        if (!ls_team_splits(r->team->size, r->team->rows, W))
            continue;
        for (int64_t i = W->offset; i < W->offset + W->rows * W->columns; i++)
            r->grads[i] = (float)(i % VALUES) * of_team;
    }
    ls_control control = {.rows = 1};
    ls_reducer_begin(r, &control);
    ls_ready_call(ls_reducer_ready(r), 0);
    ls_reducer_finish(r, &control);
    bool right = control.rows == r->comm->size;
    ls_piece piece;
    while (ls_reducer_next(r, &piece))
        for (int64_t i = 0; i < piece.count; i++) {
            float expected = (float)((piece.first + i) % VALUES) * all;
            right = right && piece.grads[i] == expected;
            piece.params[i] = expected;
        }
    ls_reducer_publish(r);
    for (int64_t i = 0; i < r->count; i++)
        right = right && r->params[i] == (float)(i % VALUES) * all;
    r->times = (ls_reducer_times){0};
    return ls_agree(
        r->comm, right ? LS_OK
                       : ls_fail(LS_ERR_FAILURE,
                                 "--reduce %s: the sums that MPI gives are wrong here; check the "
                                 "MPI settings, or take another --reduce",
                                 ls_reduce_name(ls_reducer_which(r))));
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
    r->final = r->count;
    r->bad = -1;
    r->limit = FLT_MAX;
    MPI_Allreduce(MPI_IN_PLACE, &r->rows.mine, 1, MPI_INT64_T, MPI_MAX, comm->mpi);
    status = r->kind->create(r);
    if (status == LS_OK)
        status = prove(r);
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

const ls_team *ls_reducer_team(const ls_reducer *reducer)
{
    return reducer->team;
}

void ls_reducer_hold(ls_reducer *reducer, bool hold)
{
    reducer->holds = hold;
}

bool ls_reducer_defers(const ls_reducer *reducer)
{
    return reducer->kind->overlaps && !reducer->shard && !reducer->holds;
}

bool ls_reducer_divides(const ls_reducer *reducer)
{
    return reducer->kind->share(reducer) != LS_SHARE_ALL;
}

bool ls_reduce_foresees(ls_reduce kind, bool shard)
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

/* What lies between the two is communication, or waiting for others, that the step is exposed to.
 */
static double enter(ls_reducer *r)
{
    ls_wait_begin(r->comm);
    return ls_now();
}

static double leave(ls_reducer *r, double begin)
{
    const double end = ls_now();
    ls_wait_end(r->comm);
    r->times.exposed += end - begin;
    return end;
}

/* A rank that failed says nothing else but what it wishes. */
static void compose(const ls_control *mine, double word[LS_CONTROL_VALUES])
{
    const bool well = mine->failed == 0;
    word[LS_CONTROL_ROWS] = well ? (double)mine->rows : 0;
    word[LS_CONTROL_CORRECT] = well ? (double)mine->correct : 0;
    word[LS_CONTROL_LOSS] = well ? mine->loss : 0;
    word[LS_CONTROL_FAILED] = !well;
    word[LS_CONTROL_STOP] = (double)mine->stop;
    word[LS_CONTROL_SAVE] = (double)mine->save;
    word[LS_CONTROL_COPY] = (double)mine->copy;
}

void ls_reducer_begin(ls_reducer *reducer, const ls_control *mine)
{
    const double begin = enter(reducer);
    double word[LS_CONTROL_VALUES];
    reducer->mine = *mine;
    reducer->begun = 0;
    if (reducer->kind->begin != NULL) {
        compose(mine, word);
        reducer->kind->begin(reducer, word);
    }
    leave(reducer, begin);
}

LS_DISPATCH static bool all_within(int64_t count, float limit, const float *values)
{
    int beyond = 0;
    for (int64_t i = 0; i < count; i++)
        beyond |= !(fabsf(values[i]) <= limit);
    return beyond == 0;
}

/* Looks for gradients beyond the limit in a range that may be empty. */
static void look(ls_reducer *r, int64_t first, int64_t end)
{
    if (r->bad >= 0 || first >= end || all_within(end - first, r->limit, r->grads + first))
        return;
    while (fabsf(r->grads[first]) <= r->limit)
        first++;
    r->bad = first;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Looks at gradients that have just been made, and are in the cache still; not at those that other
 * ranks of a team make. */
static void look_at_mine(ls_reducer *r, ls_range final)
{
    const ls_team *team = r->team;
    const int64_t end = final.first + final.count;
    int64_t at = final.first;
    for (int m = 0; team != NULL && m < r->layout->matrices; m++) {
        const ls_matrix *W = &r->layout->matrix[m];
        if (!ls_team_splits(team->size, team->rows, W))
            continue;
        const ls_range rows = ls_shard(W->rows, team->size, team->rank);
        const int64_t first = W->offset + rows.first * W->columns;
        look(r, at, earlier(W->offset, end));
        look(r, later(at, first), earlier(first + rows.count * W->columns, end));
        at = later(at, W->offset + W->rows * W->columns);
    }
    look(r, at, end);
}

static void ready(void *user, int64_t from)
{
    ls_reducer *r = user;
    const ls_range final = {from, r->final - from};
    r->final = from > 0 ? from : r->count;
    look_at_mine(r, final);
    if (r->kind->ready == NULL)
        return;
    const double begin = enter(r);
    const bool first = r->begun == 0;
    r->kind->ready(r, final);
    if (first)
        r->exposed_before = r->times.exposed;
    leave(r, begin);
}

static void again(void *user, int64_t end)
{
    ls_reducer *r = user;
    r->final = end;
}

ls_ready ls_reducer_ready(ls_reducer *reducer)
{
    return (ls_ready){.call = ready, .again = again, .user = reducer};
}

int64_t ls_reducer_finish(ls_reducer *reducer, ls_control *sum)
{
    const double begin = enter(reducer);
    const int64_t bad = reducer->bad;
    double word[LS_CONTROL_VALUES];
    if (reducer->begun == 0) {
        reducer->begun = begin;
        reducer->exposed_before = reducer->times.exposed;
    }
    reducer->mine.failed |= bad >= 0;
    compose(&reducer->mine, word);
    reducer->kind->finish(reducer, word);
    reducer->bad = -1;
    reducer->again = false;
    sum->rows = (int64_t)word[LS_CONTROL_ROWS];
    sum->correct = (int64_t)word[LS_CONTROL_CORRECT];
    sum->loss = word[LS_CONTROL_LOSS];
    sum->failed = (int64_t)word[LS_CONTROL_FAILED];
    sum->stop = (int64_t)word[LS_CONTROL_STOP];
    sum->save = (int64_t)word[LS_CONTROL_SAVE];
    sum->copy = (int64_t)word[LS_CONTROL_COPY];
    leave(reducer, begin);
    return bad;
}

bool ls_reducer_next(ls_reducer *reducer, ls_piece *piece)
{
    const double begin = enter(reducer);
    bool more = reducer->kind->next(reducer, piece);
    const double end = leave(reducer, begin);
    if (reducer->again)
        return more;
    if (more) {
        reducer->arrived = end;
        reducer->exposed_until = reducer->times.exposed;
    } else if (reducer->kind->overlaps) {
        /* What went on between the first start and the last arrival, outside of our functions. */
        const double hidden =
            reducer->arrived - reducer->begun - (reducer->exposed_until - reducer->exposed_before);
        reducer->times.hidden += hidden > 0 ? hidden : 0;
    }
    return more;
}

void ls_reducer_rewind(ls_reducer *reducer)
{
    assert(reducer->holds);
    reducer->again = true;
    reducer->kind->rewind(reducer);
}

void ls_reducer_add_up(ls_reducer *reducer, double *values, int count)
{
    const ls_share share = reducer->kind->share(reducer);
    if (share == LS_SHARE_ALL)
        return;
    if (share == LS_SHARE_OTHERS)
        memset(values, 0, (size_t)count * sizeof *values);
    const double begin = enter(reducer);
    MPI_Allreduce(MPI_IN_PLACE, values, count, MPI_DOUBLE, MPI_SUM, reducer->comm->mpi);
    leave(reducer, begin);
}

void ls_reducer_publish(ls_reducer *reducer)
{
    const double begin = enter(reducer);
    reducer->kind->publish(reducer);
    leave(reducer, begin);
}

void ls_reducer_complete(ls_reducer *reducer, float *arena)
{
    ls_wait_begin(reducer->comm);
    reducer->kind->complete(reducer, arena);
    ls_wait_end(reducer->comm);
}

ls_reducer_times ls_reducer_clock(const ls_reducer *reducer)
{
    return reducer->times;
}
