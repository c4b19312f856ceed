/* Training on sequences of different lengths, by row and by step: each rank trains alone, then all
 * ranks train together. 61 rows in steps of 8: the last step has 5 rows, some of no steps. */
#include "mpi_test.h"
#include "small_dataset.h"

#include "base/interrupt.h"
#include "base/memory.h"
#include "data/h5.h"
#include "parallel/collectives.h"

#include <lockstep/model.h>

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STEPS = 7, WORDS = 11, TRAIN = 61, VALIDATION = 20 };

#define BY_STEP "embedding:5 lstm:6,all dense:11"
#define BY_ROW  "embedding:5 gru:6 dense:3"

/* What fills rows up, and the type of the inputs. */
typedef struct filling {
    bool by_step, floats;
    double padding;
    double first; /* above 0: the first token of row 3 */
} filling;

static void put(ls_h5 *file, const char *group, const char *name, ls_h5_shape shape,
                ls_h5_type memory, const void *numbers)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", group, name);
    assert_ok(ls_h5_create_dataset(file, path, &shape, false));
    assert_ok(ls_h5_write(file, path, memory, 0, shape.dims[0], numbers));
}

static int length_of(int64_t row)
{
    return (int)(row * 5 % (STEPS + 1));
}

static int token_of(int64_t row, int64_t step)
{
    return 1 + (int)((row + 3 * step + row * step % 2) % (WORDS - 1));
}

static void put_group(ls_h5 *file, const char *group, int64_t rows, const filling *f)
{
    double *x = ls_alloc(rows * STEPS, sizeof *x), *weight = ls_alloc(rows, sizeof *weight);
    int32_t *class = ls_alloc(rows * STEPS, sizeof *class),
            *length = ls_alloc(rows, sizeof *length);
    for (int64_t i = 0; i < rows; i++) {
        length[i] = length_of(i);
        weight[i] = (double)(i % 3) / 2;
        for (int64_t t = 0; t < STEPS; t++) {
            x[i * STEPS + t] = t < length[i] ? token_of(i, t) : f->padding;
            class[f->by_step ? i * STEPS + t : i] =
                f->by_step ? token_of(i, t + 1) : token_of(i, 0) % 3;
        }
    }
    if (f->first > 0)
        x[3 * STEPS] = f->first;
    const ls_h5_type type = f->floats ? LS_H5_F32 : LS_H5_U8;
    put(file, group, "inputs", (ls_h5_shape){type, f->floats ? 3 : 2, {rows, STEPS, 1}}, LS_H5_F64,
        x);
    put(file, group, "lengths", (ls_h5_shape){LS_H5_U8, 1, {rows}}, LS_H5_I32, length);
    put(file, group, "weight", (ls_h5_shape){LS_H5_F32, 1, {rows}}, LS_H5_F64, weight);
    put(file, group, "labels", (ls_h5_shape){LS_H5_U8, f->by_step ? 2 : 1, {rows, STEPS}},
        LS_H5_I32, class);
    ls_free(x);
    ls_free(weight);
    ls_free(class);
    ls_free(length);
}

/* Writes a data set for all ranks. Collective. */
static void write_rows(const char *path, filling f)
{
    ls_barrier(world);
    if (rank == 0) {
        ls_h5 *file;
        assert_ok(ls_h5_create(&file, path));
        assert_ok(ls_h5_put_text(file, "format", "lockstep-dataset"));
        assert_ok(ls_h5_put_int(file, "version", 1));
        assert_ok(ls_h5_put_int(file, "classes", f.by_step ? WORDS : 3));
        put_group(file, "train", TRAIN, &f);
        put_group(file, "validation", VALIDATION, &f);
        assert_ok(ls_h5_close(&file));
    }
    ls_barrier(world);
}

static ls_train_config configure(const char *path, const char *model)
{
    ls_train_config config = short_training(path);
    config.model = model;
    config.validation = 0;
    config.batch = 8;
    config.epochs = 2;
    config.lr = 0.02;
    return config;
}

static ls_status train(ls_comm *comm, const ls_train_config *config, ls_train_result *result)
{
    return short_training_run(comm, config, &(ls_observer){0}, NULL, result);
}

static void compare(const ls_train_config *config)
{
    ls_train_result one, all;
    assert_ok(train(self, config, &one));
    assert_ok(train(world, config, &all));
    assert_near(one.final.loss, all.final.loss, 1e-4, 1e-6);
    assert_near(one.final.val_loss, all.final.val_loss, 1e-4, 1e-6);
    assert_near(one.final.accuracy, all.final.accuracy, 0, 0.02);
    assert_true(all.final.loss > 0 && all.final.val_loss > 0);
    if (!isnan(all.final.perplexity)) {
        assert_near(all.final.perplexity, exp(all.final.loss), 1e-12, 0);
        assert_near(all.final.val_perplexity, exp(all.final.val_loss), 1e-12, 0);
    }
}

