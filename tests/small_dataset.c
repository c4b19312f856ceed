#include "small_dataset.h"

#include "base/fault.h"
#include "base/rng.h"
#include "data/h5.h"
#include "data/seal.h"
#include "test.h"
#include "run/checkpoint_file.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

const small_dataset small_dataset_default = {
    .train = 203, .test = 50, .channels = 1, .height = 6, .width = 5, .classes = 4};

int small_dataset_label(const small_dataset *f, int split, int64_t row)
{
    return (int)(ls_rng_at(ls_rng_key(1, 100, (uint64_t)split), (uint64_t)row) %
                 (uint64_t)f->classes);
}

unsigned char small_dataset_pixel(const small_dataset *f, int split, int64_t row, int64_t at)
{
    uint64_t label = (uint64_t)small_dataset_label(f, split, row);
    uint64_t pattern = ls_rng_at(ls_rng_key(2, 100, label), (uint64_t)at) % 128;
    uint64_t noise = ls_rng_at(ls_rng_key(3, (uint64_t)split, (uint64_t)row), (uint64_t)at) % 128;
    return (unsigned char)(pattern + noise);
}

int small_dataset_step(const small_dataset *f, int split, int64_t row, int64_t step)
{
    return (int)((small_dataset_label(f, split, row) + step) % f->classes);
}

int small_dataset_length(const small_dataset *f, int64_t row)
{
    return (int)(row % (f->height + 1));
}

/* Writes the labels of rows or, of sequences, of their steps, and the lengths of these. */
static void write_labels(ls_h5 *file, const small_dataset *f, const char *name, int split,
                         int64_t rows)
{
    char path[64];
    const int64_t steps = f->sequences ? f->height : 1;
    const ls_h5_shape shape = {LS_H5_U8, f->sequences ? 2 : 1, {rows, steps}},
                      lengths = {LS_H5_I32, 1, {rows}};
    int32_t *labels = malloc((size_t)(rows * steps) * sizeof *labels + 1);
    for (int64_t i = 0; i < rows * steps; i++)
        labels[i] = f->sequences ? small_dataset_step(f, split, i / steps, i % steps)
                                 : small_dataset_label(f, split, i);
    snprintf(path, sizeof path, "%s/labels", name);
    assert_ok(ls_h5_create_dataset(file, path, &shape, false));
    assert_ok(ls_h5_write(file, path, LS_H5_I32, 0, rows, labels));
    for (int64_t i = 0; i < rows; i++)
        labels[i] = small_dataset_length(f, i);
    snprintf(path, sizeof path, "%s/lengths", name);
    if (f->sequences) {
        assert_ok(ls_h5_create_dataset(file, path, &lengths, false));
        assert_ok(ls_h5_write(file, path, LS_H5_I32, 0, rows, labels));
    }
    free(labels);
}

static void write_split(ls_h5 *file, const small_dataset *f, const char *name, int split,
                        int64_t rows)
{
    const int64_t features = f->channels * f->height * f->width;
    unsigned char *pixels = malloc((size_t)(rows * features) + 1);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < features; j++)
            pixels[i * features + j] = small_dataset_pixel(f, split, i, j);
    char path[64];
    ls_h5_shape images = {.type = LS_H5_U8,
                          .rank = f->channels == 1 ? 3 : 4,
                          .dims = {rows, f->channels, f->height, f->width}};
    if (f->channels == 1) {
        images.dims[1] = f->height;
        images.dims[2] = f->width;
    }
    snprintf(path, sizeof path, "%s/images", name);
    assert_ok(ls_h5_create_dataset(file, path, &images, false));
    assert_ok(ls_h5_write(file, path, LS_H5_U8, 0, rows, pixels));
    write_labels(file, f, name, split, rows);
    free(pixels);
}

void small_dataset_write(const small_dataset *f, const char *path)
{
    ls_h5 *file;
    assert_ok(ls_h5_create(&file, path));
    write_split(file, f, "train", LS_TRAIN, f->train);
    if (f->test > 0)
        write_split(file, f, "test", LS_TEST, f->test);
    if (f->validation > 0)
        write_split(file, f, "validation", LS_VALIDATION, f->validation);
    assert_ok(ls_h5_put_text(file, "format", "lockstep-dataset"));
    assert_ok(ls_h5_put_int(file, "version", 1));
    assert_ok(ls_h5_put_int(file, "classes", f->classes));
    assert_ok(ls_h5_put_text(file, "name", "fixture"));
    assert_ok(ls_h5_close(&file));
    assert_ok(ls_seal_write(path));
}

