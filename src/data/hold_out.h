/* Which rows of a group are held out for validation, where these are not simply its last: one bit
 * for each row, and counts by which the k-th row of either split is found. A pure function of
 * (seed, labels, how many), so the same wherever the file is opened. All functions are Local.
 *
 * Rows are drawn one after the other (Knuth, The Art of Computer Programming 2, 3.4.2, algorithm
 * S): of those that are still to come each is as likely as the next, and in the end there are
 * exactly so many. With classes each of them is drawn from for itself. */
#ifndef LS_DATA_HOLD_OUT_H
#define LS_DATA_HOLD_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/dataset.h>
#include <lockstep/status.h>

/* Of rows, those that are held out. */
typedef struct ls_held ls_held;

/* Where labels come from: rows first .. first+count-1 of the group, each 0 .. classes-1. */
typedef struct ls_label_reader {
    const void *user; /* handed to: */
    ls_status (*read)(const void *user, int64_t first, int64_t count, int32_t *labels);
} ls_label_reader;

/* Draws `wanted` rows out of `rows`.
 * how     LS_HOLD_OUT_RANDOM, of all rows; LS_HOLD_OUT_STRATIFIED, of each class its share, rounded
 *         down or up, but never all of its rows: where classes are that small, fewer are drawn
 * labels  read with LS_HOLD_OUT_STRATIFIED only, twice, some at a time
 * Errors: those of `labels`, LS_ERR_FAILURE when memory is short; *out is left alone. */
ls_status ls_held_draw(ls_held **out, ls_hold_out how, uint64_t seed, int64_t rows, int64_t wanted,
                       int classes, ls_label_reader labels) LS_MUST_CHECK;

/* How many rows are held out. */
int64_t ls_held_count(const ls_held *held);

/* Whether a row is. */
bool ls_held_has(const ls_held *held, int64_t row);

/* The row of the group that is member `index` of a split, and how many members of it lie before a
 * row, 0 .. rows.
 * out  true: the split of the rows that are held out; false: the other */
int64_t ls_held_row(const ls_held *held, bool out, int64_t index);
int64_t ls_held_before(const ls_held *held, bool out, int64_t row);

/* Frees and sets *held to NULL; accepts NULL. */
void ls_held_destroy(ls_held **held);

#endif
