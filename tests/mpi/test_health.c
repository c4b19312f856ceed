/* NaN, Inf and replicas that differ: detected where they occur, named in the message, and recovered
 * from if requested. */
#include "small_dataset.h"
#include "parallel/collectives.h"
#include "mpi_test.h"

#include "run/checkpoint.h"

#include "train/trainer_state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <lockstep/run.h>

enum { EPOCHS = 3, STEPS = 12 }; /* steps of an epoch of small_dataset_default in batches of 16 */

/* Events that the observer received, on rank 0. */
typedef struct events {
    int notes, steps;
    char note[LS_ERROR_TEXT_MAX]; /* the latest note */
} events;

static void record_note(void *user, const char *text)
{
    events *t = user;
    t->notes++;
    snprintf(t->note, sizeof t->note, "%s", text);
}

static void record_step(void *user, int64_t epoch, int64_t rows, double loss)
{
    (void)epoch, (void)rows;
    events *t = user;
    assert_true(isfinite(loss));
    t->steps++;
}

static ls_status train_with_fault(const ls_train_config *config, const char *fault, int failing,
                                  int nth, events *t, ls_train_result *result)
{
    char text[64];
    const ls_observer observer = {.user = t, .note = record_note, .step = record_step};
    memset(t, 0, sizeof *t);
    snprintf(text, sizeof text, "%s:%d:%d", fault, failing, nth);
    return short_training_run(world, config, &observer, *fault != '\0' ? text : NULL, result);
}

static ls_train_config configure_new_run(const char *run)
{
    char command[64];
    ls_train_config config = short_training("h.h5");
    config.model = "dense:800 relu dense:4";
    config.epochs = EPOCHS;
    config.run = run;
    ls_barrier(world); /* no rank reads an earlier run any more */
    if (rank == 0) {
        small_dataset_write(&small_dataset_default, "h.h5");
        snprintf(command, sizeof command, "rm -rf %s", *run != '\0' ? run : "none");
        assert_int_equal(system(command), 0);
    }
    assert_ok(ls_agree(world, LS_OK));
    return config;
}

/* Asserts that the parameters of the run folder's best checkpoint are finite. */
static void assert_best_is_finite(const ls_train_config *config)
{
    char path[256];
    ls_checkpoint *best;
    ls_network *network;
    if (rank != 0)
        return;
    assert_ok(ls_checkpoint_find(config->run, false, path, sizeof path));
    assert_ok(ls_checkpoint_open(&best, path));
    const ls_model_info *id = ls_checkpoint_model(best);
    assert_ok(ls_network_create(&network, id->model, id->input, id->classes, id->loss, 0));
    float *params = calloc((size_t)ls_network_size(network), sizeof *params);
    assert_ok(ls_checkpoint_read_params(best, LS_MODEL, network, params));
    for (int64_t i = 0; i < ls_network_size(network); i++)
        assert_true(isfinite(params[i]));
    free(params);
    ls_network_destroy(&network);
    ls_checkpoint_close(&best);
}

static void a_nan_gradient_ends_the_run_and_its_checkpoints_are_intact(void **state)
{
    (void)state;
    events t;
    ls_train_result result;
    for (int kind = 0; kind < LS_REDUCERS; kind++) {
        ls_train_config config = configure_new_run("stops");
        short_training_reduce(&config, kind, false);
        config.block = 100; /* one pass per step, on the last rank */
        config.checkpoint_every = (ls_interval){.steps = 1};
        config.keep = 100;
        assert_int_equal(train_with_fault(&config, "gradient", size - 1, STEPS + 4, &t, &result),
                         LS_ERR_NUMERIC);
        assert_same_failure(LS_ERR_NUMERIC);
        assert_non_null(strstr(ls_error_text(), "the gradient of dense2/"));
        assert_non_null(strstr(ls_error_text(), "in step 4 of epoch 2"));
        assert_best_is_finite(&config);
        /* The steps before the failed step were saved, the failed step was not. */
        if (rank == 0) {
            char path[256];
            ls_checkpoint *last;
            snprintf(path, sizeof path, "%s/checkpoints/last", config.run);
            assert_ok(ls_checkpoint_open(&last, path));
            assert_int_equal(ls_checkpoint_progress(last)->optimizer_steps, STEPS + 3);
            ls_checkpoint_close(&last);
        }
    }
}

static void a_nan_loss_is_reported_with_the_layer_where_it_begins(void **state)
{
    (void)state;
    events t;
    ls_train_result result;
    ls_train_config config = configure_new_run("loss");
    config.lr = 1e30;
    config.optimizer.kind = LS_SGD;
    assert_int_equal(train_with_fault(&config, "", 0, 0, &t, &result), LS_ERR_NUMERIC);
    assert_same_failure(LS_ERR_NUMERIC);
    assert_non_null(strstr(ls_error_text(), "in step 2 of epoch 1, beginning in layer dense"));
}

