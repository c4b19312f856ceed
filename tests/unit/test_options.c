#include "test.h"

#include "base/memory.h"
#include "cli/options.h"

#include <stdlib.h>
#include <string.h>

#include <lockstep/config.h>

typedef struct settings {
    const char *data, *model;
    int64_t batch;
    double lr, pair[2];
    int loss;
    bool quiet;
} settings;

static const ls_choice losses[] = {LS_LOSS_LIST(LS_CHOICE_ROW){NULL, NULL}};
static const ls_setting table[] = {
    {"data", "FILE", LS_TYPE_TEXT, .flags = LS_SETTING_REQUIRED, .offset = offsetof(settings, data),
     .group = "Heading", .help = "data"},
    {"model", "M", LS_TYPE_TEXT, .flags = LS_SETTING_ARGUMENT, .offset = offsetof(settings, model),
     .initial = "dense:10", .help = "model"},
    {"batch", "ROWS", LS_TYPE_INT, .offset = offsetof(settings, batch), .initial = "128", .min = 1,
     .max = 1000, .help = "batch"},
    {"lr", "RATE", LS_TYPE_REAL, .offset = offsetof(settings, lr), .initial = "0.001", .max = 10,
     .help = "lr"},
    {"pair", "A,B", LS_TYPE_PAIR, .offset = offsetof(settings, pair), .initial = "0,1", .max = 1e9,
     .flags = LS_SETTING_ABOVE, .help = "pair"},
    {"loss", "L", LS_TYPE_CHOICE, .offset = offsetof(settings, loss), .initial = "mse",
     .choices = losses, .help = "loss"},
    {"quiet", NULL, LS_TYPE_FLAG, LS_CHANGE_NOT_SAVED, offsetof(settings, quiet), .help = "quiet"},
    {0},
};
static const ls_option_table options = {table, false};

#define PARSE(options, ...)                                                                        \
    ls_options_parse_args(options, (int)(sizeof(char *[]){__VA_ARGS__} / sizeof(char *)),          \
                          (char *[]){__VA_ARGS__})

static const char printed[] =
    "data = a b.h5\nmodel = bare\nbatch = 9\nlr = 0.5\npair = 0.5,2\nloss = mse\n";

static void arguments_override_a_file_that_overrides_the_defaults(void **state)
{
    (void)state;
    settings s;
    ls_options *o;
    assert_ok(ls_options_create(&o, options, &s));
    assert_string_equal(s.model, "dense:10");
    assert_int_equal(s.batch, 128);
    assert_int_equal(s.loss, 1);
    assert_fails(ls_options_check(o), LS_ERR_USAGE, "--data is needed");
    assert_ok(ls_options_parse_file(o, "c.conf",
                                    "# comment\n\n data = a b.h5 \r\nlr=1e-2\n"
                                    "model = \"dense:3 relu # dense:10\"\nbatch = 7"));
    assert_string_equal(s.data, "a b.h5");
    assert_string_equal(s.model, "dense:3 relu # dense:10");
    assert_ok(PARSE(o, "--lr", "0.5", "--quiet", "--batch=9", "--pair", "0.5,2", "bare"));
    assert_true(s.lr == 0.5 && s.quiet && s.batch == 9 && s.pair[1] == 2);
    assert_string_equal(s.model, "bare");
    assert_ok(PARSE(o, "--lr", "0.30000000000000004"));
    char *exact = ls_options_text(o);
    assert_non_null(strstr(exact, "lr = 0.30000000000000004\n"));
    ls_free(exact);
    assert_ok(PARSE(o, "--lr", "0.5"));
    assert_ok(ls_options_check(o));
    char *text = ls_options_text(o);
    assert_string_equal(text, printed);
    ls_free(text);
    ls_options_destroy(&o);
}

static void printed_options_are_read_back(void **state)
{
    (void)state;
    settings s;
    ls_options *o;
    assert_ok(ls_options_create(&o, options, &s));
    assert_ok(ls_options_parse_file(o, "again", printed));
    char *again = ls_options_text(o);
    assert_string_equal(again, printed);
    ls_free(again);

    assert_ok(PARSE(o, "--data", " a ", "--model", "\"'\""));
    char *text = ls_options_text(o);
    assert_ok(ls_options_parse_file(o, "again", text));
    assert_string_equal(s.data, " a ");
    assert_string_equal(s.model, "\"'\"");
    ls_free(text);
    ls_options_destroy(&o);
}

