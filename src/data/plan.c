/* N: rows of a domain; p, q: positions in a permutation; s: step. */
#include "data/plan.h"

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
    if (rows > INT64_MAX / 2 / ranks)
        return ls_fail(LS_ERR_USAGE, "%lld rows on %d ranks overflow 64-bit row numbers",
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

/* Returns the part that contains element `at`: the greatest part that starts at or before it, that
 * is, the greatest with total * part < (at + 1) * parts. */
static int64_t find_part(int64_t total, int64_t parts, int64_t at)
{
    return ((at + 1) * parts - 1) / total;
}

/* A permutation of 0 .. N-1. Values of 2 * half bits are split in two halves; each round replaces
 * (L, R) by (R, L ^ F(R)). Results outside the domain are permuted again (cycle walking). */
typedef struct permutation {
    uint64_t domain;
    uint64_t mask; /* of one half */
    int half;      /* bits in one half */
    uint64_t key;
    bool identity;
} permutation;

static permutation make_permutation(uint64_t key, int64_t domain, bool identity)
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

/* Returns the permutation of a rank in an epoch: of all rows, or of the rank's shard. */
static permutation make_epoch_permutation(const ls_plan *plan, int64_t epoch, int rank)
{
    uint64_t key = ls_rng_key(plan->seed, LS_RNG_SHUFFLE, (uint64_t)epoch);
    if (plan->shuffle == LS_SHUFFLE_LOCAL)
        return make_permutation(ls_rng_at(key, (uint64_t)rank),
                                ls_shard(plan->rows, plan->ranks, rank).count, false);
    return make_permutation(key, plan->rows, plan->shuffle == LS_SHUFFLE_NONE);
}

/* A shard's windows in the order of the epoch; slot: position in this order. All windows have
 * `size` rows but the shard's last window, which may have fewer and comes in slot `odd`. */
typedef struct windows {
    permutation order;
    int64_t count, size, rows; /* windows; rows of a full window; rows of the shard */
    int64_t odd;
    uint64_t key;
} windows;

static windows make_windows(const ls_plan *plan, int64_t epoch, int rank)
{
    windows w = {.size = plan->window, .rows = ls_shard(plan->rows, plan->ranks, rank).count};
    w.key = ls_rng_at(ls_rng_key(plan->seed, LS_RNG_SHUFFLE, (uint64_t)epoch), (uint64_t)rank);
    w.count = w.rows / w.size + (w.rows % w.size != 0);
    w.order = make_permutation(w.key, w.count, false);
    w.odd = w.rows > 0 ? unpermute(&w.order, w.count - 1) : 0;
    return w;
}

/* Returns the rows of window `at` of the shard. */
static ls_range get_window(const windows *w, int64_t at)
{
    const int64_t first = at * w->size, left = w->rows - first;
    return (ls_range){first, left < w->size ? left : w->size};
}

/* Returns the number of rows before a slot. */
static int64_t count_before_slot(const windows *w, int64_t slot)
{
    return slot * w->size - (slot > w->odd ? w->count * w->size - w->rows : 0);
}

static int64_t find_slot(const windows *w, int64_t index)
{
    const int64_t slot = index / w->size;
    if (slot < w->odd || index < count_before_slot(w, w->odd + 1))
        return slot < w->odd ? slot : w->odd;
    return w->odd + 1 + (index - count_before_slot(w, w->odd + 1)) / w->size;
}

/* Returns the order of the rows in window `at`. */
static permutation make_window_permutation(const windows *w, int64_t at)
{
    return make_permutation(ls_rng_at(w->key, UINT64_C(1) << 32 | (uint64_t)at),
                            get_window(w, at).count, false);
}

/* Returns the row of the shard at an index of the epoch. */
static int64_t row_in_windows(const windows *w, int64_t index)
{
    const int64_t slot = find_slot(w, index), at = permute(&w->order, slot);
    const permutation pi = make_window_permutation(w, at);
    return get_window(w, at).first + permute(&pi, index - count_before_slot(w, slot));
}

/* Returns the index of a row of the shard: the inverse of row_in_windows(). */
static int64_t index_in_windows(const windows *w, int64_t row)
{
    const int64_t at = row / w->size;
    const permutation pi = make_window_permutation(w, at);
    return count_before_slot(w, unpermute(&w->order, at)) +
           unpermute(&pi, row - get_window(w, at).first);
}

/* Counts the integers 0 .. end-1 whose remainder modulo `divisor` is below `bound`. */
static int64_t count_remainders(int64_t end, int64_t divisor, int64_t bound)
{
    return end / divisor * bound + ls_min(end % divisor, bound);
}

/* With LS_SHUFFLE_LOCAL, row g of the file counts for step g mod steps (round robin). Returns the
 * number of a rank's rows in the steps before this one. */
static int64_t count_before_step(const ls_plan *plan, int rank, int64_t step)
{
    ls_range shard = ls_shard(plan->rows, plan->ranks, rank);
    return count_remainders(shard.first + shard.count, plan->steps, step) -
           count_remainders(shard.first, plan->steps, step);
}

/* Returns the slice of `rank` in a step of `rows` rows, as positions in the step. */
static ls_range get_slice(const ls_plan *plan, int64_t rows, int rank)
{
    return ls_shard_blocks(rows, plan->block, plan->ranks, rank);
}

/* Returns the rows of a step; the last step may be smaller. */
static int64_t count_step_rows(const ls_plan *plan, int64_t step)
{
    const int64_t left = plan->rows - step * plan->batch;
    return left < plan->batch ? left : plan->batch;
}

ls_range ls_plan_slice(const ls_plan *plan, int rank, int64_t step)
{
    assert(step >= 0 && step < plan->steps);
    if (plan->shuffle == LS_SHUFFLE_LOCAL) {
        int64_t first = count_before_step(plan, rank, step);
        return (ls_range){first, count_before_step(plan, rank, step + 1) - first};
    }
    return (ls_range){step * get_slice(plan, plan->batch, rank).count,
                      get_slice(plan, count_step_rows(plan, step), rank).count};
}

int64_t ls_plan_rank_rows(const ls_plan *plan, int rank)
{
    ls_range last = ls_plan_slice(plan, rank, plan->steps - 1);
    return last.first + last.count;
}

int64_t ls_plan_row(const ls_plan *plan, int64_t epoch, int rank, int64_t index)
{
    if (plan->window > 0) {
        const windows w = make_windows(plan, epoch, rank);
        return ls_shard(plan->rows, plan->ranks, rank).first + row_in_windows(&w, index);
    }
    permutation pi = make_epoch_permutation(plan, epoch, rank);
    if (plan->shuffle == LS_SHUFFLE_LOCAL)
        return ls_shard(plan->rows, plan->ranks, rank).first + permute(&pi, index);
    int64_t full = ls_plan_slice(plan, rank, 0).count;
    int64_t step = full > 0 ? index / full : plan->steps - 1;
    if (step > plan->steps - 1)
        step =
            plan->steps - 1; /* a rank's slice of the smaller last step may exceed its full slice */
    const ls_range slice = get_slice(plan, count_step_rows(plan, step), rank);
    return permute(&pi, step * plan->batch + slice.first + (index - step * full));
}

ls_range ls_plan_window(const ls_plan *plan, int64_t epoch, int rank, int64_t index,
                        int64_t *first_index)
{
    assert(plan->window > 0);
    const windows w = make_windows(plan, epoch, rank);
    const int64_t slot = find_slot(&w, index);
    ls_range rows = get_window(&w, permute(&w.order, slot));
    rows.first += ls_shard(plan->rows, plan->ranks, rank).first;
    *first_index = count_before_slot(&w, slot);
    return rows;
}

ls_place ls_plan_locate(const ls_plan *plan, int64_t epoch, int64_t row)
{
    if (plan->shuffle == LS_SHUFFLE_LOCAL) {
        int rank = (int)find_part(plan->rows, plan->ranks, row);
        if (plan->window > 0) {
            const windows w = make_windows(plan, epoch, rank);
            return (ls_place){
                rank, index_in_windows(&w, row - ls_shard(plan->rows, plan->ranks, rank).first)};
        }
        permutation pi = make_epoch_permutation(plan, epoch, rank);
        return (ls_place){rank,
                          unpermute(&pi, row - ls_shard(plan->rows, plan->ranks, rank).first)};
    }
    permutation pi = make_epoch_permutation(plan, epoch, 0);
    int64_t position = unpermute(&pi, row);
    int64_t step = position / plan->batch, offset = position % plan->batch;
    const int64_t rows = count_step_rows(plan, step);
    const int64_t blocks = rows / plan->block + (rows % plan->block != 0);
    int rank = (int)find_part(blocks, plan->ranks, offset / plan->block);
    int64_t index =
        ls_plan_slice(plan, rank, step).first + offset - get_slice(plan, rows, rank).first;
    return (ls_place){rank, index};
}
