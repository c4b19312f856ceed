/* N: rows of a domain; p, q: positions in a permutation; s: step. */
#include <lockstep/plan.h>

#include "base/integer.h"
#include "base/range.h"
#include "base/rng.h"

#include <assert.h>
#include <stdbool.h>

enum { FEISTEL_ROUNDS = 6 };

ls_status ls_plan_make(ls_plan *out, int64_t rows, int ranks, int64_t batch, uint64_t seed,
                       ls_shuffle shuffle, int64_t block)
{
    if (rows < 1)
        return ls_fail(LS_ERR_USAGE, "there are no rows to train on");
    if (ranks < 1 || batch < 1 || block < 1)
        return ls_fail(LS_ERR_USAGE,
                       "a plan needs at least 1 rank and a batch and a block of at least 1 row");
    if (block > 1 && shuffle == LS_SHUFFLE_LOCAL)
        return ls_fail(LS_ERR_USAGE, "with --shuffle local the samples of a step depend on the "
                                     "number of ranks: it can't be --reproducible");
    if (rows > INT64_MAX / 2 / ranks)
        return ls_fail(LS_ERR_USAGE, "%lld rows on %d ranks are more than can be numbered",
                       (long long)rows, ranks);
    *out = (ls_plan){.rows = rows,
                     .batch = batch,
                     .steps = rows / batch + (rows % batch != 0),
                     .seed = seed,
                     .ranks = ranks,
                     .shuffle = shuffle,
                     .block = block};
    return LS_OK;
}

/* Which part holds element `at`: the greatest part that starts at or before it, that is, the
 * greatest with total * part < (at + 1) * parts. */
static int64_t part_of(int64_t total, int64_t parts, int64_t at)
{
    return ((at + 1) * parts - 1) / total;
}

/* A permutation of 0 .. N-1. Values of 2 * half bits are split in two halves; each round replaces
 * (L, R) by (R, L ^ F(R)). Results that fall outside the domain are put in again. */
typedef struct permutation {
    uint64_t domain;
    uint64_t mask; /* of one half */
    int half;      /* bits in one half */
    uint64_t key;
    bool identity;
} permutation;

static permutation permutation_make(uint64_t key, int64_t domain, bool identity)
{
    int half = 1;
    while (half < 31 && (UINT64_C(1) << (2 * half)) < (uint64_t)domain)
        half++;
    return (permutation){.domain = (uint64_t)domain,
                         .mask = (UINT64_C(1) << half) - 1,
                         .half = half,
                         .key = key,
                         .identity = identity};
}

static int64_t permute(const permutation *pi, int64_t position)
{
    if (pi->identity)
        return position;
    uint64_t value = (uint64_t)position;
    do {
        uint64_t left = value >> pi->half, right = value & pi->mask;
        for (uint64_t round = 0; round < FEISTEL_ROUNDS; round++) {
            uint64_t mixed = left ^ (ls_rng_at(pi->key + round, right) & pi->mask);
            left = right;
            right = mixed;
        }
        value = left << pi->half | right;
    } while (value >= pi->domain);
    return (int64_t)value;
}

static int64_t unpermute(const permutation *pi, int64_t image)
{
    if (pi->identity)
        return image;
    uint64_t value = (uint64_t)image;
    do {
        uint64_t left = value >> pi->half, right = value & pi->mask;
        for (uint64_t round = FEISTEL_ROUNDS; round-- > 0;) {
            uint64_t mixed = right ^ (ls_rng_at(pi->key + round, left) & pi->mask);
            right = left;
            left = mixed;
        }
        value = left << pi->half | right;
    } while (value >= pi->domain);
    return (int64_t)value;
}

/* The permutation that is in force on a rank: of all rows, or of the rank's shard. */
static permutation epoch_permutation(const ls_plan *plan, int64_t epoch, int rank)
{
    uint64_t key = ls_rng_key(plan->seed, LS_RNG_SHUFFLE, (uint64_t)epoch);
    if (plan->shuffle == LS_SHUFFLE_LOCAL)
        return permutation_make(ls_rng_at(key, (uint64_t)rank),
                                ls_shard(plan->rows, plan->ranks, rank).count, false);
    return permutation_make(key, plan->rows, plan->shuffle == LS_SHUFFLE_NONE);
}

/* A shard's windows in the order in which they come. All have plan->window rows but the one at the
 * shard's end, which comes in slot `odd`. */
typedef struct windows {
    permutation order;
    int64_t count, size, rows; /* of windows; of a whole one; of the shard */
    int64_t odd;
    uint64_t key;
} windows;

static windows windows_of(const ls_plan *plan, int64_t epoch, int rank)
{
    windows w = {.size = plan->window, .rows = ls_shard(plan->rows, plan->ranks, rank).count};
    w.key = ls_rng_at(ls_rng_key(plan->seed, LS_RNG_SHUFFLE, (uint64_t)epoch), (uint64_t)rank);
    w.count = w.rows / w.size + (w.rows % w.size != 0);
    w.order = permutation_make(w.key, w.count, false);
    w.odd = w.rows > 0 ? unpermute(&w.order, w.count - 1) : 0;
    return w;
}

/* Rows of window `at` of the shard. */
static ls_range window_at(const windows *w, int64_t at)
{
    const int64_t first = at * w->size, left = w->rows - first;
    return (ls_range){first, left < w->size ? left : w->size};
}

/* How many rows come before a slot. */
static int64_t before_slot(const windows *w, int64_t slot)
{
    return slot * w->size - (slot > w->odd ? w->count * w->size - w->rows : 0);
}

