/* --reproducible: each rank trains alone, then all ranks train together, and all results have the
 * same bits. Run on several numbers of ranks, and with each of the MPI library's algorithms. */
#include "small_dataset.h"
#include "mpi_test.h"

#include "base/exact.h"
#include "base/interrupt.h"
#include "base/rng.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { EPOCHS = 3 };

typedef struct training {
    ls_train_result result;
    int epochs; /* reported to the observer, on the communicator's rank 0 */
    ls_metrics metrics[EPOCHS];
    int steps_left; /* until this rank sends itself a signal; 0: never */
} training;

static void record_epoch(void *user, const ls_metrics *metrics, bool best)
{
    (void)best;
    training *o = user;
    o->metrics[o->epochs++] = *metrics;
}

static void count_step(void *user, int64_t epoch, int64_t rows, double loss)
{
    (void)epoch, (void)rows, (void)loss;
    training *o = user;
    if (o->steps_left > 0 && --o->steps_left == 0)
        ls_interrupt_set(SIGUSR1);
}

static ls_status train(ls_comm *comm, const ls_train_config *config, training *o)
{
    ls_trainer *trainer = NULL;
    const ls_observer observer = {.user = o, .epoch = record_epoch, .step = count_step};
    ls_status status = ls_trainer_create(&trainer, comm, config, &observer);
    if (status == LS_OK)
        status = ls_trainer_run(trainer, &o->result);
    ls_trainer_destroy(&trainer);
    ls_interrupt_set(0);
    return status;
}

static ls_train_config configure(void)
{
    ls_train_config config = short_training("p.h5");
    config.reproducible = true;
    config.reduce = LS_REDUCE_AUTO;
    config.epochs = EPOCHS;
    config.patience = 2;
    write_shared_dataset(&small_dataset_default, "p.h5");
    return config;
}

static void assert_same_bits(const training *a, const training *b)
{
    assert_true(a->result.digest == b->result.digest);
    assert_int_equal(a->result.epochs, b->result.epochs);
    assert_int_equal(a->result.best_epoch, b->result.best_epoch);
    assert_true(a->result.best == b->result.best);
}

static void compare_one_with_all_ranks(const ls_train_config *config)
{
    training alone = {0}, together = {0};
    assert_ok(train(self, config, &alone));
    assert_ok(train(world, config, &together));
    assert_same_bits(&alone, &together);
    for (int i = 0; rank == 0 && i < together.epochs; i++) {
        const ls_metrics *a = &alone.metrics[i], *b = &together.metrics[i];
        assert_true(a->loss == b->loss && a->accuracy == b->accuracy);
        /* NaN without validation rows. */
        assert_memory_equal(&a->val_loss, &b->val_loss, sizeof a->val_loss);
        assert_memory_equal(&a->val_accuracy, &b->val_accuracy, sizeof a->val_accuracy);
    }
}

static void the_bits_are_the_same_on_any_number_of_ranks(void **state)
{
    (void)state;
    static const int64_t batches[] = {1, 16, 23, 183, 100000}, blocks[] = {1, 4, 7, 400};
    ls_train_config config = configure();
    enum { BATCHES = sizeof batches / sizeof *batches, BLOCKS = sizeof blocks / sizeof *blocks };
    for (int i = 0; i < BATCHES * BLOCKS; i += test_stride()) {
        config.batch = batches[i / BLOCKS];
        config.block = blocks[i % BLOCKS];
        config.seed = (uint64_t)i;
        compare_one_with_all_ranks(&config);
    }
}

static void the_bits_are_the_same_with_large_layers(void **state)
{
    (void)state;
    ls_train_config config = configure();
    config.model = "dense:2500 relu dense:30 relu dense:4"; /* several slices per layer */
    config.epochs = 1;
    compare_one_with_all_ranks(&config);
}

static ls_train_config configure_sgd(void)
{
    ls_train_config config = configure();
    config.epochs = 1;
    config.model = "dense:9 tanh dense:4 softmax";
    config.loss = LS_MSE;
    config.optimizer.kind = LS_SGD;
    config.optimizer.momentum = 0.9;
    config.lr = 0.1;
    return config;
}

