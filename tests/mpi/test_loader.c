/* The data loader: its batches match the plan, with resident and with streamed rows; its validation
 * rows and its class counts match the data set. */
#include "small_dataset.h"
#include "parallel/collectives.h"
#include "mpi_test.h"

#include "base/fault.h"
#include "data/samples.h"
#include "train/loader.h"

#include <math.h>
#include <string.h>

enum { ROWS = 101, VALIDATION = 300, CHANNELS = 2, PIXELS = 15, FEATURES = CHANNELS * PIXELS };
static const small_dataset data = {.train = ROWS,
                                   .validation = VALIDATION,
                                   .channels = CHANNELS,
                                   .height = 3,
                                   .width = 5,
                                   .classes = 4};

static ls_train_config configure(ls_shuffle shuffle, bool stream)
{
    ls_train_config config = short_training("loader.h5");
    config.batch = 10;
    config.seed = 3;
    config.mean = 0.25;
    config.std = 0.5;
    config.shuffle = shuffle;
    config.stream = stream;
    /* One block of 1024 rows, and two windows of 7 rows, which take multiples of 8 bytes. */
    const ls_sample_format format = {.element = LS_U8, .features = FEATURES};
    config.memory = ((int64_t)(ls_sample_stride(format) + 7) / 8 * 8 + 4) * (1024 + 2 * 7);
    return config;
}

static ls_loader *open_loader(ls_comm *comm, const ls_train_config *config)
{
    ls_loader *loader = NULL;
    assert_ok(ls_loader_open(&loader, comm, config, 0));
    return loader;
}

static void write_data(void)
{
    write_shared_dataset(&data, "loader.h5");
}

/* Asserts that row `at` of the batch is this row of the split, normalised, [C][H][W]. */
static void assert_is_row(const ls_batch *batch, int64_t at, ls_split split, int64_t row)
{
    assert_int_equal(batch->ids[at], row);
    assert_int_equal(batch->labels[at], small_dataset_label(&data, split, row));
    for (int64_t k = 0; k < FEATURES; k++) {
        const double byte = small_dataset_pixel(&data, split, row, k);
        assert_near((double)batch->x[at * FEATURES + k], (byte / 255 - 0.25) / 0.5, 1e-5, 1e-5);
    }
}

/* Loads the steps `first` to the last of an epoch, compares each with the plan, and adds 1 to
 * seen[] of each row. */
static void load_epoch(ls_loader *loader, int64_t epoch, int64_t first, int64_t seen[ROWS])
{
    const ls_plan *plan = ls_loader_plan(loader);
    ls_batch *batch;
    assert_ok(ls_batch_create(&batch, ls_loader_step_rows(loader), FEATURES, 0));
    assert_ok(ls_loader_epoch(loader, epoch, first));
    for (int64_t step = first; step < plan->steps; step++) {
        const ls_range slice = ls_plan_slice(plan, rank, step);
        assert_ok(ls_loader_next(loader, batch));
        assert_int_equal(batch->rows, slice.count);
        for (int64_t i = 0; i < slice.count; i++) {
            const int64_t row = ls_plan_row(plan, epoch, rank, slice.first + i);
            assert_is_row(batch, i, LS_TRAIN, row);
            seen[row]++;
        }
    }
    ls_batch_destroy(&batch);
}

static const struct {
    ls_shuffle shuffle;
    bool stream;
} cases[] = {{LS_SHUFFLE_GLOBAL, false},
             {LS_SHUFFLE_LOCAL, false},
             {LS_SHUFFLE_NONE, false},
             {LS_SHUFFLE_LOCAL, true}};
enum { CASES = sizeof cases / sizeof *cases };

static void an_epoch_has_every_row_once(void **state)
{
    (void)state;
    write_data();
    for (size_t c = 0; c < CASES; c++) {
        const ls_train_config config = configure(cases[c].shuffle, cases[c].stream);
        ls_loader *loader = open_loader(world, &config);
        assert_int_equal(ls_loader_plan(loader)->steps, 11);
        for (int64_t epoch = 0; epoch < 3; epoch++) {
            int64_t seen[ROWS] = {0};
            load_epoch(loader, epoch, 0, seen);
            ls_allreduce_integers(world, seen, ROWS);
            for (int row = 0; row < ROWS; row++)
                assert_int_equal(seen[row], 1);
        }
        ls_loader_destroy(&loader);
        assert_null(loader);
    }
}

