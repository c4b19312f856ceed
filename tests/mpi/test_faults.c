/* One rank is made to fail at each place that can: all ranks return the same code and text, and
 * nobody waits for ever. */
#include "small_dataset.h"
#include "mpi_test.h"

#include "base/interrupt.h"

#include <lockstep/checkpoint.h>

#include <signal.h>
#include <string.h>
#include <unistd.h>

static const ls_observer silent;

/* What the runs train with; NULL: those of short_training(). */
static const ls_optimizer_config *optimizer;

static ls_status train_with_fault(const char *site, int guilty, int nth, ls_reduce reduce,
                                  bool shard, const char *model)
{
    char fault[64];
    ls_train_result result;
    if (rank == 0) {
        assert_int_equal(system("rm -rf run"), 0);
        small_dataset_write(&small_dataset_default, "f.h5");
    }
    assert_ok(ls_agree(world, LS_OK));
    ls_train_config config = short_training("f.h5");
    config.run = "run";
    short_training_reduce(&config, reduce, shard);
    config.model = model != NULL ? model : config.model;
    config.optimizer = optimizer != NULL ? *optimizer : config.optimizer;
    snprintf(fault, sizeof fault, "%s:%d:%d", site, guilty, nth);
    return short_training_run(world, &config, &silent, fault, &result);
}

static void one_rank_fails_for_all(void **state)
{
    (void)state;
    const struct {
        const char *site;
        bool root_only; /* no other rank comes by */
        int nth;
    } cases[] = {
        {"open", false, 1},      {"read", false, 1},       {"read", false, 2},
        {"exchange", false, 1},  {"exchange", false, 3},   {"step", false, 1},
        {"step", false, 17},     {"validation", false, 2}, {"checkpoint", true, 1},
        {"checkpoint", true, 2}, {"log", true, 1},         {"log", true, 3},
    };
    char expected[100];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int guilty = 0; guilty < (cases[i].root_only ? 1 : size); guilty++) {
            ls_status status =
                train_with_fault(cases[i].site, guilty, cases[i].nth, LS_REDUCE_AUTO, false, NULL);
            assert_int_equal(status, LS_ERR_FAILURE);
            assert_same_failure(status);
            snprintf(expected, sizeof expected, "injected fault at '%s'", cases[i].site);
            assert_non_null(strstr(ls_error_text(), expected));
            snprintf(expected, sizeof expected, "rank %d: ", guilty);
            if (size > 1)
                assert_memory_equal(ls_error_text(), expected, strlen(expected));
        }
}

/* Every allocation of setup and training fails in turn on one rank. */
static void every_allocation_can_fail(void **state)
{
    (void)state;
    const int guilty = size - 1;
    int failures = 0;
    for (int nth = 1; nth < 1000; nth++) {
        ls_status status = train_with_fault("alloc", guilty, nth, LS_REDUCE_AUTO, false, NULL);
        assert_same_failure(status);
        if (status == LS_OK)
            break; /* there are fewer than that */
        assert_int_equal(status, LS_ERR_FAILURE);
        failures++;
    }
    assert_in_range(failures, 20, 998);
}

/* A rank fails within a step while the others compute with it, take statistics over the batch, or
 * its sums are under way. */
static void steps_fail_with_every_reducer(void **state)
{
    (void)state;
    static const char *const models[] = {
        "dense:800 relu dense:300 relu dense:4",
        "conv:8x3,1,1 dense:500 batchnorm relu dense:300 batchnorm relu dense:4"};
    for (int i = 0; i < 2 * LS_REDUCERS; i++)
        for (int guilty = 0; guilty < size; guilty++) {
            const ls_reduce kind = (ls_reduce)(i / 2);
            ls_status status = train_with_fault("step", guilty, 5, kind, false, models[i % 2]);
            assert_int_equal(status, LS_ERR_FAILURE);
            assert_same_failure(status);
            assert_non_null(strstr(ls_error_text(), "injected fault at 'step'"));
        }
}

