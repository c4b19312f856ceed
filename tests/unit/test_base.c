#include "test.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/float_sum.h"
#include "base/fraction.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/text.h"

#include <float.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void an_error_text_is_one_line(void **state)
{
    (void)state;
    assert_int_equal(ls_fail(LS_ERR_DATA, "%s: line\nbreak\ttab", "file"), LS_ERR_DATA);
    assert_string_equal(ls_error_text(), "file: line break tab");
    /* The arguments may contain the previous error text. */
    (void)ls_fail(LS_ERR_USAGE, "outer: %s", ls_error_text());
    assert_string_equal(ls_error_text(), "outer: file: line break tab");
}

static void a_long_error_text_keeps_its_start_and_end(void **state)
{
    (void)state;
    char longer[2 * LS_ERROR_TEXT_MAX];
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    (void)ls_fail(LS_ERR_FAILURE, "%s", longer);
    assert_int_equal(strlen(ls_error_text()), LS_ERROR_TEXT_MAX - 1);
    (void)ls_fail(LS_ERR_FAILURE, "start %s: reason", longer);
    assert_memory_equal(ls_error_text(), "start x", 7);
    assert_non_null(strstr(ls_error_text(), "x...x"));
    assert_non_null(strstr(ls_error_text(), "x: reason"));
}

static void a_status_has_a_meaning(void **state)
{
    (void)state;
    assert_string_equal(ls_status_meaning(LS_ERR_NUMERIC), "numerical failure");
}

static void allocations_are_aligned_zeroed_bounded_and_counted(void **state)
{
    (void)state;
    int64_t before = ls_alloc_calls();
    unsigned char *memory = ls_alloc(1001, 1);
    assert_non_null(memory);
    assert_int_equal((uintptr_t)memory % 64, 0);
    for (int i = 0; i < 1001; i++)
        assert_int_equal(memory[i], 0);
    ls_free(memory);
    void *nothing = ls_alloc(0, 8);
    assert_non_null(nothing);
    ls_free(nothing);
    assert_null(ls_alloc(INT64_MAX, 8));
    assert_non_null(strstr(ls_error_text(), "out of memory"));
    assert_int_equal(ls_alloc_calls() - before, 3);
}

static void random_numbers_are_uniform(void **state)
{
    (void)state;
    enum { N = 100000 };
    double sum = 0, squares = 0;
    uint64_t key = ls_rng_key(7, LS_RNG_INITIALISE, 3);
    for (uint64_t i = 0; i < N; i++) {
        double u = ls_rng_uniform(key, i);
        assert_true(u >= 0 && u < 1);
        sum += u;
        squares += u * u;
    }
    /* Mean 1/2 with deviation 0.29 / sqrt(N) = 0.0009; variance 1/12. */
    assert_near(sum / N, 0.5, 0, 0.004);
    assert_near(squares / N - sum / N * sum / N, 1.0 / 12, 0, 0.002);
}

static void a_random_key_depends_on_seed_purpose_and_number(void **state)
{
    (void)state;
    assert_true(ls_rng_key(1, 1, 0) != ls_rng_key(2, 1, 0));
    assert_true(ls_rng_key(1, 1, 0) != ls_rng_key(1, 2, 0));
    assert_true(ls_rng_key(1, 1, 0) != ls_rng_key(1, 1, 1));
}

static void a_fault_occurs_once_at_the_given_call(void **state)
{
    (void)state;
    assert_ok(ls_fault_arm("step:1:3", 0));
    for (int i = 0; i < 5; i++)
        assert_ok(ls_fault(LS_FAULT_STEP));
    assert_ok(ls_fault_arm("step:1:3", 1));
    assert_ok(ls_fault(LS_FAULT_STEP));
    assert_ok(ls_fault(LS_FAULT_READ));
    assert_ok(ls_fault(LS_FAULT_STEP));
    assert_fails(ls_fault(LS_FAULT_STEP), LS_ERR_FAILURE, "injected fault at 'step'");
    assert_ok(ls_fault(LS_FAULT_STEP));
    assert_ok(ls_fault_arm("open:*:1", 17));
    assert_fails(ls_fault(LS_FAULT_OPEN), LS_ERR_FAILURE, "open");
    assert_ok(ls_fault_arm(NULL, 0));
    assert_ok(ls_fault(LS_FAULT_OPEN));
}