/* A resumed or rolled-back run does this. */
static void an_epoch_can_start_at_any_step(void **state)
{
    (void)state;
    int64_t seen[ROWS] = {0};
    write_data();
    for (size_t c = 0; c < CASES; c++) {
        const ls_train_config config = configure(cases[c].shuffle, cases[c].stream);
        ls_loader *loader = open_loader(world, &config);
        for (int64_t step = 0; step <= 11; step += 4) {
            load_epoch(loader, 5, step, seen);
            load_epoch(loader, 2, 11 - step, seen);
        }
        ls_loader_destroy(&loader);
    }
}

/* Loads an epoch and copies each row to x[row number]. */
static void load_rows_by_number(const ls_train_config *config, float x[ROWS][FEATURES])
{
    ls_loader *loader = open_loader(world, config);
    ls_batch *batch;
    assert_true(ls_loader_augments(loader));
    assert_ok(ls_batch_create(&batch, ls_loader_step_rows(loader), FEATURES, 0));
    assert_ok(ls_loader_epoch(loader, 4, 0));
    for (int64_t step = 0; step < ls_loader_plan(loader)->steps; step++) {
        assert_ok(ls_loader_next(loader, batch));
        for (int64_t i = 0; i < batch->rows; i++)
            memcpy(x[batch->ids[i]], batch->x + i * FEATURES, sizeof x[0]);
    }
    ls_batch_destroy(&batch);
    ls_loader_destroy(&loader);
}

static void resident_and_streamed_rows_have_the_same_bits(void **state)
{
    (void)state;
    static float resident[ROWS][FEATURES], streamed[ROWS][FEATURES];
    write_data();
    ls_train_config config = configure(LS_SHUFFLE_LOCAL, false);
    config.augment = "flip:0.5 rotate:20 shift:1";
    memset(resident, 0, sizeof resident);
    memset(streamed, 0, sizeof streamed);
    load_rows_by_number(&config, resident);
    config.stream = true;
    load_rows_by_number(&config, streamed);
    assert_memory_equal(resident, streamed, sizeof resident);
}

static void validation_rows_are_loaded_in_order_in_full_batches(void **state)
{
    (void)state;
    ls_batch *batch;
    write_data();
    assert_ok(ls_batch_create(&batch, LS_EVALUATION_ROWS, FEATURES, 0));
    for (int stream = 0; stream < 2; stream++) {
        const ls_train_config config = configure(LS_SHUFFLE_LOCAL, stream != 0);
        const ls_range shard = ls_evaluation_shard(VALIDATION, size, rank);
        ls_loader *loader = open_loader(world, &config);
        ls_rows *rows;
        assert_ok(ls_loader_rows(&rows, loader, true));
        assert_int_equal(ls_rows_total(rows), VALIDATION);
        for (int again = 0; again < 2; again++) {
            int64_t done = 0;
            ls_rows_rewind(rows);
            do {
                assert_ok(ls_rows_next(rows, batch));
                for (int64_t i = 0; i < batch->rows; i++)
                    assert_is_row(batch, i, LS_VALIDATION, shard.first + done + i);
                done += batch->rows;
                assert_true(batch->rows == LS_EVALUATION_ROWS || done == shard.count);
            } while (batch->rows > 0);
            assert_int_equal(done, shard.count);
        }
        ls_rows_destroy(&rows);
        ls_loader_destroy(&loader);
    }
    ls_batch_destroy(&batch);
}

static void the_census_counts_the_rows_of_all_ranks(void **state)
{
    (void)state;
    write_data();
    ls_train_config config = configure(LS_SHUFFLE_LOCAL, false);
    ls_loader *alone = open_loader(self, &config), *resident = open_loader(world, &config);
    config.stream = true;
    ls_loader *streamed = open_loader(world, &config);
    config.trust_data = true;
    ls_loader *trusted = open_loader(world, &config);
    const ls_census *census = ls_loader_census(alone);
    assert_true(census->known && census->fingerprint != 0 && census->validation_fingerprint != 0);
    assert_string_equal(census->class_gaps, "");
    assert_memory_equal(census, ls_loader_census(resident), sizeof *census);
    assert_memory_equal(census, ls_loader_census(streamed), sizeof *census);
    assert_false(ls_loader_census(trusted)->known);
    ls_loader_destroy(&alone);
    ls_loader_destroy(&resident);
    ls_loader_destroy(&streamed);
    ls_loader_destroy(&trusted);
}

