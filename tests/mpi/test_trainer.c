/* A training run outside its steps: early stopping, checkpoints, resuming. */
#include "damaged_files.h"
#include "parallel/collectives.h"
#include "small_dataset.h"
#include "mpi_test.h"

#include "run/checkpoint.h"
#include "parallel/reducer.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/memory.h"

#include <math.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

static const ls_observer silent;

static void write_data(const char *path)
{
    write_shared_dataset(&small_dataset_default, path);
}

static void remove_run(const char *run)
{
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", run);
    ls_barrier(world); /* no rank reads an earlier run any more */
    if (rank == 0)
        assert_int_equal(system(command), 0);
    assert_ok(ls_agree(world, LS_OK));
}

static ls_status train(const ls_train_config *config, ls_train_result *result)
{
    ls_trainer *trainer = NULL;
    ls_status status = ls_trainer_create(&trainer, world, config, &silent);
    if (status == LS_OK)
        status = ls_trainer_run(trainer, result);
    ls_trainer_destroy(&trainer);
    return status;
}

static void training_learns(void **state)
{
    (void)state;
    ls_train_result result;
    write_data("d.h5");
    ls_train_config config = short_training("d.h5");
    config.epochs = 15;
    assert_ok(train(&config, &result));
    assert_int_equal(result.epochs, 15);
    assert_true(result.final.accuracy > 0.97);
    assert_true(result.final.val_accuracy > 0.9);
    assert_true(result.final.val_loss < 0.4);
}

static void the_seed_determines_the_bits(void **state)
{
    (void)state;
    ls_train_result result, again, other;
    write_data("d.h5");
    ls_train_config config = short_training("d.h5");
    assert_ok(train(&config, &result));
    assert_ok(train(&config, &again));
    assert_true(again.digest == result.digest);
    config.seed = 1;
    assert_ok(train(&config, &other));
    assert_true(other.digest != result.digest);
}

static void early_stopping_restores_the_best_epoch(void **state)
{
    (void)state;
    ls_train_result result;
    write_data("d.h5");
    ls_train_config config = short_training("d.h5");
    config.epochs = 50;
    config.patience = 2;
    config.mode = LS_MODE_MAX; /* maximise the loss, which falls: the first epoch stays the best */
    config.restore_best = true;
    assert_ok(train(&config, &result));
    assert_true(result.stopped_early && result.restored);
    assert_int_equal(result.epochs, 3);
    assert_int_equal(result.best_epoch, 1);
    assert_true(result.final.epoch == 1);
    ls_train_result one;
    config.epochs = 1;
    assert_ok(train(&config, &one));
    assert_true(one.digest == result.digest);
}

static void patience_needs_validation_rows_or_a_training_metric(void **state)
{
    (void)state;
    ls_train_result result;
    write_data("d.h5");
    ls_train_config config = short_training("d.h5");
    config.patience = 2;
    config.validation = 0;
    assert_fails(train(&config, &result), LS_ERR_USAGE, "no validation rows");
    config.monitor = LS_MONITOR_ACCURACY;
    assert_ok(train(&config, &result));
}

/* Trains 5 epochs in a new run folder of this name. Returns the settings. */
static ls_train_config train_five_epochs(const char *run, ls_train_result *result)
{
    write_data("d.h5");
    ls_train_config config = short_training("d.h5");
    config.epochs = 5;
    config.restore_best = true;
    config.run = run;
    remove_run(run);
    assert_ok(train(&config, result));
    return config;
}

/* Stopped and resumed after epochs 1 and 3. */
static void a_resumed_run_has_the_same_bits(void **state)
{
    (void)state;
    ls_train_result whole, part;
    ls_train_config config = train_five_epochs("whole", &whole);
    config.run = "parts";
    config.resume = "auto";
    remove_run("parts");
    for (int epochs = 1; epochs <= 5; epochs += 2) {
        config.epochs = epochs;
        assert_ok(train(&config, &part));
        assert_int_equal(part.epochs, epochs);
    }
    assert_true(part.digest == whole.digest);
    assert_true(part.best == whole.best);
    assert_int_equal(part.best_epoch, whole.best_epoch);
    assert_true(part.final.val_loss == whole.final.val_loss);
}

static void a_finished_run_has_nothing_to_do(void **state)
{
    (void)state;
    ls_train_result whole, again;
    ls_train_config config = train_five_epochs("whole", &whole);
    config.resume = "auto";
    assert_ok(train(&config, &again));
    assert_true(again.nothing_to_do);
    assert_true(again.digest == whole.digest);
}

