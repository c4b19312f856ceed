/* Truncated, bit-flipped and crafted files: each is read by the functions of the commands, and is
 * either refused, with one line and the right code, or the damage has no effect. LOCKSTEP_SEED
 * selects other places of damage. */
#include "damaged_files.h"
#include "small_dataset.h"
#include "test.h"

#include "run/checkpoint.h"
#include <lockstep/import.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "cli/command.h"
#include "data/samples.h"
#include "data/seal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static uint64_t seed;
static int tried, refused;

/* Reads a file as a command does; *effect is a hash of the content. */
typedef ls_status reader(const char *path, uint64_t *effect);

/* GUARDED: an accepted file must have the content from before the damage. */
enum { UNGUARDED, GUARDED };

static ls_status read_dataset(const char *path, uint64_t *effect)
{
    ls_dataset *dataset = NULL;
    ls_samples *samples = NULL;
    ls_status status = ls_dataset_open(&dataset, path, &(ls_dataset_options){.validation = 0.1});
    if (status != LS_OK)
        return status;
    const int64_t rows = ls_dataset_describe(dataset)->rows[LS_TRAIN];
    status = ls_dataset_verify(dataset);
    if (status == LS_OK)
        status = ls_dataset_read(dataset, LS_TRAIN, 0, rows, rows, &samples);
    if (status == LS_OK)
        *effect = ls_samples_fingerprint(samples);
    ls_samples_destroy(&samples);
    ls_dataset_close(&dataset);
    return status;
}

/* First tries the file in a child process, because the HDF5 library may crash on it. */
static ls_status read_unsealed_dataset(const char *path, uint64_t *effect)
{
    ls_status status = ls_dataset_try(path, NULL, true);
    return status == LS_OK ? read_dataset(path, effect) : status;
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
        status = ls_checkpoint_read_params(checkpoint, network, params);
    }
    if (status == LS_OK)
        status = ls_checkpoint_read_optimizer(checkpoint, network, optimizer);
    for (int64_t i = 0; status == LS_OK && i < ls_network_size(network); i++)
        *effect = ls_mix64(*effect ^ (uint64_t)(int64_t)(params[i] * 1e6f));
    ls_free(params);
    ls_free(history);
    ls_optimizer_destroy(&optimizer);
    ls_network_destroy(&network);
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
    return status;
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
    return status == LS_OK ? read_dataset("imported.h5", effect) : status;
}

static ls_status read_labels(const char *path, uint64_t *effect)
{
    const ls_import import = {
        .train_images = "images", .train_labels = path, .name = "", .classes = 256, .force = true};
    ls_status status = ls_import_idx(&import, "imported.h5");
    return status == LS_OK ? read_dataset("imported.h5", effect) : status;
}

static ls_status read_csv(const char *path, uint64_t *effect)
{
    const ls_import import = {.name = "", .force = true};
    const ls_csv_source source = {.train = path, .target = "kind"};
    ls_status status = ls_import_csv(&import, &source, "imported.h5");
    return status == LS_OK ? read_dataset("imported.h5", effect) : status;
}

static ls_status read_npy(const char *path, uint64_t *effect)
{
    const ls_import import = {.name = "", .classes = 256, .force = true};
    const ls_npy_source source = {.train_x = path, .train_y = "y.npy"};
    ls_status status = ls_import_npy(&import, &source, "imported.h5");
    return status == LS_OK ? read_dataset("imported.h5", effect) : status;
}

static ls_status read_npz(const char *path, uint64_t *effect)
{
    const ls_import import = {.name = "", .classes = 256, .force = true};
    const ls_npz_source source = {.file = path, .members = ""};
    ls_status status = ls_import_npz(&import, &source, "imported.h5");
    return status == LS_OK ? read_dataset("imported.h5", effect) : status;
}

