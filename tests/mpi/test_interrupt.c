/* Runs that are stopped within an epoch and resumed: on the same number of ranks with the same
 * bits, on another number of ranks with the same steps. */
#include "small_dataset.h"
#include "parallel/collectives.h"
#include "mpi_test.h"

#include "base/interrupt.h"
#include "train/standby.h"

#include "run/checkpoint.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EPOCHS = 3, STEPS = 12 }; /* steps of an epoch of small_dataset_default in batches of 16 */

/* Observer data: sends this process a signal after a number of steps, and records the epochs. */
typedef struct watcher {
    int steps_left; /* below 0: never */
    int epochs;
    ls_metrics metrics[EPOCHS];
} watcher;

static void count_step(void *user, int64_t epoch, int64_t rows, double loss)
{
    (void)epoch, (void)rows, (void)loss;
    watcher *w = user;
    if (w->steps_left > 0 && --w->steps_left == 0)
        assert_int_equal(raise(SIGUSR1), 0);
}

static void record_epoch(void *user, const ls_metrics *metrics, bool best)
{
    (void)best;
    watcher *w = user;
    assert_true(w->epochs < EPOCHS);
    w->metrics[w->epochs++] = *metrics;
}

static ls_status train_with_watcher(ls_comm *comm, const ls_train_config *config, watcher *w,
                                    ls_train_result *result)
{
    ls_trainer *trainer = NULL;
    const ls_observer observer = {.user = w, .step = count_step, .epoch = record_epoch};
    ls_interrupt_set(0);
    ls_interrupt_watch();
    ls_status status = ls_trainer_create(&trainer, comm, config, &observer);
    if (status == LS_OK)
        status = ls_trainer_run(trainer, result);
    ls_trainer_destroy(&trainer);
    ls_interrupt_set(0);
    return status;
}

static ls_train_config configure_new_run(const char *run)
{
    ls_train_config config = short_training("i.h5");
    /* The first layer is computed in several slices while its weights may still be arriving. */
    config.model = "dense:4500 relu dense:4";
    config.epochs = EPOCHS;
    config.run = run;
    config.resume = "auto";
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", run);
    ls_barrier(world); /* no rank reads an earlier run any more */
    if (rank == 0) {
        small_dataset_write(&small_dataset_default, "i.h5");
        assert_int_equal(system(command), 0);
    }
    assert_ok(ls_agree(world, LS_OK));
    return config;
}

/* Stops the run every `every` steps and resumes it, until the run is complete. Rank 0 gets the
 * signal after a step; the next step detects the signal. */
static void run_in_parts(const ls_train_config *config, int every, watcher *w,
                         ls_train_result *result)
{
    int parts = 0;
    for (;; parts++) {
        w->steps_left = every - 1;
        ls_status status = train_with_watcher(world, config, w, result);
        if (status == LS_OK)
            break;
        assert_int_equal(status, LS_INTERRUPTED);
        assert_same_failure(status);
        assert_non_null(strstr(ls_error_text(), "stopped by SIGUSR1 on rank 0"));
        assert_true(parts < EPOCHS * STEPS);
    }
    assert_int_equal(parts, (EPOCHS * STEPS - 1) / every);
}

static int count_lines(const char *path)
{
    FILE *file = fopen(path, "r");
    int lines = 0;
    assert_non_null(file);
    for (int c = getc(file); c != EOF; c = getc(file))
        lines += c == '\n';
    fclose(file);
    return lines;
}

/* Asserts that interrupted and resumed runs end with the bits and metrics of uninterrupted runs,
 * with every reducer.
 * optimizer   NULL: the one of short_training() */
