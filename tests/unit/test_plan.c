/* The plan of an epoch; without MPI, ranks are plain numbers. */
#include "test.h"

#include "data/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ROWS = 20, MOST_RANKS = 9, MOST_BATCH = 7 };
static const ls_shuffle shuffles[] = {LS_SHUFFLE_GLOBAL, LS_SHUFFLE_LOCAL, LS_SHUFFLE_NONE};

/* Asserts that an epoch has each row once and that ls_plan_locate() inverts ls_plan_row(). */
static void check_epoch(const ls_plan *plan, int64_t epoch)
{
    int seen[MOST_ROWS] = {0};
    int64_t next[MOST_RANKS] = {0};
    for (int64_t step = 0; step < plan->steps; step++) {
        int64_t in_step = 0;
        for (int rank = 0; rank < plan->ranks; rank++) {
            ls_range slice = ls_plan_slice(plan, rank, step);
            assert_int_equal(slice.first, next[rank]);
            next[rank] += slice.count;
            in_step += slice.count;
            for (int64_t i = slice.first; i < slice.first + slice.count; i++) {
                int64_t row = ls_plan_row(plan, epoch, rank, i);
                assert_in_range(row, 0, plan->rows - 1);
                seen[row]++;
                ls_place place = ls_plan_locate(plan, epoch, row);
                assert_int_equal(place.rank, rank);
                assert_int_equal(place.index, i);
            }
        }
        if (plan->shuffle != LS_SHUFFLE_LOCAL) {
            int64_t left = plan->rows - step * plan->batch;
            assert_int_equal(in_step, left < plan->batch ? left : plan->batch);
        } else {
            int64_t even = plan->rows / plan->steps;
            assert_in_range(in_step, even, even + (plan->rows % plan->steps != 0));
        }
    }
    for (int64_t row = 0; row < plan->rows; row++)
        assert_int_equal(seen[row], 1);
    for (int rank = 0; rank < plan->ranks; rank++)
        assert_int_equal(next[rank], ls_plan_rank_rows(plan, rank));
}

static void an_epoch_has_each_row_once(void **state)
{
    (void)state;
    ls_plan plan;
    for (size_t k = 0; k < sizeof shuffles / sizeof *shuffles; k++)
        for (int ranks = 1; ranks <= MOST_RANKS; ranks++)
            for (int batch = 1; batch <= MOST_BATCH; batch++) {
                assert_fails(ls_plan_make(&plan, 0, ranks, batch, 5, shuffles[k], 1), LS_ERR_USAGE,
                             "no rows");
                for (int rows = 1; rows <= MOST_ROWS; rows++) {
                    assert_ok(ls_plan_make(&plan, rows, ranks, batch, 5, shuffles[k], 1));
                    assert_int_equal(plan.steps, (rows + batch - 1) / batch);
                    for (int64_t epoch = 0; epoch < 3; epoch++)
                        check_epoch(&plan, epoch);
                }
            }
}

/* Also, the rows of a window are consecutive in the epoch. */
static void an_epoch_in_windows_has_each_row_once(void **state)
{
    (void)state;
    ls_plan plan;
    for (int ranks = 1; ranks <= 4; ranks++)
        for (int rows = 1; rows <= MOST_ROWS; rows++)
            for (int window = 1; window <= MOST_ROWS; window += window < 6 ? 1 : 7)
                for (int64_t epoch = 0; epoch < 3; epoch++) {
                    assert_ok(ls_plan_make(&plan, rows, ranks, 3, 5, LS_SHUFFLE_LOCAL, 1));
                    plan.window = window;
                    check_epoch(&plan, epoch);
                    for (int rank = 0; rank < ranks; rank++)
                        for (int64_t i = 0; i < ls_plan_rank_rows(&plan, rank); i++) {
                            int64_t first;
                            const ls_range w = ls_plan_window(&plan, epoch, rank, i, &first);
                            const int64_t row = ls_plan_row(&plan, epoch, rank, i);
                            assert_in_range(w.count, 1, window);
                            assert_in_range(i, first, first + w.count - 1);
                            assert_in_range(row, w.first, w.first + w.count - 1);
                        }
                }
}

/* The order of the windows differs between epochs, the order of rows from that of the file. */
static void windows_and_their_rows_are_shuffled(void **state)
{
    (void)state;
    enum { ROWS = 1000, WINDOW = 30 };
    ls_plan plan;
    int in_place = 0, as_before = 0;
    assert_ok(ls_plan_make(&plan, ROWS, 1, 10, 7, LS_SHUFFLE_LOCAL, 1));
    plan.window = WINDOW;
    for (int64_t i = 0; i < ROWS; i++) {
        int64_t first;
        const ls_range w = ls_plan_window(&plan, 1, 0, i, &first);
        in_place += ls_plan_row(&plan, 1, 0, i) - w.first == i - first;
        as_before += ls_plan_row(&plan, 1, 0, i) / WINDOW == ls_plan_row(&plan, 2, 0, i) / WINDOW;
    }
    assert_in_range(in_place, 5, 90); /* a 30th: 33 */
    assert_in_range(as_before, 0, 150);
}