/* The other folder gets all checkpoints, although there are no epochs left to train. */
static void a_run_resumes_into_another_folder(void **state)
{
    (void)state;
    ls_train_result whole, other;
    ls_train_config config = train_five_epochs("whole", &whole);
    config.run = "other";
    config.resume = "whole/checkpoints/last";
    remove_run("other");
    assert_ok(train(&config, &other));
    assert_true(other.digest == whole.digest);
    if (rank == 0) {
        assert_true(access("other/checkpoints/last", F_OK) == 0);
        assert_true(access("other/checkpoints/best", F_OK) == 0);
    }
}

static void a_run_resumes_from_an_earlier_checkpoint_of_its_folder(void **state)
{
    (void)state;
    ls_train_result whole, part;
    ls_train_config config = train_five_epochs("whole", &whole);
    config.resume = "whole/checkpoints/step-00000048.h5";
    assert_ok(train(&config, &part));
    assert_true(part.digest == whole.digest);
}

static void resuming_does_not_overwrite_another_run(void **state)
{
    (void)state;
    ls_train_result result;
    train_five_epochs("whole", &result);
    ls_train_config config = train_five_epochs("parts", &result);
    config.run = "whole";
    config.resume = "parts/checkpoints/step-00000048.h5";
    assert_fails(train(&config, &result), LS_ERR_USAGE, "whole holds a run already");
}

/* Returns the digests of a checkpoint's evaluation parameters and of its parameters. On rank 0. */
static void digest_checkpoint(const char *path, uint64_t *outcome, uint64_t *params)
{
    ls_checkpoint *checkpoint;
    ls_network *network;
    assert_ok(ls_checkpoint_open(&checkpoint, path));
    const ls_model_info *id = ls_checkpoint_model(checkpoint);
    assert_ok(ls_network_create(&network, id->model, id->input, id->classes, id->loss, 0));
    const int64_t size_of = ls_network_size(network);
    float *arena = ls_alloc(size_of, sizeof *arena);
    assert_ok(ls_checkpoint_read_outcome(checkpoint, network, arena));
    *outcome = XXH3_64bits(arena, (size_t)size_of * sizeof *arena);
    assert_ok(ls_checkpoint_read_params(checkpoint, LS_MODEL, network, arena));
    *params = XXH3_64bits(arena, (size_t)size_of * sizeof *arena);
    assert_true(ls_checkpoint_has_average(checkpoint, LS_MODEL) == (*outcome != *params));
    ls_free(arena);
    ls_network_destroy(&network);
    ls_checkpoint_close(&checkpoint);
}

/* A run with a parameter average evaluates the average and ends with it, of the last or of the best
 * epoch, and loads the average again if there are no epochs left. */
static void a_parameter_average_is_evaluated_and_restored(void **state)
{
    (void)state;
    ls_train_result plain, result, again;
    write_data("d.h5");
    for (int kind = 0; kind <= LS_REDUCE_AUTO; kind++)
        for (int best = 0; best < 2; best++) {
            ls_train_config config = short_training("d.h5");
            config.epochs = 3;
            config.mode = LS_MODE_MAX; /* the first epoch is the best */
            config.restore_best = best;
            short_training_reduce(&config, kind, kind == LS_REDUCE_OVERLAP);
            assert_ok(train(&config, &plain));
            config.optimizer.ema = 0.99;
            config.run = "average";
            config.resume = "auto";
            remove_run("average");
            assert_ok(train(&config, &result));
            assert_true(result.digest != plain.digest);
            assert_true(result.final.loss == plain.final.loss || kind == LS_REDUCE_AUTO ||
                        size > 2);
            assert_true(result.final.val_loss != plain.final.val_loss);
            assert_ok(train(&config, &again));
            assert_true(again.nothing_to_do && again.digest == result.digest);
            if (rank != 0)
                continue;
            uint64_t outcome, params;
            digest_checkpoint(best ? "average/checkpoints/best" : "average/checkpoints/last",
                              &outcome, &params);
            assert_true(outcome == result.digest && params != outcome);
        }
}

/* An average that is first requested on resuming starts from the resumed parameters. */
static void an_average_can_start_on_resuming(void **state)
{
    (void)state;
    ls_train_result result, late;
    write_data("d.h5");
    ls_train_config config = short_training("d.h5");
    config.run = "late";
    remove_run("late");
    assert_ok(train(&config, &result));
    config.resume = "auto";
    config.resume_anyway = true;
    config.optimizer.ema = 0.9;
    assert_ok(train(&config, &late));
    assert_true(late.nothing_to_do && late.digest == result.digest);
    config.epochs++;
    assert_ok(train(&config, &late));
    assert_true(late.final.loss < result.final.loss);
    if (rank == 0) {
        uint64_t outcome, params;
        digest_checkpoint("late/checkpoints/last", &outcome, &params);
        assert_true(outcome == late.digest);
    }
}

