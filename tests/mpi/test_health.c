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

static void note(void *user, const char *text)
{
    events *t = user;
    t->notes++;
    snprintf(t->note, sizeof t->note, "%s", text);
}

static void step(void *user, int64_t epoch, int64_t rows, double loss)
{
    (void)epoch, (void)rows;
    events *t = user;
    assert_true(isfinite(loss));
    t->steps++;
}

static ls_status train(const ls_train_config *config, const char *fault, int guilty, int nth,
                       events *t, ls_train_result *result)
{
    char text[64];
    const ls_observer observer = {.user = t, .note = note, .step = step};
    memset(t, 0, sizeof *t);
    snprintf(text, sizeof text, "%s:%d:%d", fault, guilty, nth);
    return short_training_run(world, config, &observer, *fault != '\0' ? text : NULL, result);
}

static ls_train_config configure(const char *run)
{
    char command[64];
    ls_train_config config = short_training("h.h5");
    config.model = "dense:800 relu dense:4";
    config.epochs = EPOCHS;
    config.run = run;
    if (rank == 0) {
        small_dataset_write(&small_dataset_default, "h.h5");
        snprintf(command, sizeof command, "rm -rf %s", *run != '\0' ? run : "none");
        assert_int_equal(system(command), 0);
    }
    assert_ok(ls_agree(world, LS_OK));
    return config;
}

/* Returns true if the run folder's best checkpoint has finite parameters of a network like this. */
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
    assert_ok(ls_checkpoint_read_params(best, network, params));
    for (int64_t i = 0; i < ls_network_size(network); i++)
        assert_true(isfinite(params[i]));
    free(params);
    ls_network_destroy(&network);
    ls_checkpoint_close(&best);
}