static void channels_last_transposes_the_images(void **state)
{
    (void)state;
    write_data();
    const ls_train_config config = configure(LS_SHUFFLE_NONE, false);
    ls_loader *loader = open_loader(world, &config);
    ls_batch *first, *last;
    const int64_t room = ls_loader_step_rows(loader);
    assert_ok(ls_batch_create(&first, room, FEATURES, 0));
    assert_ok(ls_batch_create(&last, room, FEATURES, 0));
    assert_ok(ls_loader_epoch(loader, 0, 0));
    assert_ok(ls_loader_next(loader, first));
    ls_loader_set_channels_last(loader, true);
    assert_ok(ls_loader_epoch(loader, 0, 0));
    assert_ok(ls_loader_next(loader, last));
    assert_int_equal(first->rows, last->rows);
    for (int64_t r = 0; r < first->rows; r++)
        for (int64_t c = 0; c < CHANNELS; c++)
            for (int64_t p = 0; p < PIXELS; p++)
                assert_true(last->x[r * FEATURES + p * CHANNELS + c] ==
                            first->x[r * FEATURES + c * PIXELS + p]);
    ls_batch_destroy(&first);
    ls_batch_destroy(&last);
    ls_loader_destroy(&loader);
}

/* The rank takes part in the step with 0 rows, and loads the next step. */
static void a_failed_read_gives_an_empty_batch(void **state)
{
    (void)state;
    write_data();
    ls_train_config config = configure(LS_SHUFFLE_LOCAL, true);
    config.trust_data = true;
    ls_loader *loader = open_loader(world, &config);
    ls_batch *batch;
    assert_ok(ls_batch_create(&batch, ls_loader_step_rows(loader), FEATURES, 0));
    assert_ok(ls_loader_epoch(loader, 0, 0));
    assert_ok(ls_fault_arm("read:0:1", rank));
    if (rank == 0)
        assert_fails(ls_loader_next(loader, batch), LS_ERR_FAILURE, "'read'");
    else
        assert_ok(ls_loader_next(loader, batch));
    assert_int_equal(batch->rows,
                     rank == 0 ? 0 : ls_plan_slice(ls_loader_plan(loader), rank, 0).count);
    assert_ok(ls_loader_next(loader, batch));
    assert_int_equal(batch->rows, ls_plan_slice(ls_loader_plan(loader), rank, 1).count);
    assert_ok(ls_fault_arm(NULL, 0));
    ls_batch_destroy(&batch);
    ls_loader_destroy(&loader);
}

static void a_loader_that_cant_be_opened_fails_on_all_ranks(void **state)
{
    (void)state;
    ls_loader *loader = NULL;
    write_data();
    ls_train_config config = configure(LS_SHUFFLE_LOCAL, false);
    config.data = "nowhere.h5";
    ls_status status = ls_loader_open(&loader, world, &config, 0);
    assert_int_equal(status, LS_ERR_DATA);
    assert_same_failure(status);
    config.std = 0; /* rejected before the data set is opened */
    status = ls_loader_open(&loader, world, &config, 0);
    assert_fails(status, LS_ERR_USAGE, "--normalize");
    assert_same_failure(status);
    config = configure(LS_SHUFFLE_LOCAL, true);
    config.memory = 1000;
    status = ls_loader_open(&loader, world, &config, 0);
    assert_fails(status, LS_ERR_USAGE, "--memory");
    assert_same_failure(status);
    config = configure(LS_SHUFFLE_LOCAL, false);
    config.augment = "wobble:3";
    status = ls_loader_open(&loader, world, &config, 0);
    assert_fails(status, LS_ERR_USAGE, "wobble");
    assert_same_failure(status);
    assert_null(loader);
}

MPI_TEST_MAIN(cmocka_unit_test(an_epoch_has_every_row_once),
              cmocka_unit_test(an_epoch_can_start_at_any_step),
              cmocka_unit_test(resident_and_streamed_rows_have_the_same_bits),
              cmocka_unit_test(validation_rows_are_loaded_in_order_in_full_batches),
              cmocka_unit_test(the_census_counts_the_rows_of_all_ranks),
              cmocka_unit_test(channels_last_transposes_the_images),
              cmocka_unit_test(a_failed_read_gives_an_empty_batch),
              cmocka_unit_test(a_loader_that_cant_be_opened_fails_on_all_ranks))