static void compare_resumed_with_whole_runs(const ls_optimizer_config *optimizer)
{
    static const int every[] = {5, 8, STEPS};
    for (int kind = 0; kind < LS_REDUCERS; kind++)
        for (int shard = 0; shard < 2; shard++) {
            watcher whole = {.steps_left = -1}, parts = {0};
            ls_train_result one, other;
            ls_train_config config = configure_new_run("whole");
            short_training_reduce(&config, kind, shard);
            if (optimizer != NULL) {
                config.optimizer = *optimizer;
                config.model = "dense:300 relu dense:30 relu dense:4";
            }
            config.restore_best = shard;
            assert_ok(train_with_watcher(world, &config, &whole, &one));
            (void)configure_new_run("parts");
            config.run = "parts";
            run_in_parts(&config, every[(kind + shard) % 3], &parts, &other);
            assert_true(one.digest == other.digest);
            assert_int_equal(one.best_epoch, other.best_epoch);
            assert_true(one.best == other.best);
            if (rank != 0)
                continue;
            assert_int_equal(parts.epochs, EPOCHS);
            for (int e = 0; e < EPOCHS; e++) {
                const ls_metrics *a = &whole.metrics[e], *b = &parts.metrics[e];
                assert_true(a->epoch == b->epoch);
                assert_true(a->loss == b->loss);
                assert_true(a->accuracy == b->accuracy);
                assert_true(a->val_loss == b->val_loss);
                assert_true(a->val_accuracy == b->val_accuracy);
            }
            assert_int_equal(count_lines("parts/metrics.csv"), 1 + EPOCHS);
        }
}