/* The file is the only one of a folder of CIFAR-10. */
static ls_status read_cifar(const char *path, uint64_t *effect)
{
    const ls_import import = {.name = "", .force = true};
    char target[64];
    (void)mkdir("cifar", 0777);
    snprintf(target, sizeof target, "../%s", path);
    (void)unlink("cifar/data_batch_1.bin");
    assert_int_equal(symlink(target, "cifar/data_batch_1.bin"), 0);
    ls_status status = ls_import_cifar(&import, "cifar", false, "imported.h5");
    return status == LS_OK ? read_dataset("imported.h5", effect) : status;
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

/* A file's content in memory. */
typedef struct bytes {
    char *at;
    size_t count;
} bytes;

static bytes load(const char *path)
{
    bytes b;
    assert_ok(ls_read_file(path, 1 << 24, LS_ERR_DATA, &b.at, &b.count));
    return b;
}

static void store(const char *path, const char *at, size_t count)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(at, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

/* Asserts one line of text and the code of a bad file or a bad setting. */
static void check_refusal(ls_status status, const char *what, int number)
{
    const char *text = ls_error_text();
    if ((status != LS_ERR_DATA && status != LS_ERR_USAGE) || *text == '\0' ||
        strchr(text, '\n') != NULL)
        fail_msg("%s %d, seed %llu: status %d, '%s'", what, number, (unsigned long long)seed,
                 (int)status, text);
}

static void check_damaged(reader *read, const char *path, bool guarded, uint64_t before,
                          const char *what, int number)
{
    uint64_t after = 0;
    ls_status status = read(path, &after);
    tried++;
    refused += status != LS_OK;
    if (status != LS_OK)
        check_refusal(status, what, number);
    else if (guarded && after != before)
        fail_msg("%s %d, seed %llu: undetected damage", what, number, (unsigned long long)seed);
}

/* Truncates a valid file at many lengths: near its start, near its end, and between. */
static void read_truncated(reader *read, const char *path, bool guarded, int cuts)
{
    uint64_t before;
    assert_ok(read(path, &before));
    bytes b = load(path);
    const uint64_t key = ls_rng_key(seed, 1, b.count);
    for (int i = 0; i < cuts; i++) {
        size_t length = (size_t)(ls_rng_at(key, (uint64_t)i) % b.count);
        if (i < 8)
            length = (size_t)i * 2 < b.count ? (size_t)i * 2 : 0;
        else if (i < 16)
            length = b.count - (size_t)(i - 7);
        store("cut", b.at, length);
        check_damaged(read, "cut", guarded, before, path, i);
    }
    ls_free(b.at);
}

/* Damages a valid file at up to three random places from byte `from` on: flips a bit, or sets all
 * bits of a byte to 0 or 1, as in numbers at their limits. */
static void read_flipped(reader *read, const char *path, bool guarded, size_t from, int flips)
{
    uint64_t before;
    assert_ok(read(path, &before));
    bytes b = load(path);
    char *damaged = malloc(b.count);
    for (int i = 0; i < flips; i++) {
        const uint64_t key = ls_rng_key(seed, 2 + b.count, (uint64_t)i);
        const size_t places = b.count - from;
        memcpy(damaged, b.at, b.count);
        for (uint64_t k = 0; k <= ls_rng_at(key, 0) % 3; k++) {
            char *at = damaged + from + ls_rng_at(key, 2 * k + 1) % places;
            const uint64_t how = ls_rng_at(key, 2 * k + 2);
            const int flipped = *at ^ 1 << how / 4 % 8;
            *at = (char)(how % 4 == 0 ? 0 : how % 4 == 1 ? 0xff : flipped);
        }
        store("flipped", damaged, b.count);
        check_damaged(read, "flipped", guarded, before, path, i);
    }
    free(damaged);
    ls_free(b.at);
}

static void report(const char *what)
{
    print_message("%s: %d files, %d of them refused\n", what, tried, refused);
    tried = refused = 0;
}

/* Small, so that most of a file is HDF5's metadata. */
static const small_dataset tiny = {
    .train = 12, .test = 3, .channels = 1, .height = 2, .width = 2, .classes = 4};

static void damaged_sealed_data_sets_are_refused(void **state)
{
    (void)state;
    small_dataset_write(&tiny, "sealed.h5");
    read_truncated(read_sealed_dataset, "sealed.h5", GUARDED, 60);
    read_flipped(read_sealed_dataset, "sealed.h5", GUARDED, 0, 100);
    report("sealed data sets");
}

static void damaged_unsealed_data_sets_are_refused_or_read(void **state)
{
    (void)state;
    small_dataset_write(&tiny, "contiguous.h5");
    read_truncated(read_unsealed_dataset, "contiguous.h5", UNGUARDED, 40);
    read_flipped(read_unsealed_dataset, "contiguous.h5", UNGUARDED, LS_SEAL_BYTES, 100);
    const ls_import import = {.train_images = "images",
                              .train_labels = "labels",
                              .test_images = "images",
                              .test_labels = "labels",
                              .name = "chunks",
                              .compress = true};
    assert_ok(ls_import_idx(&import, "chunked.h5"));
    read_truncated(read_unsealed_dataset, "chunked.h5", UNGUARDED, 40);
    read_flipped(read_unsealed_dataset, "chunked.h5", UNGUARDED, LS_SEAL_BYTES, 100);
    report("data sets without a seal");
}

static void damaged_checkpoints_are_refused(void **state)
{
    (void)state;
    write_small_checkpoint("checkpoint.h5");
    read_truncated(read_checkpoint, "checkpoint.h5", GUARDED, 60);
    read_flipped(read_checkpoint, "checkpoint.h5", GUARDED, 0, 100);
    report("checkpoints");
}

static void damaged_checkpoints_with_a_new_seal_are_refused_or_read(void **state)
{
    (void)state;
    write_small_checkpoint("checkpoint.h5");
    read_flipped(read_resealed_checkpoint, "checkpoint.h5", UNGUARDED, LS_SEAL_BYTES, 80);
    report("checkpoints with a new seal");
}

static void damaged_idx_files_are_refused_or_read(void **state)
{
    (void)state;
    static const char *const images[] = {"images", "images.gz"};
    for (int i = 0; i < 2; i++) {
        read_truncated(read_images, images[i], GUARDED, 40);
        read_flipped(read_images, images[i], i == 0 ? UNGUARDED : GUARDED, 0, 100);
    }
    read_truncated(read_labels, "labels", GUARDED, 20);
    read_flipped(read_labels, "labels", UNGUARDED, 0, 100);
    report("IDX files");
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
        store("many", (const char *)many[i], sizeof many[i]);
        assert_fails(i % 4 < 2 ? read_labels("many", &(uint64_t){0})
                               : read_images("many", &(uint64_t){0}),
                     LS_ERR_DATA, "more than the file can hold");
    }
}

/* Makes a NumPy array of 12 rows of the given type; returns its bytes. */
static size_t make_npy(char out[1024], const char *type, const char *shape, size_t content)
{
    char header[128];
    snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", type,
             shape);
    const int length = snprintf(out, 1024, "\x93NUMPY\1%cv%c%-117s\n", 0, 0, header);
    assert_int_equal(length, 128);
    out[7] = 0;
    out[8] = 118;
    for (size_t i = 0; i < content; i++)
        out[128 + i] = (char)(i * 7 % 31);
    return 128 + content;
}

