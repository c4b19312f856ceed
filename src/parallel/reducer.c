#include <lockstep/reducer.h>

#include "base/clock.h"
#include "base/memory.h"
#include "parallel/reducer_kind.h"

#include <string.h>

static const ls_reducer_kind *const kinds[LS_REDUCERS] = {
    [LS_REDUCE_FUSED] = &ls_reducer_fused,
    [LS_REDUCE_OVERLAP] = &ls_reducer_overlap,
    [LS_REDUCE_HIERARCHICAL] = &ls_reducer_hierarchical,
};

const char *ls_reduce_name(ls_reduce kind)
{
    return kind == LS_REDUCE_AUTO ? "auto" : kinds[kind]->name;
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
                                 r->kind->name));
}

ls_status ls_reducer_create(ls_reducer **out, ls_comm *comm, ls_reduce kind, bool shard,
                            const ls_layout *layout, int64_t rows)
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
    MPI_Allreduce(MPI_IN_PLACE, &r->rows, 1, MPI_INT64_T, MPI_MAX, comm->mpi);
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

bool ls_reducer_defers(const ls_reducer *reducer)
{
    return reducer->kind->ready != NULL && !reducer->shard;
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
    reducer->kind->set_params(reducer, params);
}

void ls_reducer_begin(ls_reducer *reducer, const ls_control *mine)
{
    const double begin = ls_now();
    float word[LS_CONTROL_FLOATS] = {[LS_CONTROL_FAILED] = 1};
    if (mine->failed == 0) {
        word[LS_CONTROL_ROWS] = (float)mine->rows;
        word[LS_CONTROL_CORRECT] = (float)mine->correct;
        word[LS_CONTROL_LOSS] = (float)mine->loss;
        word[LS_CONTROL_FAILED] = 0;
    }
    word[LS_CONTROL_STOP] = (float)mine->stop;
    word[LS_CONTROL_SAVE] = (float)mine->save;
    reducer->begun = 0;
    reducer->kind->begin(reducer, word);
    reducer->times.exposed += ls_now() - begin;
}

static void ready(void *user, int64_t from)
{
    ls_reducer *reducer = user;
    const double begin = ls_now();
    const bool first = reducer->begun == 0;
    reducer->kind->ready(reducer, from);
    if (first)
        reducer->exposed_before = reducer->times.exposed;
    reducer->times.exposed += ls_now() - begin;
}

ls_ready ls_reducer_ready(ls_reducer *reducer)
{
    return (ls_ready){.call = reducer->kind->ready != NULL ? ready : NULL, .user = reducer};
}

void ls_reducer_finish(ls_reducer *reducer, ls_control *sum)
{
    const double begin = ls_now();
    float word[LS_CONTROL_FLOATS];
    if (reducer->begun == 0) {
        reducer->begun = begin;
        reducer->exposed_before = reducer->times.exposed;
    }
    reducer->kind->finish(reducer, word);
    sum->rows = (int64_t)word[LS_CONTROL_ROWS];
    sum->correct = (int64_t)word[LS_CONTROL_CORRECT];
    sum->loss = (double)word[LS_CONTROL_LOSS];
    sum->failed = (int64_t)word[LS_CONTROL_FAILED];
    sum->stop = (int64_t)word[LS_CONTROL_STOP];
    sum->save = (int64_t)word[LS_CONTROL_SAVE];
    reducer->times.exposed += ls_now() - begin;
}

bool ls_reducer_next(ls_reducer *reducer, ls_piece *piece)
{
    const double begin = ls_now();
    bool more = reducer->kind->next(reducer, piece);
    const double end = ls_now();
    reducer->times.exposed += end - begin;
    if (more) {
        reducer->arrived = end;
        reducer->exposed_until = reducer->times.exposed;
    } else if (reducer->kind->ready != NULL) {
        /* What went on between the first start and the last arrival, outside of our functions. */
        const double hidden =
            reducer->arrived - reducer->begun - (reducer->exposed_until - reducer->exposed_before);
        reducer->times.hidden += hidden > 0 ? hidden : 0;
    }
    return more;
}

void ls_reducer_publish(ls_reducer *reducer)
{
    const double begin = ls_now();
    reducer->kind->publish(reducer);
    reducer->times.exposed += ls_now() - begin;
}

void ls_reducer_complete(ls_reducer *reducer, float *arena)
{
    reducer->kind->complete(reducer, arena);
}

ls_reducer_times ls_reducer_clock(const ls_reducer *reducer)
{
    return reducer->times;
}
