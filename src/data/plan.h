/* The plan: the rows of each step, and each rank's slice of them. A pure function of
 * (rows, ranks, global batch, seed, shuffle, epoch); its memory does not grow with the rows.
 *
 * An epoch is a permutation of the rows 0 .. rows-1: position p holds row pi(p). Step s has the
 * positions [s * batch, min((s+1) * batch, rows)), and each rank takes a contiguous slice of them.
 * The samples of a step therefore do not depend on the number of ranks. pi is a keyed bijection (a
 * Feistel network with cycle walking; Black and Rogaway: Ciphers with Arbitrary Finite Domains,
 * CT-RSA 2002), so that any element of pi, or of its inverse, costs constant time.
 *
 * With LS_SHUFFLE_LOCAL each rank permutes the rows of its own shard instead: no rows move between
 * ranks, and the samples of a step depend on the number of ranks. The number of steps is the same,
 * their sizes are nearly equal, and each rank spreads its rows evenly over them.
 *
 * A shard that is too large for memory is read in windows, ranges of consecutive rows of the file:
 * windows come in random order, and so do the rows of each window. The result is another
 * permutation of the shard; windows work with LS_SHUFFLE_LOCAL only.
 *
 * All functions are Local; only ls_plan_make() can fail. */
#ifndef LS_DATA_PLAN_H
#define LS_DATA_PLAN_H

#include <stdint.h>

#include "base/range.h"

#include <lockstep/dataset.h>
#include <lockstep/choice.h>
#include <lockstep/status.h>

typedef struct ls_plan {
    int64_t rows;  /* rows of the training split, 1 or more */
    int64_t batch; /* global batch: rows in a step, 1 or more */
    int64_t steps; /* steps in an epoch: ceil(rows / batch) */
    uint64_t seed;
    int ranks;
    ls_shuffle shuffle;
    int64_t window; /* rows of a window, with LS_SHUFFLE_LOCAL; 0, set by ls_plan_make(): none */
    int64_t block;  /* slices of a step begin at multiples of this number of rows; 1: at any row */
} ls_plan;

/* The place of a row in an epoch. */
typedef struct ls_place {
    int rank;
    int64_t index; /* among the rank's samples in the order of the epoch, from 0 */
} ls_place;

/* Makes a plan.
 * Errors: LS_ERR_USAGE if rows, ranks, batch or block is below 1; if block is above 1 with
 * LS_SHUFFLE_LOCAL, where steps are not ranges of positions; or if rows * ranks overflows. *out is
 * left alone. */
ls_status ls_plan_make(ls_plan *out, int64_t rows, int ranks, int64_t batch, uint64_t seed,
                       ls_shuffle shuffle, int64_t block) LS_MUST_CHECK;

/* Returns the number of samples that the rank trains on in an epoch; the same in every epoch. */
int64_t ls_plan_rank_rows(const ls_plan *plan, int rank);

/* Returns the rank's slice of a step, as a range of the rank's samples in the order of the epoch;
 * may be empty. */
ls_range ls_plan_slice(const ls_plan *plan, int rank, int64_t step);

/* Returns the row that is the rank's sample `index` of the epoch. */
int64_t ls_plan_row(const ls_plan *plan, int64_t epoch, int rank, int64_t index);

/* Returns the window of the rank's sample `index` of the epoch, as rows of the split. The plan must
 * have windows, and the rank a sample `index`.
 * first_index  on return, the index of the window's first sample */
ls_range ls_plan_window(const ls_plan *plan, int64_t epoch, int rank, int64_t index,
                        int64_t *first_index);

/* Returns the rank and index of a row in the epoch: the inverse of ls_plan_row(). */
ls_place ls_plan_locate(const ls_plan *plan, int64_t epoch, int64_t row);

#endif
