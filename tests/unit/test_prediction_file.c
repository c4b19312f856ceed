/* Files of predictions: columns and datasets of each meaning, in pieces; what is replaced. */
#include "test.h"

#include "base/file.h"
#include "base/memory.h"
#include "data/h5.h"

#include <lockstep/prediction.h>

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 3, K = 2 };
static const float y[ROWS * K] = {0.25f, 0.75f, 1, 0, 0.1f, 0.9f};
static const float targets[ROWS * K] = {1, 2, -3.5f, 4, 1e9f, 6};
static const int32_t predicted[ROWS] = {1, 0, 1}, label[ROWS] = {1, 1, 0};

/* Writes the rows: first one, then the others. */
static ls_status write_rows(const char *path, ls_meaning meaning, bool truth)
{
    const ls_prediction_about about = {.rows = ROWS,
                                       .outputs = K,
                                       .meaning = meaning,
                                       .truth = truth,
                                       .checkpoint = "c",
                                       .data = "d",
                                       .split = "test"};
    ls_prediction_file *file = NULL;
    ls_status status = ls_prediction_file_create(&file, path, &about);
    for (int at = 0; status == LS_OK && at < ROWS; at += at == 0 ? 1 : ROWS - 1) {
        const ls_predictions rows = {.first = at,
                                     .rows = at == 0 ? 1 : ROWS - 1,
                                     .outputs = K,
                                     .y = y + at * K,
                                     .predicted = predicted + at,
                                     .label = label + at,
                                     .targets = targets + at * K};
        status = ls_prediction_file_write(file, &rows);
    }
    return ls_prediction_file_finish(&file, status);
}

static void assert_text(const char *path, const char *expected)
{
    char *text = NULL;
    size_t length;
    assert_ok(ls_read_file(path, 4096, LS_ERR_DATA, &text, &length));
    assert_string_equal(text, expected);
    ls_free(text);
}

static void the_columns_follow_from_the_meaning(void **state)
{
    (void)state;
    unlink("p.csv");
    assert_ok(write_rows("p.csv", LS_MEANING_PROBABILITIES, false));
    assert_text("p.csv",
                "row,class,probability,p0,p1\n"
                "0,1,0.75,0.25,0.75\n1,0,1,1,0\n2,1,0.899999976,0.100000001,0.899999976\n");
    assert_ok(write_rows("p.csv", LS_MEANING_SCORES, true));
    assert_text("p.csv",
                "row,label,class,value,y0,y1\n"
                "0,1,1,0.75,0.25,0.75\n1,1,0,1,1,0\n2,0,1,0.899999976,0.100000001,0.899999976\n");
    assert_ok(write_rows("p.csv", LS_MEANING_VALUES, true));
    assert_text("p.csv", "row,t0,t1,y0,y1\n"
                         "0,1,2,0.25,0.75\n1,-3.5,4,1,0\n2,1e+09,6,0.100000001,0.899999976\n");
    assert_ok(write_rows("p.csv", LS_MEANING_VALUES, false));
    assert_text("p.csv", "row,y0,y1\n0,0.25,0.75\n1,1,0\n2,0.100000001,0.899999976\n");
    assert_ok(write_rows("p.csv", LS_MEANING_PROBABILITIES, false));
}

static void the_datasets_follow_from_the_meaning(void **state)
{
    (void)state;
    static const char *const names[] = {"probabilities", "values", "values"};
    unlink("p.h5");
    for (int meaning = LS_MEANING_PROBABILITIES; meaning <= LS_MEANING_VALUES; meaning++)
        for (int truth = 0; truth < 2; truth++) {
            float found[ROWS * K];
            int32_t classes[ROWS];
            ls_h5 *file = NULL;
            assert_ok(write_rows("p.h5", (ls_meaning)meaning, truth));
            assert_ok(ls_h5_open(&file, "p.h5"));
            assert_ok(ls_h5_read(file, names[meaning], LS_H5_F32, 0, ROWS, found));
            assert_memory_equal(found, y, sizeof y);
            const bool classed = meaning != LS_MEANING_VALUES;
            assert_true(ls_h5_has(file, "class") == classed);
            assert_true(ls_h5_has(file, "label") == (classed && truth));
            assert_true(ls_h5_has(file, "targets") == (!classed && truth));
            if (classed) {
                assert_ok(ls_h5_read(file, "class", LS_H5_I32, 0, ROWS, classes));
                assert_memory_equal(classes, predicted, sizeof predicted);
            } else if (truth) {
                assert_ok(ls_h5_read(file, "targets", LS_H5_F32, 0, ROWS, found));
                assert_memory_equal(found, targets, sizeof targets);
            }
            assert_ok(ls_h5_close(&file));
        }
}

static void a_failed_file_leaves_the_former_one(void **state)
{
    (void)state;
    static const char *const paths[] = {"f.csv", "f.h5"};
    for (int i = 0; i < 2; i++) {
        const ls_prediction_about about = {
            .rows = ROWS, .outputs = K, .checkpoint = "", .data = "", .split = ""};
        ls_prediction_file *file = NULL;
        char *before = NULL, *after = NULL;
        size_t length, again;
        unlink(paths[i]);
        assert_ok(write_rows(paths[i], LS_MEANING_PROBABILITIES, true));
        assert_ok(ls_read_file(paths[i], 1 << 20, LS_ERR_DATA, &before, &length));
        assert_ok(ls_prediction_file_create(&file, paths[i], &about));
        assert_fails(ls_prediction_file_finish(&file, ls_fail(LS_ERR_NUMERIC, "row 3")),
                     LS_ERR_NUMERIC, "row 3");
        assert_null(file);
        assert_ok(ls_read_file(paths[i], 1 << 20, LS_ERR_DATA, &after, &again));
        assert_true(length == again && memcmp(before, after, length) == 0);
        ls_free(before);
        ls_free(after);
    }
}

static void only_predictions_are_replaced(void **state)
{
    (void)state;
    assert_ok(ls_write_file("other.csv", "row,colour\n", 11));
    assert_fails(ls_prediction_file_check("other.csv"), LS_ERR_USAGE, "other.csv");
    assert_ok(ls_write_file("other.h5", "no HDF5", 7));
    assert_fails(ls_prediction_file_check("other.h5"), LS_ERR_USAGE, "does not hold predictions");
    assert_fails(ls_prediction_file_check("x.png"), LS_ERR_USAGE, "NAME.csv or NAME.h5");
    assert_fails(ls_prediction_file_check("none/x.csv"), LS_ERR_FAILURE, "none");
    assert_ok(ls_write_file("empty.csv", "", 0));
    assert_ok(ls_prediction_file_check("empty.csv"));
    assert_ok(ls_prediction_file_finish(&(ls_prediction_file *){NULL}, LS_OK));
}

static void predictions_that_are_read_are_not_replaced(void **state)
{
    (void)state;
    const ls_prediction_about about = {
        .rows = ROWS, .outputs = K, .checkpoint = "", .data = "other.h5,read*.h5", .split = ""};
    ls_prediction_file *file = NULL;
    assert_ok(write_rows("read1.h5", LS_MEANING_PROBABILITIES, true));
    assert_fails(ls_prediction_file_create(&file, "./read1.h5", &about), LS_ERR_USAGE,
                 "read1.h5: is to be read and to be written");
    assert_null(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_columns_follow_from_the_meaning),
        cmocka_unit_test(the_datasets_follow_from_the_meaning),
        cmocka_unit_test(a_failed_file_leaves_the_former_one),
        cmocka_unit_test(only_predictions_are_replaced),
        cmocka_unit_test(predictions_that_are_read_are_not_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
