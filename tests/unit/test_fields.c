/* Images and labels as other programs store them: chunks of any shape, channels last, labels of any
 * integer type, files that were not closed. */
#include "test.h"

#include "base/child.h"
#include "data/element.h"
#include "data/fields.h"

#include <lockstep/dataset.h>

#include <hdf5.h>
#include <math.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CLASSES = 10 };

/* How images are stored. */
typedef struct storage {
    int rank;
    hsize_t dims[4];
    hsize_t chunk[4]; /* 0: contiguous */
    bool unlimited;   /* chunks may be larger than the rows */
} storage;

static unsigned char stored_value(int64_t row, int64_t at)
{
    return (unsigned char)(row * 31 + at * 7 + at / 5);
}

static void put_attributes(hid_t file)
{
    const int numbers[] = {1, CLASSES};
    const char *const names[] = {"version", "classes"};
    const hid_t space = H5Screate(H5S_SCALAR), text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, sizeof "lockstep-dataset" - 1);
    hid_t a = H5Acreate2(file, "format", text, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(a, text, "lockstep-dataset");
    H5Aclose(a);
    for (int i = 0; i < 2; i++) {
        a = H5Acreate2(file, names[i], H5T_NATIVE_INT, space, H5P_DEFAULT, H5P_DEFAULT);
        H5Awrite(a, H5T_NATIVE_INT, &numbers[i]);
        H5Aclose(a);
    }
    H5Tclose(text);
    H5Sclose(space);
}

static void write_array(hid_t file, const char *name, const storage *s, hid_t type, hid_t memory,
                        const void *content)
{
    const hsize_t endless[] = {H5S_UNLIMITED, H5S_UNLIMITED, H5S_UNLIMITED, H5S_UNLIMITED};
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE), links = H5Pcreate(H5P_LINK_CREATE),
                space = H5Screate_simple(s->rank, s->dims, s->unlimited ? endless : NULL);
    H5Pset_create_intermediate_group(links, 1);
    if (s->chunk[0] > 0) {
        H5Pset_chunk(list, s->rank, s->chunk);
        H5Pset_deflate(list, 1);
    }
    const hid_t dataset = H5Dcreate2(file, name, type, space, links, list, H5P_DEFAULT);
    assert_true(dataset >= 0);
    assert_true(H5Dwrite(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, content) >= 0);
    H5Dclose(dataset);
    H5Sclose(space);
    H5Pclose(links);
    H5Pclose(list);
}

/* Writes images in this storage, and labels. */
static void put_images(hid_t file, const storage *s)
{
    const int64_t rows = (int64_t)s->dims[0];
    int64_t features = 1;
    for (int d = 1; d < s->rank; d++)
        features *= (int64_t)s->dims[d];
    unsigned char *pixels = malloc((size_t)(rows * features));
    int *labels = malloc((size_t)rows * sizeof *labels);
    for (int64_t i = 0; i < rows; i++) {
        labels[i] = (int)(i % CLASSES);
        for (int64_t k = 0; k < features; k++)
            pixels[i * features + k] = stored_value(i, k);
    }
    write_array(file, "train/images", s, H5T_STD_U8LE, H5T_NATIVE_UINT8, pixels);
    write_array(file, "train/labels", &(storage){.rank = 1, .dims = {s->dims[0]}}, H5T_STD_I32LE,
                H5T_NATIVE_INT, labels);
    free(pixels);
    free(labels);
}

static hid_t create(const char *path)
{
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(file >= 0);
    put_attributes(file);
    return file;
}

static void write_images(const char *path, const storage *s)
{
    const hid_t file = create(path);
    put_images(file, s);
    H5Fclose(file);
}

static ls_status open_as(ls_dataset **out, const char *path, ls_layout_order layout)
{
    return ls_dataset_open(out, path, &(ls_dataset_options){.layout = layout});
}

