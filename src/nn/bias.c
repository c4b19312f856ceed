/* Bias and fused relu: forward and backward. */
#include "base/dispatch.h"
#include "nn/op.h"

#include <string.h>

/* Several short rows are processed as one long row, with the bias repeated. */
enum { LONG = 64, REPEATED = 2 * LONG };

/* Number of rows that make one long row. */
static int64_t rows_at_once(int64_t rows, int64_t U)
{
    const int64_t repeats = U < LONG ? LONG / U : 1;
    return repeats < rows ? repeats : rows;
}

/* y += b, then a relu if `relu`. */
LS_DISPATCH static void add_bias(int64_t rows, int64_t U, bool relu, const float *restrict b,
                                 float *restrict y)
{
    for (int64_t r = 0; r < rows; r++, y += U) {
        if (!relu) {
            for (int64_t u = 0; u < U; u++)
                y[u] += b[u];
            continue;
        }
        /* This form passes a NaN on: the NaN must reach the loss to be detected. */
        for (int64_t u = 0; u < U; u++) {
            float z = y[u] + b[u];
            y[u] = z < 0 ? 0 : z;
        }
    }
}

void ls_bias_add(int64_t rows, int64_t U, bool relu, const float *b, float *y)
{
    if (b == NULL)
        return;
    float repeated[REPEATED];
    const int64_t repeats = rows_at_once(rows, U), long_rows = repeats > 0 ? rows / repeats : 0;
    if (repeats <= 1) {
        add_bias(rows, U, relu, b, y);
        return;
    }
    for (int64_t i = 0; i < repeats; i++)
        memcpy(repeated + i * U, b, (size_t)U * sizeof *b);
    add_bias(long_rows, repeats * U, relu, repeated, y);
    add_bias(rows - long_rows * repeats, U, relu, b, y + long_rows * repeats * U);
}

/* Applies the relu's mask to dy if `relu`, then db += sum of dy over the rows. */
LS_DISPATCH static void sum_bias(int64_t rows, int64_t U, bool relu, const float *restrict y,
                                 float *restrict dy, float *restrict db)
{
    for (int64_t r = 0; r < rows; r++, y += U, dy += U) {
        if (relu)
            for (int64_t u = 0; u < U; u++)
                dy[u] = y[u] > 0 ? dy[u] : 0;
        for (int64_t u = 0; u < U; u++)
            db[u] += dy[u];
    }
}

void ls_bias_sum(int64_t rows, int64_t U, bool relu, const float *y, float *dy, float *db)
{
    if (db == NULL) {
        for (int64_t i = 0; relu && i < rows * U; i++)
            dy[i] = y[i] > 0 ? dy[i] : 0;
        return;
    }
    float repeated[REPEATED] = {0};
    const int64_t repeats = rows_at_once(rows, U), long_rows = repeats > 0 ? rows / repeats : 0;
    memset(db, 0, (size_t)U * sizeof *db);
    if (repeats <= 1) {
        sum_bias(rows, U, relu, y, dy, db);
        return;
    }
    sum_bias(long_rows, repeats * U, relu, y, dy, repeated);
    sum_bias(rows - long_rows * repeats, U, relu, y + long_rows * repeats * U,
             dy + long_rows * repeats * U, db);
    for (int64_t i = 0; i < repeats; i++)
        for (int64_t u = 0; u < U; u++)
            db[u] += repeated[i * U + u];
}
