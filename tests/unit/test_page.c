/* The page of a run: finished or not, with any curves, with few and many classes. */
#include "cli/chart.h"
#include "cli/confusion.h"
#include "cli/page.h"
#include "cli/run_page.h"
#include "test.h"

#include "base/file.h"
#include "base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NASTY "<script>'\"&"

/* A page in memory. */
typedef struct sheet {
    FILE *out;
    char *text;
    size_t length;
} sheet;

static FILE *open_sheet(sheet *s)
{
    s->out = open_memstream(&s->text, &s->length);
    assert_non_null(s->out);
    return s->out;
}

static char *close_sheet(sheet *s)
{
    assert_int_equal(fclose(s->out), 0);
    return s->text;
}

static int count_occurrences(const char *text, const char *part)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
        count++;
    return count;
}

/* Asserts that the text contains the parts, up to NULL, in this order. */
static void assert_contains_in_order(const char *text, const char *const *parts)
{
    for (const char *at = text; *parts != NULL; parts++) {
        at = strstr(at, *parts);
        if (at == NULL)
            fail_msg("no '%s' where it belongs", *parts);
    }
}

static json_t *parse(const char *text)
{
    json_error_t error;
    json_t *object = json_loads(text, 0, &error);
    if (object == NULL)
        fail_msg("%s: %s", error.text, text);
    return object;
}

static char *write_page(const char *summary, bool finished, const ls_metrics *history,
                        int64_t epochs, const char *evaluation)
{
    sheet s;
    ls_run_material m = {.folder = "runs/" NASTY,
                         .run = {.finished = finished,
                                 .summary = parse(summary),
                                 .history = (ls_metrics *)(uintptr_t)history,
                                 .epochs = epochs},
                         .evaluation = evaluation != NULL ? parse(evaluation) : NULL};
    assert_ok(ls_run_page_write(open_sheet(&s), &m));
    json_decref(m.run.summary);
    json_decref(m.evaluation);
    return close_sheet(&s);
}

#define TEXT "<script>'\\\"&"
static const char summary[] =
    "{\"outcome\": \"" TEXT "\", \"best\": {\"epoch\": 2, \"monitor\": \"" TEXT "\"},"
    " \"final\": {\"loss\": 0.5}, \"diagnosis\": {\"what\": \"" TEXT "\", \"text\": \"" TEXT "\"},"
    " \"model\": {\"layers\": \"" TEXT "\"}, \"dataset\": {\"name\": \"" TEXT
    "\", \"path\": \"" TEXT "\", \"test_rows\": 0}, \"ranks\": 3, \"threads\": \"" TEXT
    "\", \"hosts\": [\"" TEXT "\", 7],"
    " \"versions\": {\"mpi\": \"" TEXT "\"}, \"config\": {\"" TEXT "\": \"" TEXT
    "\", \"lr\": 0.5, \"x\": null, \"epochs\": \"9\"}}";

static ls_metrics make_epoch(double epoch, double loss, double val_loss)
{
    ls_metrics m;
    double *values = (double *)(void *)&m;
    for (int i = 0; i < LS_METRICS_COLUMNS; i++)
        values[i] = NAN;
    m.epoch = epoch;
    m.loss = loss;
    m.val_loss = val_loss;
    m.accuracy = exp(-loss);
    m.val_accuracy = exp(-val_loss);
    return m;
}

static void sections_are_in_order_and_texts_are_escaped(void **state)
{
    (void)state;
    const ls_metrics history[] = {make_epoch(1, 1, 1), make_epoch(2, 0.5, 0.3),
                                  make_epoch(3, 0.2, 0.4)};
    char *page = write_page(summary, true, history, 3,
                            "{\"split\": \"test\", \"rows\": 4, \"accuracy\": 0.75, \"loss\": 0.5,"
                            " \"epoch\": 2, \"confusion\": [[2, 1], [0, 1]]}");
    assert_int_equal(count_occurrences(page, "<script"), 0);
    assert_true(count_occurrences(page, "&lt;script&gt;'&quot;&amp;") >= 14);
    static const char *const headings[] = {"<dl class=\"tiles\">",
                                           "test accuracy",
                                           ">0.7500<",
                                           "validation accuracy",
                                           ">0.7408<",
                                           "epochs<",
                                           ">3<",
                                           "time<",
                                           "ranks<",
                                           ">3<",
                                           "</dl>",
                                           "<h2>Curves",
                                           "<h2>Confusion",
                                           "Most confused",
                                           "<h2>Diagnosis",
                                           "<strong>",
                                           "<h2>Time",
                                           "<h2>Record",
                                           "MPI",
                                           "nodes",
                                           "<h2>Settings",
                                           "<th>lr</th>",
                                           "0.5",
                                           NULL};
    assert_contains_in_order(page, headings);
    assert_null(strstr(page, "is unfinished"));
    assert_non_null(strstr(page, "@media print"));
    free(page);
}