/* Returns the position of pixel (c, y, x) within a stored image. */
static int64_t stored_position(const ls_dataset_info *info, bool nhwc, int64_t c, int64_t y,
                               int64_t x)
{
    return nhwc ? (y * info->width + x) * info->channels + c
                : (c * info->height + y) * info->width + x;
}

/* Reads `count` rows and compares each pixel and label with the written ones. */
static void check_rows(const ls_dataset *dataset, bool nhwc, int64_t first, int64_t count)
{
    const ls_dataset_info *info = ls_dataset_describe(dataset);
    ls_samples *samples;
    assert_ok(ls_dataset_read(dataset, LS_TRAIN, first, count, count, &samples));
    for (int64_t i = 0; i < count; i++) {
        const ls_sample *s = ls_sample_at(samples, i);
        const uint8_t *pixel = s->inputs;
        int64_t wrong = 0;
        assert_int_equal(s->row, first + i);
        assert_int_equal(s->label, (first + i) % CLASSES);
        for (int64_t c = 0; c < info->channels; c++)
            for (int64_t y = 0; y < info->height; y++)
                for (int64_t x = 0; x < info->width; x++)
                    wrong +=
                        *pixel++ != stored_value(first + i, stored_position(info, nhwc, c, y, x));
        assert_int_equal(wrong, 0);
    }
    ls_samples_destroy(&samples);
}

