/* Selection of the held-out rows, and reading of both splits as if their rows were consecutive. */
#include "small_dataset.h"
#include "test.h"

#include <lockstep/dataset.h>
#include "data/h5.h"
#include "data/division.h"
#include "data/samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Label reader for ls_division_make(); user: the array of labels. */
static ls_status read_labels(const void *user, int64_t first, int64_t count, int32_t *labels)
{
    memcpy(labels, (const int32_t *)user + first, (size_t)count * sizeof *labels);
    return LS_OK;
}

static ls_division *make_division(const ls_division_plan *plan, int64_t rows, int classes,
                                  const int32_t *labels)
{
    ls_division *division = NULL;
    assert_ok(
        ls_division_make(&division, plan, rows, classes, (ls_label_reader){labels, read_labels}));
    return division;
}

/* Holds out `wanted` rows. */
static ls_division *draw_held(ls_hold_out how, uint64_t seed, int64_t rows, int64_t wanted,
                              int classes, const int32_t *labels)
{
    const ls_division_plan plan = {
        .how = how, .seed = seed, .validation = (double)wanted / (double)rows};
    return make_division(&plan, rows, classes, labels);
}

static bool is_held(const ls_division *division, int64_t row)
{
    return ls_division_split(division, row) == LS_VALIDATION;
}

