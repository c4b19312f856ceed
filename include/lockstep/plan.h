/* The plan: which rows make up each step, and which of them are a rank's. A pure function of
 * (rows, ranks, global batch, seed, shuffle, epoch); its memory does not grow with the rows.
 *
 * An epoch is a permutation of the rows 0 .. rows-1: position p holds row pi(p). Step s is made of
 * the positions [s * batch, min((s+1) * batch, rows)), and each rank takes a contiguous slice of
 * them. The samples of a step therefore do not depend on the number of ranks. pi is a keyed
 * bijection (a Feistel network with cycle walking; Black and Rogaway: Ciphers with Arbitrary Finite
 * Domains, CT-RSA 2002), so that any element of it, or of its inverse, costs constant time.
 *
 * With LS_SHUFFLE_LOCAL each rank permutes the rows of its own shard instead: nothing moves between
 * ranks, and the samples of a step do depend on the number of ranks. The steps stay as many and
 * nearly equally large; each rank spreads its rows over them evenly.
 *
 * A shard that is too large for memory is gone through in windows of so many rows that lie side by
 * side in the file: they come in a random order, and the rows of each in a random order. That is an
 * order of the shard, too, and works with LS_SHUFFLE_LOCAL only.
 *
 * All functions are Local and cannot fail but where they say so. */
#ifndef LOCKSTEP_PLAN_H
#define LOCKSTEP_PLAN_H

#include <stdint.h>

#include <lockstep/choice.h>
#include <lockstep/range.h>
#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LS_SHUFFLE_LIST(X)                                                                         \
    X(LS_SHUFFLE_GLOBAL, "global", "a permutation of all rows in each epoch")                      \
    X(LS_SHUFFLE_LOCAL, "local", "each rank permutes its own shard")                               \
    X(LS_SHUFFLE_NONE, "none", "the order of the file, in every epoch")

typedef enum ls_shuffle { LS_SHUFFLE_LIST(LS_CHOICE_ENUM) } ls_shuffle;

typedef struct ls_plan {
    int64_t rows;  /* rows of the training split, 1 or more */
    int64_t batch; /* global batch: rows in a step, 1 or more */
    int64_t steps; /* steps in an epoch: ceil(rows / batch) */
    uint64_t seed;
    int ranks;
    ls_shuffle shuffle;
    int64_t
        window; /* rows of a window, with LS_SHUFFLE_LOCAL; 0: none. ls_plan_make() leaves it 0 */
    int64_t block; /* slices of a step begin at multiples of so many of its rows; 1: anywhere */
} ls_plan;

/* Where a row is used in an epoch. */
typedef struct ls_place {
    int rank;
    int64_t index; /* among the rank's samples in the order of the epoch, from 0 */
} ls_place;

/* Makes a plan. Errors: LS_ERR_USAGE if rows, ranks, batch or block is below 1, or if a block above
 * 1 is asked for with LS_SHUFFLE_LOCAL, where steps are no ranges of positions. */
ls_status ls_plan_make(ls_plan *out, int64_t rows, int ranks, int64_t batch, uint64_t seed,
                       ls_shuffle shuffle, int64_t block) LS_MUST_CHECK;

/* How many samples the rank trains on in an epoch; the same in every epoch. */
int64_t ls_plan_rank_rows(const ls_plan *plan, int rank);

/* The rank's slice of a step, as a range of its samples in the order of the epoch; may be empty. */
ls_range ls_plan_slice(const ls_plan *plan, int rank, int64_t step);

/* The row that a rank uses as its sample `index` of the epoch. */
int64_t ls_plan_row(const ls_plan *plan, int64_t epoch, int rank, int64_t index);

/* The window that a rank's sample `index` of the epoch lies in, as rows of the split, and the index
 * of its first sample. The plan has windows, and the rank such a sample. */
ls_range ls_plan_window(const ls_plan *plan, int64_t epoch, int rank, int64_t index,
                        int64_t *first_index);

/* Where a row is used in the epoch: the inverse of ls_plan_row(). */
ls_place ls_plan_locate(const ls_plan *plan, int64_t epoch, int64_t row);

#ifdef __cplusplus
}
#endif

#endif