/* Slices begin at multiples of the block. */
static void an_epoch_in_blocks_has_each_row_once(void **state)
{
    (void)state;
    ls_plan plan;
    for (int ranks = 1; ranks <= MOST_RANKS; ranks++)
        for (int batch = 1; batch <= MOST_BATCH; batch++)
            for (int block = 1; block <= MOST_BATCH + 1; block++)
                for (int rows = 1; rows <= MOST_ROWS; rows++) {
                    assert_ok(ls_plan_make(&plan, rows, ranks, batch, 5, LS_SHUFFLE_GLOBAL, block));
                    check_epoch(&plan, 1);
                    for (int64_t step = 0; step < plan.steps; step++) {
                        int64_t before = 0;
                        for (int rank = 0; rank < ranks; rank++) {
                            const int64_t count = ls_plan_slice(&plan, rank, step).count;
                            assert_true(count == 0 || before % block == 0);
                            before += count;
                        }
                    }
                }
}

/* Returns the rows of a step over all ranks, a bit per row. */
static uint64_t rows_of_step(const ls_plan *plan, int64_t epoch, int64_t step)
{
    uint64_t rows = 0;
    for (int rank = 0; rank < plan->ranks; rank++) {
        ls_range slice = ls_plan_slice(plan, rank, step);
        for (int64_t i = slice.first; i < slice.first + slice.count; i++)
            rows |= UINT64_C(1) << ls_plan_row(plan, epoch, rank, i);
    }
    return rows;
}

static void the_rows_of_a_step_do_not_depend_on_the_number_of_ranks(void **state)
{
    (void)state;
    ls_plan one, many;
    assert_ok(ls_plan_make(&one, 61, 1, 8, 3, LS_SHUFFLE_GLOBAL, 1));
    for (int ranks = 2; ranks < 80; ranks += 7) {
        assert_ok(ls_plan_make(&many, 61, ranks, 8, 3, LS_SHUFFLE_GLOBAL, 1));
        for (int64_t step = 0; step < one.steps; step++)
            assert_true(rows_of_step(&one, 1, step) == rows_of_step(&many, 1, step));
    }
}

static void the_order_depends_on_epoch_and_seed(void **state)
{
    (void)state;
    ls_plan a, b;
    assert_ok(ls_plan_make(&a, 60, 1, 10, 0, LS_SHUFFLE_GLOBAL, 1));
    assert_ok(ls_plan_make(&b, 60, 1, 10, 1, LS_SHUFFLE_GLOBAL, 1));
    assert_true(rows_of_step(&a, 0, 0) != rows_of_step(&a, 1, 0));
    assert_true(rows_of_step(&a, 0, 0) != rows_of_step(&b, 0, 0));
    assert_true(rows_of_step(&a, 0, 0) == rows_of_step(&a, 0, 0));
}

/* Chi-squared test: each row is at each position equally often over many epochs. */
static void the_permutation_is_uniform(void **state)
{
    (void)state;
    enum { N = 10, EPOCHS = 20000 };
    static int count[N][N];
    ls_plan plan;
    assert_ok(ls_plan_make(&plan, N, 1, 3, 11, LS_SHUFFLE_GLOBAL, 1));
    for (int64_t epoch = 0; epoch < EPOCHS; epoch++)
        for (int64_t i = 0; i < N; i++)
            count[i][ls_plan_row(&plan, epoch, 0, i)]++;
    double chi2 = 0, expected = (double)EPOCHS / N;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            chi2 += (count[i][j] - expected) * (count[i][j] - expected) / expected;
    /* 81 degrees of freedom: mean 81, deviation 12.7; the bound is 5 deviations away. */
    assert_true(chi2 < 145);
}

/* At samples of the rows. */
static void large_permutations_are_inverted(void **state)
{
    (void)state;
    const int64_t sizes[] = {60000, 65536, 65537, 1000003, INT64_C(1) << 40};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        for (int ranks = 1; ranks < 1100; ranks += 366) {
            ls_plan plan;
            assert_ok(ls_plan_make(&plan, sizes[k], ranks, 131, 9, LS_SHUFFLE_GLOBAL, 1));
            for (int64_t n = 0; n < 300; n++) {
                int64_t row = n < 2 ? n * (sizes[k] - 1) : sizes[k] / 300 * n;
                ls_place place = ls_plan_locate(&plan, 4, row);
                assert_in_range(place.rank, 0, ranks - 1);
                assert_int_equal(ls_plan_row(&plan, 4, place.rank, place.index), row);
            }
        }
}

static void shards_differ_by_at_most_one_row(void **state)
{
    (void)state;
    for (int64_t total = 0; total < 40; total++)
        for (int parts = 1; parts < 12; parts++) {
            int64_t next = 0;
            for (int part = 0; part < parts; part++) {
                ls_range shard = ls_shard(total, parts, part);
                assert_int_equal(shard.first, next);
                assert_in_range(shard.count, total / parts, total / parts + 1);
                next += shard.count;
            }
            assert_int_equal(next, total);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_epoch_has_each_row_once),
        cmocka_unit_test(an_epoch_in_windows_has_each_row_once),
        cmocka_unit_test(windows_and_their_rows_are_shuffled),
        cmocka_unit_test(an_epoch_in_blocks_has_each_row_once),
        cmocka_unit_test(the_rows_of_a_step_do_not_depend_on_the_number_of_ranks),
        cmocka_unit_test(the_order_depends_on_epoch_and_seed),
        cmocka_unit_test(the_permutation_is_uniform),
        cmocka_unit_test(large_permutations_are_inverted),
        cmocka_unit_test(shards_differ_by_at_most_one_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
