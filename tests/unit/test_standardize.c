/* Statistics of columns, and batches standardised by them. */
#include "test.h"

#include "base/rng.h"
#include "data/standardize.h"

#include <math.h>
#include <string.h>

enum { ROWS = 20000, COLUMNS = 3 };

/* Rows whose columns have mean 2000 and deviation 1; mean 0 and a few outliers; one number only. */
static float *make_rows(void)
{
    float *x = malloc(ROWS * COLUMNS * sizeof *x);
    for (int64_t r = 0; r < ROWS; r++) {
        const double u = ls_rng_uniform(1, (uint64_t)(2 * r));
        const double v = ls_rng_uniform(1, (uint64_t)(2 * r + 1));
        const double normal = sqrt(-2 * log(1 - u)) * cos(6.283185307179586 * v);
        x[r * COLUMNS] = (float)(2000 + normal);
        x[r * COLUMNS + 1] = (float)(r % 5000 == 7 ? 1e4 : v - 0.5);
        x[r * COLUMNS + 2] = 7.25f;
    }
    return x;
}

/* Adds parts of the rows, as ranks would, and combines them. */
static void find_statistics(const float *x, int ranks, ls_columns *out)
{
    ls_column_sums total, mine;
    assert_ok(ls_column_sums_create(&total, COLUMNS));
    for (int64_t r = 0; r < ROWS; r++)
        ls_column_sums_extend(&total, 1, x + r * COLUMNS);
    ls_column_sums_middle(&total, ROWS);
    for (int rank = ranks - 1; rank >= 0; rank--) {
        assert_ok(ls_column_sums_create(&mine, COLUMNS));
        memcpy(mine.extremes, total.extremes, 2 * COLUMNS * sizeof(double));
        ls_column_sums_middle(&mine, ROWS);
        for (int64_t r = rank; r < ROWS; r += ranks)
            ls_column_sums_add(&mine, 1, x + r * COLUMNS);
        for (int i = 0; i < 2 * COLUMNS; i++)
            total.sums[i] += mine.sums[i];
        ls_column_sums_destroy(&mine);
    }
    ls_column_sums_finish(&total, ROWS, out);
    ls_column_sums_destroy(&total);
}

static void statistics_agree_with_two_passes_in_extended_precision(void **state)
{
    (void)state;
    float *x = make_rows();
    ls_columns c;
    assert_ok(ls_columns_create(&c, COLUMNS));
    find_statistics(x, 1, &c);
    for (int k = 0; k < COLUMNS; k++) {
        long double mean = 0, squares = 0;
        for (int64_t r = 0; r < ROWS; r++)
            mean += (long double)x[r * COLUMNS + k] / ROWS;
        for (int64_t r = 0; r < ROWS; r++)
            squares += ((long double)x[r * COLUMNS + k] - mean) *
                       ((long double)x[r * COLUMNS + k] - mean) / ROWS;
        assert_true(fabs(c.mean[k] - (double)mean) <= 1e-9 * (1 + fabs((double)mean)));
        assert_true(fabs(c.std[k] - sqrt((double)squares)) <= 1e-8 * (1 + c.std[k]));
    }
    ls_columns_destroy(&c);
    free(x);
}

static void statistics_have_the_same_bits_in_any_division_of_the_rows(void **state)
{
    (void)state;
    float *x = make_rows();
    ls_columns one, many;
    assert_ok(ls_columns_create(&one, COLUMNS));
    assert_ok(ls_columns_create(&many, COLUMNS));
    find_statistics(x, 1, &one);
    for (int ranks = 2; ranks <= 7; ranks++) {
        find_statistics(x, ranks, &many);
        assert_memory_equal(one.mean, many.mean, COLUMNS * sizeof(double));
        assert_memory_equal(one.std, many.std, COLUMNS * sizeof(double));
    }
    ls_columns_destroy(&one);
    ls_columns_destroy(&many);
    free(x);
}

static void a_column_of_equal_numbers_becomes_zero(void **state)
{
    (void)state;
    float *x = make_rows();
    ls_standardization s = {.inputs = {0}};
    ls_batch *batch;
    assert_ok(ls_columns_create(&s.inputs, COLUMNS));
    find_statistics(x, 3, &s.inputs);
    assert_int_equal(ls_columns_complete(&s.inputs), 1);
    assert_true(s.inputs.std[2] == 1);
    assert_ok(ls_batch_create(&batch, 2, COLUMNS, 0));
    batch->rows = 2;
    memcpy(batch->x, x, 2 * COLUMNS * sizeof *x);
    ls_standardize_inputs(&s.inputs, batch, COLUMNS, 1);
    ls_standardize_targets(&s.targets, batch);
    assert_true(batch->x[2] == 0 && batch->x[5] == 0);
    assert_true(fabs(batch->x[0] - (x[0] - s.inputs.mean[0]) / s.inputs.std[0]) < 1e-3);
    ls_batch_destroy(&batch);
    ls_standardization_destroy(&s);
    free(x);
}

static void channels_of_images_and_values_of_targets_are_columns(void **state)
{
    (void)state;
    ls_standardization s = {.inputs = {0}};
    ls_batch *batch;
    assert_ok(ls_columns_create(&s.inputs, 2));
    assert_ok(ls_columns_create(&s.targets, 3));
    for (int k = 0; k < 3; k++) {
        s.targets.mean[k] = k;
        s.targets.std[k] = 2;
    }
    s.inputs.mean[1] = 10;
    s.inputs.std[1] = 5;
    assert_int_equal(ls_columns_complete(&s.inputs) + ls_columns_complete(&s.targets), 0);
    assert_ok(ls_batch_create(&batch, 1, 4, 3));
    batch->rows = 1;
    memcpy(batch->x, (const float[]){1, 2, 20, 5}, 4 * sizeof(float));
    memcpy(batch->targets, (const float[]){4, 5, 6}, 3 * sizeof(float));
    ls_standardize_inputs(&s.inputs, batch, 2, 2);
    ls_standardize_targets(&s.targets, batch);
    assert_memory_equal(batch->x, ((const float[]){1, 2, 2, -1}), 4 * sizeof(float));
    assert_memory_equal(batch->targets, ((const float[]){2, 2, 2}), 3 * sizeof(float));
    ls_batch_destroy(&batch);
    ls_standardization_destroy(&s);
}

/* By floats, in which 1e300 and 1e-300 have no place. */
static void a_column_that_can_not_be_standardised_is_found(void **state)
{
    (void)state;
    static const struct {
        double mean, std;
        bool possible;
    } cases[] = {{0, 1, true},         {-1e30, 0, true}, {1e300, 1, false}, {0, 1e-300, false},
                 {0, 1e300, false},    {0, -1, false},   {NAN, 1, false},   {0, NAN, false},
                 {INFINITY, 1, false}, {0, 1e-37, true}};
    ls_columns c;
    assert_ok(ls_columns_create(&c, 3));
    assert_int_equal(ls_columns_find_impossible(&c), -1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        c.mean[1] = cases[i].mean;
        c.std[1] = cases[i].std;
        assert_int_equal(ls_columns_find_impossible(&c), cases[i].possible ? -1 : 1);
    }
    ls_columns_destroy(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statistics_agree_with_two_passes_in_extended_precision),
        cmocka_unit_test(statistics_have_the_same_bits_in_any_division_of_the_rows),
        cmocka_unit_test(a_column_of_equal_numbers_becomes_zero),
        cmocka_unit_test(channels_of_images_and_values_of_targets_are_columns),
        cmocka_unit_test(a_column_that_can_not_be_standardised_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
