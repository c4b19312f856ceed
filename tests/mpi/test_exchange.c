/* The exchange of samples before an epoch: afterwards each rank holds all samples that the plan
 * gives it, whichever rank held them before. */
#include "small_dataset.h"
#include "parallel/collectives.h"
#include "mpi_test.h"

#include "base/fault.h"
#include "data/samples.h"
#include "parallel/exchange.h"

#include <string.h>

/* Asserts that this rank holds its samples of an epoch in this order, and all ranks the whole
 * epoch. Collective. */
static void assert_samples_of_epoch(const small_dataset *f, const ls_plan *plan,
                                    const ls_samples *samples, int64_t epoch, const int32_t *order)
{
    const int64_t mine = ls_plan_rank_rows(plan, rank);
    for (int64_t i = 0; i < mine; i++) {
        const ls_sample *sample = ls_sample_at(samples, order[i]);
        int64_t row = ls_plan_row(plan, epoch, rank, i);
        assert_int_equal(sample->row, row);
        assert_is_target(f, samples, sample);
        for (int64_t j = 0; j < samples->format.features; j++)
            assert_int_equal(sample->inputs[j], small_dataset_pixel(f, LS_TRAIN, row, j));
    }
    int64_t rows = mine;
    ls_allreduce_integers(world, &rows, 1);
    assert_int_equal(rows, plan->rows);
}

/* Writes a data set, exchanges its rows for several epochs and checks each. Collective. */
static void exchange_rows(const small_dataset *data, int64_t batch, ls_shuffle shuffle)
{
    const small_dataset f = *data;
    const int64_t rows = f.train;
    ls_plan plan;
    ls_dataset *dataset;
    ls_samples *samples;
    ls_exchange *exchange;
    write_shared_dataset(&f, "x.h5");
    assert_ok(ls_plan_make(&plan, rows, size, batch, 3, shuffle, 1));
    assert_ok(ls_dataset_open(&dataset, "x.h5", NULL));
    ls_range shard = ls_shard(rows, size, rank);
    assert_ok(ls_dataset_read(dataset, LS_TRAIN, shard.first, shard.count,
                              ls_exchange_capacity(&plan, rank), &samples));
    ls_dataset_close(&dataset);
    assert_ok(ls_exchange_create(&exchange, world, &plan, samples));
    const int64_t epochs[] = {0, 1, 2, 7, 1}; /* forward, a jump, back */
    for (size_t e = 0; e < sizeof epochs / sizeof *epochs; e++) {
        const int32_t *order;
        assert_ok(ls_exchange_epoch(exchange, epochs[e], &order));
        assert_samples_of_epoch(&f, &plan, samples, epochs[e], order);
    }
    ls_exchange_destroy(&exchange);
    ls_samples_destroy(&samples);
    /* The next file is written only after all ranks have read this one. */
    assert_ok(ls_agree(world, LS_OK));
}

static void exchange_images(int64_t rows, int64_t batch, ls_shuffle shuffle, int64_t side)
{
    exchange_rows(
        &(small_dataset){.train = rows, .channels = 1, .height = side, .width = side, .classes = 5},
        batch, shuffle);
}

static void exchange_and_check_epochs(int64_t rows, int64_t batch, ls_shuffle shuffle)
{
    exchange_images(rows, batch, shuffle, 3);
}

/* Of images of 0.8 megabytes, the buffers of a round hold some or, on 7 ranks, one. */
static void samples_larger_than_the_buffers_travel_in_rounds(void **state)
{
    (void)state;
    exchange_images(25, 8, LS_SHUFFLE_GLOBAL, 900);
    exchange_images(2, 8, LS_SHUFFLE_GLOBAL, 1500);
}

static void an_exchange_moves_samples_to_the_ranks_of_the_plan(void **state)
{
    (void)state;
    const ls_shuffle shuffles[] = {LS_SHUFFLE_GLOBAL, LS_SHUFFLE_LOCAL, LS_SHUFFLE_NONE};
    for (int k = 0; k < 3; k++) {
        exchange_and_check_epochs(101, 8, shuffles[k]);
        exchange_and_check_epochs(64, 16, shuffles[k]);
        exchange_and_check_epochs(2, 5,
                                  shuffles[k]); /* fewer rows than ranks and than the batch size */
        exchange_and_check_epochs(1, 1, shuffles[k]);
    }
    exchange_and_check_epochs(97, 97, LS_SHUFFLE_GLOBAL); /* one step */
    exchange_and_check_epochs(33, 2, LS_SHUFFLE_GLOBAL);  /* fewer rows in a step than ranks */
}

static void lengths_and_classes_of_steps_move_with_their_rows(void **state)
{
    (void)state;
    const small_dataset f = {
        .train = 53, .channels = 1, .height = 7, .width = 3, .classes = 5, .sequences = true};
    exchange_rows(&f, 8, LS_SHUFFLE_GLOBAL);
    exchange_rows(&f, 8, LS_SHUFFLE_LOCAL);
}

static void a_failed_exchange_fails_on_all_ranks_and_moves_no_sample(void **state)
{
    (void)state;
    small_dataset f = {.train = 40, .channels = 1, .height = 3, .width = 3, .classes = 5};
    ls_plan plan;
    ls_dataset *dataset;
    ls_samples *samples;
    ls_exchange *exchange;
    const int32_t *order;
    write_shared_dataset(&f, "x.h5");
    assert_ok(ls_plan_make(&plan, 40, size, 7, 3, LS_SHUFFLE_GLOBAL, 1));
    assert_ok(ls_dataset_open(&dataset, "x.h5", NULL));
    ls_range shard = ls_shard(40, size, rank);
    assert_ok(ls_dataset_read(dataset, LS_TRAIN, shard.first, shard.count,
                              ls_exchange_capacity(&plan, rank), &samples));
    ls_dataset_close(&dataset);
    assert_ok(ls_exchange_create(&exchange, world, &plan, samples));
    char fault[32];
    snprintf(fault, sizeof fault, "exchange:%d:2", size - 1);
    assert_ok(ls_fault_arm(fault, rank));
    assert_ok(ls_exchange_epoch(exchange, 0, &order));
    ls_status status = ls_exchange_epoch(exchange, 1, &order);
    assert_int_equal(status, LS_ERR_FAILURE);
    assert_same_failure(status);
    /* No sample has moved; the next exchange succeeds. */
    assert_ok(ls_exchange_epoch(exchange, 1, &order));
    assert_samples_of_epoch(&f, &plan, samples, 1, order);
    ls_exchange_destroy(&exchange);
    ls_samples_destroy(&samples);
}

MPI_TEST_MAIN(cmocka_unit_test(an_exchange_moves_samples_to_the_ranks_of_the_plan),
              cmocka_unit_test(samples_larger_than_the_buffers_travel_in_rounds),
              cmocka_unit_test(lengths_and_classes_of_steps_move_with_their_rows),
              cmocka_unit_test(a_failed_exchange_fails_on_all_ranks_and_moves_no_sample))
