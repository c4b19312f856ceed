/* The reducer exact: one allreduce after the backward pass, as fused, but of doubles that are
 * multiples of one quantum, see base/exact.h. A pass computes any number of micro-batches on each
 * rank. Their gradients are added here, slice by slice as they become final, while they are in the
 * cache. The same micro-batches give sums with the same bits, on whichever ranks they are computed
 * and in whatever order the MPI library adds.
 *
 * 52 bits are shared between the largest gradient and the quantum. MAX_GRAD, per row, is far above
 * the gradients of any training that converges; it leaves a quantum of 1e-11 for a mean gradient, a
 * thousandth of Adam's epsilon. Rows may have weights, of which some are far above their mean of 1:
 * then both are multiplied by a bound of a block's mean weight, and the checked gradients' sums
 * stay exact. */
#include "parallel/reducer_kind.h"

#include "base/dispatch.h"
#include "base/exact.h"
#include "base/integer.h"
#include "base/memory.h"

#include <string.h>

#define MAX_GRAD 16384.0
enum { PIECE = 1 << 12 /* floats per piece */ };

typedef struct exact {
    ls_reducer base;
    double *sums;        /* [count + control_values] sums of gradients, and the control word */
    double quantum;      /* all sums of gradients are multiples of it */
    int64_t summed_from; /* from this offset on, `sums` has gradients of this step */
    float *piece;        /* [PIECE] sums converted to floats */
    int64_t taken;       /* floats returned by next() */
} exact;

static ls_status exact_create(ls_reducer *r)
{
    exact *e = (exact *)r;
    const double most = MAX_GRAD * (r->rows.weight > 0 ? r->rows.weight : 1); /* of a row */
    e->summed_from = r->count;
    r->limit = (float)(most * (double)r->rows.block);
    e->quantum = ls_exact_quantum(most * (double)(r->rows.batch + r->rows.block));
    r->grads = ls_arena_alloc(r->count, LS_ARENA_GRADS);
    r->params = r->grads != NULL ? ls_arena_alloc(r->count, LS_ARENA_PARAMS) : NULL;
    e->sums = r->params != NULL ? ls_alloc(r->count + r->control_values, sizeof *e->sums) : NULL;
    e->piece = e->sums != NULL ? ls_alloc(PIECE, sizeof *e->piece) : NULL;
    return ls_agree(r->comm, e->piece != NULL ? LS_OK : LS_ERR_FAILURE);
}

static void exact_destroy(ls_reducer *r)
{
    exact *e = (exact *)r;
    ls_arena_free(r->grads, LS_ARENA_GRADS);
    ls_arena_free(r->params, LS_ARENA_PARAMS);
    ls_free(e->sums);
    ls_free(e->piece);
}

static void exact_set_params(ls_reducer *r, const float *params)
{
    if (params != r->params)
        memcpy(r->params, params, (size_t)r->count * sizeof *params);
}

/* Write or add gradients, rounded to the quantum. The first micro-batch of a step writes. */
LS_DISPATCH static void set_sums(int64_t n, double quantum, const float *restrict grads,
                                 double *restrict sums)
{
    for (int64_t i = 0; i < n; i++)
        sums[i] = ls_exact_round((double)grads[i], quantum);
}

LS_DISPATCH static void add_sums(int64_t n, double quantum, const float *restrict grads,
                                 double *restrict sums)
{
    for (int64_t i = 0; i < n; i++)
        sums[i] += ls_exact_round((double)grads[i], quantum);
}

static void exact_grads_ready(ls_reducer *r, ls_range final)
{
    exact *e = (exact *)r;
    (final.first < e->summed_from ? set_sums : add_sums)(
        final.count, e->quantum, r->grads + final.first, e->sums + final.first);
    e->summed_from = ls_min(final.first, e->summed_from);
}

static void exact_finish(ls_reducer *r, double word[LS_CONTROL_MOST])
{
    exact *e = (exact *)r;
    const int64_t values = r->count + r->control_values;
    double *control = e->sums + r->count;
    memcpy(control, word, (size_t)r->control_values * sizeof *word);
    for (int64_t done = 0; done < values; done += LS_MPI_VALUES) {
        const int64_t left = values - done;
        MPI_Allreduce(MPI_IN_PLACE, e->sums + done, ls_int(ls_min(left, LS_MPI_VALUES)), MPI_DOUBLE,
                      MPI_SUM, r->comm->mpi);
    }
    memcpy(word, control, (size_t)r->control_values * sizeof *word);
    e->summed_from = r->count;
    e->taken = 0;
}

static bool exact_next(ls_reducer *r, ls_owned_range *piece)
{
    exact *e = (exact *)r;
    const int64_t left = r->count - e->taken;
    if (left == 0)
        return false;
    /* The gradient arena is free after finish(): kept pieces store their sums there. */
    float *floats = r->keeps_pieces ? r->grads + e->taken : e->piece;
    *piece = (ls_owned_range){.first = e->taken,
                              .count = ls_min(left, PIECE),
                              .grads = floats,
                              .params = r->params + e->taken,
                              .current_from = r->count};
    const int64_t unconverted = r->rewound ? 0 : piece->count;
    for (int64_t i = 0; i < unconverted; i++)
        floats[i] = (float)e->sums[e->taken + i];
    e->taken += piece->count;
    return true;
}

static void exact_rewind(ls_reducer *r)
{
    ((exact *)r)->taken = 0;
}

/* Every rank updates all parameters: share, allgather_params and allgather_state stay NULL. */
const ls_reducer_kind ls_reducer_exact = {
    .size = sizeof(exact),
    .by_blocks = true,
    .on_request = true,
    .create = exact_create,
    .destroy = exact_destroy,
    .set_params = exact_set_params,
    .grads_ready = exact_grads_ready,
    .finish = exact_finish,
    .next = exact_next,
    .rewind = exact_rewind,
};
