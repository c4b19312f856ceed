#include "test.h"

#include "base/show.h"
#include "base/utf8.h"
#include "cli/bar.h"
#include "cli/console.h"
#include "cli/ending.h"
#include "cli/metric_text.h"
#include "cli/suggest.h"

#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void assert_cleaned(const char *text, const char *expected)
{
    char copy[128];
    snprintf(copy, sizeof copy, "%s", text);
    ls_clean(copy);
    assert_string_equal(copy, expected);
    ls_clean(copy);
    assert_string_equal(copy, expected);
}

static void control_characters_and_invalid_utf8_are_replaced(void **state)
{
    (void)state;
    assert_cleaned("", "");
    assert_cleaned("plain ~", "plain ~");
    assert_cleaned("x\x1b[2J\x1b]0;title\x07\nlockstep: done", "x?[2J?]0;title? lockstep: done");
    assert_cleaned("\t\r\v\f\x7f\x01", "    ??");
    /* C1 in UTF-8, where a terminal takes U+009B for ESC [, and as a byte. */
    assert_cleaned("a\xc2\x9b"
                   "2Jb\xc2\x80\xc2\x9f\u00a0c",
                   "a??2Jb????\u00a0c");
    assert_cleaned("a\x9b"
                   "2Jb",
                   "a?2Jb");
    /* Valid UTF-8 of two, three and four bytes, up to the last code point, is unchanged. */
    assert_cleaned("naïve 数字 😀 \U0010ffff", "naïve 数字 😀 \U0010ffff");
    /* Invalid UTF-8: truncated, overlong, a surrogate, too large. */
    assert_cleaned("\xe6\x95", "??");
    assert_cleaned("\xc1\x9b \xc0\x8a", "?? ??");
    assert_cleaned("\xe0\x82\x9b", "???");
    assert_cleaned("\xed\xa0\x80 \xf4\x90\x80\x80 \xf8\x88\x80\x80\x80", "??? ???? ?????");
}

static void an_error_text_is_cleaned_and_valid_utf8(void **state)
{
    (void)state;
    char longer[2 * LS_ERROR_TEXT_MAX] = "";
    for (int i = 0; i < LS_ERROR_TEXT_MAX / 2; i++)
        strcat(longer, i == 0 ? "a" : "\u00fc");
    (void)ls_fail(LS_ERR_DATA, "%s\x1b[2J\xc2\x9b%s", longer, longer);
    for (const char *c = ls_error_text(); *c != '\0'; c += ls_utf8_length(c))
        assert_true(ls_utf8_length(c) > 0);
    assert_null(strpbrk(ls_error_text(), "\x1b"));
    assert_null(strstr(ls_error_text(), "\xc2\x9b"));
}

static void a_noun_is_plural_unless_the_number_is_1(void **state)
{
    (void)state;
    assert_string_equal(ls_counted(1, "rank").text, "1 rank");
    assert_string_equal(ls_counted(0, "rank").text, "0 ranks");
    assert_string_equal(ls_counted(2, "class").text, "2 classes");
    assert_string_equal(ls_counted(21, "epoch").text, "21 epochs");
}

