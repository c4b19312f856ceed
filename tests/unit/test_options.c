#include "test.h"

#include "base/memory.h"
#include "cli/options.h"

#include <string.h>

typedef struct settings {
    const char *data, *model;
    int64_t batch;
    double lr, pair[2];
    int loss;
    bool quiet;
} settings;

static const ls_option table[] = {
    {.type = LS_OPT_HEADING, .help = "Heading"},
    {"data", "FILE", LS_OPT_TEXT, LS_OPT_REQUIRED, offsetof(settings, data), .help = "data"},
    {"model", "M", LS_OPT_TEXT, LS_OPT_FIXED | LS_OPT_ARGUMENT, offsetof(settings, model),
     "dense:10", .help = "model"},
    {"batch", "ROWS", LS_OPT_INT, LS_OPT_FIXED, offsetof(settings, batch), "128", 1, 1000,
     .help = "batch"},
    {"lr", "RATE", LS_OPT_REAL, LS_OPT_FIXED, offsetof(settings, lr), "0.001", 0, 10, .help = "lr"},
    {"pair", "A,B", LS_OPT_PAIR, 0, offsetof(settings, pair), "0,1", 0, .help = "pair"},
    {"loss", "L", LS_OPT_CHOICE, 0, offsetof(settings, loss), "mse", .choices = "cross-entropy mse",
     .help = "loss"},
    {"quiet", NULL, LS_OPT_FLAG, LS_OPT_NOT_SAVED, offsetof(settings, quiet), .help = "quiet"},
    {0},
};

#define PARSE(options, ...)                                                                        \
    ls_options_parse_args(options, (int)(sizeof(char *[]){__VA_ARGS__} / sizeof(char *)),          \
                          (char *[]){__VA_ARGS__})

static void takes_defaults_files_and_arguments(void **state)
{
    (void)state;
    settings s;
    ls_options *o;
    assert_ok(ls_options_create(&o, table, &s));
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
    char *exact = ls_options_text(o, true);
    assert_non_null(strstr(exact, "lr = 0.30000000000000004\n"));
    ls_free(exact);
    assert_ok(PARSE(o, "--lr", "0.5"));
    assert_ok(ls_options_check(o));
    char *text = ls_options_text(o, false), *fixed = ls_options_text(o, true);
    assert_string_equal(text, "data = a b.h5\nmodel = bare\nbatch = 9\nlr = 0.5\npair = 0.5,2\n"
                              "loss = mse\n");
    assert_string_equal(fixed, "model = bare\nbatch = 9\nlr = 0.5\n");
    ls_free(fixed);
    ls_options_destroy(&o);

    /* What was printed can be fed back, and prints the same. */
    assert_ok(ls_options_create(&o, table, &s));
    assert_ok(ls_options_parse_file(o, "again", text));
    char *again = ls_options_text(o, false);
    assert_string_equal(again, text);
    ls_free(again);
    ls_free(text);

    /* Also texts that blanks or quotes are part of. */
    assert_ok(PARSE(o, "--data", " a ", "--model", "\"'\""));
    text = ls_options_text(o, false);
    assert_ok(ls_options_parse_file(o, "again", text));
    assert_string_equal(s.data, " a ");
    assert_string_equal(s.model, "\"'\"");
    ls_free(text);
    ls_options_destroy(&o);
}