/* A rank's gradient is no number in one step: all end alike, and rank, layer and step are named.
 */
static void bad_gradients_are_found_with_every_reducer(void **state)
{
    (void)state;
    char expected[100];
    for (int kind = 0; kind < LS_REDUCERS; kind++)
        for (int shard = 0; shard < 2; shard++)
            for (int nth = 5; nth <= 12; nth += 7) { /* 12: the last of an epoch */
                const int guilty = (nth + kind) % size;
                ls_status status = train_with_fault("gradient", guilty, nth, (ls_reduce)kind, shard,
                                                    "dense:800 relu dense:300 relu dense:4");
                assert_int_equal(status, LS_ERR_NUMERIC);
                assert_same_failure(status);
                assert_non_null(strstr(ls_error_text(), "the gradient of dense3/"));
                snprintf(expected, sizeof expected, "in step %d of epoch 1:", nth);
                assert_non_null(strstr(ls_error_text(), expected));
                snprintf(expected, sizeof expected, "rank %d: ", guilty);
                if (size > 1)
                    assert_memory_equal(ls_error_text(), expected, strlen(expected));
            }
}

/* What an observer was told. */
typedef struct hearing {
    double val_loss[8];
    int epochs, notes;
    char note[LS_ERROR_TEXT_MAX];
} hearing;

static void hear_epoch(void *user, const ls_metrics *metrics, bool best)
{
    hearing *t = user;
    (void)best;
    t->val_loss[t->epochs++] = metrics->val_loss;
}

static void hear_note(void *user, const char *text)
{
    hearing *t = user;
    if (strstr(text, "saved") == NULL && strstr(text, "saves") == NULL)
        return; /* of other matters */
    t->notes++;
    snprintf(t->note, sizeof t->note, "%s", text);
}

/* Sends a signal at the start, if it is to. */
static bool interrupts;
static void hear_start(void *user, const ls_run_info *info)
{
    (void)user, (void)info;
    if (interrupts)
        ls_interrupt_set(SIGTERM);
}

/* Trains in the folder `run`, where this save fails; 0: none. */
static ls_status train_on(const ls_train_config *config, int failing_save, hearing *told,
                          ls_train_result *result)
{
    char fault[64] = "";
    const ls_observer observer = {
        .user = told, .start = hear_start, .epoch = hear_epoch, .note = hear_note};
    memset(told, 0, sizeof *told);
    if (rank == 0 && *config->resume == '\0')
        assert_int_equal(system("rm -rf run"), 0);
    assert_ok(ls_agree(world, LS_OK));
    if (failing_save > 0)
        snprintf(fault, sizeof fault, "checkpoint:0:%d", failing_save);
    return short_training_run(world, config, &observer, fault, result);
}

/* The steps of the checkpoint that a link leads to; 0 if there is no such link. On rank 0. */
static int64_t steps_of(const char *path)
{
    ls_checkpoint *checkpoint;
    if (rank != 0 || access(path, F_OK) != 0)
        return 0;
    assert_ok(ls_checkpoint_open(&checkpoint, path));
    const int64_t steps = ls_checkpoint_progress(checkpoint)->optimizer_steps;
    ls_checkpoint_close(&checkpoint);
    return steps;
}

static ls_train_config surviving(void)
{
    ls_train_config config = short_training("f.h5");
    config.run = "run";
    config.keep = 1;
    config.on_save_failure = LS_SAVE_FAILURE_CONTINUES;
    if (rank == 0)
        small_dataset_write(&small_dataset_default, "f.h5");
    return config;
}

enum { STEPS = 12 }; /* of an epoch: 183 rows in batches of 16 */

