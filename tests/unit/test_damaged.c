/* Truncated, bit-flipped and crafted files: each is read by the functions of the commands, and is
 * either refused, with one line and the right code, or the damage has no effect. LOCKSTEP_SEED
 * selects other places of damage. */
#include "damage.h"
#include "damaged_files.h"
#include "small_dataset.h"
#include "test.h"

#include "run/checkpoint.h"
#include <lockstep/import.h>
#include <lockstep/model.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "cli/command.h"
#include "data/samples.h"
#include "data/seal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* First tries the file in a child process, because the HDF5 library may crash on it. */
static ls_status read_unsealed_dataset(const char *path, uint64_t *effect)
{
    ls_status status = ls_dataset_try(path, NULL, true);
    return status == LS_OK ? damage_read_dataset(path, effect) : status;
}

static ls_status read_sealed_dataset(const char *path, uint64_t *effect)
{
    ls_seal seal;
    ls_status status = ls_seal_verify(path, &seal, NULL);
    return status == LS_OK ? read_unsealed_dataset(path, effect) : status;
}

/* Reads the content of a checkpoint into a new network. */
static ls_status read_state(const ls_checkpoint *checkpoint, uint64_t *effect)
{
    const ls_model_info *id = ls_checkpoint_model(checkpoint);
    const ls_optimizer_config adam = {.kind = LS_ADAM, .epsilon = 1e-8, .ema = 0.5};
    ls_network *network = NULL;
    ls_optimizer *optimizer = NULL;
    float *params = NULL;
    ls_metrics *history = ls_alloc(ls_checkpoint_progress(checkpoint)->epoch, sizeof *history);
    assert_non_null(history);
    ls_status status = ls_checkpoint_read_history(checkpoint, history);
    if (status == LS_OK)
        status = ls_network_create(&network, id->model, id->input, id->classes, id->loss, 4);
    if (status == LS_OK) {
        int rows;
        const ls_param *table = ls_network_params(network, &rows);
        status = ls_optimizer_create(&optimizer, &adam, table, rows);
    }
    if (status == LS_OK) {
        params = ls_alloc(ls_network_size(network), sizeof *params);
        assert_non_null(params);
        status = ls_checkpoint_read_params(checkpoint, LS_MODEL, network, params);
    }
    if (status == LS_OK)
        status = ls_checkpoint_read_optimizer(checkpoint, LS_MODEL, network, optimizer);
    for (int64_t i = 0; status == LS_OK && i < ls_network_size(network); i++)
        *effect = ls_mix64(*effect ^ (uint64_t)(int64_t)(params[i] * 1e6f));
    ls_free(params);
    ls_free(history);
    ls_optimizer_destroy(&optimizer);
    ls_network_destroy(&network);
    return status;
}

/* Opens a checkpoint's model, as `predict` does. */
static ls_status read_model(const char *path)
{
    ls_model *model = NULL;
    const ls_status status = ls_model_open(&model, NULL, path, LS_MODEL_EVALUATED);
    ls_model_destroy(&model);
    return status;
}

static ls_status read_checkpoint(const char *path, uint64_t *effect)
{
    ls_checkpoint *checkpoint = NULL;
    *effect = 0;
    ls_status status = ls_checkpoint_open(&checkpoint, path);
    if (status == LS_OK)
        status = read_state(checkpoint, effect);
    ls_checkpoint_close(&checkpoint);
    return status == LS_OK ? read_model(path) : status;
}

/* Seals the file first: the digest matches, only the content is wrong. */
static ls_status read_resealed_checkpoint(const char *path, uint64_t *effect)
{
    assert_ok(ls_seal_write(path));
    return read_checkpoint(path, effect);
}

static ls_status read_images(const char *path, uint64_t *effect)
{
    const ls_import import = {
        .train_images = path, .train_labels = "labels", .name = "", .force = true};
    ls_status status = ls_import_idx(&import, "imported.h5");
    return status == LS_OK ? damage_read_dataset("imported.h5", effect) : status;
}

static ls_status read_labels(const char *path, uint64_t *effect)
{
    const ls_import import = {
        .train_images = "images", .train_labels = path, .name = "", .classes = 256, .force = true};
    ls_status status = ls_import_idx(&import, "imported.h5");
    return status == LS_OK ? damage_read_dataset("imported.h5", effect) : status;
}

static ls_status run_nothing(ls_comm *comm, const ls_options *options, const void *settings)
{
    (void)comm, (void)options, (void)settings;
    return LS_OK;
}