/* The same value twice is accepted; the command line overrides a file. */
static void an_option_has_one_value(void **state)
{
    (void)state;
    settings s;
    ls_options *o;
    assert_ok(ls_options_create(&o, options, &s));
    assert_fails(PARSE(o, "--lr", "0.1", "--lr", "0.2"), LS_ERR_USAGE,
                 "--lr is given twice, as '0.1' and as '0.2'");
    assert_fails(PARSE(o, "--quiet", "--quiet=false"), LS_ERR_USAGE, "--quiet is given twice");
    assert_ok(PARSE(o, "--lr", "0.1", "--lr=0.1", "--quiet", "--quiet"));
    assert_fails(ls_options_parse_file(o, "f", "lr = 1\nbatch = 2\nlr = 2\n"), LS_ERR_USAGE,
                 "f line 3: lr is given twice, as '1' and as '2'");
    assert_ok(ls_options_parse_file(o, "f", "lr = 2\nbatch = 2\nlr = \"2\"\n"));
    assert_ok(PARSE(o, "--lr", "3"));
    assert_true(s.lr == 3 && s.batch == 2);
    ls_options_destroy(&o);
}

static void an_option_can_be_taken_from_train(void **state)
{
    (void)state;
    static const ls_setting own[] = {
        {"threads", .flags = LS_OPTION_AS_TRAIN, .offset = offsetof(settings, batch)},
        {"data", .flags = LS_OPTION_AS_TRAIN, .offset = offsetof(settings, data), .help = "rows"},
        {"lr", .flags = LS_OPTION_AS_TRAIN, .offset = offsetof(settings, lr), .initial = "0.5"},
        {0}};
    settings s;
    ls_options *o;
    char help[512] = "";
    assert_ok(ls_options_create(&o, (ls_option_table){own, false}, &s));
    assert_true(s.batch == 0 && s.lr == 0.5);
    assert_ok(ls_options_check(o)); /* only train needs data */
    assert_fails(PARSE(o, "--threads", "-1"), LS_ERR_USAGE, "too small");
    ls_options_destroy(&o);
    FILE *out = fmemopen(help, sizeof help, "w");
    assert_ok(ls_options_help((ls_option_table){own, false}, out));
    fclose(out);
    assert_non_null(strstr(help, "\nOptions\n  --threads N               BLAS threads"));
    assert_non_null(strstr(help, "  --data FILE               rows\n"));
    assert_non_null(strstr(help, " [0.5]\n"));
}

/* After the library's options of the same group. */
static void an_own_option_is_listed_in_its_group(void **state)
{
    (void)state;
    static const ls_setting own[] = {{"mine", "X", LS_TYPE_TEXT, .offset = sizeof(ls_train_config),
                                      .group = "Ranks", .help = "mine"},
                                     {0}};
    char *help = NULL;
    size_t size;
    FILE *out = open_memstream(&help, &size);
    assert_ok(ls_options_help((ls_option_table){own, true}, out));
    fclose(out);
    const char *ranks = strstr(help, "\nRanks\n"), *mine = strstr(help, "  --mine X");
    assert_true(ranks != NULL && ranks < mine && mine < strstr(help, "\nThis invocation\n"));
    assert_non_null(strstr(help, "  --optimizer NAME          optimizer [adam]\n"
                                 "                              sgd             gradient"));
    free(help);
}

