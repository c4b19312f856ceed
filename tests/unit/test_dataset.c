#include "small_dataset.h"
#include "base/range.h"
#include "test.h"

#include "data/h5.h"
#include "data/samples.h"
#include "data/seal.h"

#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

static void the_last_training_rows_are_held_out(void **state)
{
    (void)state;
    ls_dataset *dataset;
    small_dataset_write(&small_dataset_default, "d.h5");
    assert_ok(ls_dataset_open(&dataset, "d.h5", &(ls_dataset_options){.validation = 0.1}));
    const ls_dataset_info *info = ls_dataset_describe(dataset);
    assert_int_equal(info->rows[LS_TRAIN], 183);
    assert_int_equal(info->rows[LS_VALIDATION], 20);
    assert_int_equal(info->rows[LS_TEST], 50);
    ls_samples *samples;
    assert_ok(ls_dataset_read(dataset, LS_VALIDATION, 3, 5, 9, &samples));
    assert_int_equal(samples->capacity, 9);
    for (int i = 0; i < 5; i++) {
        const ls_sample *sample = ls_sample_at(samples, i);
        assert_int_equal(sample->row, 3 + i);
        assert_int_equal(sample->label,
                         small_dataset_label(&small_dataset_default, LS_TRAIN, 183 + 3 + i));
        for (int j = 0; j < 30; j++)
            assert_int_equal(sample->inputs[j],
                             small_dataset_pixel(&small_dataset_default, LS_TRAIN, 183 + 3 + i, j));
    }
    ls_samples_destroy(&samples);
    ls_dataset_close(&dataset);
}

/* Writes a data set, opens it with a fraction to hold out, and checks the rows of its splits. */
static void check_rows(const small_dataset *f, double validation, int64_t train, int64_t held_out,
                       int64_t test)
{
    ls_dataset *dataset;
    small_dataset_write(f, "d.h5");
    assert_ok(ls_dataset_open(&dataset, "d.h5", &(ls_dataset_options){.validation = validation}));
    const ls_dataset_info *info = ls_dataset_describe(dataset);
    assert_int_equal(info->rows[LS_TRAIN], train);
    assert_int_equal(info->rows[LS_VALIDATION], held_out);
    assert_int_equal(info->rows[LS_TEST], test);
    ls_dataset_close(&dataset);
}

static void a_validation_split_is_used_instead_of_held_out_rows(void **state)
{
    (void)state;
    small_dataset f = small_dataset_default;
    f.validation = 17;
    f.test = 0;
    check_rows(&f, 0.1, 203, 17, 0);
}

static void the_number_of_held_out_rows_is_rounded_down_as_decimals(void **state)
{
    (void)state;
    small_dataset f = small_dataset_default;
    f.test = 0;
    f.train = 1;
    check_rows(&f, 0.9, 1, 0, 0);
    f.train = 100; /* 0.29 * 100 as a double is a little less than 29 */
    check_rows(&f, 0.29, 71, 29, 0);
}

/* A data file with one error. */
typedef struct wrong {
    const char *part; /* of the error text */
    ls_h5_shape images, labels;
    int64_t classes;
    const char *format;
    int label;
} wrong;

static void write_wrong(const wrong *w)
{
    static const unsigned char pixels[4096];
    int32_t labels[64] = {w->label};
    ls_h5 *file;
    assert_ok(ls_h5_create(&file, "w.h5"));
    if (w->images.rank > 0) {
        assert_ok(ls_h5_create_dataset(file, "train/images", &w->images, false));
        assert_ok(ls_h5_write(file, "train/images", LS_H5_U8, 0, w->images.dims[0], pixels));
    }
    if (w->labels.rank > 0) {
        assert_ok(ls_h5_create_dataset(file, "train/labels", &w->labels, false));
        assert_ok(ls_h5_write(file, "train/labels", LS_H5_I32, 0, w->labels.dims[0], labels));
    }
    if (w->format != NULL)
        assert_ok(ls_h5_put_text(file, "format", w->format));
    assert_ok(ls_h5_put_int(file, "version", 1));
    assert_ok(ls_h5_put_int(file, "classes", w->classes));
    assert_ok(ls_h5_close(&file));
}

#define IMAGES                                                                                     \
    {                                                                                              \
        LS_H5_U8, 3,                                                                               \
        {                                                                                          \
            5, 2, 2                                                                                \
        }                                                                                          \
    }
