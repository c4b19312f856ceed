/* Training on n ranks takes the same steps as on one rank: each rank trains alone, then all ranks
 * train together; the losses of all steps and the final parameters are compared.
 *
 * Tolerance: float sums in another order differ in their last bits; over 39 steps of Adam, which
 * divides by small second moments, the relative difference of a loss grows to about 1e-5. Bound:
 * 1e-4. */
#include "small_dataset.h"
#include "parallel/collectives.h"
#include "mpi_test.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

enum { MAX_STEPS = 4096 };

typedef struct curve {
    int64_t steps;
    double loss[MAX_STEPS];
} curve;

static void record_step(void *user, int64_t epoch, int64_t rows, double loss)
{
    (void)epoch, (void)rows;
    curve *c = user;
    assert_true(c->steps < MAX_STEPS);
    c->loss[c->steps++] = loss;
}

/* Trains; returns the losses of all steps (on the communicator's rank 0), the parameters and the
 * result. */
static void train_and_record(ls_comm *comm, const ls_train_config *config, curve *c, float **params,
                             int64_t *count, ls_train_result *result)
{
    ls_trainer *trainer;
    ls_observer observer = {.user = c, .step = record_step};
    memset(c, 0, sizeof *c);
    assert_ok(ls_trainer_create(&trainer, comm, config, &observer));
    assert_ok(ls_trainer_run(trainer, result));
    *count = ls_network_size(ls_trainer_network(trainer));
    *params = ls_alloc(*count, sizeof **params);
    memcpy(*params, ls_trainer_params(trainer), (size_t)*count * sizeof **params);
    ls_trainer_destroy(&trainer);
}

/* Trains on this rank alone and on all ranks; asserts equal losses, parameters and metrics. */
static void compare_one_with_all_ranks(const ls_train_config *config)
{
    static curve alone, together;
    float *p, *q;
    int64_t n, m;
    ls_train_result one, many;
    train_and_record(self, config, &alone, &p, &n, &one);
    train_and_record(world, config, &together, &q, &m, &many);
    assert_int_equal(n, m);
    if (rank == 0) {
        assert_int_equal(alone.steps, together.steps);
        for (int64_t i = 0; i < alone.steps; i++)
            assert_near(alone.loss[i], together.loss[i], 1e-4, 1e-6);
    }
    for (int64_t i = 0; i < n; i++)
        assert_near((double)p[i], (double)q[i], 1e-3, 1e-3);
    assert_near(one.final.loss, many.final.loss, 1e-4, 1e-6);
    assert_near(one.final.accuracy, many.final.accuracy, 0, 0.02);
    if (!isnan(one.final.val_loss))
        assert_near(one.final.val_loss, many.final.val_loss, 1e-4, 1e-6);
    /* The parameters of all ranks have the same bits. */
    uint64_t digest = many.digest;
    ls_broadcast(world, &digest, sizeof digest);
    assert_true(digest == many.digest);
    ls_free(p);
    ls_free(q);
}

static ls_train_config configure(void)
{
    write_shared_dataset(&small_dataset_default, "e.h5");
    return short_training("e.h5");
}

/* 183 rows in steps of 16: the last step has 7 rows. */
static void all_ranks_take_the_steps_of_one(void **state)
{
    (void)state;
    const ls_train_config config = configure();
    compare_one_with_all_ranks(&config);
}

static void all_ranks_take_the_steps_of_one_with_augmented_images(void **state)
{
    (void)state;
    ls_train_config config = configure();
    config.augment = "rotate:15 scale:0.15 shift:1 shear:0.1 elastic:4,1 erase:0.2";
    compare_one_with_all_ranks(&config);
}

static ls_train_config configure_sgd(void)
{
    ls_train_config config = configure();
    config.optimizer.kind = LS_SGD;
    config.optimizer.momentum = 0.9;
    config.model = "dense:9 tanh dense:4 softmax";
    config.loss = LS_MSE;
    config.lr = 0.1;
    return config;
}

