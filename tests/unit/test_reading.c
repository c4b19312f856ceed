/* How a data set is read, from the settings that a checkpoint keeps. */
#include "test.h"

#include "base/memory.h"
#include "train/reading.h"

#include <lockstep/config.h>

#include <string.h>

static ls_status parse(const char *settings, ls_dataset_options *out, char **texts)
{
    ls_train_config config;
    const ls_status status = ls_reading_parse(&config, "a.h5", settings, texts);
    *out = ls_reading_options(&config);
    return status;
}

static void settings_of_an_old_checkpoint_divide_rows_as_then(void **state)
{
    ls_dataset_options o;
    char *texts = NULL;
    (void)state;
    assert_ok(parse("model = dense:3\nvalidation = 0.25\nhold-out = random\nseed = 5\nlr = 0.1\n",
                    &o, &texts));
    assert_true(o.validation == 0.25);
    assert_int_equal(o.hold_out, LS_HOLD_OUT_RANDOM);
    assert_int_equal(o.seed, 5);
    assert_string_equal(o.split, "");
    assert_string_equal(o.fold, "");
    assert_string_equal(o.test_rows, "");
    assert_string_equal(o.inputs, "");
    assert_false(ls_dataset_targets_are_inputs(&o));
    assert_ok(ls_dataset_check_options(&o));
    ls_free(texts);
}

static void settings_are_read_back(void **state)
{
    static const char *const pairs[][2] = {
        {"inputs", "/a[:,1:3],/b"}, {"targets", "inputs"},      {"fold", "2/5"},
        {"test-rows", "last:7"},    {"hold-out", "stratified"}, {"layout", "nhwc"}};
    ls_train_config config;
    ls_dataset_options o;
    char text[1 << 14], *texts = NULL;
    (void)state;
    ls_config_default(&config);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        assert_ok(ls_config_set(&config, pairs[i][0], pairs[i][1]));
    assert_true(ls_config_text(&config, text, sizeof text) < sizeof text);
    assert_ok(parse(text, &o, &texts));
    assert_string_equal(o.inputs, "/a[:,1:3],/b");
    assert_true(ls_dataset_targets_are_inputs(&o));
    assert_string_equal(o.fold, "2/5");
    assert_string_equal(o.test_rows, "last:7");
    assert_int_equal(o.hold_out, LS_HOLD_OUT_STRATIFIED);
    assert_int_equal(o.layout, LS_LAYOUT_NHWC);
    ls_free(texts);
}

static void a_value_of_a_newer_version_is_named(void **state)
{
    ls_dataset_options o;
    char *texts = NULL;
    (void)state;
    assert_fails(parse("hold-out = middle\n", &o, &texts), LS_ERR_DATA, "'--hold-out middle'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_of_an_old_checkpoint_divide_rows_as_then),
        cmocka_unit_test(settings_are_read_back),
        cmocka_unit_test(a_value_of_a_newer_version_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
