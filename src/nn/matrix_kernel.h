/* Products of plain matrices, and what attention does with rows of them; compiled for several
 * processors.
 *
 * BLAS has its own idea of the best kernel for a processor, and packs both matrices for each call:
 * these products read x in place and pack M in panels, only if that pays. Each element is one sum
 * in the order of k, whatever the sizes: it does not depend on the number of rows, nor on columns
 * of zeros that are left out. */
#ifndef LS_NN_MATRIX_KERNEL_H
#define LS_NN_MATRIX_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

/* A matrix in memory: element (i, j) is at[i * row + j * column]. */
typedef struct ls_operand {
    const float *at;
    int64_t row, column;
} ls_operand;

/* The numbers of what a product is of; NULL: all. */
typedef struct ls_selection {
    const int32_t *k;   /* [K] columns of x and rows of M */
    const int32_t *row; /* [rows] rows of x and of y */
} ls_selection;

/* Rows of scores may be read and written up to a multiple of this beyond their end. */
enum { LS_SCORES = 16 };

typedef struct ls_matrix_kernel {
    /* y [rows][columns] = x M, or += if `add`, with x [rows][K], M [K][columns]; rows of y are at a
     * distance of y_row. */
    void (*product)(int64_t rows, int64_t K, int64_t columns, ls_operand x, ls_operand M, bool add,
                    float *y, int64_t y_row);

    /* The same of selected columns or rows; with a selection of columns x.column is 1. */
    void (*product_of)(ls_selection of, int64_t rows, int64_t K, int64_t columns, ls_operand x,
                       ls_operand M, bool add, float *y, int64_t y_row);

    /* Replaces a row of scores s by softmax(scale s); returns the logarithm of the sum of
     * exponentials of scale s. keys 1 or more. Floats from `keys` to the next multiple of LS_SCORES
     * become 0. */
    float (*softmax)(int64_t keys, float scale, float *s);

    /* The same from the logarithm. */
    void (*softmax_again)(int64_t keys, float scale, float log, float *s);

    /* ds = p (ds - (o . d_o)) scale, of a row; o, d_o [E]. Floats beyond `keys` as for softmax. */
    void (*softmax_gradient)(int64_t keys, float scale, const float *p, int64_t E, const float *o,
                             const float *d_o, float *ds);

    /* Multiplies and adds vectors that stay in registers; returns the number of operations. */
    double (*spin)(int times);
} ls_matrix_kernel;

/* Returns the kernel for this processor. Local. */
const ls_matrix_kernel *ls_matrix_kernel_choose(void);

/* Returns true if products by this processor's kernel are at least as fast as the BLAS library's.
 * Local. Measured, 64 to 128 rows: with AVX-512 faster by 2 to 10 %, with AVX2 slower by 10 %. */
bool ls_matrix_kernel_leads(void);

extern const ls_matrix_kernel ls_matrix_any;
#if defined(__x86_64__)
extern const ls_matrix_kernel ls_matrix_avx2;
extern const ls_matrix_kernel ls_matrix_avx512;
#endif

#endif