static void the_bits_are_the_same_with_sgd_and_the_mean_squared_error(void **state)
{
    (void)state;
    const ls_train_config config = configure_sgd();
    compare_one_with_all_ranks(&config);
}

static void the_bits_are_the_same_without_shuffle_and_validation(void **state)
{
    (void)state;
    ls_train_config config = configure_sgd();
    config.shuffle = LS_SHUFFLE_NONE;
    config.validation = 0;
    config.patience = 0;
    compare_one_with_all_ranks(&config);
}

/* Convolutions, statistics of the global batch, dropout. */
static void the_bits_are_the_same_with_every_layer(void **state)
{
    (void)state;
    ls_train_config config = configure();
    config.model = "conv:6x3,1,1 batchnorm relu maxpool:2 dropout:0.3 dense:12 batchnorm tanh "
                   "dropout:0.2 dense:4";
    config.batch = 23;
    config.block = 4;
    compare_one_with_all_ranks(&config);
    config.model = "noise:0.1 conv:5x2 gelu avgpool:2 flatten leaky-relu batchnorm dense:4";
    config.block = 3;
    config.batch = 5;
    compare_one_with_all_ranks(&config);
    config.model = "conv:5x1,2 batchnorm relu conv:4x2,3,1 dense:4";
    compare_one_with_all_ranks(&config);
    config.model =
        "conv:4x3,1,1 :a batchnorm relu conv:4x3,1,1 batchnorm +a relu &a globalpool :b dense:8 "
        "gelu +b dense:4";
    compare_one_with_all_ranks(&config);
}

/* A batch mean far from 0: batch normalisation computes the variance in a second pass. */
static void the_bits_are_the_same_with_inputs_far_from_zero(void **state)
{
    (void)state;
    ls_train_config config = configure();
    config.model = "batchnorm dense:12 batchnorm relu dense:4";
    config.mean = -12345;
    for (config.block = 1; config.block < 20; config.block += 6)
        compare_one_with_all_ranks(&config);
}

/* An image's augmentation depends neither on its rank nor on its micro-batch, and is applied. */
static void the_bits_are_the_same_with_augmented_images(void **state)
{
    (void)state;
    training plain = {0}, augmented = {0}, other_seed = {0};
    ls_train_config config = configure();
    assert_ok(train(world, &config, &plain));
    config.augment = "rotate:15 scale:0.15 shift:1 shear:0.1 elastic:4,1 erase:0.2";
    for (int64_t block = 1; block < 20; block += 6) {
        config.block = block;
        compare_one_with_all_ranks(&config);
    }
    config.block = 5;
    assert_ok(train(world, &config, &augmented));
    config.seed = 1;
    assert_ok(train(world, &config, &other_seed));
    assert_true(augmented.result.digest != plain.result.digest);
    assert_true(augmented.result.digest != other_seed.result.digest);
}

static void the_bits_are_the_same_with_norms_and_averages(void **state)
{
    (void)state;
    ls_train_config config = configure();
    config.model = "dense:300 relu dense:30 relu dense:4";
    for (int i = 0; i < SHORT_TRAINING_OPTIMIZERS; i++)
        for (int batch = 16; batch <= 23; batch += 7) {
            config.optimizer = short_training_optimizers[i];
            config.batch = batch;
            config.restore_best = batch == 23;
            compare_one_with_all_ranks(&config);
        }
}

/* Without the option the last bits depend on the number of ranks: the tests above can fail. */
static void the_bits_differ_without_reproducible(void **state)
{
    (void)state;
    training alone = {0}, together = {0};
    ls_train_config config = configure();
    config.reproducible = false;
    config.reduce = LS_REDUCE_FUSED;
    assert_ok(train(self, &config, &alone));
    assert_ok(train(world, &config, &together));
    assert_true((alone.result.digest == together.result.digest) == (size == 1));
}

