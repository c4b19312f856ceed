/* Injects a fault on one rank at each fault site: all ranks return the same code and text, and no
 * rank hangs. */
#include "small_dataset.h"
#include "parallel/collectives.h"
#include "mpi_test.h"

#include "base/interrupt.h"

#include "run/checkpoint.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static const ls_observer silent;

/* Optimizer of the runs; NULL: the one of short_training(). */
static const ls_optimizer_config *optimizer;

static ls_status train_with_fault(const char *site, int failing, int nth, ls_reduce reduce,
                                  bool shard, const char *model)
{
    char fault[64];
    ls_train_result result;
    ls_barrier(world); /* no rank reads an earlier run any more */
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
    snprintf(fault, sizeof fault, "%s:%d:%d", site, failing, nth);
    return short_training_run(world, &config, &silent, fault, &result);
}

static void a_fault_on_one_rank_fails_all_ranks(void **state)
{
    (void)state;
    const struct {
        const char *site;
        bool root_only; /* only rank 0 passes this site */
        int nth;
    } cases[] = {
        {"open", false, 1},      {"read", false, 1},       {"read", false, 2},
        {"exchange", false, 1},  {"exchange", false, 3},   {"step", false, 1},
        {"step", false, 17},     {"validation", false, 2}, {"checkpoint", true, 1},
        {"checkpoint", true, 2}, {"log", true, 1},         {"log", true, 3},
    };
    char expected[100];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int failing = 0; failing < (cases[i].root_only ? 1 : size); failing++) {
            ls_status status =
                train_with_fault(cases[i].site, failing, cases[i].nth, LS_REDUCE_AUTO, false, NULL);
            assert_int_equal(status, LS_ERR_FAILURE);
            assert_same_failure(status);
            snprintf(expected, sizeof expected, "injected fault at '%s'", cases[i].site);
            assert_non_null(strstr(ls_error_text(), expected));
            snprintf(expected, sizeof expected, "rank %d: ", failing);
            const bool named = strncmp(ls_error_text(), expected, strlen(expected)) == 0;
            if (failing > 0 || cases[i].root_only) /* rank 0 alone verifies the file */
                assert_true(named == !cases[i].root_only);
        }
}

/* Each allocation of setup and training fails in turn on one rank. */
static void a_failed_allocation_fails_all_ranks(void **state)
{
    (void)state;
    const int failing = size - 1;
    int failures = 0;
    for (int nth = 1; nth < 1000; nth++) {
        ls_status status = train_with_fault("alloc", failing, nth, LS_REDUCE_AUTO, false, NULL);
        assert_same_failure(status);
        if (status == LS_OK)
            break; /* fewer allocations than this */
        assert_int_equal(status, LS_ERR_FAILURE);
        failures++;
    }
    assert_in_range(failures, 20, 998);
}

/* A rank fails within a step, while group products, batch statistics or reductions are in progress.
 */
static void a_failed_step_fails_all_ranks_with_every_reducer(void **state)
{
    (void)state;
    static const char *const models[] = {
        "dense:800 relu dense:300 relu dense:4",
        "conv:8x3,1,1 dense:500 batchnorm relu dense:300 batchnorm relu dense:4"};
    for (int i = 0; i < 2 * LS_REDUCERS; i++)
        for (int failing = 0; failing < size; failing++) {
            const ls_reduce kind = (ls_reduce)(i / 2);
            ls_status status = train_with_fault("step", failing, 5, kind, false, models[i % 2]);
            assert_int_equal(status, LS_ERR_FAILURE);
            assert_same_failure(status);
            assert_non_null(strstr(ls_error_text(), "injected fault at 'step'"));
        }
}

/* A rank's gradient is NaN in a step: all ranks return the same error, which names rank, layer and
 * step. */
static void a_nan_gradient_is_reported_on_all_ranks_with_every_reducer(void **state)
{
    (void)state;
    char expected[100];
    for (int kind = 0; kind < LS_REDUCERS; kind++)
        for (int shard = 0; shard < 2; shard++)
            for (int nth = 5; nth <= 12; nth += 7) { /* 12: the last step of an epoch */
                const int failing = (nth + kind) % size;
                ls_status status = train_with_fault("gradient", failing, nth, (ls_reduce)kind,
                                                    shard, "dense:800 relu dense:300 relu dense:4");
                assert_int_equal(status, LS_ERR_NUMERIC);
                assert_same_failure(status);
                assert_non_null(strstr(ls_error_text(), "the gradient of dense3/"));
                snprintf(expected, sizeof expected, "in step %d of epoch 1:", nth);
                assert_non_null(strstr(ls_error_text(), expected));
                snprintf(expected, sizeof expected, "rank %d: ", failing);
                if (size > 1)
                    assert_memory_equal(ls_error_text(), expected, strlen(expected));
            }
}

