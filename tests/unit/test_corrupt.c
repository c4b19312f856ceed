/* Corruption of inputs: its distributions; it depends on (seed, draw, row) alone. */
#include "test.h"

#include <lockstep/corrupt.h>

#include <math.h>
#include <string.h>

enum { ROWS = 50, FEATURES = 2000, COUNT = ROWS * FEATURES };

static int64_t ids[ROWS];
static float x[COUNT], y[COUNT];

static ls_corruption make(const char *text, uint64_t seed)
{
    ls_corruption c;
    assert_ok(ls_corruption_make(&c, text, seed));
    return c;
}

/* Corrupts rows of equal numbers. */
static void corrupt(const char *text, uint64_t seed, int64_t draw, float number, float *out)
{
    const ls_corruption c = make(text, seed);
    for (int i = 0; i < COUNT; i++)
        out[i] = number;
    for (int r = 0; r < ROWS; r++)
        ids[r] = 3 * r;
    ls_corruption_apply(&c, draw, ROWS, FEATURES, ids, out);
}

static double moment(const float *numbers, double centre, int power)
{
    double sum = 0;
    for (int i = 0; i < COUNT; i++)
        sum += pow((double)numbers[i] - centre, power);
    return sum / COUNT;
}

/* Correlation of two sets of numbers around their centre. */
static double correlation(const float *a, const float *b, double centre)
{
    double sum = 0;
    for (int i = 0; i < COUNT; i++)
        sum += ((double)a[i] - centre) * ((double)b[i] - centre);
    return sum / COUNT / sqrt(moment(a, centre, 2) * moment(b, centre, 2));
}

static void without_words_inputs_stay_unchanged(void **state)
{
    const char *const texts[] = {"", " \t ", "none", "noise:0 mask:0"};
    (void)state;
    for (int i = 0; i < 4; i++) {
        const ls_corruption c = make(texts[i], 1);
        assert_false(ls_corruption_is_some(&c));
        corrupt(texts[i], 1, 1, 0.1f, x);
        for (int k = 0; k < COUNT; k++)
            assert_true(x[k] == 0.1f);
    }
}

/* Tolerances are five standard errors of 100,000 numbers. */
static void noise_is_normal(void **state)
{
    const double error = 5 / sqrt(COUNT);
    (void)state;
    corrupt("noise:0.25", 7, 1, 2, x);
    assert_true(fabs(moment(x, 2, 1)) < 0.25 * error);
    assert_true(fabs(moment(x, 2, 2) / pow(0.25, 2) - 1) < sqrt(2) * error);
    assert_true(fabs(moment(x, 2, 3) / pow(0.25, 3)) < sqrt(15) * error);
    assert_true(fabs(moment(x, 2, 4) / pow(0.25, 4) - 3) < sqrt(96) * error);
}

static void a_mask_sets_a_share_to_zero(void **state)
{
    int64_t zeros = 0, same = 0;
    (void)state;
    corrupt("mask:0.3", 7, 1, 2, x);
    for (int i = 0; i < COUNT; i++) {
        zeros += x[i] == 0;
        same += x[i] == 2;
    }
    assert_int_equal(zeros + same, COUNT);
    assert_true(fabs((double)zeros / COUNT - 0.3) < 5 * sqrt(0.3 * 0.7 / COUNT));
    corrupt("mask:1", 7, 1, 2, x);
    assert_true(moment(x, 0, 2) == 0);
}

static void the_words_do_not_depend_on_each_other(void **state)
{
    static float both[COUNT];
    (void)state;
    corrupt("noise:0.25", 7, 1, 2, x);
    corrupt("mask:0.3", 7, 1, 2, y);
    corrupt("mask:0.3 noise:0.25", 7, 1, 2, both);
    for (int i = 0; i < COUNT; i++)
        assert_true(both[i] == (y[i] == 0 ? 0 : x[i]));
}

static void seeds_draws_rows_and_inputs_differ(void **state)
{
    const double error = 5 / sqrt(COUNT);
    (void)state;
    corrupt("noise:1", 7, 1, 0, x);
    corrupt("noise:1", 8, 1, 0, y);
    assert_true(fabs(correlation(x, y, 0)) < error);
    corrupt("noise:1", 7, 2, 0, y);
    assert_true(fabs(correlation(x, y, 0)) < error);
    corrupt("noise:1", 7, LS_CORRUPTION_EVALUATED, 0, y);
    assert_true(fabs(correlation(x, y, 0)) < error);
    for (int shift = 1; shift <= FEATURES; shift += FEATURES - 1) { /* next input, row */
        for (int i = 0; i < COUNT; i++)
            y[i] = x[(i + shift) % COUNT];
        assert_true(fabs(correlation(x, y, 0)) < error);
    }
}

/* As on several ranks: the rows of a batch are spread over others, in another order. */
static void a_row_does_not_depend_on_its_batch(void **state)
{
    const ls_corruption c = make("noise:0.5 mask:0.5", 3);
    const int64_t some[] = {3 * 41, 3 * 2};
    (void)state;
    corrupt("noise:0.5 mask:0.5", 3, 4, 1, x);
    for (int i = 0; i < 2 * FEATURES; i++)
        y[i] = 1;
    ls_corruption_apply(&c, 4, 2, FEATURES, some, y);
    assert_memory_equal(y, x + 41 * FEATURES, FEATURES * sizeof *x);
    assert_memory_equal(y + FEATURES, x + 2 * FEATURES, FEATURES * sizeof *x);
}

static void wrong_texts_are_refused(void **state)
{
    static const char *const cases[][2] = {
        {"nois:1", "word 1, 'nois:1': unknown word; did you mean 'noise:S'?"},
        {"mask:0.5 frog:1", "word 2, 'frog:1': unknown word; the words are noise, mask"},
        {"noise", "word 1, 'noise': write it as noise:S"},
        {"noise:x", "write it as noise:S"},
        {"noise:0.3,mask:0.5", "separate words by blanks, not commas"},
        {"noise:-1", "the standard deviation must be from 0 to 1e+06"},
        {"noise:nan", "write it as noise:S"},
        {"mask:1.5", "the probability must be from 0 to 1"},
        {"mask:0.1 mask:0.2", "word 2, 'mask:0.2': is given twice"}};
    ls_corruption c = {.noise = 5};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(ls_corruption_make(&c, cases[i][0], 0), LS_ERR_USAGE);
        assert_non_null(strstr(ls_error_text(), "--corrupt: "));
        assert_non_null(strstr(ls_error_text(), cases[i][1]));
        assert_true(c.noise == 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_words_inputs_stay_unchanged),
        cmocka_unit_test(noise_is_normal),
        cmocka_unit_test(a_mask_sets_a_share_to_zero),
        cmocka_unit_test(the_words_do_not_depend_on_each_other),
        cmocka_unit_test(seeds_draws_rows_and_inputs_differ),
        cmocka_unit_test(a_row_does_not_depend_on_its_batch),
        cmocka_unit_test(wrong_texts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
