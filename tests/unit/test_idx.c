#include "small_dataset.h"
#include "test.h"

#include <lockstep/dataset.h>
#include <lockstep/import.h>

#include "base/rng.h"
#include "sources/idx.h"
#include "data/samples.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void write_bytes(const char *path, const void *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    fclose(file);
}

static void plain_and_gzip_files_are_read_alike(void **state)
{
    (void)state;
    const char *paths[] = {"a.idx", "a.idx.gz"};
    const int dim[] = {3, 2, 2};
    const int values[] = {0, 1, 2, 3, 250, 251, 252, 253, 7, 8, 9, 10};
    char digest[2][LS_SHA256_TEXT];
    for (int k = 0; k < 2; k++) {
        ls_idx *idx;
        uint8_t out[12];
        write_idx_file(paths[k], 0x08, 3, dim, values);
        assert_ok(ls_idx_open(&idx, paths[k]));
        const ls_idx_header *header = ls_idx_describe(idx);
        assert_int_equal(header->dims, 3);
        assert_int_equal(header->dim[0], 3);
        assert_int_equal(header->items, 4);
        assert_ok(ls_idx_read_u8(idx, 8, out));
        assert_ok(ls_idx_read_u8(idx, 4, out + 8));
        for (int i = 0; i < 12; i++)
            assert_int_equal(out[i], values[i]);
        assert_fails(ls_idx_read_u8(idx, 1, out), LS_ERR_DATA, "fewer elements");
        assert_ok(ls_idx_finish(idx, digest[k]));
        ls_idx_close(&idx);
    }
    assert_string_equal(digest[0], digest[1]);
    /* From sha256sum, of the 28 bytes. */
    assert_string_equal(digest[0],
                        "df84c9a09a4f45a498d658a36ed33d02462b5f3d2d0e372ae5fc68eb347bf55b");
}

static void labels_of_one_two_and_four_bytes_are_read(void **state)
{
    (void)state;
    const int types[] = {0x08, 0x0b, 0x0c};
    const int values[] = {5, 200, 0, 999, -1};
    const int dim[] = {5};
    for (int k = 0; k < 3; k++) {
        ls_idx *idx;
        int32_t out[5];
        write_idx_file("labels", types[k], 1, dim, values);
        assert_ok(ls_idx_open(&idx, "labels"));
        assert_ok(ls_idx_read_i32(idx, 5, out));
        for (int i = 0; i < 5; i++)
            assert_int_equal(out[i], types[k] == 0x08 ? values[i] & 255 : values[i]);
        ls_idx_close(&idx);
    }
}

