#include "test.h"

#include <lockstep/network.h>
#include <lockstep/metrics.h>

#include "base/exact.h"
#include "nn/loss.h"
#include "run/run_log.h"

#include <math.h>
#include <string.h>

static int find_column(const char *name)
{
    return ls_metrics_find(name, strlen(name));
}

/* Other programs may read metrics.csv by column number. */
static void the_first_columns_never_move(void **state)
{
    (void)state;
    static const char *const names[] = {
        "epoch",      "loss",         "accuracy",           "val_loss",    "val_accuracy",
        "lr",         "seconds",      "samples_per_second", "compute_s",   "communicate_s",
        "exchange_s", "validation_s", "checkpoint_s",       "slowest_rank"};
    for (int i = 0; i < (int)(sizeof names / sizeof *names); i++)
        assert_string_equal(ls_metrics_name(i), names[i]);
}

static void every_column_is_found_by_its_name(void **state)
{
    (void)state;
    ls_metrics m = {0};
    for (int i = 0; i < LS_METRICS_COLUMNS; i++) {
        assert_int_equal(find_column(ls_metrics_name(i)), i);
        ls_metrics_set(&m, i, i + 0.5);
        assert_true(ls_metrics_value(&m, i) == i + 0.5);
    }
    assert_true(m.epoch == 0.5 && m.val_loss == find_column("val_loss") + 0.5);
    assert_int_equal(find_column("val_"), LS_METRICS_COLUMNS);
    assert_int_equal(ls_metrics_find("loss", 3), LS_METRICS_COLUMNS);
    assert_int_equal(find_column(""), LS_METRICS_COLUMNS);
}

static const ls_task ten_classes = {.kind = LS_TASK_CLASSIFICATION, .outputs = 10, .unit = 1};

/* NAME of the training rows, val_NAME of the validation rows; some metrics have the second only. */
static void each_metric_has_its_columns_and_monitors(void **state)
{
    (void)state;
    ls_metrics m;
    for (int i = 0; i < LS_METRICS_COLUMNS; i++)
        ls_metrics_set(&m, i, i);
    assert_int_equal(LS_MONITORS, LS_METRICS + LS_METRICS_TRAINED + 2);
    for (int i = 0; i < LS_MONITOR_EPOCH; i++) {
        const ls_monitor monitor = (ls_monitor)i;
        const ls_metric metric = ls_monitor_metric(monitor);
        const bool validation = ls_monitor_is_validation(monitor);
        char name[64];
        snprintf(name, sizeof name, "%s%s", validation ? "val_" : "",
                 ls_metric_describe(metric)->name);
        assert_string_equal(ls_monitor_name(monitor), name);
        assert_int_equal(ls_metrics_column(metric, validation), find_column(name));
        assert_true(ls_monitor_value(monitor, &m) == find_column(name));
        const ls_monitor training = ls_monitor_of_training(monitor);
        const bool evaluated = metric >= LS_METRICS_TRAINED;
        assert_int_equal(ls_metric_describe(metric)->finish == NULL, evaluated);
        assert_int_equal(training == LS_MONITORS, evaluated);
        if (evaluated)
            continue;
        assert_int_equal(ls_monitor_metric(training), metric);
        assert_false(ls_monitor_is_validation(training));
    }
    static const char *const names[] = {
#define NAME(value, name, help) [value] = (name),
        LS_MONITOR_LIST(NAME)
#undef NAME
    };
    for (int i = 0; i < LS_MONITOR_AUTO; i++)
        assert_string_equal(names[i], ls_monitor_name((ls_monitor)i));
    assert_int_equal(LS_MONITOR_VAL_LOSS, 0); /* the default of a zeroed configuration */
}

static void loss_and_accuracy_are_means_over_the_rows(void **state)
{
    (void)state;
    const ls_score score = {.rows = 8, .weight = 8, .loss = 3, .correct = 6}, none = {0};
    ls_metrics m = {.val_loss = 9};
    ls_metrics_set_score(&m, false, &ten_classes, &score);
    assert_true(m.loss == 3.0 / 8 && m.accuracy == 6.0 / 8 && m.val_loss == 9);
    ls_metrics_set_score(&m, true, &ten_classes, &none);
    assert_true(isnan(m.val_loss) && isnan(m.val_accuracy) && m.loss == 3.0 / 8);
    assert_int_equal(ls_metric_describe(LS_METRIC_LOSS)->better, LS_BETTER_LESS);
    assert_int_equal(ls_metric_describe(LS_METRIC_ACCURACY)->better, LS_BETTER_MORE);
}

/* Scores a row of a class.
 * dy  [K]; may be NULL */
static ls_score score_class(ls_loss loss, double smoothing, int K, const float *y, int32_t label,
                            float *dy)
{
    const ls_batch batch = {.rows = 1, .labels = &label};
    const ls_loss_terms terms = {.loss = loss, .outputs = K, .smoothing = smoothing, .delta = 1};
    return ls_loss_score(&terms, &batch, 0, 1, y, dy, NULL);
}