static void missing_results_are_explained(void **state)
{
    (void)state;
    const ls_metrics history[] = {make_epoch(1, 1, NAN)};
    char *page = write_page(summary, true, history, 1, NULL);
    assert_non_null(strstr(page, "the data set has no test rows"));
    assert_non_null(strstr(page, "no validation rows"));
    free(page);
}

static void an_unfinished_run_is_reported(void **state)
{
    (void)state;
    char *page = write_page("{\"outcome\": \"interrupted\", \"text\": \"stopped by SIGTERM\"}",
                            false, NULL, 0, NULL);
    static const char *const parts[] = {"This run is unfinished: it was interrupted",
                                        "its 0 finished epochs",
                                        "stopped by SIGTERM",
                                        "not evaluated",
                                        "no epoch has ended",
                                        "No epoch has been finished",
                                        "Nothing so far",
                                        NULL};
    assert_contains_in_order(page, parts);
    free(page);
    page = write_page("{}", false, NULL, 0, NULL);
    assert_non_null(strstr(page, "is still running, or was killed"));
    free(page);
}

static void a_run_without_errors_needs_no_image(void **state)
{
    (void)state;
    ls_run_material perfect = {.folder = "run",
                               .run.summary = parse("{}"),
                               .run.finished = true,
                               .evaluation = parse("{\"errors\": []}"),
                               .errors = "nowhere.png"};
    sheet s;
    assert_ok(ls_run_page_write(open_sheet(&s), &perfect));
    assert_non_null(strstr(close_sheet(&s), "None: every row is classified correctly."));
    free(s.text);
    json_decref(perfect.evaluation);
    perfect.evaluation = NULL;
    assert_fails(ls_run_page_write(open_sheet(&s), &perfect), LS_ERR_DATA, "nowhere.png");
    free(close_sheet(&s));
    json_decref(perfect.run.summary);
}

static void values_of_a_wrong_type_are_ignored(void **state)
{
    (void)state;
    const ls_metrics history[] = {make_epoch(1, 1, NAN)};
    char *page = write_page(
        "{\"best\": [], \"hosts\": {}, \"config\": 3, \"diagnosis\": \"x\"}", true, history, 1,
        "{\"split\": 1, \"rows\": \"x\", \"confusion\": [[1, -5], 3, [{}, 1e9, 2]]}");
    assert_non_null(strstr(page, "<h2>Settings"));
    free(page);
}

/* The evaluation may be edited by hand, or by another program. */
static void figures_of_any_content_are_drawn_or_left_out(void **state)
{
    (void)state;
    const ls_metrics history[] = {make_epoch(1, 1, NAN)};
    static const char *const evaluations[] = {
        "{\"outputs\": [{\"rmse\": 1}], \"plots\": [{\"output\": 0, \"points\": [[1e308, -1e308]],"
        " \"residuals\": {\"from\": -1e308, \"step\": 1e308, \"counts\": [1]}}]}",
        "{\"outputs\": [{\"rmse\": 0}], \"plots\": [{\"output\": 0, \"points\": [[0, 0], [0, 0]],"
        " \"residuals\": {\"from\": 0, \"step\": 0, \"counts\": [2]}}]}",
        "{\"outputs\": [{\"rmse\": 1}], \"plots\": [{\"output\": 0, \"points\": [[1e-300, 2e-300]],"
        " \"residuals\": {\"from\": 1e20, \"step\": 1e-9, \"counts\": [-5, 3]}}]}",
        "{\"outputs\": [3, {}], \"plots\": [[], 7, {\"points\": [1, [2], {}], \"residuals\": []}]}",
        "{\"outputs\": {}, \"plots\": {}, \"roc\": [[0, 0], [2, -3], [1e40, 1]], \"auc\": \"x\"}",
        "{\"roc\": [[0, 0], [0.5, 0.7], [1, 1]], \"auc\": 0.6, \"scores\": {\"of_class\": [1, 2]},"
        " \"confusion\": [[1, 0], [0, 1]], \"class_names\": [\"a\", 7], \"errors\": [1, "
        "{\"label\": 9}]}",
    };
    static const char *const tasks[] = {"classification", "binary", "multi-label", "regression"};
    for (size_t i = 0; i < sizeof evaluations / sizeof *evaluations; i++)
        for (size_t k = 0; k < sizeof tasks / sizeof *tasks; k++) {
            char text[64];
            snprintf(text, sizeof text, "{\"task\": \"%s\"}", tasks[k]);
            char *page = write_page(text, true, history, 1, evaluations[i]);
            assert_null(strstr(page, "nan\""));
            assert_null(strstr(page, "inf\""));
            assert_non_null(strstr(page, "<h2>Settings"));
            free(page);
        }
}

