#include "data/standardize.h"

#include "base/dispatch.h"
#include "base/exact.h"
#include "base/memory.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

ls_status ls_columns_create(ls_columns *out, int64_t count)
{
    ls_columns c = {.count = count};
    c.mean = ls_alloc(2 * count, sizeof *c.mean);
    c.centre = c.mean != NULL ? ls_alloc(2 * count, sizeof *c.centre) : NULL;
    if (c.centre == NULL) {
        ls_columns_destroy(&c);
        return LS_ERR_FAILURE;
    }
    c.std = c.mean + count;
    c.factor = c.centre + count;
    for (int64_t i = 0; i < count; i++)
        c.std[i] = 1;
    (void)ls_columns_complete(&c);
    *out = c;
    return LS_OK;
}

int64_t ls_columns_complete(ls_columns *c)
{
    int64_t constant = 0;
    for (int64_t i = 0; i < c->count; i++) {
        constant += c->std[i] == 0;
        c->std[i] = c->std[i] == 0 ? 1 : c->std[i];
        c->centre[i] = (float)c->mean[i];
        c->factor[i] = (float)(1 / c->std[i]);
    }
    return constant;
}

int64_t ls_columns_find_impossible(const ls_columns *c)
{
    for (int64_t i = 0; i < c->count; i++) {
        const double factor = c->std[i] == 0 ? 1 : 1 / c->std[i];
        if (!(fabs(c->mean[i]) <= (double)FLT_MAX) || !(factor >= (double)FLT_MIN) ||
            !(factor <= (double)FLT_MAX))
            return i;
    }
    return -1;
}

bool ls_columns_equal(const ls_columns *a, const ls_columns *b)
{
    const size_t bytes = (size_t)a->count * sizeof *a->mean;
    return a->count == b->count && (a->count == 0 || (memcmp(a->mean, b->mean, bytes) == 0 &&
                                                      memcmp(a->std, b->std, bytes) == 0));
}

ls_status ls_columns_copy(ls_columns *out, const ls_columns *from)
{
    const ls_status status = ls_columns_create(out, from->count);
    if (status == LS_OK && from->count > 0)
        memcpy(out->mean, from->mean, 2 * (size_t)from->count * sizeof *out->mean);
    if (status == LS_OK)
        (void)ls_columns_complete(out);
    return status;
}

void ls_columns_destroy(ls_columns *c)
{
    ls_free(c->mean);
    ls_free(c->centre);
    *c = (ls_columns){0};
}

void ls_standardization_destroy(ls_standardization *s)
{
    ls_columns_destroy(&s->inputs);
    ls_columns_destroy(&s->targets);
}

LS_DISPATCH static void standardize_row(int64_t count, const float *restrict centre,
                                        const float *restrict factor, float *restrict x)
{
    for (int64_t i = 0; i < count; i++)
        x[i] = (x[i] - centre[i]) * factor[i];
}

LS_DISPATCH static void standardize_plane(int64_t count, float centre, float factor, float *x)
{
    for (int64_t i = 0; i < count; i++)
        x[i] = (x[i] - centre) * factor;
}

/* Standardises rows of [count][pixels]. */
static void standardize_rows(const ls_columns *c, int64_t rows, int64_t pixels, float *x)
{
    for (int64_t r = 0; r < rows && pixels == 1; r++, x += c->count)
        standardize_row(c->count, c->centre, c->factor, x);
    for (int64_t r = 0; r < rows && pixels > 1; r++)
        for (int64_t k = 0; k < c->count; k++, x += pixels)
            standardize_plane(pixels, c->centre[k], c->factor[k], x);
}

void ls_standardize_inputs(const ls_columns *inputs, ls_batch *batch, int64_t channels,
                           int64_t pixels)
{
    assert(inputs->count == 0 || inputs->count == channels);
    if (inputs->count > 0)
        standardize_rows(inputs, batch->rows, pixels, batch->x);
}