static void all_ranks_take_the_steps_of_one(void **state)
{
    (void)state;
    write_rows("steps.h5", (filling){.by_step = true});
    write_rows("rows.h5", (filling){.by_step = false});
    ls_train_config steps = configure("steps.h5", BY_STEP), rows = configure("rows.h5", BY_ROW);
    compare(&steps);
    compare(&rows);
    steps.weights = "weight";
    steps.label_smoothing = 0.1;
    compare(&steps);
    steps.batch = 2; /* fewer rows than ranks, often without steps */
    steps.epochs = 1;
    compare(&steps);
}

/* The loss of an epoch without updates is the mean over all steps. */
static void every_step_weighs_the_same(void **state)
{
    (void)state;
    ls_train_result batches, whole;
    write_rows("steps.h5", (filling){.by_step = true});
    ls_train_config config = configure("steps.h5", BY_STEP);
    config.lr = 0;
    assert_ok(train(world, &config, &batches));
    config.batch = 100;
    assert_ok(train(world, &config, &whole));
    assert_near(batches.final.loss, whole.final.loss, 1e-6, 0);
    assert_near(batches.final.accuracy, whole.final.accuracy, 1e-12, 0);
}

static void padding_changes_no_bit(void **state)
{
    (void)state;
    static const filling fillings[][2] = {{{true, false, 0, 0}, {true, false, 7, 0}},
                                          {{true, true, 0, 0}, {true, true, 1e30, 0}},
                                          {{false, true, 0, 0}, {false, true, 1e30, 0}}};
    static const char *const models[] = {BY_STEP, "rnn:4,all layernorm rnn:6,all dense:11",
                                         "gru:4,all layernorm lstm:4,both dense:3"};
    for (int i = 0; i < 3; i++) {
        ls_train_result a, b;
        write_rows("a.h5", fillings[i][0]);
        write_rows("b.h5", fillings[i][1]);
        const ls_train_config first = configure("a.h5", models[i]);
        const ls_train_config second = configure("b.h5", models[i]);
        assert_ok(train(world, &first, &a));
        assert_ok(train(world, &second, &b));
        assert_true(a.digest == b.digest);
        assert_true(a.final.loss == b.final.loss && a.final.val_loss == b.final.val_loss);
    }
}

static int steps_left;

static void count_step(void *user, int64_t epoch, int64_t rows, double loss)
{
    (void)user, (void)epoch, (void)rows, (void)loss;
    if (steps_left > 0 && --steps_left == 0)
        ls_interrupt_set(SIGUSR1);
}

/* Stopped in the middle of an epoch; continued by all ranks, and by one. */
static void a_reproducible_run_has_the_same_bits_on_any_ranks_and_resumed(void **state)
{
    (void)state;
    ls_train_result one, all, resumed;
    write_rows("steps.h5", (filling){.by_step = true});
    ls_train_config config = configure("steps.h5", BY_STEP);
    config.reproducible = true;
    config.reduce = LS_REDUCE_AUTO;
    config.weights = "weight";
    config.block = 2;
    assert_ok(train(self, &config, &one));
    assert_ok(train(world, &config, &all));
    assert_true(one.digest == all.digest);
    assert_true(one.final.loss == all.final.loss && one.final.val_loss == all.final.val_loss);
    if (rank == 0)
        assert_int_equal(system("rm -rf part"), 0);
    ls_barrier(world);
    config.run = "part";
    steps_left = 11;
    const ls_status stopped =
        short_training_run(world, &config, &(ls_observer){.step = count_step}, NULL, &resumed);
    ls_interrupt_set(0);
    assert_int_equal(stopped, LS_INTERRUPTED);
    config.resume = "part";
    config.run = "";
    assert_ok(train(world, &config, &resumed));
    assert_true(resumed.digest == one.digest && resumed.final.loss == one.final.loss);
    assert_ok(train(self, &config, &resumed));
    assert_true(resumed.digest == one.digest && resumed.final.accuracy == one.final.accuracy);
}