/* The run ends; its earlier checkpoints are intact. */
static void stops(void **state)
{
    (void)state;
    events t;
    ls_train_result result;
    for (int kind = 0; kind < LS_REDUCERS; kind++) {
        ls_train_config config = configure("stops");
        short_training_reduce(&config, kind, false);
        config.block = 100; /* one pass per step, on the last rank */
        config.checkpoint_every = (ls_interval){.steps = 1};
        config.keep = 100;
        assert_int_equal(train(&config, "gradient", size - 1, STEPS + 4, &t, &result),
                         LS_ERR_NUMERIC);
        assert_same_failure(LS_ERR_NUMERIC);
        assert_non_null(strstr(ls_error_text(), "the gradient of dense2/"));
        assert_non_null(strstr(ls_error_text(), "in step 4 of epoch 2"));
        assert_best_is_finite(&config);
        /* Steps before the failed one were saved, the failed one was not. */
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

static void a_loss_that_is_none_names_the_layer(void **state)
{
    (void)state;
    events t;
    ls_train_result result;
    ls_train_config config = configure("loss");
    config.lr = 1e30;
    config.optimizer.kind = LS_SGD;
    assert_int_equal(train(&config, "", 0, 0, &t, &result), LS_ERR_NUMERIC);
    assert_same_failure(LS_ERR_NUMERIC);
    assert_non_null(strstr(ls_error_text(), "in step 2 of epoch 1, beginning in layer dense"));
}

/* Exactly one step is skipped. */
static void skips(void **state)
{
    (void)state;
    events t;
    ls_train_result result;
    for (int kind = 0; kind < 2 * (LS_REDUCE_AUTO + 1); kind++) {
        ls_train_config config = configure("skips");
        const bool shard = kind % 2 == 1;
        short_training_reduce(&config, kind / 2, shard);
        config.on_nan = LS_ON_NAN_SKIP;
        if (kind / 2 == LS_REDUCE_OVERLAP && !(shard && size > 1)) {
            assert_fails(train(&config, "", 0, 0, &t, &result), LS_ERR_USAGE, "--on-nan skip");
            continue;
        }
        const int guilty = kind / 2 == LS_REDUCE_EXACT ? 0 : size - 1;
        assert_ok(train(&config, "gradient", guilty, 7, &t, &result));
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

/* A failure in every step is not skipped for ever. */
static void skips_come_to_an_end(void **state)
{
    (void)state;
    events t;
    ls_train_result result;
    ls_train_config config = configure("skips");
    config.on_nan = LS_ON_NAN_SKIP;
    config.optimizer.kind = LS_SGD;
    config.lr = 1e30;
    assert_int_equal(train(&config, "", 0, 0, &t, &result), LS_ERR_NUMERIC);
    assert_same_failure(LS_ERR_NUMERIC);
    assert_non_null(strstr(ls_error_text(), "the 10 steps before it were skipped, too"));
    if (rank == 0)
        assert_int_equal(t.notes, 10);
}

/* A fault that does not recur has no effect on the result. */
static void rolls_back(void **state)
{
    (void)state;
    events t;
    ls_train_result whole, result;
    for (int kind = 0; kind < LS_REDUCERS; kind++)
        for (int shard = 0; shard < 2; shard++) {
            ls_train_config config = configure("whole");
            short_training_reduce(&config, kind, shard);
            config.block = 100; /* one pass per step, on the last rank */
            config.checkpoint_every = (ls_interval){.steps = 5};
            assert_ok(train(&config, "", 0, 0, &t, &whole));
            config = configure("back");
            short_training_reduce(&config, kind, shard);
            config.checkpoint_every = (ls_interval){.steps = 5};
            config.on_nan = LS_ON_NAN_ROLLBACK;
            config.block = 100; /* as above */
            const int guilty = kind == LS_REDUCE_EXACT ? size - 1 : (kind + shard) % size;
            assert_ok(train(&config, "gradient", guilty, STEPS + 4, &t, &result));
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

/* Without a state to roll back to, or if the rollback does not help, the run ends. */
static void rolling_back_can_fail(void **state)
{
    (void)state;
    events t;
    ls_train_result result;
    ls_train_config config = configure("back");
    config.on_nan = LS_ON_NAN_ROLLBACK;
    assert_int_equal(train(&config, "gradient", 0, 3, &t, &result), LS_ERR_NUMERIC);
    assert_same_failure(LS_ERR_NUMERIC);
    assert_non_null(strstr(ls_error_text(), "there is no checkpoint yet"));
    config = configure("back");
    config.on_nan = LS_ON_NAN_ROLLBACK;
    config.checkpoint_every = (ls_interval){.steps = 1};
    config.optimizer.kind = LS_SGD;
    config.lr = 1e30;
    assert_int_equal(train(&config, "", 0, 0, &t, &result), LS_ERR_NUMERIC);
    assert_same_failure(LS_ERR_NUMERIC);
    assert_non_null(strstr(ls_error_text(), "rolling back has not helped"));
    config.run = "";
    assert_fails(train(&config, "", 0, 0, &t, &result), LS_ERR_USAGE, "needs --run");
}

/* Reducers with which every rank has its own copy of the parameters. */
static const ls_reduce replicated[] = {LS_REDUCE_FUSED, LS_REDUCE_OVERLAP, LS_REDUCE_EXACT};
enum { KINDS = sizeof replicated / sizeof *replicated };

/* A flipped bit is detected at the next comparison; a majority identifies its rank. */
static void a_flipped_bit_is_found(void **state)
{
    (void)state;
    events t;
    char expected[64];
    ls_train_result result;
    for (size_t k = 0; k < KINDS; k++)
        for (int guilty = 0; guilty < size; guilty++) {
            ls_train_config config = configure("");
            short_training_reduce(&config, (int)replicated[k], false);
            config.check_replicas = 5;
            ls_status status = train(&config, "flip", guilty, 7, &t, &result);
            if (size == 1) {
                assert_ok(status);
                continue;
            }
            assert_int_equal(status, LS_ERR_RANKS);
            assert_same_failure(status);
            snprintf(expected, sizeof expected, "parameters of rank %d differ from those of %s",
                     size > 2 ? guilty : 1, size > 2 ? "most ranks" : "rank 0");
            assert_non_null(strstr(ls_error_text(), expected));
            assert_non_null(strstr(ls_error_text(), "before step 11 of epoch 1"));
            /* Not compared, so not detected. */
            config.check_replicas = 0;
            assert_ok(train(&config, "flip", guilty, 7, &t, &result));
        }
}

/* With a majority the run continues from the majority's parameters. */
static void replicas_are_healed(void **state)
{
    (void)state;
    events t;
    ls_train_result result;
    for (size_t k = 0; k < 2 * KINDS; k++) {
        ls_train_config config = configure("healed");
        short_training_reduce(&config, (int)replicated[k % KINDS], false);
        config.optimizer.ema = k < KINDS ? 0 : 0.9; /* then the digest is that of the average */
        config.check_replicas = 1;
        config.heal = true;
        ls_status status = train(&config, "flip", size - 1, 7, &t, &result);
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

/* An average that differs, with reducers where each rank keeps all of it. */
static void an_average_is_compared(void **state)
{
    (void)state;
    const ls_observer silent = {0};
    for (size_t k = 0; k < KINDS; k++) {
        ls_trainer *trainer;
        ls_train_config config = configure("");
        short_training_reduce(&config, (int)replicated[k], false);
        config.optimizer.ema = 0.9;
        config.check_replicas = 1;
        assert_ok(ls_trainer_create(&trainer, world, &config, &silent));
        assert_ok(ls_health_check_replicas(trainer));
        if (rank == size - 1)
            ls_optimizer_average(ls_replica_optimizer(trainer->replica))[3] += 1;
        const ls_status status = ls_health_check_replicas(trainer);
        ls_trainer_destroy(&trainer);
        assert_int_equal(status, size > 1 ? LS_ERR_RANKS : LS_OK);
    }
}

MPI_TEST_MAIN(cmocka_unit_test(an_average_is_compared), cmocka_unit_test(stops),
              cmocka_unit_test(a_loss_that_is_none_names_the_layer), cmocka_unit_test(skips),
              cmocka_unit_test(skips_come_to_an_end), cmocka_unit_test(rolls_back),
              cmocka_unit_test(rolling_back_can_fail), cmocka_unit_test(a_flipped_bit_is_found),
              cmocka_unit_test(replicas_are_healed))