static void refuses_what_is_wrong(void **state)
{
    (void)state;
    settings s;
    ls_options *o;
    assert_ok(ls_options_create(&o, table, &s));
    assert_fails(PARSE(o, "--bacth", "3"), LS_ERR_USAGE,
                 "no option --bacth; did you mean --batch?");
    assert_fails(PARSE(o, "--zzzzzzz", "3"), LS_ERR_USAGE, "--help lists them all");
    assert_fails(PARSE(o, "-b"), LS_ERR_USAGE, "no option -b");
    /* What other programs call it, too few dashes, and those of a word processor. */
    assert_fails(PARSE(o, "--batch-size", "3"), LS_ERR_USAGE,
                 "no option --batch-size; did you mean --batch?");
    assert_fails(PARSE(o, "--learning_rate=3"), LS_ERR_USAGE,
                 "no option --learning_rate; did you mean --lr?");
    assert_fails(PARSE(o, "--loss", "sparse_categorical_crossentropy"), LS_ERR_USAGE,
                 "is none of: cross-entropy mse; did you mean cross-entropy?");
    assert_fails(PARSE(o, "--loss", "huber"), LS_ERR_USAGE, "is none of: cross-entropy mse");
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
    /* A value without its quotes, files and keys as bare arguments. */
    assert_fails(PARSE(o, "m", "--data", "a", "b"), LS_ERR_USAGE,
                 "unexpected argument 'b': a value of several words stands in quotes, as --data "
                 "\"a b ...\"");
    assert_fails(PARSE(o, "m", "--batch", "3", "b"), LS_ERR_USAGE, "unexpected argument 'b'");
    assert_fails(PARSE(o, "m", "lr=0.5"), LS_ERR_USAGE,
                 "unexpected argument 'lr=0.5'; did you mean --lr=0.5?");
    ls_options_destroy(&o);
    assert_ok(ls_options_create(&o, table, &s));
    assert_fails(PARSE(o, "m", "none.h5"), LS_ERR_USAGE,
                 "unexpected argument 'none.h5'; did you mean --data none.h5?");
    assert_fails(PARSE(o, "m", "/proc/version"), LS_ERR_USAGE,
                 "did you mean --data /proc/version?");
    assert_fails(PARSE(o, "--data", "x.h5", "m", "none.h5"), LS_ERR_USAGE,
                 "unexpected argument 'none.h5'");
    assert_fails(PARSE(o, "--batch"), LS_ERR_USAGE, "--batch needs a value: ROWS");
    assert_fails(PARSE(o, "--data", ""), LS_ERR_USAGE, "--data: the FILE is empty");
    assert_fails(PARSE(o, "--batch", "many"), LS_ERR_USAGE, "'many' is not a whole number");
    assert_fails(PARSE(o, "--batch", "1.5"), LS_ERR_USAGE, "not a whole number");
    assert_fails(PARSE(o, "--batch", ""), LS_ERR_USAGE, "not a whole number");
    assert_fails(PARSE(o, "--batch", "0"), LS_ERR_USAGE, "too small, the least is 1");
    assert_fails(PARSE(o, "--batch", "1001"), LS_ERR_USAGE, "too large, the most is 1000");
    assert_fails(PARSE(o, "--batch", "99999999999999999999"), LS_ERR_USAGE, "not a whole number");
    assert_fails(PARSE(o, "--lr", "nan"), LS_ERR_USAGE, "'nan' is not a number");
    assert_fails(PARSE(o, "--lr", "0.1x"), LS_ERR_USAGE, "not a number");
    assert_fails(PARSE(o, "--lr=-1"), LS_ERR_USAGE, "too small");
    assert_fails(PARSE(o, "--pair", "1"), LS_ERR_USAGE, "is not A,B");
    assert_fails(PARSE(o, "--pair", "1,0"), LS_ERR_USAGE, "second above 0");
    assert_fails(PARSE(o, "--loss", "hinge"), LS_ERR_USAGE, "none of: cross-entropy mse");
    assert_fails(PARSE(o, "--quiet=yes"), LS_ERR_USAGE, "neither true nor false");
    assert_fails(PARSE(o, "--data", "a\nb"), LS_ERR_USAGE, "single line");
    assert_fails(PARSE(o, "one", "two"), LS_ERR_USAGE, "unexpected argument 'two'");
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(takes_defaults_files_and_arguments),
                                       cmocka_unit_test(refuses_what_is_wrong)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
