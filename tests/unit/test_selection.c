/* Selections of parts of datasets, as text. */
#include "test.h"

#include "data/selection.h"

#include <string.h>

static void parts_are_those_of_numpy(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        ls_range part[2]; /* of dimensions 1 and 2 of [9,10,4] */
        bool kept[2];
    } cases[] = {{"/a", {{0, 10}, {0, 4}}, {true, true}},
                 {"a[:]", {{0, 10}, {0, 4}}, {true, true}},
                 {"//a[:,2:5]", {{2, 3}, {0, 4}}, {true, true}},
                 {" /a [ : , -3: , 1 ] ", {{7, 3}, {1, 1}}, {true, false}},
                 {"/a[:,:-1,-1]", {{0, 9}, {3, 1}}, {true, false}},
                 {"/a[:,9,:]", {{9, 1}, {0, 4}}, {false, true}}};
    const ls_h5_shape shape = {LS_H5_F32, 3, {9, 10, 4}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ls_selections s;
        ls_range part[3];
        bool kept[3];
        assert_ok(ls_selections_parse(&s, "inputs", cases[i].text));
        assert_int_equal(s.count, 1);
        assert_string_equal(s.of[0].name, "a");
        assert_ok(ls_selection_apply(&s.of[0], "f.h5", &shape, part, kept));
        for (int d = 0; d < 2; d++) {
            assert_int_equal(part[d + 1].first, cases[i].part[d].first);
            assert_int_equal(part[d + 1].count, cases[i].part[d].count);
            assert_int_equal(kept[d + 1], cases[i].kept[d]);
        }
    }
}

static void commas_outside_brackets_join(void **state)
{
    (void)state;
    ls_selections s;
    assert_ok(ls_selections_parse(&s, "inputs", "/a[:,1,2],b/c , /d[:,:]"));
    assert_int_equal(s.count, 3);
    assert_string_equal(s.of[1].name, "b/c");
    assert_int_equal(s.of[2].slices, 2);
}

static void wrong_texts_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "/",
                                        ",a",
                                        "a,",
                                        "a[",
                                        "a[]",
                                        "a[:",
                                        "a[:,",
                                        "a[:,]",
                                        "a[1]",
                                        "a[0:5]",
                                        "a[:]b",
                                        "a[:,1:2:3]",
                                        "a[:,x]",
                                        "a[:,--1]",
                                        "a[:,:,:,:,:]",
                                        "a[:,99999999999999999999]"};
    static const char *const parts[] = {"a[:,10]",  "a[:,-11]",  "a[:,3:3]",
                                        "a[:,5:2]", "a[:,0:11]", "a[:,:,0]"};
    const ls_h5_shape shape = {LS_H5_F32, 2, {9, 10}};
    ls_selections s;
    ls_range part[2];
    bool kept[2];
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_fails(ls_selections_parse(&s, "inputs", texts[i]), LS_ERR_USAGE, "--inputs");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        assert_ok(ls_selections_parse(&s, "inputs", parts[i]));
        assert_fails(ls_selection_apply(&s.of[0], "f.h5", &shape, part, kept), LS_ERR_DATA,
                     "f.h5: '/a'");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(parts_are_those_of_numpy),
                                       cmocka_unit_test(commas_outside_brackets_join),
                                       cmocka_unit_test(wrong_texts_are_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