/* Trains 3 epochs in a new run folder of this name. Returns the settings. */
static ls_train_config train_three_epochs(const char *run, ls_train_result *result)
{
    write_data("d.h5");
    ls_train_config config = short_training("d.h5");
    config.run = run;
    remove_run(run);
    assert_ok(train(&config, result));
    return config;
}

static void resuming_refuses_another_seed(void **state)
{
    (void)state;
    ls_train_result result;
    ls_train_config config = train_three_epochs("kept", &result);
    config.resume = "auto";
    config.epochs = 4;
    config.seed = 7;
    ls_status status = train(&config, &result);
    assert_fails(status, LS_ERR_USAGE, "--seed is 7, was 0");
    assert_same_failure(status);
}

static void a_run_is_not_overwritten_without_resume(void **state)
{
    (void)state;
    ls_train_result result;
    const ls_train_config config = train_three_epochs("kept", &result);
    assert_fails(train(&config, &result), LS_ERR_USAGE, "holds a run already");
}

/* Checkpoints older than the layout attribute: their images count as [N,C,H,W]. */
static void resuming_refuses_another_layout(void **state)
{
    (void)state;
    ls_train_result result;
    ls_train_config config = train_three_epochs("kept", &result);
    config.resume = "auto";
    config.epochs = 4;
    if (rank == 0)
        damaged_file_forget_setting("kept/checkpoints/last", "layout");
    assert_ok(ls_agree(world, LS_OK));
    config.layout = LS_LAYOUT_NHWC;
    assert_fails(train(&config, &result), LS_ERR_USAGE, "--layout is nhwc, was auto");
    config.layout = LS_LAYOUT_NCHW;
    config.epochs = 3;
    assert_ok(train(&config, &result));
    config.layout = LS_LAYOUT_AUTO;
    assert_ok(train(&config, &result));
}

/* A data set with other training rows. */
static void write_other_data(const char *path)
{
    small_dataset f = small_dataset_default;
    f.train = 204;
    write_shared_dataset(&f, path);
}

static void resuming_refuses_other_training_rows(void **state)
{
    (void)state;
    ls_train_result result;
    ls_train_config config = train_three_epochs("kept", &result);
    config.resume = "auto";
    config.epochs = 4;
    write_other_data("other.h5");
    config.data = "other.h5";
    assert_fails(train(&config, &result), LS_ERR_DATA, "differ from those it was trained on");
}

static void resuming_needs_a_checkpoint_or_a_run_folder(void **state)
{
    (void)state;
    ls_train_result result;
    ls_train_config config = train_three_epochs("kept", &result);
    config.epochs = 4;
    config.resume = "nowhere";
    assert_fails(train(&config, &result), LS_ERR_DATA, "nowhere");
    config.resume = "auto";
    config.run = "";
    assert_fails(train(&config, &result), LS_ERR_USAGE, "--resume auto needs --run");
}

static void a_run_resumes_after_refused_changes(void **state)
{
    (void)state;
    ls_train_result result;
    ls_train_config config = train_three_epochs("kept", &result);
    config.resume = "auto";
    config.epochs = 4;
    config.seed = 7;
    assert_fails(train(&config, &result), LS_ERR_USAGE, "--seed is 7, was 0");
    config.seed = 0;
    assert_ok(train(&config, &result));
    assert_int_equal(result.epochs, 4);
}

static void resume_anyway_accepts_another_learning_rate(void **state)
{
    (void)state;
    ls_train_result result;
    ls_train_config config = train_three_epochs("anyway", &result);
    config.lr = 0.02;
    config.resume = "auto";
    config.epochs = 5;
    assert_fails(train(&config, &result), LS_ERR_USAGE, "--lr is 0.02, was 0.01");
    config.resume_anyway = true;
    assert_ok(train(&config, &result));
    assert_int_equal(result.epochs, 5);
}

static void resume_anyway_refuses_another_optimizer(void **state)
{
    (void)state;
    ls_train_result result;
    ls_train_config config = train_three_epochs("anyway", &result);
    config.lr = 0.02;
    config.resume = "auto";
    config.epochs = 5;
    config.resume_anyway = true;
    config.optimizer.kind = LS_ADAMW;
    assert_fails(train(&config, &result), LS_ERR_USAGE,
                 "not even by --resume-anyway: --optimizer is adamw, was adam");
    config.optimizer.kind = LS_ADAM;
    assert_ok(train(&config, &result));
    assert_int_equal(result.epochs, 5);
}