static void unknown_options_get_a_suggestion(void **state)
{
    (void)state;
    settings s;
    ls_options *o;
    assert_ok(ls_options_create(&o, options, &s));
    assert_fails(PARSE(o, "--bacth", "3"), LS_ERR_USAGE,
                 "no option --bacth; did you mean --batch?");
    assert_fails(PARSE(o, "--zzzzzzz", "3"), LS_ERR_USAGE, "--zzzzzzz; --help lists them all");
    assert_fails(PARSE(o, "--hepl"), LS_ERR_USAGE, "no option --hepl; did you mean --help?");
    assert_fails(PARSE(o, "-b"), LS_ERR_USAGE, "no option -b");
    assert_fails(PARSE(o, "--batch-size", "3"), LS_ERR_USAGE,
                 "no option --batch-size; did you mean --batch?");
    assert_fails(PARSE(o, "--learning_rate=3"), LS_ERR_USAGE,
                 "no option --learning_rate; did you mean --lr?");
    assert_fails(PARSE(o, "--loss", "sparse_categorical_crossentropy"), LS_ERR_USAGE,
                 "is not one of: cross-entropy mse mae huber bce; did you mean cross-entropy?");
    assert_fails(PARSE(o, "--loss", "huber:2"), LS_ERR_USAGE, "is not one of: cross-entropy mse");
    assert_fails(PARSE(o, "-lr", "3"), LS_ERR_USAGE, "no option -lr; did you mean --lr?");
    assert_fails(PARSE(o, "---lr", "3"), LS_ERR_USAGE, "no option ---lr; did you mean --lr?");
    assert_fails(PARSE(o, "\u2014lr=3"), LS_ERR_USAGE, "no option \u2014lr; did you mean --lr?");
    assert_fails(PARSE(o, "\u2013\u2013batch", "3"), LS_ERR_USAGE, "; did you mean --batch?");
    assert_fails(PARSE(o, "-n", "3"), LS_ERR_USAGE, "no option -n; ranks are started by mpirun");
    char dashes[201];
    memset(dashes, '-', 200);
    dashes[200] = '\0';
    assert_fails(PARSE(o, "m", dashes), LS_ERR_USAGE, "unexpected argument '---");
    dashes[199] = 'x';
    assert_fails(PARSE(o, dashes), LS_ERR_USAGE, "no option ---");
    ls_options_destroy(&o);
}

#define CHECK_WORDS(options, ...)                                                                  \
    ls_options_check_words(options, (int)(sizeof(char *[]){__VA_ARGS__} / sizeof(char *)),         \
                           (char *[]){__VA_ARGS__})

/* A command line to which --help is appended is not complete, and may have wrong values. */
static void words_beside_help_are_known(void **state)
{
    (void)state;
    settings s;
    ls_options *o;
    assert_ok(ls_options_create(&o, options, &s));
    assert_ok(CHECK_WORDS(o, "--help"));
    assert_ok(CHECK_WORDS(o, "--help", "--all"));
    assert_ok(CHECK_WORDS(o, "--batch", "many", "m", "--quiet", "--data", "--help"));
    assert_ok(CHECK_WORDS(o, "-h", "--lr=", "--data", "--batch", "7"));
    assert_fails(CHECK_WORDS(o, "--help", "--al"), LS_ERR_USAGE, "did you mean --all?");
    assert_fails(CHECK_WORDS(o, "--help", "--all", "--foo"), LS_ERR_USAGE, "no option --foo");
    assert_fails(CHECK_WORDS(o, "-bacth", "3", "--help"), LS_ERR_USAGE, "did you mean --batch?");
    assert_fails(CHECK_WORDS(o, "m", "all", "--help"), LS_ERR_USAGE, "unexpected argument 'all'");
    assert_int_equal(s.batch, 128);
    ls_options_destroy(&o);
}

static void unexpected_arguments_are_explained(void **state)
{
    (void)state;
    settings s;
    ls_options *o;
    assert_ok(ls_options_create(&o, options, &s));
    assert_fails(PARSE(o, "m", "--data", "a", "b"), LS_ERR_USAGE,
                 "unexpected argument 'b': a value of several words needs quotes: --data "
                 "\"a b ...\"");
    assert_fails(PARSE(o, "m", "--batch", "3", "b"), LS_ERR_USAGE, "unexpected argument 'b'");
    assert_fails(PARSE(o, "m", "lr=0.5"), LS_ERR_USAGE,
                 "unexpected argument 'lr=0.5'; did you mean --lr=0.5?");
    ls_options_destroy(&o);
    assert_ok(ls_options_create(&o, options, &s));
    assert_fails(PARSE(o, "m", "none.h5"), LS_ERR_USAGE,
                 "unexpected argument 'none.h5'; did you mean --data none.h5?");
    assert_fails(PARSE(o, "m", "/proc/version"), LS_ERR_USAGE,
                 "did you mean --data /proc/version?");
    assert_fails(PARSE(o, "--data", "x.h5", "m", "none.h5"), LS_ERR_USAGE,
                 "unexpected argument 'none.h5'");
    ls_options_destroy(&o);
}

