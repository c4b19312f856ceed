#include "nn/product.h"

#include "base/integer.h"
#include "base/memory.h"
#include "nn/matrix_kernel.h"
#include "nn/nonzero.h"

#include <lockstep/compute.h>

#include <cblas.h>
#include <string.h>

struct ls_product {
    ls_matrix matrix;
    ls_range columns;    /* latest argument of ls_product_prepare() */
    bool by_loops;       /* since then, see ls_compute_products() */
    ls_nonzero *nonzero; /* NULL: inputs are not checked for zeros */
};

ls_status ls_product_create(ls_product **out, const ls_matrix *matrix, int64_t max_rows,
                            bool sparse)
{
    ls_product *p = ls_alloc(1, sizeof *p);
    if (p == NULL)
        return LS_ERR_FAILURE;
    p->matrix = *matrix;
    ls_status status = LS_OK;
    if (sparse)
        status = ls_nonzero_create(&p->nonzero, max_rows, matrix->rows, ls_matrix_slice(matrix),
                                   matrix->columns);
    if (status != LS_OK) {
        ls_product_destroy(&p);
        return status;
    }
    *out = p;
    return LS_OK;
}

void ls_product_destroy(ls_product **product)
{
    if (product == NULL || *product == NULL)
        return;
    ls_nonzero_destroy(&(*product)->nonzero);
    ls_free(*product);
    *product = NULL;
}

void ls_product_prepare(ls_product *p, int64_t B, ls_range columns, const float *x)
{
    p->columns = columns;
    p->by_loops = ls_compute_products() == LS_PRODUCTS_LOOPS;
    if (p->nonzero != NULL)
        ls_nonzero_pack(p->nonzero, B, columns, p->matrix.rows, p->matrix.columns, p->by_loops, x);
}

/* Returns true if the prepared inputs are packed: then W's rows are multiplied in slices, as packed
 * rows of W have memory for one slice only. */
static bool is_packed(const ls_product *p)
{
    return p->nonzero != NULL && p->nonzero->packed;
}

/* The columns of x, and rows of W, that are multiplied within a range; NULL: all. */
static const int32_t *selected(const ls_product *p, ls_range *range)
{
    if (!is_packed(p))
        return NULL;
    *range = ls_nonzero_within(p->nonzero, *range);
    return p->nonzero->column + range->first;
}

static void forward_by_loops(const ls_product *p, int64_t B, ls_range rows, const float *x,
                             const float *W, bool add, float *y)
{
    const int64_t D = p->matrix.rows, U = p->matrix.columns;
    const int32_t *of = selected(p, &rows);
    const int64_t first = of == NULL ? rows.first : 0;
    ls_matrix_kernel_choose()->product_of((ls_selection){of, NULL}, B, rows.count, U,
                                          (ls_operand){x + first, D, 1},
                                          (ls_operand){W + first * U, U, 1}, add, y, U);
}

static void backward_by_loops(const ls_product *p, int64_t B, ls_range rows, const float *dy,
                              const float *W, float *dx)
{
    const int64_t D = p->matrix.rows, U = p->matrix.columns;
    ls_matrix_kernel_choose()->product(B, U, rows.count, (ls_operand){dy, U, 1},
                                       (ls_operand){W + rows.first * U, 1, U}, false,
                                       dx + rows.first, D);
}

/* Sets the rows of dW that are not selected to zero. */
static void clear_others(ls_range rows, const int32_t *of, int64_t count, int64_t U, float *dW)
{
    int64_t next = rows.first;
    for (int64_t i = 0; i <= count; i++) {
        const int64_t row = i < count ? of[i] : rows.first + rows.count;
        memset(dW + next * U, 0, (size_t)((row - next) * U) * sizeof *dW);
        next = row + 1;
    }
}

static void gradient_by_loops(const ls_product *p, int64_t B, ls_range rows, const float *x,
                              const float *dy, float *dW)
{
    const int64_t D = p->matrix.rows, U = p->matrix.columns;
    ls_range which = rows;
    const int32_t *of = selected(p, &which);
    const int64_t first = of == NULL ? rows.first : 0;
    if (of != NULL)
        clear_others(rows, of, which.count, U, dW);
    ls_matrix_kernel_choose()->product_of((ls_selection){NULL, of}, which.count, B, U,
                                          (ls_operand){x + first, 1, D}, (ls_operand){dy, U, 1},
                                          false, dW + first * U, U);
}

/* The slice of W's rows that ends before row `end` and does not begin before `first`, see
 * ls_matrix_slice(). */
static ls_range slice_below(const ls_product *p, int64_t first, int64_t end)
{
    const int64_t slice = ls_matrix_slice(&p->matrix), boundary = (end - 1) / slice * slice;
    const int64_t begin = boundary > first ? boundary : first;
    return (ls_range){begin, end - begin};
}

