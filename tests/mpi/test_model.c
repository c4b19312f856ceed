/* The model handle: loading a checkpoint or a run folder gives the same network, parameters and
 * model info on all ranks, or the same error. */
#include "small_dataset.h"
#include "parallel/collectives.h"
#include "mpi_test.h"

#include <lockstep/model.h>

#include <stdio.h>
#include <math.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

static const ls_observer silent = {0};

/* Trains shortly, with a parameter average if ema > 0, in the new folder `run`. Returns the digest
 * of the final parameters. Collective. */
static uint64_t train_new_run(double ema)
{
    ls_train_config config = short_training("m.h5");
    ls_train_result result;
    config.optimizer.ema = ema;
    config.run = "run";
    config.seed = 7;
    config.validation = 0.25;
    config.hold_out = LS_HOLD_OUT_STRATIFIED;
    config.layout = LS_LAYOUT_NHWC;
    ls_barrier(world);
    if (rank == 0) {
        assert_int_equal(system("rm -rf run"), 0);
        small_dataset_write(&small_dataset_default, "m.h5");
    }
    ls_barrier(world);
    assert_ok(short_training_run(world, &config, &silent, NULL, &result));
    ls_barrier(world);
    return result.digest;
}

static uint64_t digest_params(const ls_model *model)
{
    return XXH3_64bits(ls_model_params(model),
                       (size_t)ls_network_size(ls_model_network(model)) * sizeof(float));
}

static ls_model *open_model(ls_comm *comm, const char *path, ls_model_load load)
{
    ls_model *model = NULL;
    assert_ok(ls_model_open(&model, comm, path, load));
    return model;
}

static void all_ranks_load_the_parameters_that_training_evaluated(void **state)
{
    (void)state;
    for (int averaged = 0; averaged < 2; averaged++) {
        const uint64_t digest = train_new_run(averaged ? 0.9 : 0);
        ls_model *evaluated = open_model(world, "run/checkpoints/last", LS_MODEL_EVALUATED);
        ls_model *raw = open_model(world, "run/checkpoints/last", LS_MODEL_RAW);
        assert_true(digest_params(evaluated) == digest);
        assert_true((digest_params(raw) == digest) == !averaged);
        const ls_model_facts *facts = ls_model_describe(evaluated);
        assert_int_equal(facts->has_average, averaged);
        assert_int_equal(facts->averaged, averaged);
        assert_int_equal(ls_model_describe(raw)->has_average, averaged);
        assert_false(ls_model_describe(raw)->averaged);
        ls_model_destroy(&evaluated);
        ls_model_destroy(&raw);
        assert_null(raw);
    }
}

static void a_model_describes_its_training(void **state)
{
    (void)state;
    (void)train_new_run(0);
    ls_model *model = open_model(world, "run", LS_MODEL_EVALUATED);
    const ls_model_facts *facts = ls_model_describe(model);
    assert_string_equal(facts->model, "dense:12 relu dense:4");
    assert_string_equal(facts->dataset, "fixture");
    assert_int_equal(facts->classes, 4);
    assert_int_equal(facts->input.height, 6);
    assert_int_equal(facts->epoch, facts->best_epoch);
    assert_true(facts->latest.epoch == (double)facts->epoch);
    assert_true(facts->latest.loss > 0);
    assert_int_equal(facts->reading.seed, 7);
    assert_true(facts->reading.validation == 0.25);
    assert_int_equal(facts->reading.hold_out, LS_HOLD_OUT_STRATIFIED);
    assert_int_equal(facts->reading.layout, LS_LAYOUT_NHWC);
    assert_true((strstr(facts->path, "run/checkpoints/") != NULL) == (rank == 0));
    ls_model_destroy(&model);
}

/* Reads the rows of a split and returns the status. */
static ls_status read_rows(const ls_model *model, const char *path, ls_split split, ls_rows **out)
{
    const ls_model_data data = {
        .path = path, .options = ls_model_describe(model)->reading, .split = split};
    *out = NULL;
    return ls_model_read(out, model, &data);
}

static void a_model_scores_as_its_training_recorded(void **state)
{
    (void)state;
    (void)train_new_run(0);
    ls_model *model = open_model(world, "run", LS_MODEL_EVALUATED);
    const ls_model_facts *facts = ls_model_describe(model);
    ls_rows *rows;
    ls_calibration calibration;
    int64_t confusion[16], right = 0, all = 0;
    ls_evaluated found = {.confusion = confusion, .calibration = &calibration};
    assert_ok(read_rows(model, "m.h5", LS_VALIDATION, &rows));
    assert_ok(ls_model_evaluate(model, rows, &found));
    assert_int_equal(facts->task.kind, LS_TASK_CLASSIFICATION);
    for (int m = 0; m < LS_METRICS; m++) {
        const double recorded =
            ls_metrics_value(&facts->latest, ls_metrics_column((ls_metric)m, true));
        assert_true(found.metric[m] == recorded || (isnan(recorded) && isnan(found.metric[m])));
        assert_int_equal(isnan(recorded), m != LS_METRIC_LOSS && m != LS_METRIC_ACCURACY &&
                                              m != LS_METRIC_BALANCED_ACCURACY &&
                                              m != LS_METRIC_MACRO_F1);
    }
    ls_class_score of_class[4], macro, weighted;
    ls_class_scores(confusion, 4, of_class, &macro, &weighted);
    assert_near(found.metric[LS_METRIC_MACRO_F1], macro.f1, 1e-12, 0);
    assert_near(found.metric[LS_METRIC_BALANCED_ACCURACY], macro.recall, 1e-12, 0);
    for (int i = 0; i < 16; i++) {
        all += confusion[i];
        right += i % 5 == 0 ? confusion[i] : 0;
    }
    assert_true(all == found.score.rows && (double)right == found.score.correct);
    assert_true(calibration.error >= 0 && calibration.error <= 1);
    assert_true(calibration.brier > 0 && calibration.brier <= 2);
    ls_misclassified wrong[1];
    int64_t count;
    assert_ok(ls_model_misclassified(model, rows, 1, wrong, &count));
    assert_int_equal(count, all > right ? 1 : 0);
    ls_rows_destroy(&rows);
    ls_model_destroy(&model);
}