static int64_t slot_of(const windows *w, int64_t index)
{
    const int64_t slot = index / w->size;
    if (slot < w->odd || index < before_slot(w, w->odd + 1))
        return slot < w->odd ? slot : w->odd;
    return w->odd + 1 + (index - before_slot(w, w->odd + 1)) / w->size;
}

/* The order of rows in window `at`. */
static permutation inside(const windows *w, int64_t at)
{
    return permutation_make(ls_rng_at(w->key, UINT64_C(1) << 32 | (uint64_t)at),
                            window_at(w, at).count, false);
}

/* The row of the shard that comes at an index, and back. */
static int64_t row_in_windows(const windows *w, int64_t index)
{
    const int64_t slot = slot_of(w, index), at = permute(&w->order, slot);
    const permutation pi = inside(w, at);
    return window_at(w, at).first + permute(&pi, index - before_slot(w, slot));
}

static int64_t index_in_windows(const windows *w, int64_t row)
{
    const int64_t at = row / w->size;
    const permutation pi = inside(w, at);
    return before_slot(w, unpermute(&w->order, at)) + unpermute(&pi, row - window_at(w, at).first);
}

/* How many of the numbers below `end` leave a remainder below `bound` when divided by `divisor`. */
static int64_t count_remainders(int64_t end, int64_t divisor, int64_t bound)
{
    return end / divisor * bound + ls_min(end % divisor, bound);
}

/* With LS_SHUFFLE_LOCAL the rows of the file are dealt out to the steps in turn, row g to step
 * g mod steps: how many rows a rank gives to the steps before this one. */
static int64_t dealt_before(const ls_plan *plan, int rank, int64_t step)
{
    ls_range shard = ls_shard(plan->rows, plan->ranks, rank);
    return count_remainders(shard.first + shard.count, plan->steps, step) -
           count_remainders(shard.first, plan->steps, step);
}

/* The slice of `rank` in a step of `rows` rows, as positions in the step. */
static ls_range slice_of(const ls_plan *plan, int64_t rows, int rank)
{
    return ls_shard_blocks(rows, plan->block, plan->ranks, rank);
}

/* Rows of a step: the last may be cut short. */
static int64_t rows_of(const ls_plan *plan, int64_t step)
{
    const int64_t left = plan->rows - step * plan->batch;
    return left < plan->batch ? left : plan->batch;
}

ls_range ls_plan_slice(const ls_plan *plan, int rank, int64_t step)
{
    assert(step >= 0 && step < plan->steps);
    if (plan->shuffle == LS_SHUFFLE_LOCAL) {
        int64_t first = dealt_before(plan, rank, step);
        return (ls_range){first, dealt_before(plan, rank, step + 1) - first};
    }
    return (ls_range){step * slice_of(plan, plan->batch, rank).count,
                      slice_of(plan, rows_of(plan, step), rank).count};
}

int64_t ls_plan_rank_rows(const ls_plan *plan, int rank)
{
    ls_range last = ls_plan_slice(plan, rank, plan->steps - 1);
    return last.first + last.count;
}

int64_t ls_plan_row(const ls_plan *plan, int64_t epoch, int rank, int64_t index)
{
    if (plan->window > 0) {
        const windows w = windows_of(plan, epoch, rank);
        return ls_shard(plan->rows, plan->ranks, rank).first + row_in_windows(&w, index);
    }
    permutation pi = epoch_permutation(plan, epoch, rank);
    if (plan->shuffle == LS_SHUFFLE_LOCAL)
        return ls_shard(plan->rows, plan->ranks, rank).first + permute(&pi, index);
    int64_t full = ls_plan_slice(plan, rank, 0).count;
    int64_t step = full > 0 ? index / full : plan->steps - 1;
    if (step > plan->steps - 1)
        step =
            plan->steps - 1; /* the ragged last step may hold a larger share than its size says */
    const ls_range slice = slice_of(plan, rows_of(plan, step), rank);
    return permute(&pi, step * plan->batch + slice.first + (index - step * full));
}

ls_range ls_plan_window(const ls_plan *plan, int64_t epoch, int rank, int64_t index,
                        int64_t *first_index)
{
    assert(plan->window > 0);
    const windows w = windows_of(plan, epoch, rank);
    const int64_t slot = slot_of(&w, index);
    ls_range rows = window_at(&w, permute(&w.order, slot));
    rows.first += ls_shard(plan->rows, plan->ranks, rank).first;
    *first_index = before_slot(&w, slot);
    return rows;
}

ls_place ls_plan_locate(const ls_plan *plan, int64_t epoch, int64_t row)
{
    if (plan->shuffle == LS_SHUFFLE_LOCAL) {
        int rank = (int)part_of(plan->rows, plan->ranks, row);
        if (plan->window > 0) {
            const windows w = windows_of(plan, epoch, rank);
            return (ls_place){
                rank, index_in_windows(&w, row - ls_shard(plan->rows, plan->ranks, rank).first)};
        }
        permutation pi = epoch_permutation(plan, epoch, rank);
        return (ls_place){rank,
                          unpermute(&pi, row - ls_shard(plan->rows, plan->ranks, rank).first)};
    }
    permutation pi = epoch_permutation(plan, epoch, 0);
    int64_t position = unpermute(&pi, row);
    int64_t step = position / plan->batch, offset = position % plan->batch;
    const int64_t rows = rows_of(plan, step);
    const int64_t blocks = rows / plan->block + (rows % plan->block != 0);
    int rank = (int)part_of(blocks, plan->ranks, offset / plan->block);
    int64_t index =
        ls_plan_slice(plan, rank, step).first + offset - slice_of(plan, rows, rank).first;
    return (ls_place){rank, index};
}