/* Of equal outputs the lower class comes first, as in the accuracy; NaN is never among the five. */
static void top5_is_the_label_among_the_five_largest(void **state)
{
    (void)state;
    enum { K = 7 };
    static const struct {
        float y[K];
        int32_t label;
        bool right;
    } cases[] = {
        {{7, 6, 5, 4, 3, 2, 1}, 4, true},     {{7, 6, 5, 4, 3, 2, 1}, 5, false},
        {{1, 2, 3, 4, 5, 6, 7}, 2, true},     {{1, 2, 3, 4, 5, 6, 7}, 1, false},
        {{0, 0, 0, 0, 0, 0, 0}, 4, true},     {{0, 0, 0, 0, 0, 0, 0}, 5, false},
        {{NAN, NAN, 5, 4, 3, 2, 1}, 4, true}, {{NAN, NAN, 5, 4, 3, 2, 1}, 5, false},
        {{1, 1, 1, 1, 1, 1, NAN}, 6, false},  {{-1, -2, -3, -4, -5, -6, -7}, 0, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int loss = 0; loss < LS_BCE; loss++) {
            const ls_score score =
                score_class((ls_loss)loss, 0, K, cases[i].y, cases[i].label, NULL);
            assert_true(score.top5 == cases[i].right);
        }
}

/* With up to five classes every label is among the five largest. */
static void top5_needs_more_than_five_classes(void **state)
{
    (void)state;
    const ls_score score = {.rows = 4, .loss = 2, .correct = 1, .top5 = 3};
    ls_metrics m = {0};
    ls_task task = {.kind = LS_TASK_CLASSIFICATION, .outputs = 5, .unit = 1};
    ls_metrics_set_score(&m, true, &task, &score);
    assert_true(isnan(m.val_top5) && m.val_accuracy == 0.25);
    task.outputs = 6;
    ls_metrics_set_score(&m, true, &task, &score);
    assert_true(m.val_top5 == 0.75);
}

/* Accuracy has no meaning for values, an error none for classes. */
static void a_task_has_the_columns_of_its_metrics(void **state)
{
    (void)state;
    static const struct {
        const char *column;
        unsigned tasks;
    } cases[] = {{"epoch", LS_TASK_ANY},
                 {"slowest_rank", LS_TASK_ANY},
                 {"val_loss", LS_TASK_ANY},
                 {"accuracy", LS_TASK_RIGHT},
                 {"val_top5", LS_TASK_ONE_OF},
                 {"perplexity", LS_TASK_STEPS},
                 {"rmse", LS_TASK_REGRESSION},
                 {"val_r2", LS_TASK_REGRESSION},
                 {"val_auc", LS_TASK_BINARY},
                 {"val_macro_f1", LS_TASK_LABELS},
                 {"generator_loss", LS_TASK_GENERATION},
                 {"val_score", LS_TASK_GENERATION}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (unsigned task = 1; task < LS_TASK_ANY; task *= 2)
            assert_int_equal(ls_metrics_has(find_column(cases[i].column), task),
                             (cases[i].tasks & task) != 0);
    assert_int_equal(find_column("auc"), LS_METRICS_COLUMNS);
    const ls_task two = {.kind = LS_TASK_CLASSIFICATION, .outputs = 2, .unit = 1},
                  ten = {.kind = LS_TASK_CLASSIFICATION, .outputs = 10, .unit = 1};
    assert_true(ls_metrics_has(find_column("val_auc"), ls_task_kinds(&two)));
    assert_false(ls_metrics_has(find_column("val_auc"), ls_task_kinds(&ten)));
    ls_task values = {.kind = LS_TASK_REGRESSION, .outputs = 2, .unit = 1};
    assert_false(ls_metrics_has(find_column("val_kl"), ls_task_kinds(&values)));
    values.variational = true;
    assert_true(ls_metrics_has(find_column("val_kl"), ls_task_kinds(&values)));
    assert_true(ls_metrics_has(find_column("val_score"), ls_task_kinds(&values)));
    assert_true(ls_metrics_has(find_column("rmse"), ls_task_kinds(&values)));
    assert_true(ls_metric_applies(LS_METRIC_AUC, &two) && !ls_metric_applies(LS_METRIC_AUC, &ten));
    assert_string_equal(ls_task_name(LS_TASK_MULTILABEL), "multi-label");
}

static void terms_of_a_bound_are_means_over_the_weights(void **state)
{
    (void)state;
    const ls_task task = {.kind = LS_TASK_REGRESSION, .outputs = 2, .unit = 1, .variational = true};
    const ls_score score = {.rows = 4, .weight = 2, .loss = 9, .reconstruction = 5, .kl = 1};
    ls_metrics m;
    ls_metrics_set_score(&m, false, &task, &score);
    assert_true(m.reconstruction == 2.5 && m.kl == 0.5 && m.elbo == -3 && m.loss == 4.5);
}

static void errors_of_values_are_in_the_targets_units(void **state)
{
    (void)state;
    const ls_task task = {.kind = LS_TASK_REGRESSION, .outputs = 2, .unit = 10};
    const ls_score score = {.rows = 4, .weight = 2, .loss = 3, .absolute = 2, .squares = 9};
    assert_true(ls_metric_value(LS_METRIC_LOSS, &task, &score) == 1.5); /* by weights */
    assert_true(ls_metric_value(LS_METRIC_MAE, &task, &score) == 5);
    assert_true(ls_metric_value(LS_METRIC_RMSE, &task, &score) == 15);
    assert_true(isnan(ls_metric_value(LS_METRIC_ACCURACY, &task, &score)));
    assert_true(isnan(ls_metric_value(LS_METRIC_R2, &task, &score))); /* of no score */
}

static void exact_sums_of_scores_do_not_depend_on_the_order(void **state)
{
    (void)state;
    enum { PARTS = 100 };
    const double quanta[] = {ls_exact_quantum(1e12),
                             ls_exact_quantum(100 * ls_exact_quantum(1e12))};
    ls_score up = {0}, down = {0}, plain = {0}, rest_up = {0}, rest_down = {0};
    for (int i = 0; i < PARTS; i++) {
        const ls_score a = {.rows = i, .loss = 1e-4 / (i + 3), .correct = (double)(i - i % 2) / 2};
        const int k = PARTS - 1 - i;
        const ls_score b = {.rows = k, .loss = 1e-4 / (k + 3), .correct = (double)(k - k % 2) / 2};
        ls_score_add_exact(&up, &rest_up, &a, quanta);
        ls_score_add_exact(&down, &rest_down, &b, quanta);
        ls_score_add(&plain, &a);
    }
    assert_memory_equal(&up, &down, sizeof up);
    assert_memory_equal(&rest_up, &rest_down, sizeof up);
    ls_score_add(&up, &rest_up);
    assert_true(up.rows == plain.rows && up.correct == plain.correct);
    assert_near(up.loss, plain.loss, 1e-12, 0);
}

static void a_score_is_copied_by_its_sums(void **state)
{
    (void)state;
    const ls_score up = {.rows = 4950, .loss = 4.5, .correct = 2450, .top5 = 3};
    double sums[LS_SUMS];
    ls_score copy = {.rows = up.rows};
    ls_score_get(&up, sums);
    ls_score_set(&copy, sums);
    assert_memory_equal(&copy, &up, sizeof up);
}

static void every_loss_is_found_by_its_name(void **state)
{
    (void)state;
    ls_loss loss = LS_MSE;
    for (int i = 0; i < LS_LOSSES; i++) {
        assert_true(ls_loss_find(ls_loss_name((ls_loss)i), &loss));
        assert_int_equal(loss, i);
    }
    assert_false(ls_loss_find("hinge", &loss));
    assert_string_equal(ls_loss_name(LS_CROSS_ENTROPY), "cross-entropy");
    assert_true(ls_loss_takes_logits(LS_CROSS_ENTROPY) && ls_loss_smooths(LS_CROSS_ENTROPY));
    assert_false(ls_loss_takes_logits(LS_MSE) || ls_loss_smooths(LS_MSE));
}

/* Other losses ignore the smoothing. */
static void only_cross_entropy_smooths_labels(void **state)
{
    (void)state;
    const float y[] = {1, 3, -1};
    for (int i = 0; i < LS_BCE; i++) {
        float dy[3], smooth_dy[3];
        const ls_score hard = score_class((ls_loss)i, 0, 3, y, 1, dy);
        const ls_score soft = score_class((ls_loss)i, 0.1, 3, y, 1, smooth_dy);
        const bool same = memcmp(dy, smooth_dy, sizeof dy) == 0;
        assert_int_equal(hard.loss == soft.loss, !ls_loss_smooths((ls_loss)i));
        assert_int_equal(same, !ls_loss_smooths((ls_loss)i));
        assert_true(hard.rows == 1 && hard.correct == 1 && soft.correct == 1);
    }
}

static void every_event_is_found_by_its_name(void **state)
{
    (void)state;
    for (int i = 0; i < LS_EVENTS; i++)
        assert_int_equal(ls_event_find(ls_event_name((ls_event)i)), i);
    assert_int_equal(ls_event_find("end"), LS_EVENT_END);
    assert_int_equal(ls_event_find("other"), LS_EVENTS);
    assert_int_equal(ls_event_find(NULL), LS_EVENTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_columns_never_move),
        cmocka_unit_test(every_column_is_found_by_its_name),
        cmocka_unit_test(each_metric_has_its_columns_and_monitors),
        cmocka_unit_test(loss_and_accuracy_are_means_over_the_rows),
        cmocka_unit_test(top5_is_the_label_among_the_five_largest),
        cmocka_unit_test(top5_needs_more_than_five_classes),
        cmocka_unit_test(a_task_has_the_columns_of_its_metrics),
        cmocka_unit_test(terms_of_a_bound_are_means_over_the_weights),
        cmocka_unit_test(errors_of_values_are_in_the_targets_units),
        cmocka_unit_test(exact_sums_of_scores_do_not_depend_on_the_order),
        cmocka_unit_test(a_score_is_copied_by_its_sums),
        cmocka_unit_test(every_loss_is_found_by_its_name),
        cmocka_unit_test(only_cross_entropy_smooths_labels),
        cmocka_unit_test(every_event_is_found_by_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