static char *put_number(char *at, uint64_t value, int size)
{
    for (int i = 0; i < size; i++, value >>= 8)
        *at++ = (char)(value & 0xff);
    return at;
}

/* Appends the fields that the local header and the directory of a ZIP archive share. */
static char *put_member(char *at, const char *array, size_t size, size_t packed)
{
    at = put_number(at, 20, 2);
    at = put_number(at, 0, 2);
    at = put_number(at, 8, 2);
    at = put_number(at, 0, 4);
    at = put_number(at, crc32(0, (const Bytef *)array, (uInt)size), 4);
    at = put_number(at, packed, 4);
    return put_number(at, size, 4);
}

/* Writes two arrays as a ZIP archive, deflated. */
static void write_npz(const char *path, const char *const name[2], char array[2][1024],
                      const size_t size[2])
{
    char all[4096], directory[512], *at = all, *entry = directory;
    for (int i = 0; i < 2; i++) {
        char packed[2048];
        z_stream z = {.next_in = (Bytef *)array[i],
                      .avail_in = (uInt)size[i],
                      .next_out = (Bytef *)packed,
                      .avail_out = sizeof packed};
        assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
        assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
        assert_int_equal(deflateEnd(&z), Z_OK);
        const uint64_t offset = (uint64_t)(at - all);
        at = put_number(at, 0x04034b50, 4);
        at = put_member(at, array[i], size[i], z.total_out);
        at = put_number(at, strlen(name[i]), 4);
        at = stpcpy(at, name[i]);
        memcpy(at, packed, z.total_out);
        at += z.total_out;
        entry = put_number(entry, 0x02014b50, 4);
        entry = put_number(entry, 20, 2);
        entry = put_member(entry, array[i], size[i], z.total_out);
        entry = put_number(entry, strlen(name[i]), 8);
        entry = put_number(entry, 0, 6);
        entry = put_number(entry, offset, 4);
        entry = stpcpy(entry, name[i]);
    }
    const uint64_t begin = (uint64_t)(at - all), length = (uint64_t)(entry - directory);
    memcpy(at, directory, length);
    at = put_number(at + length, 0x06054b50, 4);
    at = put_number(at, 0, 4);
    at = put_number(at, 2 | 2 << 16, 4);
    at = put_number(at, length, 4);
    at = put_number(at, begin, 4);
    at = put_number(at, 0, 2);
    store(path, all, (size_t)(at - all));
}

