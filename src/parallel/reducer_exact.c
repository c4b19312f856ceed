/* The reducer exact: one allreduce after the backward passes, as fused, but of doubles that are
 * multiples of one quantum, see base/exact.h. A pass goes by any number of blocks on each rank,
 * whose gradients are added up here, slice by slice as they become final, while they are in the
 * cache. For the same blocks all sums have the same bits, whichever ranks make them, and in
 * whatever order the MPI library adds.
 *
 * How large a gradient may be is a matter of how fine the quantum is: 52 bits are there for both. A
 * gradient of LARGEST for each row is far beyond any that trains, and leaves a quantum of 1e-11
 * for a mean gradient, a thousandth of Adam's epsilon. */
#include "parallel/reducer_kind.h"

#include "base/dispatch.h"
#include "base/exact.h"
#include "base/integer.h"
#include "base/memory.h"

#include <string.h>

#define LARGEST 16384.0
enum { PIECE = 1 << 12 /* floats of a sum that is used at once */ };

typedef struct exact {
    ls_reducer base;
    double *sums;    /* [count + LS_CONTROL_VALUES] of gradients, and the control word */
    double quantum;  /* of the gradients */
    int64_t reached; /* from here to the end some block of this step is in the sums */
    float *piece;    /* [PIECE] sums as floats */
    int64_t taken;   /* by next() */
} exact;

static ls_status create(ls_reducer *r)
{
    exact *e = (exact *)r;
    e->reached = r->count;
    r->limit = (float)(LARGEST * (double)r->rows.block);
    e->quantum = ls_exact_quantum(LARGEST * (double)(r->rows.batch + r->rows.block));
    r->grads = ls_arena_alloc(r->count, LS_LANE_GRADS);
    r->params = r->grads != NULL ? ls_arena_alloc(r->count, LS_LANE_PARAMS) : NULL;
    e->sums = r->params != NULL ? ls_alloc(r->count + LS_CONTROL_VALUES, sizeof *e->sums) : NULL;
    e->piece = e->sums != NULL ? ls_alloc(PIECE, sizeof *e->piece) : NULL;
    return ls_agree(r->comm, e->piece != NULL ? LS_OK : LS_ERR_FAILURE);
}

static void destroy(ls_reducer *r)
{
    exact *e = (exact *)r;
    ls_arena_free(r->grads, LS_LANE_GRADS);
    ls_arena_free(r->params, LS_LANE_PARAMS);
    ls_free(e->sums);
    ls_free(e->piece);
}

static void set_params(ls_reducer *r, const float *params)
{
    if (params != r->params)
        memcpy(r->params, params, (size_t)r->count * sizeof *params);
}

LS_DISPATCH static void set(int64_t n, double quantum, const float *restrict grads,
                            double *restrict sums)
{
    for (int64_t i = 0; i < n; i++)
        sums[i] = ls_exact_round((double)grads[i], quantum);
}

LS_DISPATCH static void add(int64_t n, double quantum, const float *restrict grads,
                            double *restrict sums)
{
    for (int64_t i = 0; i < n; i++)
        sums[i] += ls_exact_round((double)grads[i], quantum);
}

static void ready(ls_reducer *r, ls_range final)
{
    exact *e = (exact *)r;
    (final.first < e->reached ? set : add)(final.count, e->quantum, r->grads + final.first,
                                           e->sums + final.first);
    e->reached = ls_min(final.first, e->reached);
}

static void finish(ls_reducer *r, double word[LS_CONTROL_VALUES])
{
    exact *e = (exact *)r;
    const int64_t values = r->count + LS_CONTROL_VALUES;
    double *control = e->sums + r->count;
    memcpy(control, word, LS_CONTROL_VALUES * sizeof *word);
    for (int64_t done = 0; done < values; done += LS_MPI_VALUES) {
        const int64_t left = values - done;
        MPI_Allreduce(MPI_IN_PLACE, e->sums + done, ls_int(ls_min(left, LS_MPI_VALUES)), MPI_DOUBLE,
                      MPI_SUM, r->comm->mpi);
    }
    memcpy(word, control, LS_CONTROL_VALUES * sizeof *word);
    e->reached = r->count;
    e->taken = 0;
}

static bool next(ls_reducer *r, ls_owned_range *piece)
{
    exact *e = (exact *)r;
    const int64_t left = r->count - e->taken;
    if (left == 0)
        return false;
    /* The gradient arena is free: reuse it for the sums. */
    float *floats = r->holds ? r->grads + e->taken : e->piece;
    *piece = (ls_owned_range){.first = e->taken,
                              .count = ls_min(left, PIECE),
                              .grads = floats,
                              .params = r->params + e->taken,
                              .fresh = r->count};
    const int64_t fresh = r->again ? 0 : piece->count;
    for (int64_t i = 0; i < fresh; i++)
        floats[i] = (float)e->sums[e->taken + i];
    e->taken += piece->count;
    return true;
}

static void rewind_pieces(ls_reducer *r)
{
    ((exact *)r)->taken = 0;
}

/* Every rank updates all parameters: nothing is shared, published or completed. */
const ls_reducer_kind ls_reducer_exact = {
    .size = sizeof(exact),
    .by_blocks = true,
    .on_request = true,
    .create = create,
    .destroy = destroy,
    .set_params = set_params,
    .ready = ready,
    .finish = finish,
    .next = next,
    .rewind = rewind_pieces,
};
