/* Selection of rows of a group that are held out for validation, if these are not simply the last
 * rows: one bit per row, and counts to find the k-th row of either split. A pure function of (seed,
 * labels, number of rows), so the same wherever the file is opened. All functions are Local.
 *
 * Rows are drawn sequentially (Knuth, The Art of Computer Programming 2, 3.4.2, algorithm S): all
 * remaining rows are equally likely, and the total is exact. Stratified draws do this per class. */
#ifndef LS_DATA_HOLD_OUT_H
#define LS_DATA_HOLD_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/dataset.h>
#include <lockstep/status.h>

/* The held-out rows of a group. */
typedef struct ls_held ls_held;

/* Source of labels: reads rows first .. first+count-1 of the group, each label 0 .. classes-1. */
typedef struct ls_label_reader {
    const void *user; /* passed to `read` */
    ls_status (*read)(const void *user, int64_t first, int64_t count, int32_t *labels);
} ls_label_reader;

/* Draws `wanted` of `rows` rows.
 * how     LS_HOLD_OUT_RANDOM: of all rows; LS_HOLD_OUT_STRATIFIED: each class's share, rounded down
 *         or up, but never all rows of a class, so that small classes may reduce the total
 * labels  read with LS_HOLD_OUT_STRATIFIED only, twice, in pieces
 * Errors: those of `labels`; LS_ERR_FAILURE if memory is short. *out is left alone. */
ls_status ls_held_draw(ls_held **out, ls_hold_out how, uint64_t seed, int64_t rows, int64_t wanted,
                       int classes, ls_label_reader labels) LS_MUST_CHECK;

/* Returns the number of held-out rows. */
int64_t ls_held_count(const ls_held *held);

/* Returns true if a row is held out. */
bool ls_held_has(const ls_held *held, int64_t row);

/* ls_held_row() returns the row of the group that is member `index` of a split; ls_held_before()
 * the number of the split's members before row `row`, 0 .. rows.
 * out  true: the split of the held-out rows; false: the other rows */
int64_t ls_held_row(const ls_held *held, bool out, int64_t index);
int64_t ls_held_before(const ls_held *held, bool out, int64_t row);

/* Frees and sets *held to NULL; accepts NULL. */
void ls_held_destroy(ls_held **held);

#endif