#define LABELS                                                                                     \
    {                                                                                              \
        LS_H5_U8, 1,                                                                               \
        {                                                                                          \
            5                                                                                      \
        }                                                                                          \
    }
#define FORMAT "lockstep-dataset"

static void wrong_layouts_are_refused(void **state)
{
    (void)state;
    const wrong cases[] = {
        {"has no dataset '/train/images'", {0}, LABELS, 4, FORMAT, 0},
        {"has no dataset '/train/labels'", IMAGES, {0}, 4, FORMAT, 0},
        {"'/train/images' holds uint64", {LS_H5_U64, 3, {5, 2, 2}}, LABELS, 4, FORMAT, 0},
        {"'/train/labels' has 2 dimensions, [5,3]", IMAGES, {LS_H5_U8, 2, {5, 3}}, 4, FORMAT, 0},
        {"not of an integer type; values go to '/train/targets'; `lockstep import --help`",
         IMAGES,
         {LS_H5_F32, 1, {5}},
         4,
         FORMAT,
         0},
        {"'/train/images' has 5 rows but '/train/labels' has 6",
         IMAGES,
         {LS_H5_U8, 1, {6}},
         4,
         FORMAT,
         0},
        {"its rows hold no numbers", {LS_H5_U8, 3, {0, 0, 2}}, {LS_H5_U8, 1, {0}}, 4, FORMAT, 0},
        {"has no rows", {LS_H5_U8, 3, {0, 2, 2}}, {LS_H5_U8, 1, {0}}, 4, FORMAT, 0},
        {"format is other", IMAGES, LABELS, 4, "other", 0},
        {"format is missing or empty): give --inputs and --targets; it holds /train/images [5,2,2] "
         "uint8, /train/labels [5] uint8",
         IMAGES, LABELS, 4, NULL, 0},
        {"classes is 1", IMAGES, LABELS, 1, FORMAT, 0},
        {"row 0 is 4, expected a class of 0 to 3", IMAGES, LABELS, 4, FORMAT, 4},
        {"row 0 is -1, expected a class of 0 to 3", IMAGES, {LS_H5_I32, 1, {5}}, 4, FORMAT, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_wrong(&cases[i]);
        ls_dataset *dataset = NULL;
        ls_samples *samples = NULL;
        ls_status status = ls_dataset_open(&dataset, "w.h5", NULL);
        if (status == LS_OK)
            status = ls_dataset_read(dataset, LS_TRAIN, 0, 5, 5, &samples);
        assert_fails(status, LS_ERR_DATA, cases[i].part);
        assert_non_null(strstr(ls_error_text(), "w.h5"));
        assert_null(samples);
        ls_dataset_close(&dataset);
    }
}

static void files_other_than_hdf5_are_refused(void **state)
{
    (void)state;
    ls_dataset *dataset = NULL;
    FILE *file = fopen("text.h5", "w");
    fprintf(file, "no HDF5 at all");
    fclose(file);
    assert_fails(ls_dataset_open(&dataset, "text.h5", NULL), LS_ERR_DATA, "not an HDF5 file");
    assert_fails(ls_dataset_open(&dataset, "missing.h5", NULL), LS_ERR_DATA, "No such file");
    assert_null(dataset);
}

static void a_damaged_file_fails_its_seal(void **state)
{
    (void)state;
    ls_seal seal;
    char digest[LS_DIGEST_TEXT];
    small_dataset_write(&small_dataset_default, "s.h5");
    assert_ok(ls_seal_verify("s.h5", &seal, digest));
    assert_int_equal(seal, LS_SEAL_INTACT);
    assert_int_equal(strlen(digest), 32);
    /* Bits of the seal and of the content. */
    const off_t places[] = {20, 300, 512, 3000};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        unsigned char byte;
        int file = open("s.h5", O_RDWR);
        assert_int_equal(pread(file, &byte, 1, places[i]), 1);
        byte ^= 4;
        assert_int_equal(pwrite(file, &byte, 1, places[i]), 1);
        assert_fails(ls_seal_verify("s.h5", &seal, NULL), LS_ERR_DATA, "damaged");
        byte ^= 4;
        assert_int_equal(pwrite(file, &byte, 1, places[i]), 1);
        close(file);
        assert_ok(ls_seal_verify("s.h5", &seal, NULL));
    }
    assert_int_equal(truncate("s.h5", 2000), 0);
    assert_fails(ls_seal_verify("s.h5", &seal, NULL), LS_ERR_DATA, "damaged or cut short");
}

