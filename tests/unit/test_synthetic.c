/* Synthetic data sets: reproducible, of any shape, learnable. */
#include <lockstep/dataset.h>
#include <lockstep/import.h>

#include "data/samples.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

static ls_dataset *make_dataset(const ls_synthetic *wanted, const char *path)
{
    ls_dataset *dataset;
    assert_ok(ls_import_synthetic(wanted, path));
    assert_ok(ls_dataset_open(&dataset, path, NULL));
    const ls_dataset_info *info = ls_dataset_describe(dataset);
    assert_int_equal(info->rows[LS_TRAIN], wanted->rows);
    assert_int_equal(info->rows[LS_TEST], (wanted->rows + 5) / 6);
    assert_int_equal(info->channels, wanted->channels);
    assert_int_equal(info->height, wanted->height);
    assert_int_equal(info->width, wanted->width);
    assert_int_equal(info->classes, wanted->classes);
    return dataset;
}

static ls_samples *read_all_rows(ls_dataset *dataset, ls_split split)
{
    const int64_t rows = ls_dataset_describe(dataset)->rows[split];
    ls_samples *samples;
    assert_ok(ls_dataset_read(dataset, split, 0, rows, rows, &samples));
    return samples;
}

static uint64_t fingerprint(const ls_synthetic *wanted, const char *path, ls_split split)
{
    ls_dataset *dataset = make_dataset(wanted, path);
    ls_samples *samples = read_all_rows(dataset, split);
    const uint64_t hash = ls_samples_fingerprint(samples);
    ls_samples_destroy(&samples);
    ls_dataset_close(&dataset);
    return hash;
}

static void data_sets_of_any_shape_are_made(void **state)
{
    (void)state;
    const int64_t shapes[][5] = {{60, 1, 28, 28, 10},
                                 {7, 3, 32, 17, 3},
                                 {1, 1, 1, 1, 2},
                                 {13, 5, 1, 9, 300},
                                 {100, 2, 40, 3, 2}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const int64_t *s = shapes[i];
        ls_dataset *dataset = make_dataset(&(ls_synthetic){.rows = s[0],
                                                           .channels = s[1],
                                                           .height = s[2],
                                                           .width = s[3],
                                                           .classes = s[4],
                                                           .name = "",
                                                           .compress = i % 2 > 0,
                                                           .force = true},
                                           "shape.h5");
        ls_dataset_close(&dataset);
    }
}

static void content_depends_on_the_seed_alone(void **state)
{
    (void)state;
    ls_synthetic wanted = {.rows = 300,
                           .channels = 1,
                           .height = 28,
                           .width = 28,
                           .classes = 10,
                           .name = "",
                           .seed = 3};
    const uint64_t train = fingerprint(&wanted, "a.h5", LS_TRAIN);
    const uint64_t test = fingerprint(&wanted, "a.h5", LS_TEST);
    wanted.compress = true;
    assert_true(fingerprint(&wanted, "b.h5", LS_TRAIN) == train);
    assert_true(fingerprint(&wanted, "b.h5", LS_TEST) == test);
    wanted.seed = 4;
    assert_true(fingerprint(&wanted, "c.h5", LS_TRAIN) != train);
    assert_true(fingerprint(&wanted, "c.h5", LS_TEST) != test);
}

/* Returns the class with the nearest mean image. */
static int nearest_class(const double (*sum)[784], const int64_t *count, int classes,
                         const ls_sample *s)
{
    double least = 0;
    int best = -1;
    for (int k = 0; k < classes; k++) {
        double distance = 0;
        for (int i = 0; i < 784 && count[k] > 0; i++) {
            const double off = (double)s->inputs[i] - sum[k][i] / (double)count[k];
            distance += off * off;
        }
        if (count[k] > 0 && (best < 0 || distance < least)) {
            best = k;
            least = distance;
        }
    }
    return best;
}

/* By the class means of the training rows; with pure noise a tenth of the test rows is right. */
static void classes_can_be_learned(void **state)
{
    (void)state;
    enum { CLASSES = 10 };
    static double sum[CLASSES][784];
    int64_t count[CLASSES] = {0}, right = 0;
    ls_dataset *dataset = make_dataset(&(ls_synthetic){.rows = 2000,
                                                       .channels = 1,
                                                       .height = 28,
                                                       .width = 28,
                                                       .classes = CLASSES,
                                                       .name = "",
                                                       .seed = 1},
                                       "learn.h5");
    ls_samples *train = read_all_rows(dataset, LS_TRAIN), *test = read_all_rows(dataset, LS_TEST);
    for (int64_t r = 0; r < train->rows; r++) {
        const ls_sample *s = ls_sample_at(train, r);
        count[s->label]++;
        for (int i = 0; i < 784; i++)
            sum[s->label][i] += s->inputs[i];
    }
    for (int k = 0; k < CLASSES; k++)
        assert_in_range(count[k], 120, 280); /* 200 each, within 6 standard deviations */
    for (int64_t r = 0; r < test->rows; r++) {
        const ls_sample *s = ls_sample_at(test, r);
        right += nearest_class((const double(*)[784])sum, count, CLASSES, s) == s->label;
    }
    assert_true(right * 100 >= 95 * test->rows);
    ls_samples_destroy(&train);
    ls_samples_destroy(&test);
    ls_dataset_close(&dataset);
}

static void impossible_data_sets_are_refused(void **state)
{
    (void)state;
    const ls_synthetic good = {
        .rows = 10, .channels = 1, .height = 8, .width = 8, .classes = 5, .name = ""};
    ls_synthetic bad = good;
    bad.rows = 0;
    assert_fails(ls_import_synthetic(&bad, "x.h5"), LS_ERR_USAGE, "must be 1 or more");
    bad = good;
    bad.width = INT64_C(1) << 21;
    assert_fails(ls_import_synthetic(&bad, "x.h5"), LS_ERR_USAGE, "of a supported size");
    bad = good;
    bad.classes = 1;
    assert_fails(ls_import_synthetic(&bad, "x.h5"), LS_ERR_USAGE, "classes must be 2 to 1048576");
    bad = good;
    bad.height = bad.width = 1024;
    bad.classes = 5000;
    assert_fails(ls_import_synthetic(&bad, "x.h5"), LS_ERR_USAGE, "5000 classes exceed 1 GiB");
    assert_fails(ls_import_synthetic(&good, "no/folder/x.h5"), LS_ERR_FAILURE,
                 "no/folder: no such folder");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_sets_of_any_shape_are_made),
        cmocka_unit_test(content_depends_on_the_seed_alone),
        cmocka_unit_test(classes_can_be_learned),
        cmocka_unit_test(impossible_data_sets_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