/* Another seed changes the samples of a step. */
static void resume_anyway_accepts_other_samples_only_between_epochs(void **state)
{
    (void)state;
    ls_train_result result;
    write_data("d.h5");
    write_other_data("other.h5");
    ls_train_config config = short_training("d.h5");
    config.run = "anyway";
    config.checkpoint_every = (ls_interval){.steps = 5};
    config.keep = 100;
    remove_run("anyway");
    assert_ok(train(&config, &result));
    config.resume_anyway = true;
    config.epochs = 6;
    config.seed = 1;
    config.resume = "anyway/checkpoints/step-00000005.h5";
    assert_fails(train(&config, &result), LS_ERR_USAGE, "in the middle of an epoch");
    config.seed = 0;
    config.data = "other.h5";
    assert_fails(train(&config, &result), LS_ERR_DATA, "in the middle of an epoch");
    config.seed = 1;
    config.resume = "auto";
    assert_ok(train(&config, &result));
    assert_int_equal(result.epochs, 6);
}

/* Writes a data set with a validation split of this number of rows. */
static void write_data_with_validation_rows(const char *path, int64_t validation)
{
    small_dataset f = small_dataset_default;
    f.validation = validation;
    write_shared_dataset(&f, path);
}

/* With --resume-anyway other validation rows are accepted, and the search for the best epoch
 * restarts if it monitors them. */
static void resuming_refuses_other_validation_rows(void **state)
{
    (void)state;
    ls_train_result result;
    write_data_with_validation_rows("v1.h5", 40);
    write_data_with_validation_rows("v2.h5", 39);
    ls_train_config config = short_training("v1.h5");
    config.run = "validated";
    config.restore_best = true;
    config.mode = LS_MODE_MAX; /* of the validation loss: the first epoch stays the best */
    config.checkpoint_every = (ls_interval){.steps = 5};
    config.keep = 100;
    remove_run("validated");
    assert_ok(train(&config, &result));
    assert_int_equal(result.best_epoch, 1);
    config.resume = "auto";
    config.epochs = 5;
    config.data = "v2.h5";
    assert_fails(train(&config, &result), LS_ERR_DATA,
                 "the validation rows of v2.h5 differ from those it was validated on");
    config.resume_anyway = true;
    assert_ok(train(&config, &result));
    assert_int_equal(result.best_epoch, 4);
    assert_true(result.restored && result.final.epoch == 4);
}

/* Trains 2 epochs and monitors the training loss; the first epoch is the best. Checkpoints within
 * the epochs are kept. Returns the settings. */
static ls_train_config train_by_loss(ls_train_result *result)
{
    write_data_with_validation_rows("v1.h5", 40);
    write_data_with_validation_rows("v2.h5", 39);
    ls_train_config config = short_training("v1.h5");
    config.restore_best = true;
    config.mode = LS_MODE_MAX;
    config.checkpoint_every = (ls_interval){.steps = 5};
    config.keep = 100;
    config.run = "by-loss";
    config.monitor = LS_MONITOR_LOSS;
    config.epochs = 2;
    remove_run("by-loss");
    assert_ok(train(&config, result));
    return config;
}

/* Also within an epoch: other validation rows don't change its steps. */
static void other_validation_rows_leave_the_best_epoch_by_training_loss(void **state)
{
    (void)state;
    ls_train_result result;
    ls_train_config config = train_by_loss(&result);
    config.resume_anyway = true;
    config.resume = "by-loss/checkpoints/step-00000005.h5";
    config.data = "v2.h5";
    assert_ok(train(&config, &result));
    assert_int_equal(result.best_epoch, 1);
    config.data = "v1.h5";
    config.resume = "auto";
    config.epochs = 3;
    assert_ok(train(&config, &result));
    assert_int_equal(result.best_epoch, 1);
}

/* An older checkpoint has the fingerprint of the training rows only. */
static void validation_rows_are_not_compared_with_an_older_checkpoint(void **state)
{
    (void)state;
    ls_train_result result;
    ls_train_config config = train_by_loss(&result);
    config.data = "v2.h5";
    config.resume = "auto";
    config.epochs = 4;
    assert_fails(train(&config, &result), LS_ERR_DATA, "validation rows");
    if (rank == 0)
        damaged_file_forget("by-loss/checkpoints/last", "validation_fingerprint");
    assert_ok(ls_agree(world, LS_OK));
    assert_ok(train(&config, &result));
    assert_int_equal(result.epochs, 4);
}