static void a_failed_save_can_be_survived(void **state)
{
    (void)state;
    hearing told;
    ls_train_result whole, result;
    ls_train_config config = surviving();
    assert_ok(train_on(&config, 0, &told, &whole));
    config.checkpoint_every = (ls_interval){.steps = 5};
    /* One within an epoch, one at the end of one, and the run's last. */
    const int last = 3 * STEPS / 5 + 3, saves[] = {1, 3, last};
    for (size_t i = 0; i < sizeof saves / sizeof *saves; i++) {
        const ls_status status = train_on(&config, saves[i], &told, &result);
        assert_same_failure(status);
        if (saves[i] == last) {
            assert_int_equal(status, LS_ERR_FAILURE);
            continue;
        }
        assert_ok(status);
        assert_true(result.digest == whole.digest);
        assert_int_equal(told.notes, rank == 0 ? 1 : 0);
        if (rank != 0)
            continue;
        assert_non_null(strstr(told.note, "injected fault at 'checkpoint'; training continues"));
        assert_int_equal(steps_of("run/checkpoints/last"), 3 * STEPS);
        assert_int_equal(system("grep -q '\"event\":\"save_failed\".*injected' run/events.jsonl"),
                         0);
    }
    /* A run that is interrupted promises a checkpoint. */
    interrupts = true;
    assert_int_equal(train_on(&config, 1, &told, &result), LS_ERR_FAILURE);
    interrupts = false;
    ls_interrupt_set(0);
}

/* The best epoch's save fails: the best before stays, however few are kept. */
static void an_unsaved_best_leaves_the_one_before(void **state)
{
    (void)state;
    hearing told;
    ls_train_result result;
    ls_train_config config = surviving();
    config.lr = 0.05; /* it learns ever slower */
    assert_ok(train_on(&config, 0, &told, &result));
    ls_broadcast(world, &told, sizeof told);
    const double first = told.val_loss[0] - told.val_loss[1],
                 second = told.val_loss[1] - told.val_loss[2];
    assert_true(first > second); /* so that the second epoch can be made the best */
    config.min_delta = (first + second) / 2;
    assert_ok(train_on(&config, 2, &told, &result));
    assert_int_equal(result.early_stop.best_epoch, 2);
    if (rank == 0) {
        assert_int_equal(steps_of("run/checkpoints/best"), STEPS);
        assert_int_equal(steps_of("run/checkpoints/last"), 3 * STEPS);
    }
    config.resume = "auto";
    config.epochs = 4;
    config.min_delta = 1e9;
    config.resume_anyway = true;
    config.restore_best = true;
    assert_ok(train_on(&config, 0, &told, &result));
    assert_int_equal(told.notes, rank == 0 ? 1 : 0);
    assert_true(result.restored && result.final.epoch == 1);
    if (rank == 0) {
        assert_non_null(strstr(told.note, "epoch 2, the best so far, could not be saved"));
        assert_int_equal(steps_of("run/checkpoints/best"), STEPS);
    }

    /* Not even one best is saved. */
    config.resume = "";
    config.epochs = 3;
    assert_ok(train_on(&config, 1, &told, &result));
    assert_true(result.restored && result.final.epoch == 1); /* it is in memory */
    assert_int_equal(steps_of("run/checkpoints/best"), 0);
    config.resume = "auto";
    config.epochs = 4;
    assert_ok(train_on(&config, 0, &told, &result));
    assert_true(!result.restored && result.final.epoch == 4);
}

/* The same where all gradients are looked at before the first update, and an average is kept. */
static void so_it_is_by_norms_and_averages(void **state)
{
    optimizer = &short_training_optimizers[0];
    every_allocation_can_fail(state);
    steps_fail_with_every_reducer(state);
    bad_gradients_are_found_with_every_reducer(state);
    optimizer = NULL;
}

MPI_TEST_MAIN(cmocka_unit_test(one_rank_fails_for_all), cmocka_unit_test(every_allocation_can_fail),
              cmocka_unit_test(steps_fail_with_every_reducer),
              cmocka_unit_test(bad_gradients_are_found_with_every_reducer),
              cmocka_unit_test(so_it_is_by_norms_and_averages),
              cmocka_unit_test(a_failed_save_can_be_survived),
              cmocka_unit_test(an_unsaved_best_leaves_the_one_before))