static void all_ranks_take_the_steps_of_one_with_every_batch_size(void **state)
{
    (void)state;
    ls_train_config config = configure_sgd();
    compare_one_with_all_ranks(&config);
    config.batch = 2; /* fewer rows than ranks */
    compare_one_with_all_ranks(&config);
    config.batch = 182; /* a last step of one row */
    compare_one_with_all_ranks(&config);
    config.batch = 100000; /* more than the number of rows */
    compare_one_with_all_ranks(&config);
}

static void all_ranks_take_the_steps_of_one_without_shuffle_and_validation(void **state)
{
    (void)state;
    ls_train_config config = configure_sgd();
    config.shuffle = LS_SHUFFLE_NONE;
    config.validation = 0;
    config.batch = 20;
    compare_one_with_all_ranks(&config);
}

/* With and without sharding; the layers are large enough for several slices and buckets. */
static void all_ranks_take_the_steps_of_one_with_every_reducer(void **state)
{
    (void)state;
    ls_train_config config = configure();
    config.epochs = 1;
    static const char *const models[] = {"dense:2500 relu dense:30 relu dense:4",
                                         ":in dense:300 tanh :a @in dense:300 tanh +a dense:4"};
    for (int i = 0; i < 2; i++)
        for (int kind = 0; kind <= LS_REDUCE_AUTO; kind++)
            for (int shard = 0; shard < 2; shard++) {
                config.model = models[i];
                short_training_reduce(&config, kind, shard);
                compare_one_with_all_ranks(&config);
            }
}

/* Values that several layers read, and that are added and concatenated. */
static const char branches[] = "conv:4x3,1,1 :a batchnorm relu conv:4x3,1,1 batchnorm +a relu &a "
                               "maxpool:2 :b globalpool dense:9 "
                               "tanh :c @b dense:9 dropout:0.2 +c relu dense:4";

/* Convolutions, statistics of the global batch, dropout; also with steps in which a rank has no
 * rows. */
static void all_ranks_take_the_steps_of_one_with_every_layer(void **state)
{
    (void)state;
    ls_train_config config = configure();
    config.epochs = 2;
    config.model = "conv:6x3,1,1 batchnorm relu maxpool:2 dropout:0.3 dense:12 batchnorm tanh "
                   "dropout:0.2 dense:4";
    for (int kind = 0; kind <= LS_REDUCE_AUTO; kind++)
        for (int shard = 0; shard < 2; shard++)
            for (int64_t batch = 5; batch <= 16; batch += 11) {
                short_training_reduce(&config, kind, shard);
                config.batch = batch;
                config.epochs = batch > 5 ? 2 : 1;
                compare_one_with_all_ranks(&config);
            }
}

static ls_train_config configure_fused(const char *model)
{
    ls_train_config config = configure();
    config.epochs = 2;
    short_training_reduce(&config, LS_REDUCE_FUSED, false);
    config.model = model;
    return config;
}

static void all_ranks_take_the_steps_of_one_with_the_mean_squared_error(void **state)
{
    (void)state;
    ls_train_config config =
        configure_fused("conv:5x2 gelu noise:0.1 avgpool:2 flatten leaky-relu dense:4 softmax");
    config.loss = LS_MSE;
    compare_one_with_all_ranks(&config);
}

static void all_ranks_take_the_steps_of_one_with_strides_above_the_kernel_size(void **state)
{
    (void)state;
    const ls_train_config config =
        configure_fused("conv:5x1,2 batchnorm relu conv:4x2,3,1 dense:4");
    compare_one_with_all_ranks(&config);
}

static void all_ranks_take_the_steps_of_one_with_branches(void **state)
{
    (void)state;
    ls_train_config config = configure_fused(branches);
    for (int kind = 0; kind <= LS_REDUCE_HIERARCHICAL; kind++) {
        short_training_reduce(&config, kind, false);
        compare_one_with_all_ranks(&config);
    }
}