static void malformed_headers_are_refused(void **state)
{
    (void)state;
    ls_idx *idx = NULL;
    struct {
        const char *what;
        unsigned char bytes[16];
        size_t count;
        const char *part;
    } cases[] = {
        {"empty", {0}, 0, "truncated"},
        {"header cut short", {0, 0, 8, 1, 0, 0}, 6, "truncated"},
        {"no IDX", {'H', 'D', 'F', '5', 0, 0}, 6, "not an IDX file"},
        {"floats", {0, 0, 0x0d, 1, 0, 0, 0, 1, 0, 0, 0, 0}, 12, "element type 0x0d"},
        {"no dimensions", {0, 0, 8, 0}, 4, "not an IDX file"},
        {"five dimensions", {0, 0, 8, 5}, 4, "not an IDX file"},
        {"zero dimension", {0, 0, 8, 1, 0, 0, 0, 0}, 8, "dimension 1 is 0"},
        {"huge", {0, 0, 8, 2, 0, 0, 0, 1, 255, 255, 255, 255}, 12, "2^31"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_bytes("bad", cases[i].bytes, cases[i].count);
        assert_fails(ls_idx_open(&idx, "bad"), LS_ERR_DATA, cases[i].part);
        assert_null(idx);
    }
}

static void a_truncated_or_longer_idx_file_is_refused(void **state)
{
    (void)state;
    ls_idx *idx = NULL;
    char digest[LS_SHA256_TEXT];
    uint8_t out[16];
    const unsigned char good[] = {0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3};
    assert_fails(ls_idx_open(&idx, "missing"), LS_ERR_DATA, "missing: can't open: No such file");

    write_bytes("bad", good, sizeof good - 1);
    assert_ok(ls_idx_open(&idx, "bad"));
    assert_fails(ls_idx_read_u8(idx, 3, out), LS_ERR_DATA, "truncated");
    ls_idx_close(&idx);

    unsigned char longer[sizeof good + 1] = {0};
    memcpy(longer, good, sizeof good);
    write_bytes("bad", longer, sizeof longer);
    assert_ok(ls_idx_open(&idx, "bad"));
    assert_fails(ls_idx_finish(idx, digest), LS_ERR_DATA, "longer than its header says");
    ls_idx_close(&idx);
}

static void a_truncated_gzip_file_is_refused(void **state)
{
    (void)state;
    ls_idx *idx = NULL;
    char digest[LS_SHA256_TEXT];
    const int dim[] = {4000};
    int *values = malloc(4000 * sizeof *values);
    for (int i = 0; i < 4000; i++)
        values[i] = (int)(ls_rng_at(1, (uint64_t)i) & 255);
    write_idx_file("cut.gz", 0x08, 1, dim, values);
    struct stat whole;
    assert_int_equal(stat("cut.gz", &whole), 0);
    assert_int_equal(truncate("cut.gz", whole.st_size - 6), 0);
    assert_ok(ls_idx_open(&idx, "cut.gz"));
    assert_fails(ls_idx_finish(idx, digest), LS_ERR_DATA, "cut.gz: damaged at its end");
    ls_idx_close(&idx);
    free(values);
    assert_int_equal(truncate("cut.gz", 600), 0);
    assert_ok(ls_idx_open(&idx, "cut.gz"));
    assert_fails(ls_idx_finish(idx, digest), LS_ERR_DATA, "cut.gz");
    ls_idx_close(&idx);
}

/* Imports a data set of this shape and reads it back. */
static void round_trip(int images_dims, const int *dim, int label_type, int classes, bool compress)
{
    const int rows = dim[0];
    int items = 1;
    for (int i = 1; i < images_dims; i++)
        items *= dim[i];
    int *pixels = malloc((size_t)(rows * items) * sizeof *pixels);
    int *labels = malloc((size_t)rows * sizeof *labels);
    for (int i = 0; i < rows * items; i++)
        pixels[i] = (i * 31) & 255;
    for (int i = 0; i < rows; i++)
        labels[i] = (i * 13 + classes - 1) % classes;
    write_idx_file("i.gz", 0x08, images_dims, dim, pixels);
    write_idx_file("l", label_type, 1, dim, labels);
    ls_import import = {.train_images = "i.gz",
                        .train_labels = "l",
                        .test_images = "i.gz",
                        .test_labels = "l",
                        .name = "round trip",
                        .compress = compress,
                        .force = true};
    assert_ok(ls_import_idx(&import, "out.h5"));
    ls_dataset *dataset;
    assert_ok(ls_dataset_open(&dataset, "out.h5", NULL));
    const ls_dataset_info *info = ls_dataset_describe(dataset);
    assert_int_equal(info->rows[LS_TRAIN], rows);
    assert_int_equal(info->rows[LS_TEST], rows);
    assert_int_equal(info->features, items);
    assert_int_equal(info->width, dim[images_dims - 1]);
    assert_int_equal(info->height, dim[images_dims - 2]);
    assert_int_equal(info->channels, images_dims == 4 ? dim[1] : 1);
    assert_int_equal(info->classes, classes);
    assert_string_equal(info->name, "round trip");
    ls_samples *samples;
    assert_ok(ls_dataset_read(dataset, LS_TEST, 0, rows, rows, &samples));
    for (int i = 0; i < rows; i++) {
        const ls_sample *sample = ls_sample_at(samples, i);
        assert_int_equal(sample->label, labels[i]);
        assert_int_equal(sample->row, i);
        for (int j = 0; j < items; j++)
            assert_int_equal(sample->inputs[j], pixels[i * items + j]);
    }
    ls_samples_destroy(&samples);
    ls_dataset_close(&dataset);
    free(pixels);
    free(labels);
}

static void imported_data_sets_of_many_shapes_are_read_back(void **state)
{
    (void)state;
    round_trip(3, (int[]){5, 8, 8}, 0x08, 2, false);
    round_trip(3, (int[]){40, 28, 28}, 0x08, 10, true);
    round_trip(3, (int[]){7, 3, 17}, 0x0b, 5, false);
    round_trip(4, (int[]){11, 3, 32, 32}, 0x0c, 11, true);
    round_trip(3, (int[]){1200, 2, 2}, 0x0b, 1000, false);
    round_trip(3, (int[]){1, 1, 1}, 0x08, 2, true);
}

static void the_number_of_imported_rows_can_be_limited(void **state)
{
    (void)state;
    ls_import import = {
        .train_images = "i.gz", .train_labels = "l", .name = "", .limit = 3, .classes = 7};
    const int dim[] = {5, 2, 2}, values[20] = {0}, labels[] = {0, 1, 2, 3, 4};
    write_idx_file("i.gz", 0x08, 3, dim, values);
    write_idx_file("l", 0x08, 1, dim, labels);
    assert_ok(ls_import_idx(&import, "limited.h5"));
    ls_dataset *dataset;
    assert_ok(ls_dataset_open(&dataset, "limited.h5", NULL));
    assert_int_equal(ls_dataset_describe(dataset)->rows[LS_TRAIN], 3);
    assert_int_equal(ls_dataset_describe(dataset)->rows[LS_TEST], 0);
    assert_int_equal(ls_dataset_describe(dataset)->classes, 7);
    ls_dataset_close(&dataset);
}

static void each_split_has_its_own_limit_of_rows(void **state)
{
    (void)state;
    ls_import import = {.train_images = "i.gz", .train_labels = "l", .name = "", .classes = 7};
    const int dim[] = {5, 2, 2}, values[20] = {0}, labels[] = {0, 1, 2, 3, 4};
    write_idx_file("i.gz", 0x08, 3, dim, values);
    write_idx_file("l", 0x08, 1, dim, labels);
    ls_dataset *dataset;
    const int64_t limits[][4] = {{2, 0, 2, 5}, {0, 4, 5, 4}, {3, 1, 3, 1}, {9, 5, 5, 5}};
    import.test_images = "i.gz";
    import.test_labels = "l";
    import.force = true;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        import.limit = limits[i][0];
        import.limit_test = limits[i][1];
        assert_ok(ls_import_idx(&import, "limited.h5"));
        assert_ok(ls_dataset_open(&dataset, "limited.h5", NULL));
        assert_int_equal(ls_dataset_describe(dataset)->rows[LS_TRAIN], limits[i][2]);
        assert_int_equal(ls_dataset_describe(dataset)->rows[LS_TEST], limits[i][3]);
        ls_dataset_close(&dataset);
    }
}