static void wrong_values_are_refused(void **state)
{
    (void)state;
    settings s;
    ls_options *o;
    assert_ok(ls_options_create(&o, options, &s));
    assert_fails(PARSE(o, "--batch"), LS_ERR_USAGE, "--batch needs a value: ROWS");
    assert_fails(PARSE(o, "--data", ""), LS_ERR_USAGE, "--data needs a value: FILE");
    assert_fails(PARSE(o, "--batch", "many"), LS_ERR_USAGE, "'many' is not a whole number");
    assert_fails(PARSE(o, "--batch", "1.5"), LS_ERR_USAGE, "not a whole number");
    assert_fails(PARSE(o, "--batch", ""), LS_ERR_USAGE, "not a whole number");
    assert_fails(PARSE(o, "--batch", "0"), LS_ERR_USAGE, "too small, the minimum is 1");
    assert_fails(PARSE(o, "--batch", "1001"), LS_ERR_USAGE, "too large, the maximum is 1000");
    assert_fails(PARSE(o, "--batch", "99999999999999999999"), LS_ERR_USAGE, "not a whole number");
    assert_fails(PARSE(o, "--lr", "nan"), LS_ERR_USAGE, "'nan' is not a number");
    assert_fails(PARSE(o, "--lr", "0.1x"), LS_ERR_USAGE, "not a number");
    assert_fails(PARSE(o, "--lr=-1"), LS_ERR_USAGE, "too small");
    assert_fails(PARSE(o, "--pair", "1"), LS_ERR_USAGE, "is not A,B");
    assert_fails(PARSE(o, "--pair", "1,0"), LS_ERR_USAGE, "second above 0");
    assert_fails(PARSE(o, "--loss", "hinge"), LS_ERR_USAGE, "not one of: cross-entropy mse");
    assert_fails(PARSE(o, "--quiet=yes"), LS_ERR_USAGE, "neither true nor false");
    assert_fails(PARSE(o, "--data", "a\nb"), LS_ERR_USAGE, "single line");
    assert_fails(PARSE(o, "one", "two"), LS_ERR_USAGE, "unexpected argument 'two'");
    ls_options_destroy(&o);
}

static void wrong_lines_of_a_file_are_refused(void **state)
{
    (void)state;
    settings s;
    ls_options *o;
    assert_ok(ls_options_create(&o, options, &s));
    assert_fails(ls_options_parse_file(o, "f", "lr = 1\nbatsh = 3\n"), LS_ERR_USAGE,
                 "f line 2: there is no key batsh; did you mean batch?");
    assert_fails(ls_options_parse_file(o, "f", "batch_size = 3"), LS_ERR_USAGE,
                 "f line 1: there is no key batch_size; did you mean batch?");
    assert_fails(ls_options_parse_file(o, "f", "lr\n"), LS_ERR_USAGE, "f line 1: 'lr' is not 'key");
    assert_fails(ls_options_parse_file(o, "f", "quiet = true"), LS_ERR_USAGE, "command line");
    ls_options_destroy(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_override_a_file_that_overrides_the_defaults),
        cmocka_unit_test(printed_options_are_read_back),
        cmocka_unit_test(an_option_has_one_value),
        cmocka_unit_test(an_option_can_be_taken_from_train),
        cmocka_unit_test(an_own_option_is_listed_in_its_group),
        cmocka_unit_test(unknown_options_get_a_suggestion),
        cmocka_unit_test(words_beside_help_are_known),
        cmocka_unit_test(unexpected_arguments_are_explained),
        cmocka_unit_test(wrong_values_are_refused),
        cmocka_unit_test(wrong_lines_of_a_file_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