/* The checkpoint is older than the setting. */
static void a_setting_that_a_checkpoint_lacks_has_its_default(void **state)
{
    (void)state;
    ls_train_result result;
    write_data("d.h5");
    ls_train_config config = short_training("d.h5");
    config.run = "older";
    remove_run("older");
    assert_ok(train(&config, &result));
    config.resume = "auto";
    config.epochs = 4;
    if (rank == 0)
        damaged_file_forget_setting("older/checkpoints/last", "hold-out");
    assert_ok(ls_agree(world, LS_OK));
    config.hold_out = LS_HOLD_OUT_RANDOM;
    assert_fails(train(&config, &result), LS_ERR_USAGE, "--hold-out is random, was last");
    config.hold_out = LS_HOLD_OUT_LAST;
    assert_ok(train(&config, &result));
    assert_int_equal(result.epochs, 4);
}

/* The best epoch is identified by its checkpoint, for any number of steps per epoch. If the best
 * checkpoint is missing, the run continues without it. */
static void the_best_checkpoint_is_found_after_a_change_of_batch_size(void **state)
{
    (void)state;
    ls_train_result first, result;
    write_data("d.h5");
    ls_train_config config = short_training("d.h5");
    config.run = "best";
    config.restore_best = true;
    config.mode = LS_MODE_MAX; /* of the validation loss: the first epoch stays the best */
    remove_run("best");
    assert_ok(train(&config, &first));
    assert_true(first.restored && first.final.epoch == 1);
    config.resume = "auto";
    config.resume_anyway = true;
    for (config.batch = 183, config.epochs = 4; config.epochs <= 5; config.epochs++) {
        assert_ok(train(&config, &result));
        assert_true(result.restored && result.final.epoch == 1);
        assert_true(result.digest == first.digest);
        config.batch = 3;
    }
    if (rank == 0)
        assert_int_equal(system("rm $(readlink -f best/checkpoints/best)"), 0);
    assert_ok(ls_agree(world, LS_OK));
    config.epochs = 6;
    assert_ok(train(&config, &result));
    assert_int_equal(result.epochs, 6);
    assert_false(result.restored);
}

/* The previous checkpoint is used, with the same result. */
static void resuming_skips_a_damaged_checkpoint(void **state)
{
    (void)state;
    ls_train_result whole, result;
    write_data("d.h5");
    ls_train_config config = short_training("d.h5");
    config.run = "hurt";
    remove_run("hurt");
    assert_ok(train(&config, &whole));
    if (rank == 0)
        assert_int_equal(truncate("hurt/checkpoints/last", 2048), 0);
    assert_ok(ls_agree(world, LS_OK));
    config.resume = "auto";
    assert_ok(train(&config, &result));
    assert_false(result.nothing_to_do);
    assert_true(result.digest == whole.digest);
}

static void keep_limits_the_number_of_checkpoints(void **state)
{
    (void)state;
    ls_train_result result;
    write_data("d.h5");
    ls_train_config config = short_training("d.h5");
    config.run = "few";
    config.epochs = 6;
    config.keep = 1;
    config.checkpoint_every = (ls_interval){.epochs = 2};
    config.mode = LS_MODE_MAX;
    remove_run("few");
    assert_ok(train(&config, &result));
    if (rank == 0) {
        assert_true(access("few/checkpoints/best", F_OK) == 0);
        assert_true(access("few/checkpoints/step-00000012.h5", F_OK) == 0); /* the best */
        assert_true(access("few/checkpoints/step-00000048.h5", F_OK) != 0);
        assert_true(access("few/checkpoints/step-00000072.h5", F_OK) == 0);
        assert_true(access("few/summary.json", F_OK) == 0);
    }
}

static void keep_every_keeps_checkpoints_at_multiples(void **state)
{
    (void)state;
    ls_train_result result;
    write_data("d.h5");
    ls_train_config config = short_training("d.h5");
    config.run = "multiples";
    config.epochs = 6; /* of 12 steps each */
    config.keep = 1;
    config.keep_every = 24;
    config.mode = LS_MODE_MAX; /* the first epoch stays the best */
    remove_run("multiples");
    assert_ok(train(&config, &result));
    for (int epoch = 1; rank == 0 && epoch <= 6; epoch++) {
        char path[64];
        snprintf(path, sizeof path, "multiples/checkpoints/step-%08d.h5", 12 * epoch);
        assert_true((access(path, F_OK) == 0) == (epoch == 1 || epoch % 2 == 0));
    }
}