/* A data set is replaced only by the same content, in any storage. */
static const char not_overwritten[] = "different content exists: not overwritten";

/* Writes five images of 2x2 and their labels, and returns the import of both. */
static ls_import write_five(void)
{
    const int dim[] = {5, 2, 2}, labels[] = {0, 1, 2, 3, 4};
    const int values[20] = {0};
    write_idx_file("i", 0x08, 3, dim, values);
    write_idx_file("l", 0x08, 1, dim, labels);
    return (ls_import){.train_images = "i", .train_labels = "l", .name = "same"};
}

/* As write_five(), with another pixel. */
static ls_import write_others(void)
{
    ls_import import = write_five();
    int values[20] = {0};
    values[19] = 1;
    write_idx_file("i2", 0x08, 3, (int[]){5, 2, 2}, values);
    import.train_images = "i2";
    return import;
}

static void a_data_set_is_replaced_by_the_same_content(void **state)
{
    (void)state;
    ls_import import = write_five();
    unlink("s.h5");
    assert_ok(ls_import_idx(&import, "s.h5"));
    assert_ok(ls_import_idx(&import, "s.h5"));
    import.compress = true;
    assert_ok(ls_import_idx(&import, "s.h5"));
}

static void a_data_set_is_not_replaced_by_other_content(void **state)
{
    (void)state;
    const ls_import first = write_five();
    unlink("s.h5");
    assert_ok(ls_import_idx(&first, "s.h5"));
    ls_import import = first;
    import.name = "another";
    assert_fails(ls_import_idx(&import, "s.h5"), LS_ERR_USAGE, "differs only in its name, 'same'");
    import = first;
    import.limit = 4;
    assert_fails(ls_import_idx(&import, "s.h5"), LS_ERR_USAGE, not_overwritten);
    import = first;
    import.classes = 6;
    assert_fails(ls_import_idx(&import, "s.h5"), LS_ERR_USAGE, not_overwritten);
    import = write_others();
    assert_fails(ls_import_idx(&import, "s.h5"), LS_ERR_USAGE, not_overwritten);
}

static void force_replaces_other_content(void **state)
{
    (void)state;
    const ls_import first = write_five();
    ls_import import = write_others();
    unlink("s.h5");
    assert_ok(ls_import_idx(&first, "s.h5"));
    import.force = true;
    assert_ok(ls_import_idx(&import, "s.h5"));
    assert_fails(ls_import_idx(&first, "s.h5"), LS_ERR_USAGE, not_overwritten);
}

/* It may be the only copy. */
static void a_damaged_file_is_not_replaced(void **state)
{
    (void)state;
    const ls_import import = write_five();
    unlink("s.h5");
    assert_ok(ls_import_idx(&import, "s.h5"));
    assert_int_equal(truncate("s.h5", 4000), 0);
    const ls_status status = ls_import_idx(&import, "s.h5");
    assert_int_equal(status, LS_ERR_USAGE);
}

static void a_synthetic_data_set_is_replaced_by_the_same_content(void **state)
{
    (void)state;
    ls_synthetic made = {
        .rows = 20, .channels = 1, .height = 3, .width = 2, .classes = 2, .name = ""};
    assert_ok(ls_import_synthetic(&made, "made.h5"));
    assert_ok(ls_import_synthetic(&made, "made.h5"));
    made.seed = 1;
    assert_fails(ls_import_synthetic(&made, "made.h5"), LS_ERR_USAGE, not_overwritten);
    made.force = true;
    assert_ok(ls_import_synthetic(&made, "made.h5"));
}