static void a_file_without_a_seal_is_reported_as_unsealed(void **state)
{
    (void)state;
    ls_seal seal;
    char digest[LS_DIGEST_TEXT];
    write_wrong(&(wrong){"", IMAGES, LABELS, 4, FORMAT, 0});
    assert_ok(ls_seal_verify("w.h5", &seal, digest));
    assert_int_equal(seal, LS_SEAL_ABSENT);
    assert_string_equal(digest, "");
}

static void rows_are_gathered_in_the_given_order_and_normalized(void **state)
{
    (void)state;
    ls_dataset *dataset;
    ls_samples *samples;
    ls_batch *batch;
    ls_normalization normalization;
    small_dataset_write(&small_dataset_default, "g.h5");
    assert_ok(ls_dataset_open(&dataset, "g.h5", NULL));
    assert_ok(ls_dataset_read(dataset, LS_TRAIN, 0, 10, 10, &samples));
    assert_ok(ls_batch_create(&batch, 4, 30, 0));
    const int32_t order[] = {7, 0, 7};
    assert_ok(ls_normalization_make(&normalization, 0.25, 0.5));
    ls_samples_gather(samples, order, 0, 3, normalization, batch);
    assert_int_equal(batch->rows, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(batch->ids[i], order[i]);
        assert_int_equal(batch->labels[i],
                         small_dataset_label(&small_dataset_default, LS_TRAIN, order[i]));
        for (int j = 0; j < 30; j++) {
            double pixel = small_dataset_pixel(&small_dataset_default, LS_TRAIN, order[i], j);
            assert_near((double)batch->x[i * 30 + j], (pixel / 255 - 0.25) / 0.5, 1e-6, 1e-6);
        }
    }
    assert_ok(ls_normalization_make(&normalization, 0, 1));
    ls_samples_gather(samples, NULL, 6, 4, normalization, batch);
    assert_int_equal(batch->ids[3], 9);
    ls_batch_destroy(&batch);
    ls_samples_destroy(&samples);
    ls_dataset_close(&dataset);
}

static void normalizations_that_overflow_are_refused(void **state)
{
    (void)state;
    ls_normalization normalization;
    const double refused[][2] = {{0, 0},   {0, -1},  {0, 1e-320}, {1e300, 1},
                                 {NAN, 1}, {0, NAN}, {0, 1e300}};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert_fails(ls_normalization_make(&normalization, refused[i][0], refused[i][1]),
                     LS_ERR_USAGE, "not be finite");
    assert_fails(ls_normalization_make(&normalization, -NAN, 1), LS_ERR_USAGE, "--normalize nan,1");
}

static void the_fingerprints_of_shards_add_up_to_the_whole(void **state)
{
    (void)state;
    ls_dataset *dataset;
    small_dataset_write(&small_dataset_default, "f.h5");
    assert_ok(ls_dataset_open(&dataset, "f.h5", NULL));
    uint64_t whole = 0;
    for (int parts = 1; parts < 6; parts++) {
        uint64_t sum = 0;
        for (int part = 0; part < parts; part++) {
            ls_range shard = ls_shard(203, parts, part);
            ls_samples *samples;
            assert_ok(ls_dataset_read(dataset, LS_TRAIN, shard.first, shard.count, shard.count,
                                      &samples));
            sum += ls_samples_fingerprint(samples);
            ls_samples_destroy(&samples);
        }
        whole = parts == 1 ? sum : whole;
        assert_true(sum == whole);
    }
    ls_dataset_close(&dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_training_rows_are_held_out),
        cmocka_unit_test(a_validation_split_is_used_instead_of_held_out_rows),
        cmocka_unit_test(the_number_of_held_out_rows_is_rounded_down_as_decimals),
        cmocka_unit_test(wrong_layouts_are_refused),
        cmocka_unit_test(files_other_than_hdf5_are_refused),
        cmocka_unit_test(a_damaged_file_fails_its_seal),
        cmocka_unit_test(a_file_without_a_seal_is_reported_as_unsealed),
        cmocka_unit_test(rows_are_gathered_in_the_given_order_and_normalized),
        cmocka_unit_test(normalizations_that_overflow_are_refused),
        cmocka_unit_test(the_fingerprints_of_shards_add_up_to_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
