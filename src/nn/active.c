#include "nn/active.h"

#include "base/dispatch.h"
#include "base/memory.h"

#include <string.h>

/* The rows of a batch may be those of a team, of which this rank has some columns only: a product
 * that is rounded up. */
enum { SPARE = 64 };

ls_status ls_active_create(ls_active **out, int64_t rows, int64_t D, int64_t slice, int64_t U)
{
    ls_active *active = ls_alloc(1, sizeof *active);
    if (active == NULL)
        return LS_ERR_FAILURE;
    active->capacity = (rows + 1) * (D + SPARE);
    active->column = ls_alloc(D, sizeof *active->column);
    active->x = active->column != NULL ? ls_alloc(active->capacity, sizeof *active->x) : NULL;
    active->w = active->x != NULL ? ls_alloc(slice * U, sizeof *active->w) : NULL;
    if (active->w == NULL) {
        ls_active_destroy(&active);
        return LS_ERR_FAILURE;
    }
    *out = active;
    return LS_OK;
}

void ls_active_destroy(ls_active **active)
{
    if (active == NULL || *active == NULL)
        return;
    ls_free((*active)->column);
    ls_free((*active)->x);
    ls_free((*active)->w);
    ls_free(*active);
    *active = NULL;
}

/* Marks which of so many columns, from x on, hold anything in these rows. */
LS_DISPATCH static void mark(int64_t rows, int64_t D, int64_t columns, const float *restrict x,
                             int32_t *restrict found)
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

/* Finds out which columns hold anything; false as soon as they are more than `most`. */
static bool find(int64_t rows, int64_t D, int64_t columns, const float *x, int64_t most,
                 int32_t *found)
{
    enum { SOME = 32 };
    memset(found, 0, (size_t)columns * sizeof *found);
    for (int64_t done = 0; done < rows; done += SOME) {
        const int64_t left = rows - done;
        mark(left < SOME ? left : SOME, D, columns, x + done * D, found);
        if (count_marks(columns, found) > most)
            return false;
    }
    return true;
}

/* How many of the columns may be left if packing is to be worth it. Each that is left out saves two
 * products, of 4 B U operations; looking at inputs and packing them takes as long as some 40 for
 * each of them, copying weights and gradients as some 80 for each that is left (measured). */
static int64_t most_left(int64_t B, int64_t columns, int64_t U)
{
    const double saved = 4 * (double)B * (double)U;
    return (int64_t)((double)columns * (saved - 40 * (double)B) / (saved + 80 * (double)U));
}

/* packed [rows][count] = the columns of x [rows][D] */
LS_DISPATCH static void pack(int64_t rows, int64_t D, int64_t count, const int32_t *restrict column,
                             const float *restrict x, float *restrict packed)
{
    for (int64_t r = 0; r < rows; r++, x += D, packed += count)
        for (int64_t i = 0; i < count; i++)
            packed[i] = x[column[i]];
}

void ls_active_take(ls_active *active, int64_t rows, ls_range among, int64_t D, int64_t U,
                    const float *x)
{
    int32_t *column = active->column;
    const int64_t most = most_left(rows, among.count, U);
    active->of = x;
    active->packed = most > 0 && find(rows, D, among.count, x + among.first, most, column);
    if (!active->packed)
        return;
    active->count = 0;
    for (int64_t j = 0; j < among.count; j++)
        if (column[j] != 0)
            column[active->count++] = (int32_t)(among.first + j);
    active->packed = rows * active->count <= active->capacity;
    if (active->packed)
        pack(rows, D, active->count, column, x, active->x);
}

/* How many of those that are left lie before this column. */
static int64_t before(const ls_active *active, int64_t column)
{
    int64_t low = 0, high = active->count;
    while (low < high) {
        const int64_t middle = (low + high) / 2;
        if (active->column[middle] < column)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

ls_range ls_active_within(const ls_active *active, ls_range rows)
{
    const int64_t first = before(active, rows.first);
    return (ls_range){first, before(active, rows.first + rows.count) - first};
}

void ls_active_gather(ls_active *active, ls_range which, int64_t U, const float *W)
{
    for (int64_t i = 0; i < which.count; i++)
        memcpy(active->w + i * U, W + active->column[which.first + i] * U, (size_t)U * sizeof *W);
}

void ls_active_scatter(const ls_active *active, ls_range which, ls_range rows, int64_t U, float *dW)
{
    const size_t bytes = (size_t)U * sizeof *dW;
    int64_t next = rows.first; /* the first row that is not written yet */
    for (int64_t i = 0; i < which.count; i++) {
        const int64_t row = active->column[which.first + i];
        memset(dW + next * U, 0, (size_t)(row - next) * bytes);
        memcpy(dW + row * U, active->w + i * U, bytes);
        next = row + 1;
    }
    memset(dW + next * U, 0, (size_t)(rows.first + rows.count - next) * bytes);
}
