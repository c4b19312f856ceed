#include "nn/nonzero.h"

#include "base/dispatch.h"
#include "base/memory.h"

#include <string.h>

/* Spare columns: a rank of a tensor-parallel group multiplies the rows of all ranks of the group
 * with a range of the columns; the size of this range is rounded up. */
enum { SPARE = 64 };

ls_status ls_nonzero_create(ls_nonzero **out, int64_t rows, int64_t D, int64_t slice, int64_t U)
{
    ls_nonzero *n = ls_alloc(1, sizeof *n);
    if (n == NULL)
        return LS_ERR_FAILURE;
    n->capacity = (rows + 1) * (D + SPARE);
    n->column = ls_alloc(D, sizeof *n->column);
    n->x = n->column != NULL ? ls_alloc(n->capacity, sizeof *n->x) : NULL;
    n->w = n->x != NULL ? ls_alloc(slice * U, sizeof *n->w) : NULL;
    if (n->w == NULL) {
        ls_nonzero_destroy(&n);
        return LS_ERR_FAILURE;
    }
    *out = n;
    return LS_OK;
}

void ls_nonzero_destroy(ls_nonzero **n)
{
    if (n == NULL || *n == NULL)
        return;
    ls_free((*n)->column);
    ls_free((*n)->x);
    ls_free((*n)->w);
    ls_free(*n);
    *n = NULL;
}

/* Sets found[j] if column j, counted from x on, has a non-zero value. */
LS_DISPATCH static void mark_nonzero(int64_t rows, int64_t D, int64_t columns,
                                     const float *restrict x, int32_t *restrict found)
{
    for (int64_t r = 0; r < rows; r++, x += D)
        for (int64_t j = 0; j < columns; j++)
            found[j] |= x[j] != 0;
}

LS_DISPATCH static int64_t count_marks(int64_t columns, const int32_t *found)
{
    int64_t count = 0;
    for (int64_t j = 0; j < columns; j++)
        count += found[j];
    return count;
}

/* Marks the non-zero columns; returns false as soon as there are more than `most`. */
static bool find_nonzero(int64_t rows, int64_t D, int64_t columns, const float *x, int64_t most,
                         int32_t *found)
{
    enum { SOME = 32 };
    memset(found, 0, (size_t)columns * sizeof *found);
    for (int64_t done = 0; done < rows; done += SOME) {
        const int64_t left = rows - done;
        mark_nonzero(left < SOME ? left : SOME, D, columns, x + done * D, found);
        if (count_marks(columns, found) > most)
            return false;
    }
    return true;
}

/* The largest number of non-zero columns for which packing pays. Each zero column saves 4 B U
 * operations in two products. Measured costs: scanning and packing an input costs as much as 40
 * operations, copying a weight and its gradient as much as 80. */
static int64_t max_columns(int64_t B, int64_t columns, int64_t U, bool in_place)
{
    if (in_place) /* little is copied: leaving columns out pays if there are any */
        return columns - 1 - columns / 32;
    const double saved = 4 * (double)B * (double)U;
    return (int64_t)((double)columns * (saved - 40 * (double)B) / (saved + 80 * (double)U));
}

/* packed [rows][count] = the given columns of x [rows][D] */
LS_DISPATCH static void pack_columns(int64_t rows, int64_t D, int64_t count,
                                     const int32_t *restrict column, const float *restrict x,
                                     float *restrict packed)
{
    for (int64_t r = 0; r < rows; r++, x += D, packed += count)
        for (int64_t i = 0; i < count; i++)
            packed[i] = x[column[i]];
}

void ls_nonzero_pack(ls_nonzero *n, int64_t B, ls_range columns, int64_t D, int64_t U,
                     bool in_place, const float *x)
{
    int32_t *column = n->column;
    const int64_t most = max_columns(B, columns.count, U, in_place);
    n->of = x;
    n->packed = most > 0 && find_nonzero(B, D, columns.count, x + columns.first, most, column);
    if (!n->packed)
        return;
    n->count = 0;
    for (int64_t j = 0; j < columns.count; j++)
        if (column[j] != 0)
            column[n->count++] = (int32_t)(columns.first + j);
    n->packed = in_place || B * n->count <= n->capacity;
    if (n->packed && !in_place)
        pack_columns(B, D, n->count, column, x, n->x);
}

/* The number of packed columns before a column of x. */
static int64_t packed_before(const ls_nonzero *n, int64_t column)
{
    int64_t low = 0, high = n->count;
    while (low < high) {
        const int64_t middle = (low + high) / 2;
        if (n->column[middle] < column)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

ls_range ls_nonzero_within(const ls_nonzero *n, ls_range rows)
{
    const int64_t first = packed_before(n, rows.first);
    return (ls_range){first, packed_before(n, rows.first + rows.count) - first};
}

void ls_nonzero_gather(ls_nonzero *n, ls_range which, int64_t U, const float *W)
{
    for (int64_t i = 0; i < which.count; i++)
        memcpy(n->w + i * U, W + n->column[which.first + i] * U, (size_t)U * sizeof *W);
}

void ls_nonzero_scatter(const ls_nonzero *n, ls_range which, ls_range rows, int64_t U, float *dW)
{
    const size_t bytes = (size_t)U * sizeof *dW;
    int64_t next = rows.first; /* next row to write */
    for (int64_t i = 0; i < which.count; i++) {
        const int64_t row = n->column[which.first + i];
        memset(dW + next * U, 0, (size_t)(row - next) * bytes);
        memcpy(dW + row * U, n->w + i * U, bytes);
        next = row + 1;
    }
    memset(dW + next * U, 0, (size_t)(rows.first + rows.count - next) * bytes);
}