void write_small_checkpoint(const char *path)
{
    write_described_checkpoint(path, "dense:5 relu dense:4", "fixture", "seed = 0\n");
}

void write_described_checkpoint(const char *path, const char *described, const char *text,
                                const char *config)
{
    static const char model[] = "dense:5 relu dense:4";
    ls_model_info info = {.model = (char *)described,
                          .compute = (char *)text,
                          .classes = 4,
                          .input = {1, 3, 2},
                          .std = 1,
                          .dataset = (char *)text,
                          .config = (char *)config};
    ls_progress progress = {.epoch = 2, .optimizer_steps = 9, .ranks = 1};
    ls_metrics history[2] = {{.epoch = 1}, {.epoch = 2}};
    const ls_optimizer_config adam = {.kind = LS_ADAM, .epsilon = 1e-8, .ema = 0.5};
    ls_network *network;
    ls_optimizer *optimizer;
    assert_ok(ls_network_create(&network, model, info.input, 4, LS_CROSS_ENTROPY, 0));
    const int64_t size = ls_network_size(network);
    int rows;
    const ls_param *table = ls_network_params(network, &rows);
    assert_ok(ls_optimizer_create(&optimizer, &adam, table, rows));
    float *params = malloc((size_t)size * sizeof *params);
    ls_network_initialise(network, 1, params);
    ls_optimizer_start(optimizer, params);
    const ls_state state = {
        .info = &info,
        .progress = &progress,
        .history = history,
        .trained = {{.network = network, .params = params, .optimizer = optimizer}}};
    assert_ok(ls_checkpoint_write(path, &state));
    free(params);
    ls_optimizer_destroy(&optimizer);
    ls_network_destroy(&network);
}

void write_idx_file(const char *path, int type, int dims, const int *dim, const int *values)
{
    const bool gzip = strstr(path, ".gz") != NULL;
    gzFile file = gzopen(path, gzip ? "wb" : "wbT");
    assert_non_null(file);
    gzputc(file, 0);
    gzputc(file, 0);
    gzputc(file, type);
    gzputc(file, dims);
    int64_t elements = 1;
    for (int i = 0; i < dims; i++) {
        for (int shift = 24; shift >= 0; shift -= 8)
            gzputc(file, dim[i] >> shift & 255);
        elements *= dim[i];
    }
    int width = type == 0x08 ? 1 : type == 0x0b ? 2 : 4;
    for (int64_t i = 0; i < elements; i++)
        for (int shift = 8 * (width - 1); shift >= 0; shift -= 8)
            gzputc(file, values[i] >> shift & 255);
    assert_int_equal(gzclose(file), Z_OK);
}

const ls_optimizer_config short_training_optimizers[SHORT_TRAINING_OPTIMIZERS] = {
    {.kind = LS_LAMB,
     .beta1 = 0.9,
     .beta2 = 0.999,
     .epsilon = 1e-6,
     .trust = 0.001,
     .weight_decay = 0.01,
     .clip_norm = 0.3,
     .ema = 0.9},
    {.kind = LS_LARS,
     .momentum = 0.9,
     .epsilon = 1e-8,
     .trust = 0.5,
     .weight_decay = 0.01,
     .ema = 0.8},
    {.kind = LS_ADAM,
     .beta1 = 0.9,
     .beta2 = 0.999,
     .epsilon = 1e-8,
     .trust = 0.001,
     .clip_norm = 0.3},
};

ls_train_config short_training(const char *path)
{
    ls_train_config config;
    ls_config_default(&config);
    config.data = path;
    config.model = "dense:12 relu dense:4";
    config.lr = 0.01;
    config.epochs = 3;
    config.batch = 16;
    config.check_replicas = 0;
    config.watchdog = 0;
    config.reduce = LS_REDUCE_FUSED;
    config.block = 5;
    config.threads = 1;
    return config;
}

void short_training_reduce(ls_train_config *config, int kind, bool shard)
{
    config->reduce = (ls_reduce)kind;
    config->reproducible = kind == LS_REDUCE_EXACT;
    config->shard_optimizer = shard && !config->reproducible;
}

ls_status short_training_run(ls_comm *comm, const ls_train_config *config,
                             const ls_observer *observer, const char *fault,
                             ls_train_result *result)
{
    ls_trainer *trainer = NULL;
    ls_status status = ls_fault_arm(fault, ls_comm_rank(comm));
    if (status == LS_OK)
        status = ls_trainer_create(&trainer, comm, config, observer);
    if (status == LS_OK)
        status = ls_trainer_run(trainer, result);
    ls_trainer_destroy(&trainer);
    return ls_fault_arm(NULL, 0) == LS_OK ? status : LS_ERR_FAILURE;
}