/* Floats in a row of the packed inputs; BLAS requires 1 or more. */
static int row_length(const ls_nonzero *n)
{
    return n->count > 0 ? ls_int(n->count) : 1;
}

static void forward_packed(const ls_product *p, int64_t B, ls_range rows, const float *W, bool add,
                           float *y)
{
    ls_nonzero *n = p->nonzero;
    const int U = ls_int(p->matrix.columns);
    for (ls_range of = {rows.first + rows.count, 0}; of.first > rows.first; add = true) {
        of = slice_below(p, rows.first, of.first);
        const ls_range which = ls_nonzero_within(n, of);
        ls_nonzero_gather(n, which, U, W);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, ls_int(B), U, ls_int(which.count), 1,
                    n->x + which.first, row_length(n), n->w, U, add, y, U);
    }
}

void ls_product_forward(const ls_product *p, int64_t B, ls_range rows, const float *x,
                        const float *W, bool add, float *y)
{
    if (p->by_loops) {
        forward_by_loops(p, B, rows, x, W, add, y);
        return;
    }
    const int D = ls_int(p->matrix.rows), U = ls_int(p->matrix.columns);
    if (is_packed(p)) {
        forward_packed(p, B, rows, W, add, y);
        return;
    }
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, ls_int(B), U, ls_int(rows.count), 1,
                x + rows.first, D, W + rows.first * U, U, add, y, U);
}

void ls_product_backward(const ls_product *p, int64_t B, ls_range rows, const float *dy,
                         const float *W, float *dx)
{
    if (p->by_loops) {
        backward_by_loops(p, B, rows, dy, W, dx);
        return;
    }
    const int D = ls_int(p->matrix.rows), U = ls_int(p->matrix.columns);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, ls_int(B), ls_int(rows.count), U, 1, dy, U,
                W + rows.first * U, U, 0, dx + rows.first, D);
}

static void gradient_packed(const ls_product *p, int64_t B, ls_range rows, const float *dy,
                            float *dW)
{
    ls_nonzero *n = p->nonzero;
    const int U = ls_int(p->matrix.columns);
    for (ls_range of = {rows.first + rows.count, 0}; of.first > rows.first;) {
        of = slice_below(p, rows.first, of.first);
        const ls_range which = ls_nonzero_within(n, of);
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, ls_int(which.count), U, ls_int(B), 1,
                    n->x + which.first, row_length(n), dy, U, 0, n->w, U);
        ls_nonzero_scatter(n, which, of, U, dW);
    }
}

void ls_product_gradient(ls_product *p, int64_t B, ls_range rows, const float *x, const float *dy,
                         float *dW)
{
    const int D = ls_int(p->matrix.rows), U = ls_int(p->matrix.columns);
    if (p->nonzero != NULL && p->nonzero->of != x) /* a later micro-batch was packed */
        ls_product_prepare(p, B, p->columns, x);
    if (p->by_loops) {
        gradient_by_loops(p, B, rows, x, dy, dW);
        return;
    }
    if (is_packed(p)) {
        gradient_packed(p, B, rows, dy, dW);
        return;
    }
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, ls_int(rows.count), U, ls_int(B), 1,
                x + rows.first, D, dy, U, 0, dW + rows.first * U, U);
}

const ls_matrix_kernel *ls_matrix_kernel_choose(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f"))
        return &ls_matrix_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return &ls_matrix_avx2;
#endif
    return &ls_matrix_any;
}

bool ls_matrix_kernel_leads(void)
{
#if defined(__x86_64__)
    return ls_matrix_kernel_choose() == &ls_matrix_avx512;
#else
    return false;
#endif
}

void ls_product_of_rows(int64_t rows, int64_t M, int64_t N, const float *A, int64_t A_row,
                        const float *B, int64_t B_row, bool add, float *C, int64_t C_row)
{
    ls_matrix_kernel_choose()->product(rows, M, N, (ls_operand){A, A_row, 1},
                                       (ls_operand){B, B_row, 1}, add, C, C_row);
}

void ls_product_of_transposed(int64_t rows, int64_t M, int64_t N, const float *A, int64_t A_row,
                              const float *B, int64_t B_row, bool add, float *C, int64_t C_row)
{
    ls_matrix_kernel_choose()->product(rows, N, M, (ls_operand){A, A_row, 1},
                                       (ls_operand){B, 1, B_row}, add, C, C_row);
}

void ls_product_of_columns(int64_t rows, int64_t M, int64_t N, const float *A, int64_t A_row,
                           const float *B, int64_t B_row, bool add, float *C, int64_t C_row)
{
    ls_matrix_kernel_choose()->product(M, rows, N, (ls_operand){A, 1, A_row},
                                       (ls_operand){B, B_row, 1}, add, C, C_row);
}