static void long_texts_are_not_truncated(void **state)
{
    (void)state;
    enum { LONG = 20000 };
    static char text[LONG + 64];
    strcpy(text, "{\"config\": {\"model\": \"");
    memset(text + strlen(text), 'x', LONG);
    strcat(text, "y\"}}");
    char *page = write_page(text, true, NULL, 0, NULL);
    assert_non_null(strstr(page, "xxy</code>"));
    free(page);
}

/* Returns a chart of losses and one of accuracies. */
static char *draw_charts(const double *validation, const double *training, int64_t count)
{
    sheet s;
    const ls_curve curves[] = {{"validation", validation, false}, {"training", training, true}};
    FILE *out = open_sheet(&s);
    ls_chart_curves(out, "loss", curves, count, 1);
    ls_chart_curves(out, "accuracy", curves, count, 1);
    return close_sheet(&s);
}

static void any_curves_are_drawn(void **state)
{
    (void)state;
    const double nan = (double)NAN;
    const struct {
        double validation[5], training[5];
        int64_t count;
        int charts, paths, dots;
    } cases[] = {
        {{0}, {0}, 0, 0, 0, 0},
        {{0.5}, {0.4}, 1, 2, 4, 6}, /* a dot each, and one of the best epoch */
        {{0.5, 0.4}, {0.4, 0.3}, 2, 2, 4, 2},
        {{nan, nan}, {0.4, 0.3}, 2, 2, 2, 0},
        {{nan, nan}, {nan, nan}, 2, 0, 0, 0},
        {{0.5, nan, 0.4, 0.3, nan}, {nan, (double)INFINITY, 0.4, nan, 0.3}, 5, 2, 4, 8},
        {{2.30, 2.31, 2.305}, {2.3, 2.3, 2.3}, 3, 2, 4, 2}, /* hardly changes */
        {{0, 0, 0}, {1, 1, 1}, 3, 2, 4, 2},
        {{1e30, 1e-30}, {3e8, 1}, 2, 2, 4, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *page = draw_charts(cases[i].validation, cases[i].training, cases[i].count);
        assert_int_equal(count_occurrences(page, "<svg"), cases[i].charts);
        assert_int_equal(count_occurrences(page, "<path"), cases[i].paths);
        assert_int_equal(count_occurrences(page, "<circle"), cases[i].dots);
        assert_int_equal(count_occurrences(page, "No epoch has a"), 2 - cases[i].charts);
        assert_int_equal(count_occurrences(page, "nan") + count_occurrences(page, "inf"), 0);
        /* The axis has labels. */
        assert_true(cases[i].charts == 0 || count_occurrences(page, "text-anchor=\"end\"") >= 4);
        free(page);
    }
}

/* The marks are at multiples of the step. */
static void marks_of_the_axis_enclose_all_values(void **state)
{
    (void)state;
    const double validation[] = {0.81, 0.85, 0.86}, training[] = {0.9, 0.985, 1};
    char *page = draw_charts(validation, training, 3);
    const char *accuracy = strstr(page, ">accuracy<");
    static const char *const marks[] = {">1</text>", ">0.95</text>", ">0.9</text>", ">0.85</text>",
                                        ">0.8</text>"};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        assert_non_null(strstr(accuracy, marks[i]));
    assert_int_equal(count_occurrences(accuracy, "text-anchor=\"end\""), 5);
    free(page);
}

/* Returns the number of column labels, and the least distance between them. */
static int count_column_labels(const char *page, double *least)
{
    int count = 0;
    double x, y, before = -INFINITY;
    *least = INFINITY;
    for (const char *at = page; (at = strstr(at, "<text x=\"")) != NULL; at++)
        if (sscanf(at, "<text x=\"%lf\" y=\"%lf\" text-anchor=\"middle\">", &x, &y) == 2 &&
            y == 51) {
            *least = fmin(*least, x - before);
            before = x;
            count++;
        }
    return count;
}

static void a_confusion_matrix_of_any_size_fits_the_page(void **state)
{
    (void)state;
    static int64_t counts[256 * 256];
    const struct {
        int classes, labels;
        bool numbers;
    } cases[] = {{1, 1, true},    {2, 2, true},     {10, 10, true},  {26, 26, true},
                 {47, 24, false}, {100, 20, false}, {256, 26, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int K = cases[i].classes;
        sheet s;
        double width, least;
        for (int k = 0; k < K * K; k++)
            counts[k] = k % (K + 1) == 0 ? 900 : k % 3;
        ls_chart_matrix(open_sheet(&s), counts, K, NULL, "rows");
        char *page = close_sheet(&s);
        assert_int_equal(sscanf(page, "<figure><svg width=\"%lf\"", &width), 1);
        assert_true(width <= 860);
        assert_int_equal(count_column_labels(page, &least), cases[i].labels);
        assert_true(least >= 16);
        assert_true((strstr(page, ">900</text>") != NULL) == cases[i].numbers);
        assert_int_equal(count_occurrences(page, "nan"), 0);
        free(page);
    }
}

static void names_of_classes_make_room_for_themselves(void **state)
{
    (void)state;
    static int64_t counts[256 * 256];
    static const char *names[256];
    for (int k = 0; k < 256; k++) {
        counts[257 * k] = 1;
        names[k] = k % 2 == 0 ? NASTY : "a name that is longer than the room for it";
    }
    for (int K = 2; K <= 256; K *= 2) {
        sheet s;
        double width, height;
        ls_chart_matrix(open_sheet(&s), counts, K, names, "steps");
        char *page = close_sheet(&s);
        assert_int_equal(
            sscanf(page, "<figure><svg width=\"%*f\" viewBox=\"0 0 %lf %lf\"", &width, &height), 2);
        assert_true(width <= 860 && height <= 860);
        assert_non_null(strstr(page, ">0 &lt;script&gt;'&quot;&amp;</text>"));
        assert_null(strstr(page, NASTY));
        assert_null(strstr(page, "longer than the room"));
        free(page);
    }
}

static void the_most_confused_classes_come_first(void **state)
{
    (void)state;
    const int64_t counts[4 * 4] = {90, 2, 0, 5, 7, 80, 5, 0, 0, 2, 70, 1, 5, 0, 9, 60};
    const ls_confused right[] = {{3, 2, 9}, {1, 0, 7}, {0, 3, 5}, {1, 2, 5},
                                 {3, 0, 5}, {0, 1, 2}, {2, 1, 2}, {2, 3, 1}};
    ls_confused found[16];
    for (int most = 1; most <= 16; most++) {
        const int count = ls_most_confused(counts, 4, most, found);
        assert_int_equal(count, most < 8 ? most : 8);
        assert_memory_equal(found, right, (size_t)count * sizeof *found);
    }
    assert_int_equal(ls_most_confused((const int64_t[]){3}, 1, 4, found), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_are_in_order_and_texts_are_escaped),
        cmocka_unit_test(missing_results_are_explained),
        cmocka_unit_test(an_unfinished_run_is_reported),
        cmocka_unit_test(a_run_without_errors_needs_no_image),
        cmocka_unit_test(values_of_a_wrong_type_are_ignored),
        cmocka_unit_test(figures_of_any_content_are_drawn_or_left_out),
        cmocka_unit_test(long_texts_are_not_truncated),
        cmocka_unit_test(any_curves_are_drawn),
        cmocka_unit_test(marks_of_the_axis_enclose_all_values),
        cmocka_unit_test(a_confusion_matrix_of_any_size_fits_the_page),
        cmocka_unit_test(names_of_classes_make_room_for_themselves),
        cmocka_unit_test(the_most_confused_classes_come_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