/* Trains 4 epochs in the folder `back`; the first stays the best. Then resumes from the end of
 * epoch 1 and trains to the end of epoch 2. Returns settings to resume to epoch 3. */
static ls_train_config resume_from_first_epoch(void)
{
    ls_train_result result;
    write_data("d.h5");
    ls_train_config config = short_training("d.h5");
    config.run = "back";
    config.epochs = 4;
    config.keep = 4;
    config.mode = LS_MODE_MAX;
    remove_run("back");
    assert_ok(train(&config, &result));
    config.resume = "back/checkpoints/step-00000012.h5";
    config.epochs = 2;
    config.keep = 1;
    assert_ok(train(&config, &result));
    config.resume = "auto";
    config.restore_best = true;
    config.epochs = 3;
    return config;
}

/* No checkpoint that is needed is pruned. */
static void resuming_from_an_earlier_checkpoint_removes_later_ones(void **state)
{
    (void)state;
    ls_train_result result;
    const ls_train_config config = resume_from_first_epoch();
    if (rank == 0) {
        assert_true(access("back/checkpoints/last", F_OK) == 0);
        assert_true(access("back/checkpoints/step-00000024.h5", F_OK) == 0);
        assert_true(access("back/checkpoints/step-00000048.h5", F_OK) != 0);
    }
    assert_ok(ls_agree(world, LS_OK));
    assert_ok(train(&config, &result));
    assert_int_equal(result.epochs, 3);
    assert_int_equal(result.best_epoch, 1);
}

static void a_copy_of_the_best_checkpoint_is_enough_to_resume(void **state)
{
    (void)state;
    ls_train_result result;
    ls_train_config config = resume_from_first_epoch();
    assert_ok(train(&config, &result));
    if (rank == 0)
        assert_int_equal(system("cp back/checkpoints/best lone.h5"), 0);
    assert_ok(ls_agree(world, LS_OK));
    config.resume = "lone.h5";
    config.run = "lone";
    remove_run("lone");
    assert_ok(train(&config, &result));
    assert_true(result.restored);
    if (rank == 0)
        assert_true(access("lone/checkpoints/best", F_OK) == 0);
}

/* A run that dies after its last checkpoint has no summary; resuming writes it. */
static void resuming_writes_a_missing_summary(void **state)
{
    (void)state;
    ls_train_result result;
    write_data("d.h5");
    ls_train_config config = short_training("d.h5");
    config.run = "late";
    config.resume = "auto";
    config.epochs = 2;
    remove_run("late");
    /* Records of the run: start; metrics, event and checkpoint of each epoch; end, the 8th. */
    assert_ok(ls_fault_arm("log:0:8", rank));
    ls_status status = train(&config, &result);
    assert_ok(ls_fault_arm(NULL, rank));
    assert_fails(status, LS_ERR_FAILURE, "injected fault at 'log'");
    if (rank == 0)
        assert_true(access("late/summary.json", F_OK) != 0);
    assert_ok(train(&config, &result));
    assert_true(result.nothing_to_do);
    if (rank == 0)
        assert_true(access("late/summary.json", F_OK) == 0);
}

typedef struct allocations {
    int64_t epoch, first, last;
} allocations;

static void count_allocations(void *user, int64_t epoch, int64_t rows, double loss)
{
    (void)rows, (void)loss;
    allocations *a = user;
    if (epoch != a->epoch)
        a->first = ls_alloc_calls();
    a->epoch = epoch;
    a->last = ls_alloc_calls();
    assert_int_equal(a->first, a->last);
}

static void steps_allocate_no_memory(void **state)
{
    (void)state;
    allocations a = {0};
    ls_train_result result;
    ls_trainer *trainer;
    write_data("d.h5");
    const ls_observer observer = {.user = &a, .step = count_allocations};
    ls_train_config config = short_training("d.h5");
    for (int kind = 0; kind < LS_REDUCERS; kind++) {
        short_training_reduce(&config, kind, false);
        a = (allocations){0};
        assert_ok(ls_trainer_create(&trainer, world, &config, &observer));
        assert_ok(ls_trainer_run(trainer, &result));
        if (rank == 0)
            assert_int_equal(a.epoch, 3);
        ls_trainer_destroy(&trainer);
    }
}

/* Each rank has its shard of the optimizer's state; a checkpoint has the complete state. */
static void a_resumed_run_has_the_same_bits_with_sharded_state(void **state)
{
    (void)state;
    ls_train_result whole, part;
    write_data("d.h5");
    ls_train_config config = short_training("d.h5");
    for (int kind = 0; kind < LS_REDUCERS; kind++) {
        short_training_reduce(&config, kind, true);
        config.epochs = 4;
        config.run = "";
        config.resume = "";
        assert_ok(train(&config, &whole));
        config.run = "sharded";
        config.resume = "auto";
        remove_run("sharded");
        for (config.epochs = 1; config.epochs <= 4; config.epochs += 3)
            assert_ok(train(&config, &part));
        assert_true(part.digest == whole.digest);
    }
}

