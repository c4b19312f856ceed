/* Non-zero columns of a batch's inputs. A column of zeros, for example a pixel at the margin of all
 * images, adds nothing to a layer's outputs, and its row of the weights' gradient is zero. So
 * products can skip the column: a batch of 128 needs two thirds of MNIST's pixels. A weight that is
 * NaN or Inf does not affect the loss as long as its input is zero; the parameters are checked
 * after each epoch.
 *
 * B: rows; x [B][D] inputs; W [D][U] weights. All functions are Local. */
#ifndef LS_NN_NONZERO_H
#define LS_NN_NONZERO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/range.h"

#include <lockstep/status.h>

typedef struct ls_nonzero {
    const float *of; /* inputs of the latest batch; borrowed */
    bool packed;     /* true if that batch has enough zero columns for leaving them out to pay */
    int64_t count;   /* non-zero columns */
    int32_t *column; /* [count] numbers of the non-zero columns, ascending; allocated: D */
    float *x;        /* [B][count] packed columns; allocated: `capacity` */
    float *w;        /* [rows of a slice][U] packed rows of W, or of W's gradient */
    int64_t capacity;
} ls_nonzero;

/* Allocates memory for batches of `rows` rows and slices of `slice` rows of W.
 * Errors: LS_ERR_FAILURE when memory is short; *out is left alone. */
ls_status ls_nonzero_create(ls_nonzero **out, int64_t rows, int64_t D, int64_t slice,
                            int64_t U) LS_MUST_CHECK;

/* Frees all memory and sets *nonzero to NULL; accepts NULL. */
void ls_nonzero_destroy(ls_nonzero **nonzero);

/* Finds the non-zero columns of a batch's inputs x [B][D] within the range `columns`, and packs
 * them if packing pays.
 * in_place  the columns are not copied: products read them where they are */
void ls_nonzero_pack(ls_nonzero *n, int64_t B, ls_range columns, int64_t D, int64_t U,
                     bool in_place, const float *x);

/* Returns the range of packed columns, within 0 .. count-1, that belong to `rows` of W. */
ls_range ls_nonzero_within(const ls_nonzero *nonzero, ls_range rows);

/* Copies the rows of W that belong to the packed columns `which` into w. */
void ls_nonzero_gather(ls_nonzero *nonzero, ls_range which, int64_t U, const float *W);

/* Copies w into the rows of dW that belong to the packed columns `which`; sets the other rows in
 * `rows` to zero. */
void ls_nonzero_scatter(const ls_nonzero *nonzero, ls_range which, ls_range rows, int64_t U,
                        float *dW);

#endif