/* The learning rate of a step depends only on its position in the run and on earlier metrics. */
static void a_resumed_run_has_the_same_learning_rates(void **state)
{
    (void)state;
    const struct {
        ls_schedule_config schedule;
        double last; /* learning rate of the run's last step, relative to --lr */
    } cases[] = {
        {{.kind = LS_SCHEDULE_CONSTANT, .warmup = 1.7, .gamma = 1, .patience = 1}, 1},
        {{.kind = LS_SCHEDULE_STEP, .gamma = 0.3, .patience = 1}, 0.09},
        {{.kind = LS_SCHEDULE_COSINE, .warmup = 0.5, .gamma = 1, .final = 0.1, .patience = 1},
         0.10246},
        {{.kind = LS_SCHEDULE_ONECYCLE, .gamma = 1, .final = LS_SCHEDULE_FINAL, .patience = 1},
         LS_SCHEDULE_FINAL},
        {{.kind = LS_SCHEDULE_PLATEAU, .gamma = 0.5, .patience = 1}, 0.5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        watcher whole = {.steps_left = -1}, parts = {0};
        ls_train_result one, other;
        ls_train_config config = configure_new_run("whole");
        config.model = "dense:12 relu dense:4";
        config.schedule = cases[i].schedule;
        config.label_smoothing = 0.1;
        config.reduce = LS_REDUCE_FUSED;
        config.mode = LS_MODE_MAX; /* the loss falls: no improvement after the first epoch */
        assert_ok(train_with_watcher(world, &config, &whole, &one));
        (void)configure_new_run("parts");
        config.run = "parts";
        run_in_parts(&config, 5, &parts, &other);
        assert_true(one.digest == other.digest);
        assert_near(one.final.lr, config.lr * cases[i].last, 1e-4, 0);
        for (int e = 0; rank == 0 && e < EPOCHS; e++) {
            assert_true(whole.metrics[e].lr == parts.metrics[e].lr);
            assert_true(whole.metrics[e].val_loss == parts.metrics[e].val_loss);
        }
    }
}

static void a_resumed_run_has_the_same_bits(void **state)
{
    (void)state;
    compare_resumed_with_whole_runs(NULL);
}

static void a_resumed_run_has_the_same_bits_with_norms_and_averages(void **state)
{
    (void)state;
    compare_resumed_with_whole_runs(&short_training_optimizers[0]);
}

/* Stopped on all ranks together, then resumed by each rank alone. */
static void a_run_resumes_on_another_number_of_ranks(void **state)
{
    (void)state;
    watcher whole = {.steps_left = -1}, part = {.steps_left = STEPS + 5}, rest = {.steps_left = -1};
    ls_train_result one, other;
    ls_train_config config = configure_new_run("whole");
    config.reduce = LS_REDUCE_FUSED;
    assert_ok(train_with_watcher(world, &config, &whole, &one));
    config = configure_new_run("elastic");
    config.reduce = LS_REDUCE_FUSED;
    assert_int_equal(train_with_watcher(world, &config, &part, &other), LS_INTERRUPTED);
    config.run = "";
    config.resume = "elastic/checkpoints/last";
    assert_ok(train_with_watcher(self, &config, &rest, &other));
    assert_int_equal(other.epochs, EPOCHS);
    assert_int_equal(rest.epochs, EPOCHS - 1);
    assert_near(one.final.loss, other.final.loss, 1e-3, 1e-5);
    assert_near(one.final.val_loss, other.final.val_loss, 1e-3, 1e-5);
    assert_ok(ls_agree(world, LS_OK));
}

static void a_run_with_a_local_shuffle_resumes_only_on_its_number_of_ranks(void **state)
{
    (void)state;
    watcher part = {.steps_left = 5}, rest = {.steps_left = -1};
    ls_train_result other;
    if (size == 1)
        return;
    ls_train_config config = configure_new_run("local");
    config.shuffle = LS_SHUFFLE_LOCAL;
    assert_int_equal(train_with_watcher(world, &config, &part, &other), LS_INTERRUPTED);
    config.run = "";
    config.resume = "local/checkpoints/last";
    assert_fails(train_with_watcher(self, &config, &rest, &other), LS_ERR_USAGE,
                 "with --shuffle local");
    assert_ok(ls_agree(world, LS_OK));
}

/* Only the last rank gets the signal. */
static void a_signal_to_one_rank_stops_all_ranks(void **state)
{
    (void)state;
    char expected[64];
    watcher w = {0};
    ls_train_result result;
    ls_trainer *trainer = NULL;
    const ls_observer silent = {0};
    ls_train_config config = configure_new_run("any");
    assert_ok(ls_trainer_create(&trainer, world, &config, &silent));
    ls_interrupt_set(rank == size - 1 ? SIGTERM : 0);
    ls_status status = ls_trainer_run(trainer, &result);
    ls_trainer_destroy(&trainer);
    assert_int_equal(status, LS_INTERRUPTED);
    assert_same_failure(status);
    snprintf(expected, sizeof expected, "stopped by SIGTERM on rank %d, 0 epochs and 1 of 12",
             size - 1);
    assert_non_null(strstr(ls_error_text(), expected));
    w.steps_left = -1;
    assert_ok(train_with_watcher(world, &config, &w, &result));
    assert_int_equal(result.epochs, EPOCHS);
}

/* Trains with a time limit that has expired when the first step begins. */
static ls_status train_beyond_time_limit(const ls_train_config *config)
{
    ls_trainer *trainer = NULL;
    ls_train_result result;
    const ls_observer silent = {0};
    assert_ok(ls_trainer_create(&trainer, world, config, &silent));
    ls_interrupt_at(1e-9);
    ls_status status = ls_trainer_run(trainer, &result);
    ls_trainer_destroy(&trainer);
    return status;
}

static void a_time_limit_stops_the_run(void **state)
{
    (void)state;
    watcher w = {.steps_left = -1};
    ls_train_result result;
    ls_train_config config = configure_new_run("limited");
    ls_status status = train_beyond_time_limit(&config);
    assert_fails(status, LS_INTERRUPTED, "stopped by the time limit, 0 epochs and 1 of 12 steps");
    assert_same_failure(status);
    config.time_limit = 1e-9;
    status = train_with_watcher(world, &config, &w, &result);
    assert_fails(status, LS_INTERRUPTED, "stopped by the time limit before the first step");
    assert_same_failure(status);
}

static void a_time_limit_without_a_run_folder_is_a_failure(void **state)
{
    (void)state;
    ls_train_config config = configure_new_run("limited");
    config.run = "";
    config.resume = "";
    for (int kind = 0; kind < LS_REDUCERS; kind++) {
        short_training_reduce(&config, kind, false);
        assert_fails(train_beyond_time_limit(&config), LS_ERR_FAILURE,
                     "without --run nothing is saved");
    }
}

static void a_run_within_its_time_limit_is_complete(void **state)
{
    (void)state;
    watcher w = {.steps_left = -1};
    ls_train_result result;
    ls_train_config config = configure_new_run("limited");
    config.time_limit = 3600;
    assert_ok(train_with_watcher(world, &config, &w, &result));
}

/* Sends a signal after the last step of the first epoch, and sleeps, so that the signal is noticed
 * before the validation, which is short, ends. */
static void signal_before_validation(void *user, int64_t epoch, int64_t rows, double loss)
{
    count_step(user, epoch, rows, loss);
    watcher *w = user;
    if (w->steps_left == 0) {
        w->steps_left = -1;
        usleep(600 * 1000);
    }
}

/* A long validation does not delay the stop: the resumed run starts with the validation. */
static void a_signal_stops_the_validation(void **state)
{
    (void)state;
    watcher whole = {.steps_left = -1}, parts = {.steps_left = STEPS};
    ls_train_result one, other;
    ls_trainer *trainer = NULL;
    ls_train_config config = configure_new_run("whole");
    assert_ok(train_with_watcher(world, &config, &whole, &one));
    config = configure_new_run("broken");
    const ls_observer observer = {
        .user = &parts, .step = signal_before_validation, .epoch = record_epoch};
    ls_interrupt_watch();
    assert_ok(ls_trainer_create(&trainer, world, &config, &observer));
    ls_status status = ls_trainer_run(trainer, &other);
    ls_trainer_destroy(&trainer);
    assert_fails(status, LS_INTERRUPTED, "stopped by SIGUSR1 on rank 0, 0 epochs and 12 of 12");
    assert_same_failure(status);
    assert_ok(train_with_watcher(world, &config, &parts, &other));
    assert_true(one.digest == other.digest);
    for (int e = 0; rank == 0 && e < EPOCHS; e++) {
        assert_true(whole.metrics[e].loss == parts.metrics[e].loss);
        assert_true(whole.metrics[e].val_loss == parts.metrics[e].val_loss);
    }
}

/* Observer data: sends a signal in the fourth step and waits in that step for the checkpoint of an
 * earlier step, which is written at once. ls_standby_long_step = 0 makes every step a long one. */
typedef struct long_steps {
    int steps, seen, notes;
} long_steps;

/* Returns the steps of a checkpoint of the first 3 steps; 0 if there is none yet. */
static int steps_of_written_checkpoint(void)
{
    for (int steps = 1; steps < 4; steps++) {
        char path[64];
        snprintf(path, sizeof path, "long/checkpoints/step-%08d.h5", steps);
        if (access(path, F_OK) == 0)
            return steps;
    }
    return 0;
}

static void signal_in_fourth_step(void *user, int64_t epoch, int64_t rows, double loss)
{
    (void)epoch, (void)rows, (void)loss;
    long_steps *l = user;
    if (++l->steps != 4)
        return; /* the next step is the last */
    /* Sent before the state after this step can be copied. */
    assert_int_equal(raise(SIGTERM), 0);
    for (int i = 0; i < 100 && l->seen == 0; i++) {
        usleep(20 * 1000);
        l->seen = steps_of_written_checkpoint();
    }
}

static void count_note(void *user, const char *text)
{
    long_steps *l = user;
    l->notes += strstr(text, "SIGTERM in a long step: a checkpoint after step ") != NULL;
}

/* The checkpoint of an earlier step is written before the current step ends. */
static void a_signal_in_a_long_step_saves_a_checkpoint_at_once(void **state)
{
    (void)state;
    long_steps l = {0};
    watcher whole = {.steps_left = -1}, rest = {.steps_left = -1};
    ls_train_result one, other;
    ls_trainer *trainer = NULL;
    for (int kind = 0; kind < LS_REDUCERS; kind++) {
        ls_train_config config = configure_new_run("whole");
        config.optimizer.ema = 0.9;
        short_training_reduce(&config, kind, kind == LS_REDUCE_FUSED);
        assert_ok(train_with_watcher(world, &config, &whole, &one));
        (void)configure_new_run("long");
        config.run = "long";
        l = (long_steps){0};
        whole.epochs = rest.epochs = 0;
        const ls_observer observer = {
            .user = &l, .step = signal_in_fourth_step, .urgent = count_note};
        ls_interrupt_watch();
        ls_standby_long_step = 0;
        assert_ok(ls_trainer_create(&trainer, world, &config, &observer));
        ls_status status = ls_trainer_run(trainer, &other);
        ls_trainer_destroy(&trainer);
        ls_standby_long_step = 0.25;
        ls_interrupt_set(0);
        assert_int_equal(status, LS_INTERRUPTED);
        if (rank == 0) {
            assert_true(l.seen > 0);
            assert_int_equal(l.notes, 1);
            /* As if the job had been killed at this point. */
            assert_int_equal(unlink("long/checkpoints/step-00000005.h5"), 0);
        }
        assert_ok(ls_agree(world, LS_OK));
        assert_ok(train_with_watcher(world, &config, &rest, &other));
        assert_true(one.digest == other.digest);
    }
}

static void checkpoints_are_saved_every_n_steps(void **state)
{
    (void)state;
    watcher w = {.steps_left = -1};
    ls_train_result result;
    ls_train_config config = configure_new_run("steps");
    config.model = "dense:12 relu dense:4"; /* learns steadily */
    config.checkpoint_every = (ls_interval){.steps = 5};
    config.keep = 100;
    config.mode = LS_MODE_MAX; /* the first epoch is the best */
    assert_ok(train_with_watcher(world, &config, &w, &result));
    for (int64_t step = 1; step <= EPOCHS * STEPS; step++) {
        char path[64];
        snprintf(path, sizeof path, "steps/checkpoints/step-%08d.h5", (int)step);
        const bool wanted = step % 5 == 0 || step == STEPS || step == EPOCHS * STEPS;
        if (rank == 0)
            assert_true((access(path, F_OK) == 0) == wanted);
    }
}

static void checkpoints_are_saved_by_time(void **state)
{
    (void)state;
    watcher w = {.steps_left = -1};
    ls_train_result result;
    ls_train_config config = configure_new_run("seconds");
    config.checkpoint_every = (ls_interval){.seconds = 1e-9};
    config.keep = 100;
    assert_ok(train_with_watcher(world, &config, &w, &result));
    if (rank == 0)
        assert_int_equal(access("seconds/checkpoints/step-00000007.h5", F_OK), 0);
}

MPI_TEST_MAIN(cmocka_unit_test(a_resumed_run_has_the_same_bits),
              cmocka_unit_test(a_resumed_run_has_the_same_learning_rates),
              cmocka_unit_test(a_resumed_run_has_the_same_bits_with_norms_and_averages),
              cmocka_unit_test(a_run_resumes_on_another_number_of_ranks),
              cmocka_unit_test(a_run_with_a_local_shuffle_resumes_only_on_its_number_of_ranks),
              cmocka_unit_test(a_signal_to_one_rank_stops_all_ranks),
              cmocka_unit_test(a_time_limit_stops_the_run),
              cmocka_unit_test(a_time_limit_without_a_run_folder_is_a_failure),
              cmocka_unit_test(a_run_within_its_time_limit_is_complete),
              cmocka_unit_test(a_signal_stops_the_validation),
              cmocka_unit_test(a_signal_in_a_long_step_saves_a_checkpoint_at_once),
              cmocka_unit_test(checkpoints_are_saved_every_n_steps),
              cmocka_unit_test(checkpoints_are_saved_by_time))