/* Events that the observer received: validation losses, and notes about saves. */
typedef struct observed {
    double val_loss[8];
    int epochs, notes;
    char note[LS_ERROR_TEXT_MAX];
} observed;

static void record_epoch(void *user, const ls_metrics *metrics, bool best)
{
    observed *t = user;
    (void)best;
    t->val_loss[t->epochs++] = metrics->val_loss;
}

static void record_note(void *user, const char *text)
{
    observed *t = user;
    if (strstr(text, "saved") == NULL && strstr(text, "saves") == NULL)
        return; /* an unrelated event */
    t->notes++;
    snprintf(t->note, sizeof t->note, "%s", text);
}

/* Sends a signal at the start, if requested. */
static bool interrupt_at_start;
static void interrupt_start(void *user, const ls_run_info *info)
{
    (void)user, (void)info;
    if (interrupt_at_start)
        ls_interrupt_set(SIGTERM);
}

/* Trains in the folder `run`; the save with this number fails; 0: no save fails. */
static ls_status train_with_failing_save(const ls_train_config *config, int failing_save,
                                         observed *events, ls_train_result *result)
{
    char fault[64] = "";
    const ls_observer observer = {
        .user = events, .start = interrupt_start, .epoch = record_epoch, .note = record_note};
    memset(events, 0, sizeof *events);
    if (rank == 0 && *config->resume == '\0')
        assert_int_equal(system("rm -rf run"), 0);
    assert_ok(ls_agree(world, LS_OK));
    if (failing_save > 0)
        snprintf(fault, sizeof fault, "checkpoint:0:%d", failing_save);
    return short_training_run(world, config, &observer, fault, result);
}

/* Returns the steps of the checkpoint that a link points to; 0 without such a link, and on ranks
 * other than 0. */
static int64_t checkpoint_steps(const char *path)
{
    ls_checkpoint *checkpoint;
    if (rank != 0 || access(path, F_OK) != 0)
        return 0;
    assert_ok(ls_checkpoint_open(&checkpoint, path));
    const int64_t steps = ls_checkpoint_progress(checkpoint)->optimizer_steps;
    ls_checkpoint_close(&checkpoint);
    return steps;
}

static ls_train_config configure_to_continue_after_failed_saves(void)
{
    ls_train_config config = short_training("f.h5");
    config.run = "run";
    config.keep = 1;
    config.on_save_failure = LS_SAVE_FAILURE_CONTINUES;
    write_shared_dataset(&small_dataset_default, "f.h5");
    return config;
}

enum { STEPS = 12 }; /* in an epoch: 183 rows in batches of 16 */

static void training_continues_after_a_failed_save(void **state)
{
    (void)state;
    observed events;
    ls_train_result whole, result;
    ls_train_config config = configure_to_continue_after_failed_saves();
    assert_ok(train_with_failing_save(&config, 0, &events, &whole));
    config.checkpoint_every = (ls_interval){.steps = 5};
    /* Saves within an epoch, at the end of an epoch, and at the end of the run. */
    const int last = 3 * STEPS / 5 + 3, saves[] = {1, 3, last};
    for (size_t i = 0; i < sizeof saves / sizeof *saves; i++) {
        const ls_status status = train_with_failing_save(&config, saves[i], &events, &result);
        assert_same_failure(status);
        if (saves[i] == last) {
            assert_int_equal(status, LS_ERR_FAILURE);
            continue;
        }
        assert_ok(status);
        assert_true(result.digest == whole.digest);
        assert_int_equal(events.notes, rank == 0 ? 1 : 0);
        if (rank != 0)
            continue;
        assert_non_null(strstr(events.note, "injected fault at 'checkpoint'; training continues"));
        assert_int_equal(checkpoint_steps("run/checkpoints/last"), 3 * STEPS);
        assert_int_equal(system("grep -q '\"event\":\"save_failed\".*injected' run/events.jsonl"),
                         0);
    }
}

static void an_interrupted_run_fails_if_its_checkpoint_cant_be_saved(void **state)
{
    (void)state;
    observed events;
    ls_train_result result;
    ls_train_config config = configure_to_continue_after_failed_saves();
    config.checkpoint_every = (ls_interval){.steps = 5};
    interrupt_at_start = true;
    assert_int_equal(train_with_failing_save(&config, 1, &events, &result), LS_ERR_FAILURE);
    interrupt_at_start = false;
    ls_interrupt_set(0);
}