/* Trains on all ranks without interruption. */
static void train_whole(training *whole)
{
    ls_train_config config = configure();
    config.augment = "rotate:15 elastic:4,1 erase:0.2";
    assert_ok(train(world, &config, whole));
}

/* Stopped within an epoch on all ranks, then resumed by each rank alone. */
static void the_bits_are_the_same_if_one_rank_resumes_a_run_of_all(void **state)
{
    (void)state;
    training whole = {0}, part = {.steps_left = 17}, rest = {0};
    ls_train_config config = configure();
    config.augment = "rotate:15 elastic:4,1 erase:0.2";
    train_whole(&whole);
    if (rank == 0)
        assert_int_equal(system("rm -rf elastic"), 0);
    config.run = "elastic";
    assert_int_equal(train(world, &config, &part), LS_INTERRUPTED);
    config.run = "";
    config.resume = "elastic/checkpoints/last";
    assert_ok(train(self, &config, &rest));
    assert_same_bits(&whole, &rest);
}

/* Stopped within an epoch by each rank alone, then resumed on all ranks. */
static void the_bits_are_the_same_if_all_ranks_resume_a_run_of_one(void **state)
{
    (void)state;
    training whole = {0}, part = {.steps_left = 17}, rest = {0};
    char folder[32], last[64], command[48];
    ls_train_config config = configure();
    config.augment = "rotate:15 elastic:4,1 erase:0.2";
    train_whole(&whole);
    snprintf(folder, sizeof folder, "alone-%d", rank);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
    config.run = folder;
    assert_int_equal(train(self, &config, &part), LS_INTERRUPTED);
    assert_ok(ls_agree(world, LS_OK));
    snprintf(last, sizeof last, "alone-%d/checkpoints/last", size - 1);
    config.run = "";
    config.resume = last;
    assert_ok(train(world, &config, &rest));
    assert_same_bits(&whole, &rest);
}

static void settings_that_are_not_reproducible_are_refused(void **state)
{
    (void)state;
    training o;
    ls_train_config config = configure();
    config.threads = 2;
    assert_fails(train(world, &config, &o), LS_ERR_USAGE, "one BLAS thread");
    config.threads = 1;
    config.reduce = LS_REDUCE_OVERLAP;
    assert_fails(train(world, &config, &o), LS_ERR_USAGE, "leave --reduce overlap out");
    config.reduce = LS_REDUCE_AUTO;
    config.shard_optimizer = true;
    assert_fails(train(world, &config, &o), LS_ERR_USAGE, "--shard-optimizer");
    config.shard_optimizer = false;
    config.shuffle = LS_SHUFFLE_LOCAL;
    assert_fails(train(world, &config, &o), LS_ERR_USAGE, "--shuffle local");
    config.shuffle = LS_SHUFFLE_GLOBAL;
    config.block = 0;
    assert_fails(train(world, &config, &o), LS_ERR_USAGE, "--block");
    config.block = 5;
    config.reproducible = false;
    config.reduce = LS_REDUCE_EXACT;
    assert_fails(train(world, &config, &o), LS_ERR_USAGE, "--reproducible");
}

static void gradients_too_large_for_exact_sums_are_a_numerical_failure(void **state)
{
    (void)state;
    training o = {0};
    ls_train_config config = configure();
    config.std = 1e-7; /* inputs of the order of 1e7 */
    config.lr = 1e-12;
    assert_fails(train(world, &config, &o), LS_ERR_NUMERIC, "too large for --reproducible");
    assert_same_failure(LS_ERR_NUMERIC);
}