static void images_are_read_from_any_chunks(void **state)
{
    (void)state;
    static const storage cases[] = {
        {3, {3001, 12, 10}, {0}, false},
        {3, {3001, 12, 10}, {3001, 12, 10}, false}, /* one chunk */
        {3, {3001, 12, 10}, {3001, 1, 10}, false},  /* a line of all images */
        {3, {3001, 12, 10}, {3001, 1, 1}, false},   /* a pixel of all images */
        {3, {3001, 12, 10}, {7, 5, 3}, false},      /* divides no dimension */
        {3, {3001, 12, 10}, {1, 12, 10}, false},
        {4, {501, 3, 12, 10}, {100, 1, 12, 10}, false},
        {4, {501, 3, 12, 10}, {64, 2, 5, 10}, false},
        {4, {501, 2, 12, 3}, {501, 1, 7, 2}, false},
        /* Too many chunks side by side to cache: 4 of more than 16 MiB each. */
        {4, {501, 2, 12, 10}, {140000, 2, 8, 8}, true},
        {3, {501, 12, 10}, {270000, 8, 8}, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int64_t rows = (int64_t)cases[i].dims[0];
        ls_dataset *dataset;
        write_images("storage.h5", &cases[i]);
        assert_ok(ls_dataset_try("storage.h5", NULL, true));
        assert_ok(open_as(&dataset, "storage.h5", LS_LAYOUT_AUTO));
        check_rows(dataset, false, 0, rows);
        check_rows(dataset, false, rows / 3, rows / 2);
        check_rows(dataset, false, rows - 1, 1);
        ls_dataset_close(&dataset);
    }
}

static double processor_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* Many small requests, as of a stream, take little more time than one request. */
static void each_chunk_is_decompressed_once(void **state)
{
    (void)state;
    static const storage cases[] = {{3, {6000, 28, 28}, {6000, 28, 28}, false},
                                    {3, {6000, 28, 28}, {6000, 7, 28}, false}};
    enum { REQUESTS = 300 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ls_dataset *dataset;
        ls_samples *samples;
        write_images("packed.h5", &cases[i]);
        assert_ok(open_as(&dataset, "packed.h5", LS_LAYOUT_AUTO));
        const double begin = processor_seconds();
        assert_ok(ls_dataset_read(dataset, LS_TRAIN, 0, 6000, 6000, &samples));
        const double once = processor_seconds() - begin;
        for (int64_t k = 0; k < REQUESTS; k++)
            assert_ok(ls_dataset_read_into(dataset, LS_TRAIN, k * 20, 20, samples));
        assert_true(processor_seconds() - begin < REQUESTS / 3.0 * once);
        ls_samples_destroy(&samples);
        ls_dataset_close(&dataset);
    }
}

/* Uses 1.3 s of processor time, with a limit of 1 s, raised by the argument. */
static ls_status use_processor(const void *allowed)
{
    ls_child_allow(*(const int64_t *)allowed);
    const double end = processor_seconds() + 1.3;
    while (processor_seconds() < end)
        ;
    return LS_OK;
}

static void a_trial_is_ended_after_its_time_limit(void **state)
{
    (void)state;
    assert_ok(ls_in_child(use_processor, &(int64_t){20}, "large.h5", 1));
    assert_fails(ls_in_child(use_processor, &(int64_t){0}, "endless.h5", 1), LS_ERR_DATA,
                 "endless.h5: damaged, or stored in a way that takes far too long");
    ls_child_allow(1); /* no effect: this is not a child */
}

static void images_with_channels_last_are_read_as_nhwc(void **state)
{
    (void)state;
    static const storage cases[] = {
        {4, {400, 9, 7, 3}, {0}, false},
        {4, {400, 9, 7, 1}, {400, 2, 7, 1}, false},
        {4, {400, 9, 7, 4}, {250000, 9, 4, 2}, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ls_dataset *dataset = NULL;
        write_images("last.h5", &cases[i]);
        assert_fails(open_as(&dataset, "last.h5", LS_LAYOUT_AUTO), LS_ERR_USAGE,
                     "give --layout nhwc if its last dimension is the channels");
        assert_null(dataset);
        assert_ok(ls_dataset_try("last.h5", NULL, true));
        assert_ok(open_as(&dataset, "last.h5", LS_LAYOUT_NHWC));
        const ls_dataset_info *info = ls_dataset_describe(dataset);
        assert_int_equal(info->channels, cases[i].dims[3]);
        assert_int_equal(info->height, 9);
        assert_int_equal(info->width, 7);
        assert_false(info->doubtful);
        check_rows(dataset, true, 0, 400);
        check_rows(dataset, true, 111, 5);
        ls_dataset_close(&dataset);
        assert_ok(open_as(&dataset, "last.h5", LS_LAYOUT_NCHW));
        assert_int_equal(ls_dataset_describe(dataset)->channels, 9);
        assert_true(ls_dataset_describe(dataset)->doubtful);
        check_rows(dataset, false, 0, 400);
        ls_dataset_close(&dataset);
    }
}

static void a_layout_is_needed_only_if_ambiguous(void **state)
{
    (void)state;
    static const storage clear[] = {{4, {20, 3, 9, 7}, {0}, false},
                                    {4, {20, 3, 32, 3}, {0}, false},
                                    {4, {20, 1, 9, 1}, {0}, false},
                                    {4, {20, 5, 9, 2}, {0}, false},
                                    {3, {20, 9, 3}, {0}, false}};
    for (size_t i = 0; i < sizeof clear / sizeof *clear; i++) {
        ls_dataset *dataset;
        write_images("clear.h5", &clear[i]);
        assert_ok(open_as(&dataset, "clear.h5", LS_LAYOUT_AUTO));
        assert_false(ls_dataset_describe(dataset)->doubtful);
        check_rows(dataset, false, 0, 20);
        ls_dataset_close(&dataset);
    }
}

static void images_without_channels_ignore_the_layout(void **state)
{
    (void)state;
    write_images("clear.h5", &(storage){3, {20, 9, 3}, {0}, false});
    ls_dataset *dataset;
    assert_ok(open_as(&dataset, "clear.h5", LS_LAYOUT_NHWC));
    check_rows(dataset, false, 0, 20);
    ls_dataset_close(&dataset);
}

/* A type in a file and the type in memory. */
typedef struct typed {
    hid_t file;
    ls_element memory;
    bool rounded;
} typed;

/* Returns a float16 type in a byte order. */
static hid_t half_type(H5T_order_t order)
{
    const hid_t half = H5Tcopy(H5T_IEEE_F32LE);
    H5Tset_fields(half, 15, 10, 5, 0, 10);
    H5Tset_size(half, 2);
    H5Tset_ebias(half, 15);
    H5Tset_order(half, order);
    return half;
}

/* Writes rows of integers from 0 to 100 as numbers of a type, reads them back, and compares. */
static void check_type(const typed *t, const storage *s, ls_layout_order layout)
{
    const int64_t rows = (int64_t)s->dims[0];
    int64_t features = 1;
    for (int d = 1; d < s->rank; d++)
        features *= (int64_t)s->dims[d];
    int *numbers = malloc((size_t)(rows * features) * sizeof *numbers), labels[64] = {0};
    float *x = malloc((size_t)features * sizeof *x);
    for (int64_t i = 0; i < rows * features; i++)
        numbers[i] = (int)(i * 7 % 101);
    const hid_t file = create("typed.h5");
    write_array(file, "train/inputs", s, t->file, H5T_NATIVE_INT, numbers);
    write_array(file, "train/labels", &(storage){.rank = 1, .dims = {s->dims[0]}}, H5T_STD_I32LE,
                H5T_NATIVE_INT, labels);
    H5Fclose(file);
    ls_dataset *dataset;
    ls_samples *samples;
    assert_ok(open_as(&dataset, "typed.h5", layout));
    const ls_dataset_info *info = ls_dataset_describe(dataset);
    assert_int_equal(info->element, t->memory);
    assert_int_equal(info->rounded, t->rounded);
    assert_int_equal(info->features, features);
    assert_ok(ls_dataset_read(dataset, LS_TRAIN, 1, rows - 1, rows, &samples));
    for (int64_t i = 0; i < rows - 1; i++) {
        ls_element_convert(info->element, features, ls_sample_at(samples, i)->inputs, 1, 0, x);
        int64_t at = 0;
        for (int64_t c = 0; c < info->channels; c++)
            for (int64_t y = 0; y < info->height; y++)
                for (int64_t k = 0; k < info->width; k++)
                    assert_int_equal(
                        (int)x[at++],
                        numbers[(i + 1) * features +
                                stored_position(info, layout == LS_LAYOUT_NHWC, c, y, k)]);
    }
    ls_samples_destroy(&samples);
    ls_dataset_close(&dataset);
    free(numbers);
    free(x);
}

static void inputs_of_any_type_and_shape_are_read(void **state)
{
    (void)state;
    const typed types[] = {{H5T_STD_U8LE, LS_U8, false},
                           {H5T_STD_I8LE, LS_I8, false},
                           {H5T_STD_I16BE, LS_I16, false},
                           {H5T_STD_U16LE, LS_U16, false},
                           {H5T_STD_I32BE, LS_I32, false},
                           {H5T_STD_U32LE, LS_I64, false},
                           {H5T_STD_I64LE, LS_I64, false},
                           {half_type(H5T_ORDER_LE), LS_F16, false},
                           {half_type(H5T_ORDER_BE), LS_F16, false},
                           {H5T_IEEE_F32LE, LS_F32, false},
                           {H5T_IEEE_F32BE, LS_F32, false},
                           {H5T_IEEE_F64LE, LS_F32, true},
                           {H5T_IEEE_F64BE, LS_F32, true}};
    static const storage shapes[] = {{1, {9}, {0}, false},
                                     {2, {11, 17}, {4, 5}, false},
                                     {2, {11, 17}, {0}, false},
                                     {3, {7, 5, 6}, {2, 2, 4}, true},
                                     {4, {6, 3, 5, 4}, {4, 2, 3, 3}, false}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++)
            for (int layout = LS_LAYOUT_NCHW; layout <= LS_LAYOUT_NHWC; layout++)
                if (layout == LS_LAYOUT_NCHW || shapes[k].rank == 4)
                    check_type(&types[i], &shapes[k], (ls_layout_order)layout);
}

/* Writes 20 images, and labels of this type and shape. */
static void write_labels(const char *path, hid_t type, int rank, const hsize_t *dims, hid_t memory,
                         const void *labels)
{
    static const unsigned char pixels[20 * 4];
    storage s = {.rank = rank};
    memcpy(s.dims, dims, (size_t)rank * sizeof *dims);
    const hid_t file = create(path);
    write_array(file, "train/images", &(storage){3, {20, 2, 2}, {0}, false}, H5T_STD_U8LE,
                H5T_NATIVE_UINT8, pixels);
    write_array(file, "train/labels", &s, type, memory, labels);
    H5Fclose(file);
}

static void check_labels(const char *path, const int64_t *labels)
{
    ls_dataset *dataset;
    ls_samples *samples;
    assert_ok(open_as(&dataset, path, LS_LAYOUT_AUTO));
    assert_ok(ls_dataset_read(dataset, LS_TRAIN, 3, 17, 17, &samples));
    for (int64_t i = 0; i < 17; i++)
        assert_int_equal(ls_sample_at(samples, i)->label, labels[3 + i]);
    ls_samples_destroy(&samples);
    ls_dataset_close(&dataset);
}

static void labels_of_any_integer_type_are_read(void **state)
{
    (void)state;
    const hid_t types[] = {H5T_STD_I8LE,  H5T_STD_U8LE,  H5T_STD_I16LE, H5T_STD_I16BE,
                           H5T_STD_U16LE, H5T_STD_U16BE, H5T_STD_I32LE, H5T_STD_U32LE,
                           H5T_STD_U32BE, H5T_STD_I64LE, H5T_STD_U64LE, H5T_STD_U64BE};
    const hsize_t row[] = {20}, column[] = {20, 1};
    int64_t labels[20];
    for (int i = 0; i < 20; i++)
        labels[i] = (i % 3 == 0) + 2 * (i % 4);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        write_labels("labels.h5", types[i], 1, row, H5T_NATIVE_INT64, labels);
        check_labels("labels.h5", labels);
        write_labels("labels.h5", types[i], 2, column, H5T_NATIVE_INT64, labels);
        check_labels("labels.h5", labels);
    }
}

static void booleans_are_labels(void **state)
{
    (void)state;
    const hsize_t row[] = {20};
    int64_t labels[20];
    int8_t bools[20];
    for (int i = 0; i < 20; i++)
        bools[i] = i % 3 == 0;
    const hid_t boolean = H5Tenum_create(H5T_STD_I8LE);
    H5Tenum_insert(boolean, "FALSE", &(int8_t){0});
    H5Tenum_insert(boolean, "TRUE", &(int8_t){1});
    write_labels("labels.h5", boolean, 1, row, boolean, bools);
    for (int i = 0; i < 20; i++)
        labels[i] = bools[i] != 0;
    check_labels("labels.h5", labels);
    H5Tclose(boolean);
}

static void labels_of_one_row_are_refused(void **state)
{
    (void)state;
    const hsize_t reversed[] = {1, 20};
    const int64_t labels[20] = {1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0};
    ls_dataset *dataset = NULL;
    write_labels("labels.h5", H5T_STD_I64LE, 2, reversed, H5T_NATIVE_INT64, labels);
    assert_fails(open_as(&dataset, "labels.h5", LS_LAYOUT_AUTO), LS_ERR_DATA, "as 1 x N");
}

static void other_enumerations_are_refused_as_labels(void **state)
{
    (void)state;
    const hsize_t row[] = {20};
    const int8_t values[20] = {1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0};
    ls_dataset *dataset = NULL;
    const hid_t colours = H5Tenum_create(H5T_STD_I8LE);
    H5Tenum_insert(colours, "RED", &(int8_t){0});
    H5Tenum_insert(colours, "BLUE", &(int8_t){1});
    write_labels("labels.h5", colours, 1, row, colours, values);
    assert_fails(open_as(&dataset, "labels.h5", LS_LAYOUT_AUTO), LS_ERR_DATA, "integer type");
    H5Tclose(colours);
}

static void a_wrong_label_is_reported_with_its_row_and_value(void **state)
{
    (void)state;
    const hsize_t row[] = {20};
    int64_t labels[20] = {0};
    const struct {
        hid_t type;
        int64_t value;
        const char *part;
    } cases[] = {
        {H5T_STD_I64LE, (INT64_C(1) << 32) + 3, "'/train/labels' row 19 is 4294967299, expected"},
        {H5T_STD_I64LE, INT64_MIN, "row 19 is -9223372036854775808, expected a class of 0 to 9"},
        {H5T_STD_I8LE, -1, "row 19 is -1, expected a class of 0 to 9"},
        {H5T_STD_U32LE, UINT32_MAX, "row 19 is 4294967295, expected a class of 0 to 9"},
        {H5T_STD_U64LE, INT64_MIN + 5, "row 19 is 9223372036854775813, expected a class of 0 to 9"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        labels[19] = cases[i].value;
        write_labels("wrong.h5", cases[i].type, 1, row,
                     cases[i].type == H5T_STD_U64LE ? H5T_NATIVE_UINT64 : H5T_NATIVE_INT64, labels);
        assert_fails(ls_dataset_try("wrong.h5", NULL, true), LS_ERR_DATA, cases[i].part);
    }
}

/* A killed writer leaves the file marked as open. */
/* Writes inputs [rows][2] and targets of this type and shape. */
static void write_values(const char *path, hid_t type, int rank, const hsize_t *dims,
                         const float *inputs, const double *targets)
{
    const hid_t file = create(path);
    write_array(file, "train/inputs", &(storage){.rank = 2, .dims = {dims[0], 2}}, H5T_IEEE_F32LE,
                H5T_NATIVE_FLOAT, inputs);
    storage s = {.rank = rank};
    memcpy(s.dims, dims, (size_t)rank * sizeof *dims);
    write_array(file, "train/targets", &s, type, H5T_NATIVE_DOUBLE, targets);
    H5Fclose(file);
}

static void targets_of_any_type_are_read_as_values(void **state)
{
    (void)state;
    const hid_t types[] = {H5T_IEEE_F64LE, H5T_IEEE_F32BE, H5T_STD_I16BE, H5T_STD_I64LE};
    const float inputs[6] = {0};
    const double targets[] = {1, -2, 3, 400, -5, 6};
    const hsize_t dims[] = {3, 2};
    for (size_t t = 0; t < 4; t++) {
        ls_dataset *dataset;
        ls_samples *samples;
        write_values("values.h5", types[t], 2, dims, inputs, targets);
        assert_ok(open_as(&dataset, "values.h5", LS_LAYOUT_AUTO));
        assert_int_equal(ls_dataset_describe(dataset)->values, 2);
        assert_int_equal(ls_dataset_describe(dataset)->classes, 0);
        assert_ok(ls_dataset_read(dataset, LS_TRAIN, 1, 2, 2, &samples));
        for (int64_t i = 0; i < 4; i++)
            assert_true(ls_samples_row(samples, i / 2).targets[i % 2] == (float)targets[2 + i]);
        ls_samples_destroy(&samples);
        ls_dataset_close(&dataset);
    }
}

static uint64_t fingerprint_of(const char *path)
{
    ls_dataset *dataset;
    ls_samples *samples;
    assert_ok(open_as(&dataset, path, LS_LAYOUT_AUTO));
    assert_int_equal(ls_dataset_describe(dataset)->values, 1);
    assert_ok(ls_dataset_read(dataset, LS_TRAIN, 0, 3, 3, &samples));
    const uint64_t fingerprint = ls_samples_fingerprint(samples);
    ls_samples_destroy(&samples);
    ls_dataset_close(&dataset);
    return fingerprint;
}

static void one_value_is_the_same_with_and_without_a_second_dimension(void **state)
{
    (void)state;
    const float inputs[6] = {1, 2, 3};
    const double targets[] = {1, -2, 3}, others[] = {1, -2, 4};
    const hsize_t dims[] = {3, 1};
    write_values("flat.h5", H5T_IEEE_F32LE, 1, dims, inputs, targets);
    write_values("column.h5", H5T_IEEE_F32LE, 2, dims, inputs, targets);
    write_values("others.h5", H5T_IEEE_F32LE, 2, dims, inputs, others);
    assert_true(fingerprint_of("flat.h5") == fingerprint_of("column.h5"));
    assert_false(fingerprint_of("flat.h5") == fingerprint_of("others.h5"));
}

static void numbers_that_are_not_finite_are_reported_with_row_and_column(void **state)
{
    (void)state;
    const float bad_inputs[6] = {0, 0, 0, 0, 0, NAN}, inputs[6] = {0};
    const double bad_targets[] = {0, -INFINITY, 0}, targets[] = {0, 0, 0};
    const hsize_t dims[] = {3};
    ls_dataset *dataset;
    ls_samples *samples;
    write_values("nan.h5", H5T_IEEE_F32LE, 1, dims, bad_inputs, targets);
    assert_ok(open_as(&dataset, "nan.h5", LS_LAYOUT_AUTO));
    assert_fails(ls_dataset_read(dataset, LS_TRAIN, 0, 3, 3, &samples), LS_ERR_DATA,
                 "'/train/inputs' is NaN in row 2, column 1");
    ls_dataset_close(&dataset);
    write_values("inf.h5", H5T_IEEE_F64BE, 1, dims, inputs, bad_targets);
    assert_ok(open_as(&dataset, "inf.h5", LS_LAYOUT_AUTO));
    assert_fails(ls_dataset_verify(dataset), LS_ERR_DATA, "'/train/targets' is -infinite in row 1");
    ls_dataset_close(&dataset);
}

static void targets_of_the_wrong_shape_are_refused(void **state)
{
    (void)state;
    const float inputs[6] = {0};
    const double targets[12] = {0};
    const hsize_t cube[] = {3, 2, 2}, none[] = {3, 0};
    ls_dataset *dataset;
    write_values("cube.h5", H5T_IEEE_F32LE, 3, cube, inputs, targets);
    assert_fails(open_as(&dataset, "cube.h5", LS_LAYOUT_AUTO), LS_ERR_DATA,
                 "'/train/targets' has 3 dimensions, [3,2,2], expected [N] or [N,K]");
    write_values("none.h5", H5T_IEEE_F32LE, 2, none, inputs, targets);
    assert_fails(open_as(&dataset, "none.h5", LS_LAYOUT_AUTO), LS_ERR_DATA,
                 "'/train/targets' has an extent of 0: its rows hold no numbers");
}

/* Weights of the rows of a file, of which the last two are held out. */
static void weights_are_read_with_the_training_rows(void **state)
{
    (void)state;
    enum { ROWS = 10, HELD_OUT = 2 };
    double weights[ROWS];
    ls_dataset *dataset;
    ls_samples *samples;
    uint64_t fingerprint[2], unweighted[3];
    const storage images = {.rank = 2, .dims = {ROWS, 3}};
    for (int changed = 0; changed < 2; changed++) {
        const hid_t file = create("weights.h5");
        put_images(file, &images);
        for (int i = 0; i < ROWS; i++)
            weights[i] = i / 4.0 + (changed > 0 && i == 3);
        write_array(file, "train/w", &(storage){.rank = 2, .dims = {ROWS, 1}}, H5T_IEEE_F64BE,
                    H5T_NATIVE_DOUBLE, weights);
        H5Fclose(file);
        const ls_dataset_options options = {.validation = 0.2, .weights = "w"};
        assert_ok(ls_dataset_open(&dataset, "weights.h5", &options));
        assert_true(ls_dataset_describe(dataset)->weighted);
        assert_ok(ls_dataset_read(dataset, LS_TRAIN, 1, ROWS - HELD_OUT - 1, ROWS, &samples));
        for (int i = 1; i < ROWS - HELD_OUT; i++)
            assert_true((double)*ls_sample_weight(samples, ls_sample_at(samples, i - 1)) ==
                        weights[i]);
        fingerprint[changed] = ls_samples_fingerprint(samples);
        unweighted[changed] = ls_samples_split_fingerprint(samples, LS_VALIDATION);
        ls_samples_destroy(&samples);
        ls_dataset_close(&dataset);
    }
    assert_true(fingerprint[0] != fingerprint[1]);
    assert_ok(ls_dataset_open(&dataset, "weights.h5", NULL));
    assert_false(ls_dataset_describe(dataset)->weighted);
    assert_ok(ls_dataset_read(dataset, LS_TRAIN, 1, ROWS - HELD_OUT - 1, ROWS, &samples));
    unweighted[2] = ls_samples_fingerprint(samples);
    ls_samples_destroy(&samples);
    assert_true(unweighted[0] == unweighted[1] && unweighted[0] == unweighted[2]);
    ls_dataset_close(&dataset);
    assert_fails(
        ls_dataset_open(&dataset, "weights.h5", &(ls_dataset_options){.weights = "w[:,1]"}),
        LS_ERR_DATA, "/train/w");
    assert_fails(
        ls_dataset_open(&dataset, "weights.h5", &(ls_dataset_options){.weights = "images"}),
        LS_ERR_DATA, "'/train/images' is [10,3], expected a weight of each row");
}

static void a_file_left_open_by_a_writer_is_refused(void **state)
{
    (void)state;
    ls_dataset *dataset = NULL;
    const pid_t child = fork();
    if (child == 0) {
        const hid_t access_list = H5Pcreate(H5P_FILE_ACCESS);
        H5Pset_libver_bounds(access_list, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
        const hid_t file = H5Fcreate("open.h5", H5F_ACC_TRUNC, H5P_DEFAULT, access_list);
        put_attributes(file);
        put_images(file, &(storage){3, {20, 2, 2}, {0}, false});
        H5Fflush(file, H5F_SCOPE_GLOBAL);
        _exit(0);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_fails(open_as(&dataset, "open.h5", LS_LAYOUT_AUTO), LS_ERR_DATA,
                 "if no program is, `h5clear -s open.h5` removes the mark");
    assert_fails(ls_dataset_check("open.h5", NULL), LS_ERR_DATA, "open for writing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_are_read_from_any_chunks),
        cmocka_unit_test(each_chunk_is_decompressed_once),
        cmocka_unit_test(a_trial_is_ended_after_its_time_limit),
        cmocka_unit_test(images_with_channels_last_are_read_as_nhwc),
        cmocka_unit_test(a_layout_is_needed_only_if_ambiguous),
        cmocka_unit_test(images_without_channels_ignore_the_layout),
        cmocka_unit_test(inputs_of_any_type_and_shape_are_read),
        cmocka_unit_test(labels_of_any_integer_type_are_read),
        cmocka_unit_test(booleans_are_labels),
        cmocka_unit_test(labels_of_one_row_are_refused),
        cmocka_unit_test(other_enumerations_are_refused_as_labels),
        cmocka_unit_test(a_wrong_label_is_reported_with_its_row_and_value),
        cmocka_unit_test(targets_of_any_type_are_read_as_values),
        cmocka_unit_test(one_value_is_the_same_with_and_without_a_second_dimension),
        cmocka_unit_test(numbers_that_are_not_finite_are_reported_with_row_and_column),
        cmocka_unit_test(targets_of_the_wrong_shape_are_refused),
        cmocka_unit_test(weights_are_read_with_the_training_rows),
        cmocka_unit_test(a_file_left_open_by_a_writer_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
