/* Matrix products of an operation with its weights W [D][U]. Rows of W can be multiplied part by
 * part, so that the communication of weights and gradients overlaps with the products. Inputs that
 * are zero in the whole batch can be skipped, see nonzero.h.
 *
 * B: rows; x [B][D] inputs; dy [B][U] gradients of the outputs. All functions are Local. */
#ifndef LS_NN_PRODUCT_H
#define LS_NN_PRODUCT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/range.h"
#include "base/group.h"

#include <lockstep/status.h>

typedef struct ls_product ls_product;

/* Creates the products with a matrix.
 * max_rows  largest B
 * sparse    check inputs for columns of zeros, for example pixels at the margin of images
 * Errors: LS_ERR_FAILURE when memory is short; *out is left alone. */
ls_status ls_product_create(ls_product **out, const ls_matrix *matrix, int64_t max_rows,
                            bool sparse) LS_MUST_CHECK;

/* Frees the products and sets *product to NULL; accepts NULL. */
void ls_product_destroy(ls_product **product);

/* Prepares a batch's inputs; to be called before the first product with x.
 * columns  range of columns of x, and of rows of W, for the products */
void ls_product_prepare(ls_product *product, int64_t B, ls_range columns, const float *x);

/* y [B][U] = x[:, rows] W[rows], or y += x[:, rows] W[rows] if `add`.
 * W  [D][U] */
void ls_product_forward(const ls_product *product, int64_t B, ls_range rows, const float *x,
                        const float *W, bool add, float *y);

/* dx[:, rows] = dy W[rows]^T; dx [B][D]. */
void ls_product_backward(const ls_product *product, int64_t B, ls_range rows, const float *dy,
                         const float *W, float *dx);

/* dW[rows] = x[:, rows]^T dy; dW [D][U]. */
void ls_product_gradient(ls_product *product, int64_t B, ls_range rows, const float *x,
                         const float *dy, float *dW);

/* Products of plain matrices by matrix_kernel.c, whose rows are at the stated distances:
 *
 *     ls_product_of_rows        C [rows][N] = A B           A [rows][M], B [M][N]
 *     ls_product_of_transposed  C [rows][M] = A B^T         A [rows][N], B [M][N]
 *     ls_product_of_columns     C [M][N] = A^T B            A [rows][M], B [rows][N]
 *
 * With `add` the product is added to C. */
void ls_product_of_rows(int64_t rows, int64_t M, int64_t N, const float *A, int64_t A_row,
                        const float *B, int64_t B_row, bool add, float *C, int64_t C_row);
void ls_product_of_transposed(int64_t rows, int64_t M, int64_t N, const float *A, int64_t A_row,
                              const float *B, int64_t B_row, bool add, float *C, int64_t C_row);
void ls_product_of_columns(int64_t rows, int64_t M, int64_t N, const float *A, int64_t A_row,
                           const float *B, int64_t B_row, bool add, float *C, int64_t C_row);

#endif