static void damaged_arrays_are_refused_or_read(void **state)
{
    static const char *const names[2] = {"x_train.npy", "y_train.npy"};
    char array[2][1024];
    (void)state;
    const size_t size[2] = {make_npy(array[0], "<f4", "(12, 3)", 144),
                            make_npy(array[1], "|u1", "(12,)", 12)};
    for (size_t i = 0; i < 36; i++)
        memcpy(array[0] + 128 + 4 * i, &(float){(float)i}, 4);
    store("x.npy", array[0], size[0]);
    store("y.npy", array[1], size[1]);
    read_truncated(read_npy, "x.npy", GUARDED, 60);
    read_flipped(read_npy, "x.npy", UNGUARDED, 0, 200);
    write_npz("both.npz", names, array, size);
    read_truncated(read_npz, "both.npz", GUARDED, 60);
    read_flipped(read_npz, "both.npz", GUARDED, 0, 300);
    report("NumPy's arrays");
}

static void damaged_tables_are_refused_or_read(void **state)
{
    static const char table[] =
        "a,\"b, c\",kind\r\n1,2.5,x\n-3e2,\"4\",\"y, \"\"z\"\"\"\n5,6,x\n\n7,8,x\n";
    (void)state;
    store("table.csv", table, strlen(table));
    read_truncated(read_csv, "table.csv", UNGUARDED, 60);
    read_flipped(read_csv, "table.csv", UNGUARDED, 0, 300);
    report("tables");
}

static void damaged_cifar_files_are_refused_or_read(void **state)
{
    enum { RECORD = 3073, ROWS = 3 };
    static char records[ROWS * RECORD];
    (void)state;
    for (int i = 0; i < ROWS * RECORD; i++)
        records[i] = (char)(i % RECORD == 0 ? i / RECORD : i * 7 % 251);
    store("records", records, sizeof records);
    read_truncated(read_cifar, "records", UNGUARDED, 40);
    read_flipped(read_cifar, "records", UNGUARDED, 0, 40);
    report("CIFAR files");
}

static void damaged_configurations_are_refused_or_read(void **state)
{
    (void)state;
    static const char good[] =
        "# A configuration.\nmodel = \"dense:20 relu dense:5\"\nlr = 0.01\nbatch = 16\n"
        "epochs = 4\nnesterov = true\nnormalize = 0.1,0.3\nloss = mse\nrun = a/b\n";
    store("good.conf", good, strlen(good));
    read_truncated(read_config, "good.conf", UNGUARDED, 60);
    read_flipped(read_config, "good.conf", UNGUARDED, 0, 200);
    report("configurations");
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
        store("crafted.conf", cases[i].text,
              cases[i].length > 0 ? cases[i].length : strlen(cases[i].text));
        assert_fails(read_config("crafted.conf", &(uint64_t){0}), LS_ERR_USAGE, cases[i].part);
        check_refusal(LS_ERR_USAGE, cases[i].part, (int)i);
    }
    report("crafted configurations");
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
        store("long.conf", text, LONG);
        check_damaged(read_config, "long.conf", UNGUARDED, 0, "long line", (int)i);
    }
    memset(text, '\n', LONGER);
    store("long.conf", text, LONGER);
    assert_fails(read_config("long.conf", &(uint64_t){0}), LS_ERR_USAGE, "larger than");
    free(text);
    report("long damaged_configurations_are_refused_or_read");
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
        tried++;
        refused += status != LS_OK;
        if ((status == LS_OK) != (c.part == NULL))
            fail_msg("%s: status %d, '%s'", c.name, (int)status, ls_error_text());
        if (c.part == NULL)
            continue;
        check_refusal(status, c.name, i);
        if (strstr(ls_error_text(), c.part) == NULL ||
            strstr(ls_error_text(), "crafted.h5") == NULL)
            fail_msg("%s: '%s' does not name the file and '%s'", c.name, ls_error_text(), c.part);
    }
    report("crafted files");
}

static int make_files(void **state)
{
    (void)state;
    const char *given = getenv("LOCKSTEP_SEED");
    seed = given != NULL ? strtoull(given, NULL, 10) : 1;
    print_message("LOCKSTEP_SEED=%llu\n", (unsigned long long)seed);
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
        cmocka_unit_test(damaged_arrays_are_refused_or_read),
        cmocka_unit_test(damaged_tables_are_refused_or_read),
        cmocka_unit_test(damaged_cifar_files_are_refused_or_read),
        cmocka_unit_test(an_idx_header_larger_than_its_file_is_refused),
        cmocka_unit_test(damaged_sealed_data_sets_are_refused),
        cmocka_unit_test(damaged_checkpoints_are_refused),
        cmocka_unit_test(damaged_checkpoints_with_a_new_seal_are_refused_or_read),
        cmocka_unit_test(damaged_unsealed_data_sets_are_refused_or_read),
    };
    return cmocka_run_group_tests(tests, make_files, NULL);
}
