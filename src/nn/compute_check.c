/* Self-test of matrix products on this processor, of the BLAS library and of our own loops. Each
 * kernel is written, or compiled, for one kind of processor; in some version, or with some
 * compiler, a kernel may be wrong for some shapes.
 *
 * C = A B, or C += A B: m, n: rows and columns of C; k: columns of A and rows of B. All numbers are
 * integers so small that their sums are exact in floats: the correct result does not depend on the
 * order of summation. */
#include <lockstep/compute.h>

#include "base/dispatch.h"
#include "base/fault.h"
#include "base/memory.h"
#include "nn/matrix_kernel.h"

#include <assert.h>
#include <cblas.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Transposition of A and B, as in dense layers: forward, gradient of x, gradient of W. */
typedef enum form { NN, NT, TN, FORMS } form;

typedef struct shape {
    int m, n, k;
    int pad;  /* numbers after each stored row that do not belong to the matrix */
    bool add; /* C += A B */
} shape;

/* Single rows and columns, tails of vectors, whole tiles, shapes of more than one block of a kernel
 * or divided among threads; k = 0: a batch of zeros only, with all columns left out. */
static const shape shapes[] = {
    {1, 1, 1, 0, false},   {1, 10, 31, 3, true},   {7, 1, 130, 2, false},
    {19, 37, 5, 1, true},  {33, 17, 67, 0, false}, {3, 257, 9, 5, false},
    {259, 3, 11, 0, true}, {6, 10, 997, 4, false}, {16, 64, 48, 0, true},
    {5, 6, 0, 1, false},   {8, 40, 0, 0, true},    {101, 107, 109, 1, false},
    {2, 24, 513, 0, true}, {32, 32, 32, 0, false},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

enum { LARGEST_A = 4095, LARGEST_B = 3, UNTOUCHED = 77 };

/* Workspace: matrices without padding, the expected result, and the matrices as stored. */
typedef struct buffers {
    float *a, *b, *c, *expected;
    float *stored_a, *stored_b, *stored_c;
} buffers;

enum { MATRIX = 1 << 14, MATRICES = 7 };

/* Fills x with integers from -largest to largest. */
static void fill_integers(uint32_t seed, int largest, int count, float *x)
{
    for (int i = 0; i < count; i++) {
        seed = seed * 1664525 + 1013904223;
        x[i] = (float)((int)((seed >> 8) % (2 * (uint32_t)largest + 1)) - largest);
    }
}

/* expected = c + a b */
LS_DISPATCH static void reference_product(int m, int n, int k, const float *restrict a,
                                          const float *restrict b, const float *restrict c,
                                          float *restrict expected)
{
    for (int i = 0; i < m; i++) {
        float *row = expected + i * n;
        memcpy(row, c + i * n, (size_t)n * sizeof *row);
        for (int p = 0; p < k; p++)
            for (int j = 0; j < n; j++)
                row[j] += a[i * k + p] * b[p * n + j];
    }
}

/* Stores a matrix, or its transpose, with padding after each row. Returns the length of a row. */
static int store_matrix(int rows, int columns, bool transposed, int pad, float padding,
                        const float *from, float *to)
{
    const int length = (transposed ? rows : columns) + pad;
    assert((transposed ? columns : rows) * length <= MATRIX);
    for (int i = 0; i < (transposed ? columns : rows); i++)
        for (int j = 0; j < length; j++)
            to[i * length + j] = j >= length - pad ? padding
                                 : transposed      ? from[j * columns + i]
                                                   : from[i * columns + j];
    return length > 0 ? length : 1;
}

/* Computes a product. Returns its row length. Tests can corrupt one element through
 * LS_FAULT_PRODUCT. */
static int compute_product(ls_products by, form of, const shape *s, const buffers *d)
{
    const int lda = store_matrix(s->m, s->k, of == TN, s->pad, NAN, d->a, d->stored_a);
    const int ldb = store_matrix(s->k, s->n, of == NT, s->pad, NAN, d->b, d->stored_b);
    const int ldc = store_matrix(s->m, s->n, false, s->pad, UNTOUCHED, d->c, d->stored_c);
    /* NaN: the old values of C must not affect C = A B. */
    for (int i = 0; i < s->m && !s->add; i++)
        for (int j = 0; j < s->n; j++)
            d->stored_c[i * ldc + j] = NAN;
    if (by == LS_PRODUCTS_LOOPS) {
        const ls_operand a = {d->stored_a, of == TN ? 1 : lda, of == TN ? lda : 1};
        const ls_operand b = {d->stored_b, of == NT ? 1 : ldb, of == NT ? ldb : 1};
        ls_matrix_kernel_choose()->product(s->m, s->k, s->n, a, b, s->add, d->stored_c, ldc);
        return ldc;
    }
    cblas_sgemm(CblasRowMajor, of == TN ? CblasTrans : CblasNoTrans,
                of == NT ? CblasTrans : CblasNoTrans, s->m, s->n, s->k, 1, d->stored_a, lda,
                d->stored_b, ldb, s->add, d->stored_c, ldc);
    if (ls_fault(LS_FAULT_PRODUCT) != LS_OK)
        d->stored_c[0] += 1;
    return ldc;
}

static ls_status product_error(ls_products by, form of, const shape *s, int row, int column,
                               float got, float expected)
{
    static const char *const names[FORMS] = {"A B", "A B^T", "A^T B"};
    if (by == LS_PRODUCTS_LOOPS)
        return ls_fail(LS_ERR_FAILURE,
                       "this program computes wrong products on this processor (%s of %d x %d x "
                       "%d: [%d][%d] is %g, not %g): build it with another compiler",
                       names[of], s->m, s->n, s->k, row, column, (double)got, (double)expected);
    return ls_fail(
        LS_ERR_FAILURE,
        "%s computes wrong products on this processor (%s of %d x %d x %d: [%d][%d] is %g, "
        "not %g): choose other kernels, for example OPENBLAS_CORETYPE=%s, or another "
        "version of the library",
        ls_compute_version(), names[of], s->m, s->n, s->k, row, column, (double)got,
        (double)expected, ls_compute_other_kernels());
}

/* Compares all elements, and checks that the padding of C is unchanged. */
static ls_status compare_product(ls_products by, form of, const shape *s, const buffers *d, int ldc)
{
    for (int i = 0; i < s->m; i++)
        for (int j = 0; j < s->n + s->pad; j++) {
            const float got = d->stored_c[i * ldc + j];
            const float expected = j < s->n ? d->expected[i * s->n + j] : (float)UNTOUCHED;
            if (got != expected)
                return product_error(by, of, s, i, j, got, expected);
        }
    return LS_OK;
}

static ls_status check_shape(const shape *s, const buffers *d)
{
    fill_integers(1, LARGEST_A, s->m * s->k, d->a);
    fill_integers(2, LARGEST_B, s->k * s->n, d->b);
    fill_integers(3, s->add ? LARGEST_A : 0, s->m * s->n, d->c);
    reference_product(s->m, s->n, s->k, d->a, d->b, d->c, d->expected);
    ls_status status = LS_OK;
    for (int of = NN; of < FORMS && status == LS_OK; of++)
        for (int by = LS_PRODUCTS_LOOPS; by <= LS_PRODUCTS_BLAS && status == LS_OK; by++)
            status = compare_product((ls_products)by, (form)of, s, d,
                                     compute_product((ls_products)by, (form)of, s, d));
    return status;
}

ls_status ls_compute_check(void)
{
    float *room = ls_alloc(MATRICES * MATRIX, sizeof *room);
    if (room == NULL)
        return LS_ERR_FAILURE;
    const buffers d = {.a = room,
                       .b = room + MATRIX,
                       .c = room + 2 * MATRIX,
                       .expected = room + 3 * MATRIX,
                       .stored_a = room + 4 * MATRIX,
                       .stored_b = room + 5 * MATRIX,
                       .stored_c = room + 6 * MATRIX};
    ls_status status = LS_OK;
    for (int i = 0; i < SHAPES && status == LS_OK; i++)
        status = check_shape(&shapes[i], &d);
    ls_free(room);
    return status;
}