/* The previous best checkpoint is not pruned, although only one checkpoint is kept. */
static void a_failed_save_of_the_best_epoch_keeps_the_previous_best_checkpoint(void **state)
{
    (void)state;
    observed events;
    ls_train_result result;
    ls_train_config config = configure_to_continue_after_failed_saves();
    config.lr = 0.05; /* the loss falls by less each epoch */
    assert_ok(train_with_failing_save(&config, 0, &events, &result));
    ls_broadcast(world, &events, sizeof events);
    const double first = events.val_loss[0] - events.val_loss[1],
                 second = events.val_loss[1] - events.val_loss[2];
    assert_true(first > second); /* a min_delta between both makes the second epoch the best */
    config.min_delta = (first + second) / 2;
    assert_ok(train_with_failing_save(&config, 2, &events, &result));
    assert_int_equal(result.best_epoch, 2);
    if (rank == 0) {
        assert_int_equal(checkpoint_steps("run/checkpoints/best"), STEPS);
        assert_int_equal(checkpoint_steps("run/checkpoints/last"), 3 * STEPS);
    }
    config.resume = "auto";
    config.epochs = 4;
    config.min_delta = 1e9;
    config.resume_anyway = true;
    config.restore_best = true;
    assert_ok(train_with_failing_save(&config, 0, &events, &result));
    assert_int_equal(events.notes, rank == 0 ? 1 : 0);
    assert_true(result.restored && result.final.epoch == 1);
    if (rank == 0) {
        assert_non_null(strstr(events.note, "epoch 2, the best so far, could not be saved"));
        assert_int_equal(checkpoint_steps("run/checkpoints/best"), STEPS);
    }
}

/* No best checkpoint is ever saved: the best epoch is restored from the copy in memory, and a
 * resumed run has no best epoch to restore. */
static void an_unsaved_best_epoch_is_restored_from_memory(void **state)
{
    (void)state;
    observed events;
    ls_train_result result;
    ls_train_config config = configure_to_continue_after_failed_saves();
    config.lr = 0.05;
    config.min_delta = 1e9;
    config.resume_anyway = true;
    config.restore_best = true;
    assert_ok(train_with_failing_save(&config, 1, &events, &result));
    assert_true(result.restored && result.final.epoch == 1);
    assert_int_equal(checkpoint_steps("run/checkpoints/best"), 0);
    config.resume = "auto";
    config.epochs = 4;
    assert_ok(train_with_failing_save(&config, 0, &events, &result));
    assert_true(!result.restored && result.final.epoch == 4);
}

/* The same tests with an optimizer that reads all gradients before the first update and averages
 * the parameters. */
static void a_failed_allocation_fails_all_ranks_with_norms_and_averages(void **state)
{
    optimizer = &short_training_optimizers[0];
    a_failed_allocation_fails_all_ranks(state);
    optimizer = NULL;
}

static void a_failed_step_fails_all_ranks_with_norms_and_averages(void **state)
{
    optimizer = &short_training_optimizers[0];
    a_failed_step_fails_all_ranks_with_every_reducer(state);
    optimizer = NULL;
}

static void a_nan_gradient_is_reported_on_all_ranks_with_norms_and_averages(void **state)
{
    optimizer = &short_training_optimizers[0];
    a_nan_gradient_is_reported_on_all_ranks_with_every_reducer(state);
    optimizer = NULL;
}

MPI_TEST_MAIN(cmocka_unit_test(a_fault_on_one_rank_fails_all_ranks),
              cmocka_unit_test(a_failed_allocation_fails_all_ranks),
              cmocka_unit_test(a_failed_step_fails_all_ranks_with_every_reducer),
              cmocka_unit_test(a_nan_gradient_is_reported_on_all_ranks_with_every_reducer),
              cmocka_unit_test(a_failed_allocation_fails_all_ranks_with_norms_and_averages),
              cmocka_unit_test(a_failed_step_fails_all_ranks_with_norms_and_averages),
              cmocka_unit_test(a_nan_gradient_is_reported_on_all_ranks_with_norms_and_averages),
              cmocka_unit_test(training_continues_after_a_failed_save),
              cmocka_unit_test(an_interrupted_run_fails_if_its_checkpoint_cant_be_saved),
              cmocka_unit_test(a_failed_save_of_the_best_epoch_keeps_the_previous_best_checkpoint),
              cmocka_unit_test(an_unsaved_best_epoch_is_restored_from_memory))