/* The sums are independent of the order, and near the true sum. */
static void sums_within_a_bound_are_exact_in_any_order(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    const double most = 1e6 * COUNT, quantum = ls_exact_quantum(most);
    const uint64_t key = ls_rng_key(1, LS_RNG_SHUFFLE, 2);
    double up = 0, down = 0, interleaved = 0, plain = 0;
    for (uint64_t i = 0; i < COUNT; i++) {
        const uint64_t back = COUNT - 1 - i, other = i * 7 % COUNT;
        const double x = 1e6 * (2 * ls_rng_uniform(key, i) - 1);
        assert_true(fabs(ls_exact_round(x, quantum) - x) <= quantum / 2);
        assert_true(fmod(ls_exact_round(x, quantum), quantum) == 0);
        plain += x;
        up += ls_exact_round(x, quantum);
        down += ls_exact_round(1e6 * (2 * ls_rng_uniform(key, back) - 1), quantum);
        interleaved += ls_exact_round(1e6 * (2 * ls_rng_uniform(key, other) - 1), quantum);
    }
    assert_true(up == down && up == interleaved);
    assert_near(up, plain, 0, quantum * COUNT);
    assert_true(ls_exact_round(most, quantum) == most && ls_exact_round(-most, quantum) == -most);
}

static void sums_of_any_magnitude_are_exact_in_any_order(void **state)
{
    (void)state;
    enum { COUNT = 1000, STRIDE = 2 };
    const uint64_t key = ls_rng_key(1, LS_RNG_SHUFFLE, 3);
    for (int scale = -60; scale <= 70; scale += 11) {
        double up[LS_EXACT_PARTS * STRIDE] = {0}, down[LS_EXACT_PARTS * STRIDE] = {0}, plain = 0;
        for (uint64_t i = 0; i < COUNT; i++) {
            const double x = ldexp(2 * ls_rng_uniform(key, i) - 1, scale);
            plain += x;
            ls_exact_add(x, up, STRIDE);
            ls_exact_add(ldexp(2 * ls_rng_uniform(key, COUNT - 1 - i) - 1, scale), down, STRIDE);
        }
        assert_memory_equal(up, down, sizeof up);
        assert_near(ls_exact_total(up, STRIDE), plain, 1e-12, ldexp(1, -62));
    }
}

/* Each number is at the limit of a part of the sum. */
static void sums_of_many_numbers_are_exact_in_any_order(void **state)
{
    (void)state;
    enum { COUNT = 1 << 20 };
    const uint64_t key = ls_rng_key(1, LS_RNG_SHUFFLE, 4);
    for (int scale = -30; scale <= 50; scale += 20) {
        double up[LS_EXACT_PARTS] = {0}, down[LS_EXACT_PARTS] = {0};
        for (uint64_t i = 0; i < COUNT; i++) {
            ls_exact_add(ldexp(1 - ls_rng_uniform(key, i) / 64, scale), up, 1);
            ls_exact_add(ldexp(1 - ls_rng_uniform(key, COUNT - 1 - i) / 64, scale), down, 1);
        }
        assert_memory_equal(up, down, sizeof up);
    }
}

MPI_TEST_MAIN(cmocka_unit_test(sums_within_a_bound_are_exact_in_any_order),
              cmocka_unit_test(sums_of_any_magnitude_are_exact_in_any_order),
              cmocka_unit_test(sums_of_many_numbers_are_exact_in_any_order),
              cmocka_unit_test(the_bits_are_the_same_on_any_number_of_ranks),
              cmocka_unit_test(the_bits_are_the_same_with_large_layers),
              cmocka_unit_test(the_bits_are_the_same_with_sgd_and_the_mean_squared_error),
              cmocka_unit_test(the_bits_are_the_same_without_shuffle_and_validation),
              cmocka_unit_test(the_bits_are_the_same_with_every_layer),
              cmocka_unit_test(the_bits_are_the_same_with_inputs_far_from_zero),
              cmocka_unit_test(the_bits_are_the_same_with_augmented_images),
              cmocka_unit_test(the_bits_are_the_same_with_norms_and_averages),
              cmocka_unit_test(the_bits_differ_without_reproducible),
              cmocka_unit_test(the_bits_are_the_same_if_one_rank_resumes_a_run_of_all),
              cmocka_unit_test(the_bits_are_the_same_if_all_ranks_resume_a_run_of_one),
              cmocka_unit_test(settings_that_are_not_reproducible_are_refused),
              cmocka_unit_test(gradients_too_large_for_exact_sums_are_a_numerical_failure))