static void malformed_faults_are_refused(void **state)
{
    (void)state;
    assert_fails(ls_fault_arm("opne:1:1", 0), LS_ERR_USAGE, "unknown fault site 'opne'");
    assert_fails(ls_fault_arm("open", 0), LS_ERR_USAGE, "site:rank:nth");
    assert_fails(ls_fault_arm("open:0:0", 0), LS_ERR_USAGE, "site:rank:nth");
    assert_fails(ls_fault_arm("open:0:1x", 0), LS_ERR_USAGE, "site:rank:nth");
    assert_ok(ls_fault_arm(NULL, 0));
    assert_ok(ls_fault(LS_FAULT_OPEN));
}

static void the_distance_of_two_words_is_the_number_of_edits(void **state)
{
    (void)state;
    assert_int_equal(ls_text_distance("batch", "batch"), 0);
    assert_int_equal(ls_text_distance("batch", "bacth"), 1);
    assert_int_equal(ls_text_distance("kitten", "sitting"), 3);
    assert_int_equal(ls_text_distance("", "abc"), 3);
}

static void the_nearest_word_is_found(void **state)
{
    (void)state;
    size_t distance = SIZE_MAX;
    assert_true(ls_text_nearer("epoch", "epochs", &distance));
    assert_false(ls_text_nearer("epoch", "batch", &distance));
    assert_int_equal(distance, 1);
}

static void a_name_is_recognised_within_a_longer_name(void **state)
{
    (void)state;
    /* The longest name wins. */
    size_t distance = SIZE_MAX;
    assert_true(ls_text_resembles("SparseAdamW", "adam", &distance));
    assert_true(ls_text_resembles("SparseAdamW", "adamw", &distance));
    assert_false(ls_text_resembles("SparseAdamW", "adam", &distance));
    distance = SIZE_MAX;
    assert_false(ls_text_resembles("foo", "adam", &distance));
    assert_true(ls_text_resembles("CROSS_ENTROPY", "cross-entropy", &distance));
    assert_int_equal(distance, 1);
}

static void folders_are_made_with_their_parents(void **state)
{
    (void)state;
    assert_ok(ls_make_folder("a/b/c"));
    assert_ok(ls_make_folder("a/b/c"));
    assert_ok(ls_write_file("a/b/c/file", "one", 3));
    assert_fails(ls_make_folder("a/b/c/file"), LS_ERR_FAILURE, "is not a folder");
    assert_fails(ls_make_folder("a/b/c/file/d"), LS_ERR_FAILURE, "file");
}

static void a_file_is_replaced_as_a_whole(void **state)
{
    (void)state;
    char *text;
    size_t length;
    assert_ok(ls_make_folder("a/b/c"));
    assert_ok(ls_write_file("a/b/c/file", "one", 3));
    assert_ok(ls_write_file("a/b/c/file", "two\n", 4));
    assert_ok(ls_read_file("a/b/c/file", 100, LS_ERR_DATA, &text, &length));
    assert_string_equal(text, "two\n");
    assert_int_equal(length, 4);
    ls_free(text);
    assert_true(access("a/b/c/file.tmp", F_OK) != 0);
    assert_fails(ls_read_file("none", 100, LS_ERR_DATA, &text, &length), LS_ERR_DATA,
                 "none: can't open: No such file");
    assert_fails(ls_write_file("no/folder", "x", 1), LS_ERR_FAILURE, "no: no such folder");
}

static void a_file_larger_than_the_limit_is_refused(void **state)
{
    (void)state;
    char *text, big[10000];
    size_t length;
    memset(big, 'x', sizeof big);
    assert_ok(ls_write_file("big", big, sizeof big));
    assert_ok(ls_read_file("big", 1 << 20, LS_ERR_DATA, &text, &length));
    assert_int_equal(length, sizeof big);
    ls_free(text);
    assert_fails(ls_read_file("big", 5000, LS_ERR_USAGE, &text, &length), LS_ERR_USAGE, "larger");
}

static void a_symbolic_link_is_replaced(void **state)
{
    (void)state;
    char target[LS_PATH_MAX];
    assert_ok(ls_replace_symlink("link", "a"));
    assert_ok(ls_replace_symlink("link", "big"));
    assert_int_equal(readlink("link", target, sizeof target), 3);
}