static void on_nan_skip_skips_exactly_one_step(void **state)
{
    (void)state;
    events t;
    ls_train_result result;
    for (int kind = 0; kind < 2 * (LS_REDUCE_AUTO + 1); kind++) {
        ls_train_config config = configure_new_run("skips");
        const bool shard = kind % 2 == 1;
        short_training_reduce(&config, kind / 2, shard);
        config.on_nan = LS_ON_NAN_SKIP;
        if (kind / 2 == LS_REDUCE_OVERLAP && !(shard && size > 1)) {
            assert_fails(train_with_fault(&config, "", 0, 0, &t, &result), LS_ERR_USAGE,
                         "--on-nan skip");
            continue;
        }
        const int failing = kind / 2 == LS_REDUCE_EXACT ? 0 : size - 1;
        assert_ok(train_with_fault(&config, "gradient", failing, 7, &t, &result));
        assert_int_equal(result.epochs, EPOCHS);
        assert_true(isfinite(result.final.loss) && result.final.accuracy > 0.5);
        if (rank == 0) {
            assert_int_equal(t.steps, EPOCHS * STEPS - 1);
            assert_int_equal(system("grep -c '\"event\":\"skip\"' skips/events.jsonl >count"), 0);
            assert_int_equal(system("grep -qx 1 count"), 0);
        }
        assert_best_is_finite(&config);
    }
}

/* A failure that occurs in every step is skipped 10 times only. */
static void repeated_skips_end_the_run(void **state)
{
    (void)state;
    events t;
    ls_train_result result;
    ls_train_config config = configure_new_run("skips");
    config.on_nan = LS_ON_NAN_SKIP;
    config.optimizer.kind = LS_SGD;
    config.lr = 1e30;
    assert_int_equal(train_with_fault(&config, "", 0, 0, &t, &result), LS_ERR_NUMERIC);
    assert_same_failure(LS_ERR_NUMERIC);
    assert_non_null(strstr(ls_error_text(), "the 10 steps before it were skipped, too"));
    if (rank == 0)
        assert_int_equal(t.notes, 10);
}

static void a_rolled_back_run_has_the_bits_of_an_undisturbed_run(void **state)
{
    (void)state;
    events t;
    ls_train_result whole, result;
    for (int kind = 0; kind < LS_REDUCERS; kind++)
        for (int shard = 0; shard < 2; shard++) {
            ls_train_config config = configure_new_run("whole");
            short_training_reduce(&config, kind, shard);
            config.block = 100; /* one pass per step, on the last rank */
            config.checkpoint_every = (ls_interval){.steps = 5};
            assert_ok(train_with_fault(&config, "", 0, 0, &t, &whole));
            config = configure_new_run("back");
            short_training_reduce(&config, kind, shard);
            config.checkpoint_every = (ls_interval){.steps = 5};
            config.on_nan = LS_ON_NAN_ROLLBACK;
            config.block = 100; /* as above */
            const int failing = kind == LS_REDUCE_EXACT ? size - 1 : (kind + shard) % size;
            assert_ok(train_with_fault(&config, "gradient", failing, STEPS + 4, &t, &result));
            assert_true(result.digest == whole.digest);
            assert_true(result.final.loss == whole.final.loss);
            assert_int_equal(result.epochs, EPOCHS);
            if (rank == 0) {
                assert_int_equal(t.notes, 1);
                assert_non_null(strstr(t.note, "rolling back to step"));
                assert_int_equal(system("[ \"$(wc -l <back/metrics.csv)\" = 4 ]"), 0);
            }
        }
}

static void a_rollback_without_a_checkpoint_ends_the_run(void **state)
{
    (void)state;
    events t;
    ls_train_result result;
    ls_train_config config = configure_new_run("back");
    config.on_nan = LS_ON_NAN_ROLLBACK;
    assert_int_equal(train_with_fault(&config, "gradient", 0, 3, &t, &result), LS_ERR_NUMERIC);
    assert_same_failure(LS_ERR_NUMERIC);
    assert_non_null(strstr(ls_error_text(), "there is no checkpoint yet"));
}

static void a_rollback_that_does_not_help_ends_the_run(void **state)
{
    (void)state;
    events t;
    ls_train_result result;
    ls_train_config config = configure_new_run("back");
    config.on_nan = LS_ON_NAN_ROLLBACK;
    config.checkpoint_every = (ls_interval){.steps = 1};
    config.optimizer.kind = LS_SGD;
    config.lr = 1e30;
    assert_int_equal(train_with_fault(&config, "", 0, 0, &t, &result), LS_ERR_NUMERIC);
    assert_same_failure(LS_ERR_NUMERIC);
    assert_non_null(strstr(ls_error_text(), "rolling back has not helped"));
}