static void a_text_is_cut_to_columns(void **state)
{
    (void)state;
    const struct {
        const char *text;
        int columns;
        const char *cut;
        int width;
    } cases[] = {
        {"", 4, "", 0},
        {"cats", 4, "cats", 4},
        {"catsx", 4, "cat\u2026", 4},
        {"\u00e4\u00f6\u00fc\u00df", 4, "\u00e4\u00f6\u00fc\u00df", 4},
        {"\u732b\u72ac", 4, "\u732b\u72ac", 4},
        {"\u732b\u72ac\u9ce5", 4, "\u732b\u2026", 3},
        {"e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301", 3},
        {"a\x1b[m", 4, "a?[m", 4},
        {"\xff\xfe", 4, "??", 2},
        {"ab", 0, "\u2026", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char cut[64];
        ls_cut(cases[i].text, cases[i].columns, cut, sizeof cut);
        assert_string_equal(cut, cases[i].cut);
        assert_int_equal(ls_text_columns(cut), cases[i].width);
    }
}

static void a_label_shows_blanks_and_control_characters(void **state)
{
    (void)state;
    const struct {
        const char *text, *label;
    } cases[] = {{"cat", "cat"},
                 {"", "''"},
                 {" ", "' '"},
                 {" a", " a"},
                 {"\n", "\\n"},
                 {"a\tb\r", "a\\tb\\r"},
                 {"\x1b[31m", "\\x1b[31m"},
                 {"\xc2\x9b\xff", "\\xc2\\x9b\\xff"},
                 {"\u732b\\", "\u732b\\"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char label[64];
        ls_label(cases[i].text, label, LS_LABEL_BYTES * strlen(cases[i].text) + 8);
        assert_string_equal(label, cases[i].label);
    }
    for (size_t size = 8; size < 20; size++) {
        char label[20];
        ls_label("\u732b\n\x1b\u732b\n\x1b", label, size);
        assert_true(strlen(label) < size);
        ls_label("                         ", label, size);
        assert_true(strlen(label) < size);
    }
}

static void a_text_is_cut_to_bytes_between_characters(void **state)
{
    (void)state;
    char text[64] = "e", cut[24];
    for (int i = 0; i < 20; i++)
        strcat(text, "\u0301");
    for (size_t size = 8; size <= sizeof cut; size++) {
        ls_cut(text, 10, cut, size);
        assert_true(strlen(cut) < size);
        for (const char *at = cut; *at != '\0'; at += ls_utf8_length(at))
            assert_true(ls_utf8_length(at) > 0);
    }
}

static void percentages_are_rounded(void **state)
{
    (void)state;
    assert_string_equal(ls_percent(0.346569).text, "34.7%");
    assert_string_equal(ls_percent(0).text, "0.0%");
    assert_string_equal(ls_percent(0.99996).text, "99.9%");
    assert_string_equal(ls_percent(1).text, "100.0%");
}

static void digits_are_grouped_by_thousands(void **state)
{
    (void)state;
    assert_string_equal(ls_grouped(0).text, "0");
    assert_string_equal(ls_grouped(999).text, "999");
    assert_string_equal(ls_grouped(1234567).text, "1,234,567");
    assert_string_equal(ls_grouped(-123456).text, "-123,456");
}

static ls_bar make_bar_in_epoch_3(void)
{
    ls_bar bar = {.epochs = 60, .rows = 1000, .interval = 0.1};
    assert_false(ls_bar_step(&bar, 10, 3, 50, 0.5));
    assert_false(ls_bar_step(&bar, 10.05, 3, 100, 0.5));
    assert_true(ls_bar_step(&bar, 12, 3, 450, 0.2));
    return bar;
}

static void a_bar_shows_the_parts_that_fit_the_width(void **state)
{
    (void)state;
    const ls_bar bar = make_bar_in_epoch_3();
    char text[LS_BAR_TEXT];
    /* 400 rows in 2 s; 550 rows and 57 epochs are left. */
    ls_bar_text(&bar, 12, 79, true, text);
    assert_string_equal(
        text, "epoch 3/60 [=========           ]   45 %  loss 0.4000  200 samples/s  4:47 left");
    ls_bar_text(&bar, 12, LS_BAR_TEXT, false, text);
    assert_string_equal(text, "epoch 3/60   45 %  loss 0.4000  200 samples/s  4:47 left");
    static const struct {
        int least; /* smallest width at which the part is shown */
        const char *part;
    } parts[] = {{10, "epoch 3/60"},
                 {17, "45 %"},
                 {28, "4:47 left"},
                 {41, "loss 0.4000"},
                 {67, "200 samples/s"}};
    for (int width = 0; width < 2 * LS_BAR_TEXT; width++) {
        ls_bar_text(&bar, 12, width, true, text);
        assert_true((int)strlen(text) <= width);
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
            assert_int_equal(strstr(text, parts[i].part) != NULL, width >= parts[i].least);
    }
    ls_bar_text(&bar, 12, -1, true, text);
    assert_string_equal(text, "");
}

static void a_bar_of_extreme_numbers_fits_any_width(void **state)
{
    (void)state;
    char text[LS_BAR_TEXT];
    const ls_bar wild = {.epochs = INT64_MAX,
                         .rows = INT64_MAX,
                         .epoch = INT64_MAX - 1,
                         .done = 2,
                         .first = 1,
                         .begin = 1,
                         .loss = 1e300,
                         .steps = 1};
    for (int width = 0; width < 2 * LS_BAR_TEXT; width++) {
        ls_bar_text(&wild, 1, width, true, text);
        assert_true((int)strlen(text) <= width);
        ls_bar_text(&wild, 2, width, true, text);
        assert_true((int)strlen(text) <= width);
    }
}

static void metrics_have_the_digits_that_they_need(void **state)
{
    (void)state;
    const struct {
        ls_metric metric;
        unsigned task;
        double value;
        const char *text;
    } cases[] = {
        {LS_METRIC_RMSE, LS_TASK_REGRESSION, 12345.6, "12345.6"},
        {LS_METRIC_MAE, LS_TASK_REGRESSION, 0.00012345678, "0.000123457"},
        {LS_METRIC_R2, LS_TASK_REGRESSION, 0.98, "0.9800"},
        {LS_METRIC_R2, LS_TASK_REGRESSION, -1.5e20, "-1.5e+20"},
        {LS_METRIC_LOSS, LS_TASK_REGRESSION, 1.23456789e-7, "1.2346e-07"},
        {LS_METRIC_LOSS, LS_TASK_CLASSIFICATION, 0.1, "0.1000"},
        {LS_METRIC_ACCURACY, LS_TASK_BINARY, 1, "1.0000"},
        {LS_METRIC_AUC, LS_TASK_BINARY, -(double)NAN, "nan"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(ls_metric_text(cases[i].metric, cases[i].task, cases[i].value).text,
                            cases[i].text);
    assert_string_equal(
        ls_column_text(ls_metrics_find("val_rmse", 8), LS_TASK_REGRESSION, 12345.6).text,
        "12345.6");
    assert_string_equal(ls_column_text(ls_metrics_find("lr", 2), LS_TASK_REGRESSION, 1e-3).text,
                        "0.001");
}

static void a_bar_shows_the_loss_of_a_regression(void **state)
{
    (void)state;
    char text[LS_BAR_TEXT];
    ls_bar bar = {.epochs = 2, .rows = 100, .task = LS_TASK_REGRESSION, .interval = 1};
    ls_bar_step(&bar, 1, 1, 50, 1.5e-6);
    ls_bar_text(&bar, 2, 79, true, text);
    assert_non_null(strstr(text, "  loss 1.5e-06  "));
}

static void a_progress_line_is_due_after_its_interval(void **state)
{
    (void)state;
    ls_bar bar = {.epochs = 2, .rows = 600, .interval = 60};
    int lines = 0;
    for (int64_t second = 0; second < 600; second++) /* a row a second */
        lines += ls_bar_step(&bar, (double)second, 1, second + 1, 1);
    assert_int_equal(lines, 9);
    char text[LS_BAR_TEXT];
    ls_bar_text(&bar, 599, LS_BAR_TEXT, false, text);
    assert_string_equal(text, "epoch 1/2  100 %  loss 1.0000  1 samples/s  10:00 left");
    /* A new epoch, or the same epoch again, restarts the interval. */
    assert_false(ls_bar_step(&bar, 700, 2, 100, 3));
    assert_true(ls_bar_step(&bar, 760, 2, 200, 5));
    assert_false(ls_bar_step(&bar, 1000, 2, 20, 7));
    assert_int_equal(bar.steps, 1);
}

/* Some lines. */
static void print_lines(void)
{
    ls_print(stdout, "  data      %s, a path: ", "name\nlockstep: \x1b[2Jdone");
    ls_print(stdout, "12 rows\n\n");
    ls_print(stdout, "note: words of a note\n");
    json_t *json = json_pack("{s:s}", "k", "\x1b\x7f\xc2\x9b\u00e9");
    ls_print_json(stdout, json);
    json_decref(json);
}

/* Lines of several columns. */
static void print_columns(void)
{
    ls_print(stdout, "epoch 1/2  loss 0.25  accuracy 0.5  best\n");
    ls_print(stdout, "              sgd    gradient descent with momentum\n");
}

/* Prints on a terminal of this width and reads the output back. */
static void print_on_terminal(int width, void (*print)(void), char out[1024])
{
    fflush(stdout);
    const int kept = dup(STDOUT_FILENO);
    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    const int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    const struct winsize size = {.ws_col = (unsigned short)width, .ws_row = 24};
    assert_int_equal(ioctl(terminal, TIOCSWINSZ, &size), 0);
    dup2(terminal, STDOUT_FILENO);
    print();
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    close(terminal);
    size_t length = 0;
    for (ssize_t got = 1; got > 0; length += got > 0 ? (size_t)got : 0) /* in pieces, until EIO */
        got = read(master, out + length, 1023 - length);
    out[length] = '\0';
    close(master);
}

static void lines_are_wrapped_at_the_width_and_hold_no_escape_sequence(void **state)
{
    (void)state;
    char text[1024];
    setenv("TERM", "xterm", 1);
    print_on_terminal(80, print_lines, text);
    assert_string_equal(text,
                        "  data      name lockstep: ?[2Jdone, a path: 12 rows\r\n\r\n"
                        "note: words of a note\r\n{\"k\":\"\\u001B\\u007F\\u009B\u00e9\"}\r\n");
    print_on_terminal(30, print_lines, text);
    assert_string_equal(text,
                        "  data      name lockstep:\r\n            ?[2Jdone, a path:\r\n"
                        "            12 rows\r\n\r\n"
                        "note: words of a note\r\n{\"k\":\"\\u001B\\u007F\\u009B\u00e9\"}\r\n");
    print_on_terminal(20, print_lines, text);
    assert_non_null(strstr(text, "\r\nnote: words of a\r\n  note\r\n"));
}

/* A line is cut between columns, not inside one, and continues under its second column. */
static void lines_of_columns_are_cut_between_columns(void **state)
{
    (void)state;
    char text[1024];
    setenv("TERM", "xterm", 1);
    print_on_terminal(36, print_columns, text);
    assert_string_equal(text, "epoch 1/2  loss 0.25  accuracy 0.5\r\n           best\r\n"
                              "              sgd    gradient\r\n"
                              "                     descent with\r\n"
                              "                     momentum\r\n");
    print_on_terminal(32, print_columns, text);
    assert_non_null(strstr(text, "epoch 1/2  loss 0.25\r\n           accuracy 0.5  best\r\n"));
}

static const char *name_at(const void *user, int at)
{
    const char *const *names = user;
    return names[at];
}

static void names_of_other_programs_are_translated(void **state)
{
    (void)state;
    const char *const train[] = {"", "data", "batch", "lr", "epochs", "resume", "schedule", NULL};
    const char *const eval[] = {"data", "checkpoint", NULL};
    static const struct {
        const char *theirs, *ours;
    } pairs[] = {{"batch-size", "batch"},     {"batch_size", "batch"},  {"learning_rate", "lr"},
                 {"Learning-Rate", "lr"},     {"num-epochs", "epochs"}, {"n_epochs", "epochs"},
                 {"lr-schedule", "schedule"}, {"dataset", "data"},      {"weights", "resume"},
                 {"epcohs", "epochs"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        assert_string_equal(ls_suggest(pairs[i].theirs, name_at, train), pairs[i].ours);
    assert_string_equal(ls_suggest("weights", name_at, eval), "checkpoint");
    assert_null(ls_suggest("batch-size", name_at, eval));
    assert_null(ls_suggest("", name_at, eval));
}

static void a_process_that_does_not_end_is_ended(void **state)
{
    (void)state;
    int status;
    char line[16] = "";
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(open("late", O_WRONLY | O_CREAT | O_TRUNC, 0666), STDERR_FILENO);
        ls_end_within(1, 75, "late\n");
        while (true)
            pause();
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 75);
    FILE *file = fopen("late", "r");
    assert_true(file != NULL && fgets(line, sizeof line, file) != NULL);
    fclose(file);
    assert_string_equal(line, "late\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_characters_and_invalid_utf8_are_replaced),
        cmocka_unit_test(an_error_text_is_cleaned_and_valid_utf8),
        cmocka_unit_test(a_noun_is_plural_unless_the_number_is_1),
        cmocka_unit_test(a_text_is_cut_to_columns),
        cmocka_unit_test(a_label_shows_blanks_and_control_characters),
        cmocka_unit_test(a_text_is_cut_to_bytes_between_characters),
        cmocka_unit_test(digits_are_grouped_by_thousands),
        cmocka_unit_test(percentages_are_rounded),
        cmocka_unit_test(a_bar_shows_the_parts_that_fit_the_width),
        cmocka_unit_test(a_bar_of_extreme_numbers_fits_any_width),
        cmocka_unit_test(metrics_have_the_digits_that_they_need),
        cmocka_unit_test(a_bar_shows_the_loss_of_a_regression),
        cmocka_unit_test(a_progress_line_is_due_after_its_interval),
        cmocka_unit_test(lines_are_wrapped_at_the_width_and_hold_no_escape_sequence),
        cmocka_unit_test(lines_of_columns_are_cut_between_columns),
        cmocka_unit_test(names_of_other_programs_are_translated),
        cmocka_unit_test(a_process_that_does_not_end_is_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