static ls_status read_config(const char *path, uint64_t *effect)
{
    ls_command command = ls_command_train;
    command.run = run_nothing;
    *effect = 0;
    return ls_command_run(&command, NULL, 4, (char *[]){"--config", (char *)path, "--data", "x"});
}

/* Small, so that most of a file is HDF5's metadata. */
static const small_dataset tiny = {
    .train = 12, .test = 3, .channels = 1, .height = 2, .width = 2, .classes = 4};

static void damaged_sealed_data_sets_are_refused(void **state)
{
    (void)state;
    small_dataset_write(&tiny, "sealed.h5");
    damage_truncate(read_sealed_dataset, "sealed.h5", GUARDED, 60);
    damage_flip(read_sealed_dataset, "sealed.h5", GUARDED, 0, 100);
    damage_report("sealed data sets");
}

static void damaged_unsealed_data_sets_are_refused_or_read(void **state)
{
    (void)state;
    small_dataset_write(&tiny, "contiguous.h5");
    damage_truncate(read_unsealed_dataset, "contiguous.h5", UNGUARDED, 40);
    damage_flip(read_unsealed_dataset, "contiguous.h5", UNGUARDED, LS_SEAL_BYTES, 100);
    const ls_import import = {.train_images = "images",
                              .train_labels = "labels",
                              .test_images = "images",
                              .test_labels = "labels",
                              .name = "chunks",
                              .compress = true};
    assert_ok(ls_import_idx(&import, "chunked.h5"));
    damage_truncate(read_unsealed_dataset, "chunked.h5", UNGUARDED, 40);
    damage_flip(read_unsealed_dataset, "chunked.h5", UNGUARDED, LS_SEAL_BYTES, 100);
    damage_report("data sets without a seal");
}

static void damaged_checkpoints_are_refused(void **state)
{
    (void)state;
    write_small_checkpoint("checkpoint.h5");
    damage_truncate(read_checkpoint, "checkpoint.h5", GUARDED, 60);
    damage_flip(read_checkpoint, "checkpoint.h5", GUARDED, 0, 100);
    damage_report("checkpoints");
}

static void damaged_checkpoints_with_a_new_seal_are_refused_or_read(void **state)
{
    (void)state;
    write_small_checkpoint("checkpoint.h5");
    damage_flip(read_resealed_checkpoint, "checkpoint.h5", UNGUARDED, LS_SEAL_BYTES, 80);
    damage_report("checkpoints with a new seal");
}

static void damaged_idx_files_are_refused_or_read(void **state)
{
    (void)state;
    static const char *const images[] = {"images", "images.gz"};
    for (int i = 0; i < 2; i++) {
        damage_truncate(read_images, images[i], GUARDED, 40);
        damage_flip(read_images, images[i], i == 0 ? UNGUARDED : GUARDED, 0, 100);
    }
    damage_truncate(read_labels, "labels", GUARDED, 20);
    damage_flip(read_labels, "labels", UNGUARDED, 0, 100);
    damage_report("IDX files");
}

static void an_idx_header_larger_than_its_file_is_refused(void **state)
{
    (void)state;
    static const unsigned char many[][16] = {
        {0, 0, 8, 1, 0xff, 0xff, 0xff, 0xff},
        {0, 0, 12, 1, 0xff, 0xff, 0xff, 0xff},
        {0, 0, 8, 3, 0xff, 0xff, 0xff, 0xff, 0, 0, 0xff, 0xff, 0, 0, 0x7f, 0xff},
        {0, 0, 12, 3, 0xff, 0xff, 0xff, 0xff, 0, 0, 0xff, 0xff, 0, 0, 0x7f, 0xff}};
    for (size_t i = 0; i < sizeof many / sizeof *many; i++) {
        damage_store("many", (const char *)many[i], sizeof many[i]);
        assert_fails(i % 4 < 2 ? read_labels("many", &(uint64_t){0})
                               : read_images("many", &(uint64_t){0}),
                     LS_ERR_DATA, "more than the file can hold");
    }
}

static void damaged_configurations_are_refused_or_read(void **state)
{
    (void)state;
    static const char good[] =
        "# A configuration.\nmodel = \"dense:20 relu dense:5\"\nlr = 0.01\nbatch = 16\n"
        "epochs = 4\nnesterov = true\nnormalize = 0.1,0.3\nloss = mse\nrun = a/b\n";
    damage_store("good.conf", good, strlen(good));
    damage_truncate(read_config, "good.conf", UNGUARDED, 60);
    damage_flip(read_config, "good.conf", UNGUARDED, 0, 200);
    damage_report("configurations");
}