static void the_wanted_number_of_rows_is_drawn(void **state)
{
    (void)state;
    const int64_t cases[][2] = {{1, 0},     {2, 1},      {63, 6},       {64, 63},
                                {65, 0},    {511, 510},  {512, 51},     {513, 1},
                                {4099, 13}, {70001, 70}, {70001, 69931}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (uint64_t seed = 0; seed < 20; seed++) {
            ls_division *held =
                draw_held(LS_HOLD_OUT_RANDOM, seed, cases[i][0], cases[i][1], 1, NULL);
            int64_t count = 0;
            for (int64_t row = 0; row < cases[i][0]; row++)
                count += is_held(held, row);
            assert_int_equal(count, cases[i][1]);
            assert_int_equal(ls_division_count(held, LS_VALIDATION), cases[i][1]);
            ls_division_destroy(&held);
        }
}

/* 4000 draws of 10 out of 40 rows. */
static void each_row_is_drawn_equally_often(void **state)
{
    (void)state;
    int times[40] = {0};
    for (uint64_t seed = 0; seed < 4000; seed++) {
        ls_division *held = draw_held(LS_HOLD_OUT_RANDOM, seed, 40, 10, 1, NULL);
        for (int row = 0; row < 40; row++)
            times[row] += is_held(held, row);
        ls_division_destroy(&held);
    }
    for (int row = 0; row < 40; row++) /* of a standard deviation of 27 */
        assert_true(abs(times[row] - 1000) < 130);
}

/* Each class's share is within one row of the exact one, their sum is the wanted number, and each
 * class keeps training rows. */
static void stratified_shares_are_proportional_to_the_classes(void **state)
{
    (void)state;
    enum { ROWS = 100000, CLASSES = 30 };
    int32_t *labels = malloc(ROWS * sizeof *labels);
    int64_t of[CLASSES] = {0}, held_of[CLASSES] = {0};
    for (int64_t i = 0; i < ROWS; i++) { /* sorted; classes of all sizes, one is empty */
        labels[i] = i < 3 ? (int32_t)i : 4 + (int32_t)(i * i / ROWS * (CLASSES - 4) / ROWS);
        of[labels[i]]++;
    }
    ls_division *held = draw_held(LS_HOLD_OUT_STRATIFIED, 7, ROWS, 12345, CLASSES, labels);
    for (int64_t i = 0; i < ROWS; i++)
        held_of[labels[i]] += is_held(held, i);
    for (int k = 0; k < CLASSES; k++) {
        assert_true(llabs(held_of[k] * ROWS - of[k] * 12345) < ROWS);
        assert_true(of[k] == 0 || held_of[k] < of[k]);
    }
    assert_int_equal(ls_division_count(held, LS_VALIDATION), 12345);
    ls_division_destroy(&held);
    held = draw_held(LS_HOLD_OUT_STRATIFIED, 7, ROWS, 99000, CLASSES, labels);
    for (int64_t i = 0; i < 3; i++) /* the only rows of their classes */
        assert_false(is_held(held, i));
    ls_division_destroy(&held);
    free(labels);
}

/* Asserts that ls_division_row() and ls_division_before() agree with ls_division_split(). */
static void assert_consistent(const ls_division *division, int64_t rows)
{
    int64_t count[LS_SPLITS] = {0};
    for (int64_t row = 0; row < rows; row++) {
        const ls_split split = ls_division_split(division, row);
        for (int s = 0; s < LS_SPLITS; s++)
            assert_int_equal(ls_division_before(division, (ls_split)s, row), count[s]);
        assert_int_equal(ls_division_row(division, split, count[split]++), row);
    }
    for (int s = 0; s < LS_SPLITS; s++) {
        assert_int_equal(ls_division_before(division, (ls_split)s, rows), count[s]);
        assert_int_equal(ls_division_count(division, (ls_split)s), count[s]);
    }
}

static ls_division *divide(const ls_dataset_options *options, int64_t rows, int classes,
                           const int32_t *labels)
{
    ls_division_plan plan;
    assert_ok(ls_division_plan_make(&plan, options));
    ls_division *division = make_division(&plan, rows, classes, labels);
    assert_consistent(division, rows);
    return division;
}

enum { MANY = 2311 };

/* Of classes 0, 1 and 2, in proportions of about 9 : 3 : 1. */
static void make_labels(int32_t labels[MANY])
{
    for (int i = 0; i < MANY; i++)
        labels[i] = i % 13 == 0 ? 2 : i % 13 < 4;
}

static void each_row_is_in_one_fold_and_no_test_row_is(void **state)
{
    (void)state;
    enum { FOLDS = 7, TEST = 111 };
    int32_t labels[MANY];
    make_labels(labels);
    for (int how = LS_HOLD_OUT_LAST; how <= LS_HOLD_OUT_STRATIFIED; how++)
        for (int first = 0; first < 2; first++) {
            int folds[MANY] = {0};
            for (int k = 1; k <= FOLDS; k++) {
                char fold[16];
                int of_class[3] = {0};
                snprintf(fold, sizeof fold, "%d/%d", k, FOLDS);
                const ls_dataset_options options = {.hold_out = (ls_hold_out)how,
                                                    .seed = 9,
                                                    .test_rows = first ? "first:111" : "last:111",
                                                    .fold = fold};
                ls_division *d = divide(&options, MANY, 3, labels);
                for (int i = 0; i < MANY; i++) {
                    const bool test = first ? i < TEST : i >= MANY - TEST;
                    const ls_split split = ls_division_split(d, i);
                    assert_int_equal(split == LS_TEST, test);
                    folds[i] += split == LS_VALIDATION || (test && k == 1);
                    of_class[labels[i]] += split == LS_VALIDATION;
                }
                const int64_t share = ls_division_count(d, LS_VALIDATION) * FOLDS;
                assert_true(llabs(share - (MANY - TEST)) < FOLDS);
                assert_true(how != LS_HOLD_OUT_STRATIFIED || of_class[2] >= 23);
                ls_division_destroy(&d);
            }
            for (int i = 0; i < MANY; i++)
                assert_int_equal(folds[i], 1);
        }
}

static void fractions_are_drawn_as_the_hold_out_is(void **state)
{
    (void)state;
    int32_t labels[MANY];
    make_labels(labels);
    for (int how = LS_HOLD_OUT_LAST; how <= LS_HOLD_OUT_STRATIFIED; how++) {
        const ls_dataset_options options = {
            .hold_out = (ls_hold_out)how, .seed = 4, .split = "0.5,0.3,0.2"};
        int of[LS_SPLITS][3] = {{0}};
        ls_division *d = divide(&options, MANY, 3, labels);
        assert_int_equal(ls_division_count(d, LS_VALIDATION), 693);
        assert_int_equal(ls_division_count(d, LS_TEST), 462);
        for (int i = 0; i < MANY; i++)
            of[ls_division_split(d, i)][labels[i]]++;
        if (how == LS_HOLD_OUT_LAST)
            assert_int_equal(ls_division_split(d, MANY - 1), LS_TEST);
        if (how == LS_HOLD_OUT_STRATIFIED)
            assert_true(abs(of[LS_VALIDATION][2] - 53) <= 1 && abs(of[LS_TEST][2] - 36) <= 1);
        ls_division_destroy(&d);
    }
}

static void wrong_divisions_are_refused(void **state)
{
    (void)state;
    ls_division_plan plan;
    ls_division *d = NULL;
    static const ls_dataset_options cases[] = {{.test_rows = "last"},
                                               {.test_rows = "last:0"},
                                               {.test_rows = "last:-3"},
                                               {.test_rows = "middle:3"},
                                               {.test_rows = "first:3x"},
                                               {.split = "0.8,0.2"},
                                               {.split = "0.8,0.1,0.2"},
                                               {.split = "0,0.5,0.5"},
                                               {.split = "1.2,-0.1,-0.1"},
                                               {.split = "nan,0.5,0.5"},
                                               {.split = "0.8,0.1,0.1,"},
                                               {.fold = "0/5"},
                                               {.fold = "6/5"},
                                               {.fold = "1/1"},
                                               {.fold = "1/2000"},
                                               {.fold = "1"},
                                               {.fold = "1/5", .split = "0.8,0.1,0.1"},
                                               {.test_rows = "all", .split = "0.8,0.1,0.1"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_fails(ls_division_plan_make(&plan, &cases[i]), LS_ERR_USAGE, "--");
    assert_ok(ls_division_plan_make(&plan, &(ls_dataset_options){.test_rows = "first:10"}));
    assert_fails(ls_division_make(&d, &plan, 10, 2, (ls_label_reader){0}), LS_ERR_USAGE,
                 "--test-rows first:10: there are 10 rows");
    assert_ok(ls_division_plan_make(&plan, &(ls_dataset_options){.fold = "1/11"}));
    assert_fails(ls_division_make(&d, &plan, 10, 2, (ls_label_reader){0}), LS_ERR_USAGE,
                 "--fold 1/11: there are 10 rows");
    assert_ok(ls_division_plan_make(&plan, &(ls_dataset_options){.test_rows = "all"}));
    assert_ok(ls_division_make(&d, &plan, 10, 2, (ls_label_reader){0}));
    assert_int_equal(ls_division_count(d, LS_TEST), 10);
    ls_division_destroy(&d);
}

/* Writes a data set with sorted labels: class k has sizes[k] rows; pixel j of row i is 7 i + j. */
static void write_sorted(const char *path, const int64_t *sizes, int classes)
{
    int64_t rows = 0;
    for (int k = 0; k < classes; k++)
        rows += sizes[k];
    unsigned char *pixels = malloc((size_t)rows * 4);
    int32_t *labels = malloc((size_t)rows * sizeof *labels);
    for (int64_t k = 0, at = 0; k < classes; k++)
        for (int64_t i = 0; i < sizes[k]; i++, at++) {
            labels[at] = (int32_t)k;
            for (int64_t j = 0; j < 4; j++)
                pixels[at * 4 + j] = (unsigned char)(7 * at + j);
        }
    const ls_h5_shape images = {LS_H5_U8, 3, {rows, 2, 2}}, of_labels = {LS_H5_I32, 1, {rows}};
    ls_h5 *file;
    assert_ok(ls_h5_create(&file, path));
    assert_ok(ls_h5_create_dataset(file, "train/images", &images, false));
    assert_ok(ls_h5_create_dataset(file, "train/labels", &of_labels, false));
    assert_ok(ls_h5_write(file, "train/images", LS_H5_U8, 0, rows, pixels));
    assert_ok(ls_h5_write(file, "train/labels", LS_H5_I32, 0, rows, labels));
    assert_ok(ls_h5_put_text(file, "format", "lockstep-dataset"));
    assert_ok(ls_h5_put_int(file, "version", 1));
    assert_ok(ls_h5_put_int(file, "classes", classes));
    assert_ok(ls_h5_close(&file));
    free(pixels);
    free(labels);
}

/* Asserts that sample `at` has this number in its split and is this row of the file. */
static void assert_row(const ls_samples *samples, int64_t at, int64_t number, int64_t row)
{
    const ls_sample *sample = ls_sample_at(samples, at);
    assert_int_equal(sample->row, number);
    for (int64_t j = 0; j < 4; j++)
        assert_int_equal(sample->inputs[j], (unsigned char)(7 * row + j));
}

/* In the file's order, read at once or in pieces. */
static void both_splits_have_the_rows_that_were_drawn(void **state)
{
    (void)state;
    enum { ROWS = 3000 };
    int32_t labels[ROWS];
    for (int i = 0; i < ROWS; i++)
        labels[i] = i / 1000;
    write_sorted("r.h5", (int64_t[]){1000, 1000, 1000}, 3);
    for (int how = LS_HOLD_OUT_RANDOM; how <= LS_HOLD_OUT_STRATIFIED; how++)
        for (int tenths = 1; tenths <= 9; tenths += 4) {
            const ls_dataset_options options = {
                .validation = tenths / 10.0, .hold_out = (ls_hold_out)how, .seed = 5};
            const int64_t wanted = (int64_t)(ROWS * options.validation);
            ls_division *held = draw_held((ls_hold_out)how, 5, ROWS, wanted, 3, labels);
            ls_dataset *dataset;
            assert_ok(ls_dataset_open(&dataset, "r.h5", &options));
            const ls_dataset_info *info = ls_dataset_describe(dataset);
            assert_int_equal(info->rows[LS_VALIDATION], wanted);
            assert_int_equal(info->rows[LS_TRAIN], ROWS - wanted);
            for (int split = LS_TRAIN; split <= LS_VALIDATION; split++) {
                const int64_t rows = info->rows[split];
                ls_samples *all, *some;
                assert_ok(ls_dataset_read(dataset, (ls_split)split, 0, rows, rows, &all));
                for (int64_t row = 0, at = 0; row < ROWS; row++)
                    if (is_held(held, row) == (split == LS_VALIDATION)) {
                        assert_int_equal(ls_sample_at(all, at)->label, labels[row]);
                        assert_row(all, at, at, row);
                        at++;
                    }
                assert_ok(ls_samples_create(&some, rows, ls_dataset_format(info)));
                for (int64_t first = 0; first < rows; first += 1 + first / 2) {
                    const int64_t count = (rows - first + 1) / 2;
                    assert_ok(ls_dataset_read_into(dataset, (ls_split)split, first, count, some));
                    assert_memory_equal(some->bytes, ls_sample_at(all, first),
                                        (size_t)count * some->stride);
                }
                int64_t counts[3] = {0}, found[3] = {0};
                assert_ok(ls_dataset_count_classes(dataset, (ls_split)split, counts));
                for (int64_t i = 0; i < rows; i++)
                    found[ls_sample_at(all, i)->label]++;
                assert_memory_equal(counts, found, sizeof counts);
                if (how == LS_HOLD_OUT_STRATIFIED)
                    assert_true(counts[0] == counts[1] && counts[1] == counts[2]);
                ls_samples_destroy(&some);
                ls_samples_destroy(&all);
            }
            ls_dataset_close(&dataset);
            ls_division_destroy(&held);
        }
}

/* Rows are too large to read over the gaps between them. */
static void held_out_rows_of_large_images_are_read(void **state)
{
    (void)state;
    const small_dataset f = {.train = 41, .channels = 1, .height = 300, .width = 300, .classes = 3};
    small_dataset_write(&f, "large.h5");
    for (int how = LS_HOLD_OUT_LAST; how <= LS_HOLD_OUT_STRATIFIED; how++) {
        const ls_dataset_options options = {
            .validation = 0.25, .hold_out = (ls_hold_out)how, .seed = 1};
        ls_dataset *dataset;
        bool seen[41] = {false};
        assert_ok(ls_dataset_open(&dataset, "large.h5", &options));
        for (int split = LS_TRAIN; split <= LS_VALIDATION; split++) {
            const int64_t rows = ls_dataset_describe(dataset)->rows[split];
            assert_int_equal(rows, split == LS_TRAIN ? 31 : 10);
            ls_samples *samples;
            assert_ok(ls_dataset_read(dataset, (ls_split)split, 0, rows, rows, &samples));
            for (int64_t i = 0, row = 0; i < rows; i++, row++) {
                const ls_sample *sample = ls_sample_at(samples, i);
                while (sample->inputs[89999] != small_dataset_pixel(&f, LS_TRAIN, row, 89999) ||
                       sample->inputs[7] != small_dataset_pixel(&f, LS_TRAIN, row, 7))
                    row++;
                assert_true(row < 41 && !seen[row]);
                seen[row] = true;
                assert_int_equal(sample->label, small_dataset_label(&f, LS_TRAIN, row));
            }
            ls_samples_destroy(&samples);
        }
        ls_dataset_close(&dataset);
    }
}

static void a_wrong_label_is_found_while_stratifying(void **state)
{
    (void)state;
    ls_h5 *file;
    const int32_t labels[4] = {0, 1, 2, 0};
    const ls_h5_shape images = {LS_H5_U8, 3, {4, 1, 1}}, of_labels = {LS_H5_I32, 1, {4}};
    assert_ok(ls_h5_create(&file, "bad.h5"));
    assert_ok(ls_h5_create_dataset(file, "train/images", &images, false));
    assert_ok(ls_h5_create_dataset(file, "train/labels", &of_labels, false));
    assert_ok(ls_h5_write(file, "train/images", LS_H5_U8, 0, 4, (unsigned char[4]){0}));
    assert_ok(ls_h5_write(file, "train/labels", LS_H5_I32, 0, 4, labels));
    assert_ok(ls_h5_put_text(file, "format", "lockstep-dataset"));
    assert_ok(ls_h5_put_int(file, "version", 1));
    assert_ok(ls_h5_put_int(file, "classes", 2));
    assert_ok(ls_h5_close(&file));
    ls_dataset *dataset = NULL;
    const ls_dataset_options options = {
        .validation = 0.5, .hold_out = LS_HOLD_OUT_STRATIFIED, .seed = 0};
    assert_fails(ls_dataset_open(&dataset, "bad.h5", &options), LS_ERR_DATA,
                 "'/train/labels' row 2 is 2, expected a class of 0 to 1");
}

static void a_file_with_a_validation_split_is_not_held_out(void **state)
{
    (void)state;
    small_dataset f = small_dataset_default;
    f.validation = 17;
    small_dataset_write(&f, "own.h5");
    ls_dataset *dataset;
    const ls_dataset_options options = {
        .validation = 0.5, .hold_out = LS_HOLD_OUT_STRATIFIED, .seed = 3};
    assert_ok(ls_dataset_open(&dataset, "own.h5", &options));
    assert_int_equal(ls_dataset_describe(dataset)->rows[LS_TRAIN], f.train);
    assert_int_equal(ls_dataset_describe(dataset)->rows[LS_VALIDATION], 17);
    assert_false(ls_dataset_describe(dataset)->held_out);
    ls_dataset_close(&dataset);
}

/* Returns the text of ls_class_gaps().
 * counts  [splits][classes] training, validation and test rows */
static const char *class_gaps(bool held_out, int classes, const int64_t *counts)
{
    static char text[LS_CLASS_GAPS_TEXT];
    ls_dataset_info info = {.classes = classes, .held_out = held_out};
    for (int split = 0; split < LS_SPLITS; split++)
        for (int k = 0; k < classes; k++)
            info.rows[split] += counts[split * classes + k];
    ls_class_gaps(&info, counts, NULL, text);
    return text;
}

static void classes_missing_in_a_split_are_reported(void **state)
{
    (void)state;
    assert_string_equal(class_gaps(true, 3, (int64_t[]){9, 8, 7, 1, 0, 2, 0, 0, 0}), "");
    assert_string_equal(
        class_gaps(true, 3, (int64_t[]){9, 9, 0, 0, 0, 2, 0, 0, 0}),
        "class 2 has no training rows besides those held out for validation (sorted "
        "by class? train with --hold-out stratified)");
    assert_string_equal(class_gaps(false, 3, (int64_t[]){9, 9, 0, 0, 0, 2, 0, 0, 0}),
                        "class 2 has no training rows, but some validation rows");
    assert_string_equal(
        class_gaps(true, 2, (int64_t[]){5399, 1, 0, 600, 0, 0}),
        "class 1 has hardly any training rows besides those held out for validation; "
        "class 0 has no validation rows (sorted by class? train with --hold-out "
        "stratified)");
    /* Half of one class is held out. */
    assert_string_equal(class_gaps(true, 3, (int64_t[]){400, 400, 300, 0, 0, 100, 0, 0, 0}),
                        "classes 0, 1 have no validation rows (sorted by class? train with "
                        "--hold-out stratified)");
    assert_string_equal(class_gaps(false, 3, (int64_t[]){400, 400, 300, 0, 0, 100, 0, 0, 0}), "");
    assert_string_equal(class_gaps(true, 3, (int64_t[]){400, 400, 300, 0, 0, 0, 0, 0, 0}), "");
    /* Most rows of each class are held out. */
    assert_string_equal(class_gaps(true, 2, (int64_t[]){5, 5, 95, 95, 0, 0}), "");
    assert_string_equal(class_gaps(true, 3, (int64_t[]){0, 5, 5, 0, 1, 0, 0, 0, 0}),
                        "class 0 has no rows (labels count from 0)");
    static const char *const names[] = {"bear", "cat", "dog"};
    char text[LS_CLASS_GAPS_TEXT];
    const ls_dataset_info named = {.classes = 3, .rows = {5}};
    ls_class_gaps(&named, (int64_t[]){0, 5, 0, 0, 0, 0, 0, 0, 0}, names, text);
    assert_string_equal(text, "classes 0 (bear), 2 (dog) have no rows");
    assert_string_equal(class_gaps(true, 4, (int64_t[]){5, 0, 0, 5, 0, 0, 0, 1, 0, 3, 0, 0}),
                        "class 1 has no training rows, but some test rows; class 2 has no rows");
}

static void a_long_list_of_classes_is_abbreviated(void **state)
{
    (void)state;
    int64_t many[3 * 1000] = {1};
    assert_string_equal(class_gaps(true, 1000, many),
                        "classes 1, 2, 3, 4, 5 and 994 more have no rows");
    assert_string_equal(class_gaps(true, 7, (int64_t[21]){1}),
                        "classes 1, 2, 3, 4, 5, 6 have no rows");
}

/* A file may claim many classes: their quotas of each fold are not worth gigabytes. */
static void too_many_classes_times_folds_are_refused(void **state)
{
    (void)state;
    static const int32_t labels[200];
    const ls_division_plan plan = {.how = LS_HOLD_OUT_STRATIFIED, .fold = 3, .folds = 100};
    const ls_label_reader reader = {labels, read_labels};
    ls_division *division = NULL;
    assert_fails(ls_division_make(&division, &plan, 200, LS_MAX_CLASSES, reader), LS_ERR_USAGE,
                 "--fold 3/100: of 1048576 classes there can be 64 folds");
    assert_null(division);
    assert_ok(ls_division_make(&division, &plan, 200, 2, reader));
    ls_division_destroy(&division);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_wanted_number_of_rows_is_drawn),
        cmocka_unit_test(each_row_is_drawn_equally_often),
        cmocka_unit_test(each_row_is_in_one_fold_and_no_test_row_is),
        cmocka_unit_test(fractions_are_drawn_as_the_hold_out_is),
        cmocka_unit_test(wrong_divisions_are_refused),
        cmocka_unit_test(too_many_classes_times_folds_are_refused),
        cmocka_unit_test(stratified_shares_are_proportional_to_the_classes),
        cmocka_unit_test(both_splits_have_the_rows_that_were_drawn),
        cmocka_unit_test(held_out_rows_of_large_images_are_read),
        cmocka_unit_test(a_wrong_label_is_found_while_stratifying),
        cmocka_unit_test(a_file_with_a_validation_split_is_not_held_out),
        cmocka_unit_test(classes_missing_in_a_split_are_reported),
        cmocka_unit_test(a_long_list_of_classes_is_abbreviated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