/* The vocabulary that the rows need is in the checkpoint's model. */
static void a_checkpoint_evaluates_as_the_training_did(void **state)
{
    (void)state;
    ls_train_result result;
    ls_model *model;
    ls_rows *rows;
    ls_evaluated found = {0};
    write_rows("steps.h5", (filling){.by_step = true});
    ls_train_config config = configure("steps.h5", BY_STEP);
    ls_barrier(world);
    if (rank == 0)
        assert_int_equal(system("rm -rf kept"), 0);
    ls_barrier(world);
    config.run = "kept";
    config.epochs = 1;
    assert_ok(train(world, &config, &result));
    assert_ok(ls_model_open(&model, world, "kept", LS_MODEL_EVALUATED));
    const ls_model_facts *facts = ls_model_describe(model);
    assert_string_equal(facts->model, "embedding:5,11 lstm:6,all dense:11");
    assert_int_equal(facts->vocabulary, WORDS);
    assert_int_equal(facts->task.kind, LS_TASK_STEPS);
    ls_model_data data = {.path = "steps.h5", .options = facts->reading, .split = LS_VALIDATION};
    assert_ok(ls_model_read(&rows, model, &data));
    assert_ok(ls_model_evaluate(model, rows, &found));
    assert_true(found.metric[LS_METRIC_LOSS] == result.final.val_loss);
    assert_true(found.metric[LS_METRIC_PERPLEXITY] == result.final.val_perplexity);
    assert_true(found.metric[LS_METRIC_MACRO_F1] == result.final.val_macro_f1);
    int64_t steps = 0;
    for (int i = 0; i < VALIDATION; i++)
        steps += length_of(i);
    assert_true(found.score.steps == (double)steps);
    ls_rows_destroy(&rows);
    write_rows("steps.h5", (filling){.by_step = true, .first = WORDS});
    assert_ok(ls_model_read(&rows, model, &data));
    const ls_status status = ls_model_evaluate(model, rows, &found);
    assert_same_failure(status);
    assert_fails(status, LS_ERR_DATA, "steps.h5: validation row 3, step 0: 11 is no token");
    ls_rows_destroy(&rows);
    int64_t count;
    const ls_status predicted = ls_model_predict_to(model, &data, "none.csv", false, &count);
    assert_same_failure(predicted);
    assert_fails(predicted, LS_ERR_DATA, "steps.h5: validation row 3, step 0: 11 is no token");
    assert_true(access("none.csv", F_OK) != 0);
    ls_model_destroy(&model);
}

/* All ranks get the same error. */
static void assert_refused(const ls_train_config *config, ls_status code, const char *part)
{
    ls_train_result result;
    const ls_status status = train(world, config, &result);
    assert_same_failure(status);
    assert_fails(status, code, part);
}

static void what_does_not_fit_sequences_is_refused(void **state)
{
    (void)state;
    write_rows("steps.h5", (filling){.by_step = true});
    write_rows("rows.h5", (filling){.by_step = false});
    static const struct {
        const char *data, *model, *part;
    } models[] = {
        {"steps.h5", "embedding:5 lstm:6 dense:11", "give `all`"},
        {"rows.h5", "embedding:5 lstm:6,all dense:3", "add last or meanpool"},
        {"rows.h5", "embedding:5 batchnorm lstm:6 dense:3", "use layernorm"},
        {"steps.h5", "embedding:5 lstm:6,all dense:12", "12 outputs in each of 7 steps"},
    };
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        const ls_train_config config = configure(models[i].data, models[i].model);
        assert_refused(&config, LS_ERR_USAGE, models[i].part);
    }
    ls_train_config config = configure("steps.h5", BY_STEP);
    config.mean = 0.5;
    assert_refused(&config, LS_ERR_USAGE, "--normalize: the inputs of steps.h5 are tokens");
    config = configure("steps.h5", BY_STEP);
    config.class_weights = "balanced";
    assert_refused(&config, LS_ERR_USAGE, "classes of");
    config = configure("steps.h5", BY_STEP);
    config.loss = LS_MSE;
    assert_refused(&config, LS_ERR_USAGE, "--loss");
    config = configure("steps.h5", "embedding:5,10 lstm:6,all dense:11");
    assert_refused(&config, LS_ERR_DATA, "10 is no token");
    config.stream = config.trust_data = true;
    config.shuffle = LS_SHUFFLE_LOCAL;
    assert_refused(&config, LS_ERR_DATA, "10 is no token"); /* in its step */
    config.model = BY_STEP;
    assert_refused(&config, LS_ERR_USAGE, "embedding:64,VOCABULARY");
    config.trust_data = false;
    ls_train_result result;
    assert_ok(train(world, &config, &result));
}

static bool noted;

static void look_at_note(void *user, const char *text)
{
    (void)user;
    noted = noted || strstr(text, "no layer of --model reads sequences") != NULL;
}

static void lengths_that_no_layer_uses_are_noted(void **state)
{
    (void)state;
    ls_train_result result;
    write_rows("rows.h5", (filling){.by_step = false});
    const ls_observer observer = {.note = look_at_note};
    ls_train_config config = configure("rows.h5", BY_ROW);
    assert_ok(short_training_run(world, &config, &observer, NULL, &result));
    assert_false(noted);
    config.model = "dense:4 relu dense:3";
    assert_ok(short_training_run(world, &config, &observer, NULL, &result));
    assert_true(noted == (rank == 0));
}

MPI_TEST_MAIN(cmocka_unit_test(all_ranks_take_the_steps_of_one),
              cmocka_unit_test(every_step_weighs_the_same),
              cmocka_unit_test(padding_changes_no_bit),
              cmocka_unit_test(a_reproducible_run_has_the_same_bits_on_any_ranks_and_resumed),
              cmocka_unit_test(a_checkpoint_evaluates_as_the_training_did),
              cmocka_unit_test(what_does_not_fit_sequences_is_refused),
              cmocka_unit_test(lengths_that_no_layer_uses_are_noted))