static void a_rollback_needs_a_run_folder(void **state)
{
    (void)state;
    events t;
    ls_train_result result;
    ls_train_config config = configure_new_run("");
    config.on_nan = LS_ON_NAN_ROLLBACK;
    config.checkpoint_every = (ls_interval){.steps = 1};
    assert_fails(train_with_fault(&config, "", 0, 0, &t, &result), LS_ERR_USAGE, "needs --run");
}

/* Reducers with which every rank has its own copy of the parameters. */
static const ls_reduce replicated[] = {LS_REDUCE_FUSED, LS_REDUCE_OVERLAP, LS_REDUCE_EXACT};
enum { REPLICATED = sizeof replicated / sizeof *replicated };

/* With 3 ranks or more the majority identifies the rank. */
static void a_flipped_bit_is_detected_at_the_next_comparison(void **state)
{
    (void)state;
    events t;
    char expected[64];
    ls_train_result result;
    for (size_t k = 0; k < REPLICATED; k++)
        for (int failing = 0; failing < size; failing++) {
            ls_train_config config = configure_new_run("");
            short_training_reduce(&config, (int)replicated[k], false);
            config.check_replicas = 5;
            ls_status status = train_with_fault(&config, "flip", failing, 7, &t, &result);
            if (size == 1) {
                assert_ok(status);
                continue;
            }
            assert_int_equal(status, LS_ERR_RANKS);
            assert_same_failure(status);
            snprintf(expected, sizeof expected, "parameters of rank %d differ from those of %s",
                     size > 2 ? failing : 1, size > 2 ? "most ranks" : "rank 0");
            assert_non_null(strstr(ls_error_text(), expected));
            assert_non_null(strstr(ls_error_text(), "before step 11 of epoch 1"));
            /* Without comparisons the bit is not detected. */
            config.check_replicas = 0;
            assert_ok(train_with_fault(&config, "flip", failing, 7, &t, &result));
        }
}

/* The run continues from the parameters of most ranks; 2 ranks have no majority. */
static void replicas_are_healed_from_the_majority(void **state)
{
    (void)state;
    events t;
    ls_train_result result;
    for (size_t k = 0; k < 2 * REPLICATED; k++) {
        ls_train_config config = configure_new_run("healed");
        short_training_reduce(&config, (int)replicated[k % REPLICATED], false);
        config.optimizer.ema = k < REPLICATED ? 0 : 0.9; /* above 0 the digest is of the average */
        config.check_replicas = 1;
        config.heal = true;
        ls_status status = train_with_fault(&config, "flip", size - 1, 7, &t, &result);
        if (size == 2) {
            assert_fails(status, LS_ERR_RANKS, "there is no majority");
            continue;
        }
        assert_ok(status);
        uint64_t digest = result.digest;
        ls_broadcast(world, &digest, sizeof digest);
        assert_true(digest == result.digest);
        if (rank == 0 && size > 2) {
            assert_int_equal(t.notes, 1);
            assert_non_null(strstr(t.note, "replaced by those of rank 0"));
            assert_int_equal(system("grep -q '\"event\":\"heal\"' healed/events.jsonl"), 0);
        }
    }
}

/* An average that differs on one rank, with reducers that keep the whole average on each rank. */
static void parameter_averages_are_compared(void **state)
{
    (void)state;
    const ls_observer silent = {0};
    for (size_t k = 0; k < REPLICATED; k++) {
        ls_trainer *trainer;
        ls_train_config config = configure_new_run("");
        short_training_reduce(&config, (int)replicated[k], false);
        config.optimizer.ema = 0.9;
        config.check_replicas = 1;
        assert_ok(ls_trainer_create(&trainer, world, &config, &silent));
        assert_ok(ls_health_check_replicas(trainer));
        if (rank == size - 1)
            ls_optimizer_average(ls_replica_optimizer(ls_trainer_replica(trainer)))[3] += 1;
        const ls_status status = ls_health_check_replicas(trainer);
        ls_trainer_destroy(&trainer);
        assert_int_equal(status, size > 1 ? LS_ERR_RANKS : LS_OK);
    }
}

MPI_TEST_MAIN(cmocka_unit_test(parameter_averages_are_compared),
              cmocka_unit_test(a_nan_gradient_ends_the_run_and_its_checkpoints_are_intact),
              cmocka_unit_test(a_nan_loss_is_reported_with_the_layer_where_it_begins),
              cmocka_unit_test(on_nan_skip_skips_exactly_one_step),
              cmocka_unit_test(repeated_skips_end_the_run),
              cmocka_unit_test(a_rolled_back_run_has_the_bits_of_an_undisturbed_run),
              cmocka_unit_test(a_rollback_without_a_checkpoint_ends_the_run),
              cmocka_unit_test(a_rollback_that_does_not_help_ends_the_run),
              cmocka_unit_test(a_rollback_needs_a_run_folder),
              cmocka_unit_test(a_flipped_bit_is_detected_at_the_next_comparison),
              cmocka_unit_test(replicas_are_healed_from_the_majority))