static void record_note(void *user, const char *text)
{
    snprintf(user, LS_ERROR_TEXT_MAX, "%s", text);
}

/* Asserts that no time of a verdict, "NAME is the fastest here: A 1.2 ms, NAME 1.1 ms a step", is
 * less than that of the fastest reducer, but for those of reducers that left the trial early. */
static void assert_consistent(const char *verdict)
{
    static const char dropped[] = " (dropped early)", after[] = " is the fastest here:";
    const char *at = strstr(verdict, after);
    double fastest = 0, least = INFINITY;
    for (at += sizeof after - 1; at[-1] != '\0' && *at == ' '; at += strcspn(at, ",") + 1) {
        char name[32];
        double ms;
        assert_int_equal(sscanf(at, " %31s %lf ms", name, &ms), 2);
        const char *mark = strstr(at, " ms") + 3;
        if (strncmp(verdict, name, strlen(name)) == 0)
            fastest = ms;
        if (strncmp(mark, dropped, sizeof dropped - 1) != 0)
            least = fmin(least, ms);
    }
    assert_true(fastest > 0 && fastest == least);
}

/* --reduce auto runs trials and reports its choice; a resumed run uses this reducer without trials.
 */
static void reduce_auto_chooses_a_reducer_once(void **state)
{
    (void)state;
    char note[LS_ERROR_TEXT_MAX] = "";
    const ls_observer observer = {.user = note, .note = record_note};
    ls_train_result fused, chosen;
    ls_trainer *trainer;
    write_data("d.h5");
    ls_train_config config = short_training("d.h5");
    config.epochs = 9;
    assert_ok(train(&config, &fused));
    config.reduce = LS_REDUCE_AUTO;
    config.run = "auto";
    config.resume = "auto";
    remove_run("auto");
    for (config.epochs = 8; config.epochs <= 9; config.epochs++) {
        *note = '\0';
        assert_ok(ls_trainer_create(&trainer, world, &config, &observer));
        assert_ok(ls_trainer_run(trainer, &chosen));
        ls_trainer_destroy(&trainer);
        if (rank == 0 && size > 1)
            assert_true((strstr(note, "is the fastest here") != NULL) == (config.epochs == 8));
        if (rank == 0 && size > 1 && config.epochs == 8)
            assert_consistent(note + strlen("--reduce auto: "));
        assert_ok(ls_agree(world, LS_OK));
    }
    assert_near(chosen.final.loss, fused.final.loss, 1e-4, 1e-6);
    uint64_t digest = chosen.digest;
    ls_broadcast(world, &digest, sizeof digest);
    assert_true(digest == chosen.digest);
    if (rank != 0)
        return;
    ls_checkpoint *checkpoint;
    assert_ok(ls_checkpoint_open(&checkpoint, "auto/checkpoints/last"));
    assert_int_equal(ls_checkpoint_progress(checkpoint)->ranks, size);
    assert_true(ls_checkpoint_progress(checkpoint)->reduce != LS_REDUCE_AUTO);
    ls_checkpoint_close(&checkpoint);
}

static void diverging_is_a_numerical_failure(void **state)
{
    (void)state;
    ls_train_result result;
    write_data("d.h5");
    ls_train_config config = short_training("d.h5");
    config.lr = 1e9;
    config.optimizer.trust = 1;
    for (int kind = 0; kind < LS_OPTIMIZERS; kind++) {
        config.optimizer.kind = (ls_optimizer_kind)kind;
        ls_status status = train(&config, &result);
        assert_fails(status, LS_ERR_NUMERIC, "diverged");
        assert_same_failure(status);
    }
}

/* The last update of a run without validation rows is checked for NaN and Inf, too. */
static void the_last_update_is_checked_for_nan_and_inf(void **state)
{
    (void)state;
    ls_train_result result;
    write_data("d.h5");
    ls_train_config config = short_training("d.h5");
    config.optimizer.kind = LS_SGD;
    config.lr = 1e30;
    config.batch = 1000;
    config.epochs = 1;
    config.validation = 0;
    config.run = "last";
    remove_run("last");
    ls_status status = train(&config, &result);
    assert_fails(status, LS_ERR_NUMERIC, "after epoch 1: training diverged");
    assert_same_failure(status);
    if (rank == 0)
        assert_true(access("last/checkpoints/last", F_OK) != 0);
}