static void each_crafted_configuration_gets_its_message(void **state)
{
    (void)state;
    static const struct {
        const char *part, *text;
        size_t length; /* 0: of the text */
    } cases[] = {
        {"holds a zero byte", "lr = 1\0\nbatch = 3\n", 17},
        {"holds a zero byte", "\0\0\0\0", 4},
        {"line 2: there is no key bath; did you mean batch?", "lr = 1\nbath = 3\n", 0},
        {"there is no key ", " = 3\n", 0},
        {"is not 'key = value'", "\xff\xfe\xfd\n", 0},
        {"there is no key", "\x1b[31m = 1\n", 0},
        {"'1e999' is not a number", "lr = 1e999\n", 0},
        {"'nan' is not a number", "lr = nan\n", 0},
        {"'0x' is not a whole number", "batch = 0x\n", 0},
        {"'' is not a whole number", "batch =\n", 0},
        {"not a whole number", "batch = 99999999999999999999\n", 0},
        {"too small", "batch = -9223372036854775808\n", 0},
        {"is not MEAN,STD", "normalize = 1\n", 0},
        {"is not MEAN,STD", "normalize = ,\n", 0},
        {"not one of: cross-entropy mse", "loss = cross\n", 0},
        {"neither true nor false", "nesterov = maybe\n", 0},
        {"belongs on the command line", "config = other.conf\n", 0},
        {"must be a single line", "model = a\rb\n", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        damage_store("crafted.conf", cases[i].text,
                     cases[i].length > 0 ? cases[i].length : strlen(cases[i].text));
        assert_fails(read_config("crafted.conf", &(uint64_t){0}), LS_ERR_USAGE, cases[i].part);
        damage_check_refusal(LS_ERR_USAGE, cases[i].part, (int)i);
    }
    damage_report("crafted configurations");
}

static void very_long_configurations_are_refused_or_read(void **state)
{
    (void)state;
    static const char *const heads[] = {"#", "run = ", "", "lr = ", "model = "};
    enum { LONG = 900000, LONGER = 3 << 20 };
    char *text = malloc(LONGER);
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        memset(text, 'x', LONG);
        memcpy(text, heads[i], strlen(heads[i]));
        damage_store("long.conf", text, LONG);
        damage_check(read_config, "long.conf", UNGUARDED, 0, "long line", (int)i);
    }
    memset(text, '\n', LONGER);
    damage_store("long.conf", text, LONGER);
    assert_fails(read_config("long.conf", &(uint64_t){0}), LS_ERR_USAGE, "larger than");
    free(text);
    damage_report("long damaged_configurations_are_refused_or_read");
}

static void each_crafted_file_gets_its_message(void **state)
{
    (void)state;
    damaged_file c;
    for (int i = 0; damaged_file_case(i, &c); i++) {
        uint64_t effect;
        damaged_file_write(i, "crafted.h5");
        ls_status status =
            (c.checkpoint ? read_checkpoint : read_sealed_dataset)("crafted.h5", &effect);
        damage_count(status);
        if ((status == LS_OK) != (c.part == NULL))
            fail_msg("%s: status %d, '%s'", c.name, (int)status, ls_error_text());
        if (c.part == NULL)
            continue;
        damage_check_refusal(status, c.name, i);
        if (strstr(ls_error_text(), c.part) == NULL ||
            strstr(ls_error_text(), "crafted.h5") == NULL)
            fail_msg("%s: '%s' does not name the file and '%s'", c.name, ls_error_text(), c.part);
    }
    damage_report("crafted files");
}

static int make_files(void **state)
{
    (void)state;
    damage_begin();
    const int dim[] = {12, 2, 2};
    int values[48];
    for (int i = 0; i < 48; i++)
        values[i] = i * 5 % 256;
    write_idx_file("images", 0x08, 3, dim, values);
    write_idx_file("images.gz", 0x08, 3, dim, values);
    write_idx_file("labels", 0x08, 1, dim, values);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_crafted_file_gets_its_message),
        cmocka_unit_test(each_crafted_configuration_gets_its_message),
        cmocka_unit_test(very_long_configurations_are_refused_or_read),
        cmocka_unit_test(damaged_configurations_are_refused_or_read),
        cmocka_unit_test(damaged_idx_files_are_refused_or_read),
        cmocka_unit_test(an_idx_header_larger_than_its_file_is_refused),
        cmocka_unit_test(damaged_sealed_data_sets_are_refused),
        cmocka_unit_test(damaged_checkpoints_are_refused),
        cmocka_unit_test(damaged_checkpoints_with_a_new_seal_are_refused_or_read),
        cmocka_unit_test(damaged_unsealed_data_sets_are_refused_or_read),
    };
    return cmocka_run_group_tests(tests, make_files, NULL);
}
