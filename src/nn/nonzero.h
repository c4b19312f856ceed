/* Columns of a batch's inputs that are not all zeros. A column of zeros, as a pixel at the margin of
 * images, adds nothing to a layer's outputs, and its row of the weights' gradient is zero, so the
 * products can leave it out: of MNIST's pixels a batch of 128 needs two thirds. A weight that is NaN
 * or Inf does not show in the loss as long as its input is zero; the parameters are checked after
 * each epoch.
 *
 * B: rows; x [B][D] inputs; W [D][U] weights. All functions are Local. */
#ifndef LS_NN_NONZERO_H
#define LS_NN_NONZERO_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/range.h>
#include <lockstep/status.h>

typedef struct ls_nonzero {
    const float *of; /* inputs of the latest batch; borrowed */
    bool packed;     /* true if that batch has enough zero columns for packing to pay */
    int64_t count;   /* non-zero columns */
    int32_t *column; /* [count] their numbers, ascending; room for D */
    float *x;        /* [B][count] their values; room for `capacity` floats */
    float *w;        /* [rows of a slice][U] their rows of W, or of its gradient */
    int64_t capacity;
} ls_nonzero;

/* Makes room for batches of `rows` rows and slices of `slice` of W's rows.
 * Errors: LS_ERR_FAILURE when memory is short; *out is left alone. */
ls_status ls_nonzero_create(ls_nonzero **out, int64_t rows, int64_t D, int64_t slice,
                            int64_t U) LS_MUST_CHECK;

/* Frees the room and sets *nonzero to NULL; accepts NULL. */
void ls_nonzero_destroy(ls_nonzero **nonzero);

/* Finds the non-zero ones of `columns` of a batch's inputs x [B][D], and packs them if that pays. */
void ls_nonzero_pack(ls_nonzero *nonzero, int64_t B, ls_range columns, int64_t D, int64_t U,
                     const float *x);

/* Returns which of the packed columns, 0 .. count-1, belong to these rows of W. */
ls_range ls_nonzero_within(const ls_nonzero *nonzero, ls_range rows);

/* Copies the rows of W that belong to these packed columns into w. */
void ls_nonzero_gather(ls_nonzero *nonzero, ls_range which, int64_t U, const float *W);

/* Copies w into the rows of dW that belong to these packed columns; the others of `rows` become
 * zeros. */
void ls_nonzero_scatter(const ls_nonzero *nonzero, ls_range which, ls_range rows, int64_t U,
                        float *dW);

#endif