void ls_standardize_targets(const ls_columns *targets, ls_batch *batch)
{
    assert(targets->count == 0 || targets->count == batch->values);
    if (targets->count > 0)
        standardize_rows(targets, batch->rows, 1, batch->targets);
}

ls_status ls_column_sums_create(ls_column_sums *out, int64_t columns)
{
    ls_column_sums s = {.columns = columns};
    s.extremes = ls_alloc(7 * columns, sizeof *s.extremes);
    if (s.extremes == NULL)
        return LS_ERR_FAILURE;
    s.sums = s.extremes + 2 * columns;
    s.middle = s.sums + 2 * columns;
    s.quantum = s.middle + columns;
    s.square_quantum = s.quantum + columns;
    for (int64_t i = 0; i < 2 * columns; i++)
        s.extremes[i] = -INFINITY;
    *out = s;
    return LS_OK;
}

void ls_column_sums_destroy(ls_column_sums *s)
{
    ls_free(s->extremes);
    *s = (ls_column_sums){0};
}

LS_DISPATCH static void extend_columns(int64_t count, const float *restrict x,
                                       double *restrict below, double *restrict above)
{
    for (int64_t i = 0; i < count; i++) {
        const double number = x[i];
        below[i] = -number > below[i] ? -number : below[i];
        above[i] = number > above[i] ? number : above[i];
    }
}

void ls_column_sums_extend(ls_column_sums *s, int64_t pixels, const float *x)
{
    double *below = s->extremes, *above = s->extremes + s->columns;
    if (pixels == 1)
        extend_columns(s->columns, x, below, above);
    for (int64_t c = 0; pixels > 1 && c < s->columns; c++)
        for (int64_t p = 0; p < pixels; p++, x++)
            extend_columns(1, x, &below[c], &above[c]);
}

void ls_column_sums_middle(ls_column_sums *s, int64_t numbers)
{
    for (int64_t c = 0; c < s->columns; c++) {
        const double least = -s->extremes[c], most = s->extremes[s->columns + c];
        const double half = (most - least) / 2;
        s->middle[c] = least + half;
        s->quantum[c] = half > 0 ? ls_exact_quantum(half * (double)(numbers + 1)) : 0;
        s->square_quantum[c] = half > 0 ? ls_exact_quantum(half * half * (double)(numbers + 1)) : 0;
    }
}

LS_DISPATCH static void add_columns(int64_t count, const float *restrict x, const ls_column_sums *s,
                                    int64_t first)
{
    const double *restrict middle = s->middle + first, *restrict quantum = s->quantum + first;
    const double *restrict square_quantum = s->square_quantum + first;
    double *restrict sum = s->sums + first, *restrict squares = s->sums + s->columns + first;
    for (int64_t i = 0; i < count; i++) {
        const double difference = (double)x[i] - middle[i];
        sum[i] += ls_exact_round(difference, quantum[i]);
        squares[i] += ls_exact_round(difference * difference, square_quantum[i]);
    }
}

void ls_column_sums_add(ls_column_sums *s, int64_t pixels, const float *x)
{
    if (pixels == 1)
        add_columns(s->columns, x, s, 0);
    for (int64_t c = 0; pixels > 1 && c < s->columns; c++)
        for (int64_t p = 0; p < pixels; p++, x++)
            add_columns(1, x, s, c);
}

void ls_column_sums_finish(const ls_column_sums *s, int64_t numbers, ls_columns *out)
{
    for (int64_t c = 0; c < s->columns; c++) {
        const double mean = s->sums[c] / (double)numbers;
        const double variance = s->sums[s->columns + c] / (double)numbers - mean * mean;
        const bool constant = s->quantum[c] == 0 || !(variance > 0);
        out->mean[c] = s->middle[c] + mean;
        out->std[c] = constant ? 0 : sqrt(variance);
    }
}