static void contradictory_idx_files_are_refused(void **state)
{
    (void)state;
    const int five[] = {5, 2, 2}, four[] = {4}, values[20] = {0};
    write_idx_file("i", 0x08, 3, five, values);
    write_idx_file("l4", 0x08, 1, four, values);
    write_idx_file("l5", 0x08, 1, five, (int[]){0, 1, 2, 9, 0});
    write_idx_file("i3", 0x08, 3, (int[]){5, 2, 1}, values);
    ls_import import = {.train_images = "i", .train_labels = "l4", .name = ""};
    assert_fails(ls_import_idx(&import, "x.h5"), LS_ERR_DATA, "i has 5 images but l4 has 4 labels");
    import.train_labels = "i";
    assert_fails(ls_import_idx(&import, "x.h5"), LS_ERR_DATA, "not labels");
    import.train_images = "l5";
    import.train_labels = "l5";
    assert_fails(ls_import_idx(&import, "x.h5"), LS_ERR_DATA, "not images");
    write_idx_file("i16", 0x0b, 3, five, values);
    import.train_images = "i16";
    assert_fails(ls_import_idx(&import, "x.h5"), LS_ERR_DATA,
                 "expected uint8 of 3 or 4 dimensions, found int16 of 3 dimensions");
    import.train_images = "i";
    import.classes = 5;
    assert_fails(ls_import_idx(&import, "x.h5"), LS_ERR_DATA, "label 9 in row 3");
    import.classes = 0;
    import.test_images = "i3";
    import.test_labels = "l5";
    assert_fails(ls_import_idx(&import, "x.h5"), LS_ERR_DATA, "differ in image size");
    import.test_images = NULL;
    assert_fails(ls_import_idx(&import, "no/folder/x.h5"), LS_ERR_FAILURE,
                 "no/folder: no such folder");
    assert_true(access("x.h5", F_OK) != 0);
}

static void a_failed_import_leaves_the_old_data_set(void **state)
{
    (void)state;
    const int five[] = {5, 2, 2}, values[20] = {0};
    write_idx_file("i", 0x08, 3, five, values);
    write_idx_file("l5", 0x08, 1, five, (int[]){0, 1, 2, 9, 0});
    ls_import import = {.train_images = "i", .train_labels = "l5", .name = ""};
    assert_ok(ls_import_idx(&import, "x.h5"));
    write_idx_file("wide", 0x0c, 1, five, (int[]){0, 1, 2, 2000000000, 0});
    import.train_labels = "wide";
    assert_fails(ls_import_idx(&import, "x.h5"), LS_ERR_DATA, "label 2000000000 in row 3");
    import.train_labels = "l5";
    int *pixels = calloc((1 << 20) + 1, sizeof *pixels);
    write_idx_file("long", 0x08, 3, (int[]){1, 1, (1 << 20) + 1}, pixels);
    free(pixels);
    import.train_images = "long";
    assert_fails(ls_import_idx(&import, "x.h5"), LS_ERR_DATA,
                 "long: images of an unsupported size");
    import.train_images = "i";
    write_idx_file("i", 0x08, 3, five, values);
    assert_int_equal(truncate("i", 20), 0);
    assert_fails(ls_import_idx(&import, "x.h5"), LS_ERR_DATA, "truncated");
    ls_dataset *dataset;
    assert_ok(ls_dataset_open(&dataset, "x.h5", NULL));
    ls_dataset_close(&dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_and_gzip_files_are_read_alike),
        cmocka_unit_test(labels_of_one_two_and_four_bytes_are_read),
        cmocka_unit_test(malformed_headers_are_refused),
        cmocka_unit_test(a_truncated_or_longer_idx_file_is_refused),
        cmocka_unit_test(a_truncated_gzip_file_is_refused),
        cmocka_unit_test(imported_data_sets_of_many_shapes_are_read_back),
        cmocka_unit_test(the_number_of_imported_rows_can_be_limited),
        cmocka_unit_test(each_split_has_its_own_limit_of_rows),
        cmocka_unit_test(a_data_set_is_replaced_by_the_same_content),
        cmocka_unit_test(a_data_set_is_not_replaced_by_other_content),
        cmocka_unit_test(force_replaces_other_content),
        cmocka_unit_test(a_damaged_file_is_not_replaced),
        cmocka_unit_test(a_synthetic_data_set_is_replaced_by_the_same_content),
        cmocka_unit_test(contradictory_idx_files_are_refused),
        cmocka_unit_test(a_failed_import_leaves_the_old_data_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
