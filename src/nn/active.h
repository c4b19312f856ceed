/* Inputs that are zeros in every row of a batch, as pixels at the margin of images are. They add
 * nothing to a layer's outputs, and their rows of the weights' gradient are zeros, so its products
 * can do without them: of MNIST's pixels a batch of 128 needs two thirds. A weight that is not
 * finite does not show in the loss as long as its input is zero; the parameters are checked after
 * each epoch.
 *
 * B: rows; x [B][D] inputs; W [D][U] weights. */
#ifndef LS_NN_ACTIVE_H
#define LS_NN_ACTIVE_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/range.h>
#include <lockstep/status.h>

typedef struct ls_active {
    const float *of; /* the latest batch */
    bool packed;     /* whether the latest batch has enough of them to be worth it */
    int64_t count;   /* inputs that are left */
    int32_t *column; /* [count] which, ascending; room for D */
    float *x;        /* [B][count] their values; room for capacity */
    float *w;        /* [rows of a slice][U] their rows of W, or of its gradient */
    int64_t capacity;
} ls_active;

/* Room for batches of so many rows, and slices of so many of W's. Local.
 * Errors: LS_ERR_FAILURE when memory is short; *out is left alone. */
ls_status ls_active_create(ls_active **out, int64_t rows, int64_t D, int64_t slice,
                           int64_t U) LS_MUST_CHECK;

/* Frees it and sets *active to NULL; accepts NULL. Local. */
void ls_active_destroy(ls_active **active);

/* Looks at a batch's inputs, those of `among`, and packs them if so many are zeros that it is worth
 * it. Local. */
void ls_active_take(ls_active *active, int64_t rows, ls_range among, int64_t D, int64_t U,
                    const float *x);

/* Which of those that are left belong to these rows of W, as a range of 0 .. count-1. Local. */
ls_range ls_active_within(const ls_active *active, ls_range rows);

/* Copies their rows of W into w. Local. */
void ls_active_gather(ls_active *active, ls_range which, int64_t U, const float *W);

/* Copies w into their rows of W's gradient; the others of these rows become zeros. Local. */
void ls_active_scatter(const ls_active *active, ls_range which, ls_range rows, int64_t U,
                       float *dW);

#endif