/* A batch mean far from 0: batch normalisation computes the variance in a second pass. */
static void all_ranks_take_the_steps_of_one_with_inputs_far_from_zero(void **state)
{
    (void)state;
    ls_train_config config = configure_fused("batchnorm dense:12 tanh dense:4");
    short_training_reduce(&config, LS_REDUCE_HIERARCHICAL, false);
    config.mean = -12345;
    compare_one_with_all_ranks(&config);
}

/* Norms of all gradients and of layers, and parameter averages, with and without sharding. */
static void all_ranks_take_the_steps_of_one_with_norms_and_averages(void **state)
{
    (void)state;
    ls_train_config config = configure();
    config.model = "dense:300 relu dense:30 relu dense:4";
    config.epochs = 2;
    for (int i = 0; i < SHORT_TRAINING_OPTIMIZERS; i++)
        for (int kind = 0; kind <= LS_REDUCE_AUTO; kind++)
            for (int shard = 0; shard < 2; shard++) {
                config.optimizer = short_training_optimizers[i];
                short_training_reduce(&config, kind, shard);
                compare_one_with_all_ranks(&config);
            }
}

static void all_ranks_take_the_steps_of_one_with_fewer_rows_than_ranks(void **state)
{
    (void)state;
    for (int64_t rows = 1; rows <= 4; rows++) {
        small_dataset f = small_dataset_default;
        f.train = rows;
        f.validation = rows;
        write_shared_dataset(&f, "t.h5");
        ls_train_config config = short_training("t.h5");
        config.batch = 3;
        compare_one_with_all_ranks(&config);
        assert_ok(ls_agree(world, LS_OK));
    }
}

/* With a local shuffle the samples of a step depend on the number of ranks, but an epoch still has
 * every row once. */
static void a_local_shuffle_learns(void **state)
{
    (void)state;
    static curve c;
    float *p;
    int64_t n;
    ls_train_result result;
    ls_train_config config = configure();
    config.shuffle = LS_SHUFFLE_LOCAL;
    config.epochs = 8;
    train_and_record(world, &config, &c, &p, &n, &result);
    if (rank == 0)
        assert_int_equal(c.steps, 8 * 12);
    assert_true(result.final.accuracy > 0.9);
    ls_free(p);
}

/* Each step has at least one row. */
static void a_local_shuffle_trains_with_fewer_rows_in_a_step_than_ranks(void **state)
{
    (void)state;
    static curve c;
    float *p;
    int64_t n;
    ls_train_result result;
    ls_train_config config = configure();
    config.shuffle = LS_SHUFFLE_LOCAL;
    config.batch = 2;
    config.epochs = 1;
    train_and_record(world, &config, &c, &p, &n, &result);
    assert_true(isfinite(result.final.loss));
    ls_free(p);
}

MPI_TEST_MAIN(cmocka_unit_test(all_ranks_take_the_steps_of_one),
              cmocka_unit_test(all_ranks_take_the_steps_of_one_with_augmented_images),
              cmocka_unit_test(all_ranks_take_the_steps_of_one_with_every_batch_size),
              cmocka_unit_test(all_ranks_take_the_steps_of_one_without_shuffle_and_validation),
              cmocka_unit_test(all_ranks_take_the_steps_of_one_with_every_reducer),
              cmocka_unit_test(all_ranks_take_the_steps_of_one_with_every_layer),
              cmocka_unit_test(all_ranks_take_the_steps_of_one_with_the_mean_squared_error),
              cmocka_unit_test(all_ranks_take_the_steps_of_one_with_strides_above_the_kernel_size),
              cmocka_unit_test(all_ranks_take_the_steps_of_one_with_branches),
              cmocka_unit_test(all_ranks_take_the_steps_of_one_with_inputs_far_from_zero),
              cmocka_unit_test(all_ranks_take_the_steps_of_one_with_norms_and_averages),
              cmocka_unit_test(all_ranks_take_the_steps_of_one_with_fewer_rows_than_ranks),
              cmocka_unit_test(a_local_shuffle_learns),
              cmocka_unit_test(a_local_shuffle_trains_with_fewer_rows_in_a_step_than_ranks))