static void rows_that_do_not_fit_the_network_are_refused_on_all_ranks(void **state)
{
    (void)state;
    small_dataset wider = small_dataset_default;
    wider.width++;
    (void)train_new_run(0);
    write_shared_dataset(&wider, "wider.h5");
    ls_model *model = open_model(world, "run", LS_MODEL_EVALUATED);
    ls_rows *rows;
    ls_status status = read_rows(model, "wider.h5", LS_TEST, &rows);
    assert_fails(status, LS_ERR_DATA, "don't fit the checkpoint's network");
    assert_same_failure(status);
    assert_null(rows);
    ls_model_destroy(&model);
}

static void one_process_can_open_a_model_without_a_communicator(void **state)
{
    (void)state;
    (void)train_new_run(0.9);
    ls_model *together = open_model(world, "run", LS_MODEL_EVALUATED);
    ls_model *alone = open_model(NULL, "run", LS_MODEL_EVALUATED);
    ls_model *described = open_model(NULL, "run", LS_MODEL_NONE);
    assert_true(digest_params(alone) == digest_params(together));
    assert_null(ls_model_params(described));
    assert_int_equal(ls_network_size(ls_model_network(described)),
                     ls_network_size(ls_model_network(alone)));
    ls_model_destroy(&together);
    ls_model_destroy(&alone);
    ls_model_destroy(&described);
}

static void a_model_without_ranks_or_parameters_is_not_evaluated(void **state)
{
    (void)state;
    (void)train_new_run(0);
    ls_rows *rows;
    ls_model *alone = open_model(NULL, "run", LS_MODEL_EVALUATED);
    assert_int_equal(ls_model_describe(alone)->max_rows, 128);
    assert_fails(read_rows(alone, "m.h5", LS_TEST, &rows), LS_ERR_USAGE, "opened without MPI");
    ls_model *described = open_model(world, "run", LS_MODEL_NONE);
    assert_int_equal(ls_model_describe(described)->max_rows, 0);
    assert_fails(read_rows(described, "m.h5", LS_TEST, &rows), LS_ERR_USAGE,
                 "opened without its parameters");
    ls_model_destroy(&alone);
    ls_model_destroy(&described);
}

/* Asserts that opening a path fails with the same error on all ranks. */
static void assert_refused(const char *path, const char *part)
{
    ls_model *model = NULL;
    const ls_status status = ls_model_open(&model, world, path, LS_MODEL_EVALUATED);
    assert_fails(status, LS_ERR_DATA, part);
    assert_same_failure(status);
    assert_null(model);
}

static void files_without_a_valid_model_are_refused_on_all_ranks(void **state)
{
    (void)state;
    if (rank == 0) {
        write_small_checkpoint("damaged.h5");
        FILE *file = fopen("damaged.h5", "r+b");
        assert_non_null(file);
        fseek(file, -100, SEEK_END);
        fputc(0x5a, file);
        assert_int_equal(fclose(file), 0);
        write_described_checkpoint("odd.h5", "dense:5 relu dense:4", "text", "hold-out = odd\n");
        write_described_checkpoint("other.h5", "dense:6 relu dense:4", "text", "seed = 0\n");
        small_dataset_write(&small_dataset_default, "data.h5");
    }
    ls_barrier(world);
    assert_refused("nowhere.h5", "nowhere.h5");
    assert_refused("damaged.h5", "damaged.h5");
    assert_refused("odd.h5", "'--hold-out odd' is unknown to this version");
    assert_refused("other.h5", "dense1");
    assert_refused("data.h5", "data.h5");
}

MPI_TEST_MAIN(cmocka_unit_test(all_ranks_load_the_parameters_that_training_evaluated),
              cmocka_unit_test(a_model_describes_its_training),
              cmocka_unit_test(a_model_scores_as_its_training_recorded),
              cmocka_unit_test(rows_that_do_not_fit_the_network_are_refused_on_all_ranks),
              cmocka_unit_test(one_process_can_open_a_model_without_a_communicator),
              cmocka_unit_test(a_model_without_ranks_or_parameters_is_not_evaluated),
              cmocka_unit_test(files_without_a_valid_model_are_refused_on_all_ranks))