/* Invalid settings that a C program can pass. */
static void settings_out_of_range_are_refused(void **state)
{
    (void)state;
    ls_train_result result;
    write_data("d.h5");
    const ls_train_config good = short_training("d.h5");
    ls_train_config bad[7] = {good, good, good, good, good, good, good};
    bad[0].batch = 0;
    bad[1].batch = LS_MAX_GLOBAL_BATCH + INT64_C(1);
    bad[2].checkpoint_every = (ls_interval){0};
    bad[3].keep = 0;
    bad[4].lr = NAN;
    bad[5].validation = 1;
    bad[6].epochs = -1;
    static const char *const parts[7] = {"--batch: 0 is too small",
                                         "--batch: 16777217 is too large",
                                         "--checkpoint-every must be above 0",
                                         "--keep: 0 is too small",
                                         "--lr: 'nan' is not a number",
                                         "--validation: 1 is too large, it must be below 1",
                                         "--epochs: -1 is too small"};
    for (int i = 0; i < 7; i++)
        assert_fails(train(&bad[i], &result), LS_ERR_USAGE, parts[i]);
}

static void settings_must_be_the_same_on_all_ranks(void **state)
{
    (void)state;
    ls_train_result result;
    write_data("d.h5");
    ls_train_config other = short_training("d.h5");
    other.lr = rank == 0 ? 0.1 : 0.2;
    const ls_status status = train(&other, &result);
    if (ls_comm_size(world) > 1)
        assert_fails(status, LS_ERR_RANKS, "the configuration");
}

MPI_TEST_MAIN(cmocka_unit_test(training_learns), cmocka_unit_test(the_seed_determines_the_bits),
              cmocka_unit_test(early_stopping_restores_the_best_epoch),
              cmocka_unit_test(patience_needs_validation_rows_or_a_training_metric),
              cmocka_unit_test(a_resumed_run_has_the_same_bits),
              cmocka_unit_test(a_finished_run_has_nothing_to_do),
              cmocka_unit_test(a_run_resumes_into_another_folder),
              cmocka_unit_test(a_run_resumes_from_an_earlier_checkpoint_of_its_folder),
              cmocka_unit_test(resuming_does_not_overwrite_another_run),
              cmocka_unit_test(a_parameter_average_is_evaluated_and_restored),
              cmocka_unit_test(an_average_can_start_on_resuming),
              cmocka_unit_test(resuming_refuses_another_seed),
              cmocka_unit_test(a_run_is_not_overwritten_without_resume),
              cmocka_unit_test(resuming_refuses_another_layout),
              cmocka_unit_test(resuming_refuses_other_training_rows),
              cmocka_unit_test(resuming_needs_a_checkpoint_or_a_run_folder),
              cmocka_unit_test(a_run_resumes_after_refused_changes),
              cmocka_unit_test(resume_anyway_accepts_another_learning_rate),
              cmocka_unit_test(resume_anyway_refuses_another_optimizer),
              cmocka_unit_test(resume_anyway_accepts_other_samples_only_between_epochs),
              cmocka_unit_test(resuming_refuses_other_validation_rows),
              cmocka_unit_test(other_validation_rows_leave_the_best_epoch_by_training_loss),
              cmocka_unit_test(validation_rows_are_not_compared_with_an_older_checkpoint),
              cmocka_unit_test(a_setting_that_a_checkpoint_lacks_has_its_default),
              cmocka_unit_test(the_best_checkpoint_is_found_after_a_change_of_batch_size),
              cmocka_unit_test(resuming_skips_a_damaged_checkpoint),
              cmocka_unit_test(keep_limits_the_number_of_checkpoints),
              cmocka_unit_test(keep_every_keeps_checkpoints_at_multiples),
              cmocka_unit_test(resuming_from_an_earlier_checkpoint_removes_later_ones),
              cmocka_unit_test(a_copy_of_the_best_checkpoint_is_enough_to_resume),
              cmocka_unit_test(resuming_writes_a_missing_summary),
              cmocka_unit_test(the_last_update_is_checked_for_nan_and_inf),
              cmocka_unit_test(steps_allocate_no_memory),
              cmocka_unit_test(a_resumed_run_has_the_same_bits_with_sharded_state),
              cmocka_unit_test(reduce_auto_chooses_a_reducer_once),
              cmocka_unit_test(settings_out_of_range_are_refused),
              cmocka_unit_test(settings_must_be_the_same_on_all_ranks),
              cmocka_unit_test(diverging_is_a_numerical_failure))
