/* Rows streamed in windows. */
#include "small_dataset.h"
#include "test.h"

#include "base/fault.h"
#include "data/samples.h"
#include "train/stream.h"

#include <string.h>

enum { ROWS = 101, VALIDATION = 7 };
static const small_dataset data = {
    .train = ROWS, .validation = VALIDATION, .channels = 1, .height = 3, .width = 5, .classes = 4};

static void assert_is_row(const ls_sample *s, ls_split split, int64_t row)
{
    assert_int_equal(s->row, row);
    assert_int_equal(s->label, small_dataset_label(&data, split, row));
    for (int64_t k = 0; k < 15; k++)
        assert_int_equal(s->inputs[k], small_dataset_pixel(&data, split, row, k));
}

static ls_plan make_plan(int ranks, int64_t batch, int64_t window)
{
    ls_plan plan;
    assert_ok(ls_plan_make(&plan, ROWS, ranks, batch, 3, LS_SHUFFLE_LOCAL, 1));
    plan.window = window;
    return plan;
}

/* Takes the steps of an epoch from `step` on, checks the rows and counts them. */
static void take_steps(ls_stream *s, const ls_plan *plan, int rank, int64_t epoch, int64_t step,
                       int *seen)
{
    for (; step < plan->steps; step++) {
        const ls_range slice = ls_plan_slice(plan, rank, step);
        const ls_samples *samples;
        assert_ok(ls_stream_take(s, epoch, slice, &samples));
        assert_int_equal(samples->rows, slice.count);
        for (int64_t i = 0; i < slice.count; i++) {
            const int64_t row = ls_plan_row(plan, epoch, rank, slice.first + i);
            assert_is_row(ls_sample_at(samples, i), LS_TRAIN, row);
            seen[row]++;
        }
    }
}

static void each_row_is_streamed_once_per_epoch(void **state)
{
    (void)state;
    const int64_t windows[] = {1, 2, 7, 33, 50, 101};
    small_dataset_write(&data, "stream.h5");
    for (int ranks = 1; ranks <= 3; ranks++)
        for (size_t w = 0; w < sizeof windows / sizeof *windows; w++) {
            const ls_plan plan = make_plan(ranks, 10, windows[w]);
            int seen[3][ROWS] = {{0}};
            for (int rank = 0; rank < ranks; rank++) {
                ls_stream *s;
                assert_ok(ls_stream_create(&s, "stream.h5", NULL, &plan, rank));
                for (int epoch = 0; epoch < 3; epoch++)
                    take_steps(s, &plan, rank, epoch, 0, seen[epoch]);
                ls_stream_destroy(&s);
                assert_null(s);
            }
            for (int epoch = 0; epoch < 3; epoch++)
                for (int row = 0; row < ROWS; row++)
                    assert_int_equal(seen[epoch][row], 1);
        }
}

/* As in a resume or a rollback. */
static void a_stream_continues_at_any_step(void **state)
{
    (void)state;
    int seen[ROWS];
    const ls_plan plan = make_plan(2, 10, 8);
    small_dataset_write(&data, "stream.h5");
    for (int64_t step = 0; step < plan.steps; step++) {
        ls_stream *s;
        assert_ok(ls_stream_create(&s, "stream.h5", NULL, &plan, 1));
        take_steps(s, &plan, 1, 5, step, seen);
        take_steps(s, &plan, 1, 5, step, seen);
        take_steps(s, &plan, 1, 2, plan.steps - 1 - step, seen);
        ls_stream_destroy(&s);
    }
}

/* Reads a range in pieces, checks the rows and their order, and returns the number of pieces. */
static int read_range(ls_stream *s, ls_split split, ls_range rows)
{
    const int64_t end = rows.first + rows.count;
    int pieces = 0;
    while (rows.count > 0) {
        const ls_samples *piece;
        assert_ok(ls_stream_read(s, split, rows, &piece));
        assert_in_range(piece->rows, 1, rows.count);
        for (int64_t i = 0; i < piece->rows; i++)
            assert_is_row(ls_sample_at(piece, i), split, rows.first++);
        rows.count = end - rows.first;
        pieces++;
    }
    return pieces;
}

static void a_range_is_read_in_the_order_of_the_file(void **state)
{
    (void)state;
    const ls_plan plan = make_plan(1, 10, 20);
    ls_stream *s;
    int seen[ROWS] = {0};
    small_dataset_write(&data, "stream.h5");
    assert_ok(ls_stream_create(&s, "stream.h5", NULL, &plan, 0));
    take_steps(s, &plan, 0, 0, 3, seen);
    assert_int_equal(read_range(s, LS_TRAIN, (ls_range){30, 50}), 1);
    assert_int_equal(read_range(s, LS_VALIDATION, (ls_range){0, VALIDATION}), 1);
    take_steps(s, &plan, 0, 1, 0, seen);
    ls_stream_destroy(&s);
}

/* At the step that needs the rows; the next call reads them again. */
static void a_failed_read_is_reported_and_repeated(void **state)
{
    (void)state;
    const ls_plan plan = make_plan(1, 10, 30);
    const ls_samples *samples;
    ls_stream *s = NULL;
    int seen[ROWS] = {0};
    small_dataset_write(&data, "stream.h5");
    assert_fails(ls_stream_create(&s, "nowhere.h5", NULL, &plan, 0), LS_ERR_DATA, "nowhere.h5");
    assert_null(s);
    assert_ok(ls_stream_create(&s, "stream.h5", NULL, &plan, 0));
    assert_ok(ls_fault_arm("read:0:1", 0));
    assert_fails(ls_stream_take(s, 0, (ls_range){0, 5}, &samples), LS_ERR_FAILURE, "'read'");
    assert_int_equal(samples->rows, 0);
    take_steps(s, &plan, 0, 0, 0, seen);
    ls_stream_destroy(&s);
}

static void two_windows_fit_the_memory(void **state)
{
    (void)state;
    const int64_t megabyte = 1 << 20;
    const ls_dataset_info digits = {.element = LS_U8, .features = 784};
    const int64_t rows = ls_stream_window(256 * megabyte, &digits);
    assert_in_range(2 * rows * 800, 253 * megabyte, 256 * megabyte);
    assert_int_equal(ls_stream_window(1000, &digits), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_is_streamed_once_per_epoch),
        cmocka_unit_test(a_stream_continues_at_any_step),
        cmocka_unit_test(a_range_is_read_in_the_order_of_the_file),
        cmocka_unit_test(a_failed_read_is_reported_and_repeated),
        cmocka_unit_test(two_windows_fit_the_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