static void a_path_that_is_too_long_is_refused(void **state)
{
    (void)state;
    char path[LS_PATH_MAX], long_path[LS_PATH_MAX + 10];
    memset(long_path, 'x', sizeof long_path);
    long_path[sizeof long_path - 1] = '\0';
    assert_fails(ls_path(path, long_path, NULL, NULL), LS_ERR_USAGE, "path too long");
}

/* Compared with integer arithmetic. */
static void a_decimal_fraction_of_an_integer_is_exact(void **state)
{
    (void)state;
    for (int64_t total = 0; total <= 1000; total++)
        for (int64_t thousandths = 0; thousandths <= 1000; thousandths++)
            assert_int_equal(ls_part_of((double)thousandths / 1000, total),
                             thousandths * total / 1000);
    assert_int_equal(ls_part_of(0.1, INT64_C(70000000000000)), INT64_C(7000000000000));
    assert_int_equal(ls_part_of(0.9999999999999999, 100), 99); /* less than the total */
    assert_int_equal(ls_part_of(0.28999999, 100), 28);
}

static void a_number_near_an_integer_is_rounded_to_it(void **state)
{
    (void)state;
    assert_true(ls_meant(70 * 0.1) == 7 && ls_meant(17 / (2 * 0.34)) == 25);
    assert_true(ls_meant(6.9999999) == 6.9999999 && ls_meant(1e-17) == 1e-17);
    assert_true(ls_meant(INFINITY) == INFINITY && isnan(ls_meant(NAN)));
}

/* Any order and division among ranks; the largest and smallest floats count. */
static void a_sum_of_floats_is_exact(void **state)
{
    (void)state;
    const float numbers[] = {FLT_MAX, 0x1p-149f, 1e-25f, 0, 3e-39f, 1e20f, 0.1f};
    enum { COUNT = sizeof numbers / sizeof *numbers };
    ls_float_sum up = {0}, down = {0}, ones = {0}, tiny = {0};
    for (int i = 0; i < COUNT; i++) {
        ls_float_sum_add(up, numbers[i]);
        ls_float_sum_carry(up);
        ls_float_sum_add(down, numbers[COUNT - 1 - i]);
    }
    ls_float_sum_carry(down);
    assert_memory_equal(up, down, sizeof up);
    assert_true(ls_float_sum_total(up) == (double)FLT_MAX);
    for (int i = 0; i < 1 << 20; i++) {
        ls_float_sum_add(tiny, 1e-25f);
        ls_float_sum_add(ones, 0.1f);
    }
    assert_true(ls_float_sum_total(tiny) == (double)1e-25f * (1 << 20));
    assert_true(ls_float_sum_total(ones) == (double)0.1f * (1 << 20));
    ls_float_sum one = {0}; /* by as many numbers as the ranks of a large job may have */
    ls_float_sum_add(one, 0x1.fffffep127f);
    for (int i = 0; i < LS_FLOAT_SUM_WORDS; i++)
        one[i] *= LS_FLOAT_SUM_MOST;
    ls_float_sum_carry(one);
    assert_true(ls_float_sum_total(one) == (double)0x1.fffffep127f * LS_FLOAT_SUM_MOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_text_is_one_line),
        cmocka_unit_test(a_long_error_text_keeps_its_start_and_end),
        cmocka_unit_test(a_status_has_a_meaning),
        cmocka_unit_test(allocations_are_aligned_zeroed_bounded_and_counted),
        cmocka_unit_test(random_numbers_are_uniform),
        cmocka_unit_test(a_random_key_depends_on_seed_purpose_and_number),
        cmocka_unit_test(a_fault_occurs_once_at_the_given_call),
        cmocka_unit_test(malformed_faults_are_refused),
        cmocka_unit_test(the_distance_of_two_words_is_the_number_of_edits),
        cmocka_unit_test(the_nearest_word_is_found),
        cmocka_unit_test(a_name_is_recognised_within_a_longer_name),
        cmocka_unit_test(folders_are_made_with_their_parents),
        cmocka_unit_test(a_file_is_replaced_as_a_whole),
        cmocka_unit_test(a_file_larger_than_the_limit_is_refused),
        cmocka_unit_test(a_symbolic_link_is_replaced),
        cmocka_unit_test(a_path_that_is_too_long_is_refused),
        cmocka_unit_test(a_decimal_fraction_of_an_integer_is_exact),
        cmocka_unit_test(a_number_near_an_integer_is_rounded_to_it),
        cmocka_unit_test(a_sum_of_floats_is_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
