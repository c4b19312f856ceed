/* Metrics of rows that are spread over ranks: the same bits as one rank alone finds, and as their
 * definitions say. */
#include "mpi_test.h"

#include "base/memory.h"
#include "base/rng.h"
#include "nn/loss.h"
#include "train/rows.h"
#include "train/tally.h"

#include <math.h>
#include <string.h>

/* Rows of a split in memory: K outputs, and a class or K values, of each. */
typedef struct table {
    ls_loss loss;
    int64_t rows;
    int outputs, values;
    float *y, *targets;
    int32_t *labels;
} table;

static table make_table(ls_loss loss, int64_t rows, int outputs, int values)
{
    table t = {.loss = loss, .rows = rows, .outputs = outputs, .values = values};
    t.y = ls_alloc(rows * outputs, sizeof *t.y);
    t.targets = ls_alloc(rows * values, sizeof *t.targets);
    t.labels = ls_alloc(rows, sizeof *t.labels);
    return t;
}

static void free_table(table *t)
{
    ls_free(t->y);
    ls_free(t->targets);
    ls_free(t->labels);
}

static ls_network *make_network(const table *t)
{
    char model[32];
    ls_network *network;
    snprintf(model, sizeof model, "dense:%d", t->outputs);
    assert_ok(ls_network_create(&network, model, (ls_shape){1, 1, 1}, t->outputs, t->loss, 0));
    return network;
}

/* Adds a batch of the table. */
static void add_batch(ls_tally *tally, const table *t, ls_range range)
{
    const int64_t first = range.first;
    int32_t predicted[LS_EVALUATION_ROWS];
    const ls_batch batch = {.rows = range.count,
                            .values = t->values,
                            .labels = t->labels + first,
                            .targets = t->targets + first * t->values};
    const ls_loss_terms terms = {.loss = t->loss, .outputs = t->outputs, .delta = 1};
    const float *y = t->y + first * t->outputs;
    const ls_score score = ls_loss_score(&terms, &batch, 0, batch.rows, y, NULL, predicted);
    ls_tally_add(tally, &score, &batch, y, predicted);
}

/* Adds up this rank's rows, batch by batch, and sums over the ranks of `comm`. */
static void tally_rows(ls_tally **out, const ls_network *network, const table *t, ls_comm *comm)
{
    const ls_range mine = ls_evaluation_shard(t->rows, ls_comm_size(comm), ls_comm_rank(comm));
    const ls_batch begin = {
        .rows = mine.count, .values = t->values, .targets = t->targets + mine.first * t->values};
    assert_ok(ls_tally_create(out, network, t->values, mine.count));
    ls_tally_share_origin(*out, comm, &begin);
    for (int64_t done = 0; done < mine.count; done += LS_EVALUATION_ROWS) {
        const int64_t left = mine.count - done;
        add_batch(
            *out, t,
            (ls_range){mine.first + done, left < LS_EVALUATION_ROWS ? left : LS_EVALUATION_ROWS});
    }
    ls_tally_sum(*out, comm);
}

/* Evaluates a table on all ranks and on this rank alone, and asserts that all bits are the same.
 * output  [K] of a regression; may be NULL */
static void evaluate(const table *t, double metric[LS_METRICS], ls_output_score *output)
{
    ls_network *network = make_network(t);
    ls_tally *all, *alone;
    tally_rows(&all, network, t, world);
    tally_rows(&alone, network, t, self);
    for (int m = 0; m < LS_METRICS; m++) {
        const double one = ls_tally_metric(alone, (ls_metric)m);
        metric[m] = ls_tally_metric(all, (ls_metric)m);
        assert_true(metric[m] == one || (isnan(metric[m]) && isnan(one)));
    }
    for (int k = 0; output != NULL && k < t->outputs; k++) {
        const ls_output_score one = ls_tally_output(alone, k);
        output[k] = ls_tally_output(all, k);
        assert_memory_equal(&output[k], &one, sizeof one);
    }
    ls_tally_destroy(&all);
    ls_tally_destroy(&alone);
    ls_network_destroy(&network);
}

static double uniform(int64_t row, int at)
{
    return ls_rng_uniform((uint64_t)row, (uint64_t)at);
}

/* Sum over the pairs of a true and a false row: 1 if the true one is larger, 1/2 if equal. */
static double area_by_pairs(const table *t)
{
    double area = 0, pairs = 0;
    for (int64_t i = 0; i < t->rows; i++)
        for (int64_t j = 0; j < t->rows; j++)
            if (t->labels[i] == 1 && t->labels[j] == 0) {
                area += t->y[i] > t->y[j] ? 1 : t->y[i] == t->y[j] ? 0.5 : 0;
                pairs++;
            }
    return area / pairs;
}

static void auc_counts_pairs_and_halves_of_equal_ones(void **state)
{
    (void)state;
    double metric[LS_METRICS];
    for (int grid = 3; grid < 2000; grid *= 9) { /* few or many different outputs */
        table t = make_table(LS_BCE, 1500, 1, 0);
        for (int64_t i = 0; i < t.rows; i++) {
            t.labels[i] = uniform(i, 0) < 0.3;
            t.y[i] = (float)floor((uniform(i, 1) + 0.3 * t.labels[i]) * grid) - 1;
        }
        evaluate(&t, metric, NULL);
        assert_near(metric[LS_METRIC_AUC], area_by_pairs(&t), 1e-12, 0);
        assert_true(isnan(metric[LS_METRIC_R2]) && isnan(metric[LS_METRIC_TOP5]));
        free_table(&t);
    }
}

/* scikit-learn's example of roc_auc_score(): labels 0, 0, 1, 1, scores 0.1, 0.4, 0.35, 0.8. */
static void a_binary_task_reads_classes_and_values_alike(void **state)
{
    (void)state;
    static const float y[] = {0.1f, 0.4f, 0.35f, 0.8f};
    double of_class[LS_METRICS], of_value[LS_METRICS];
    table a = make_table(LS_BCE, 4, 1, 0), b = make_table(LS_BCE, 4, 1, 1);
    for (int i = 0; i < 4; i++) {
        a.y[i] = b.y[i] = y[i] - 0.375f;
        b.targets[i] = (float)(a.labels[i] = i > 1);
    }
    evaluate(&a, of_class, NULL);
    evaluate(&b, of_value, NULL);
    assert_memory_equal(of_class, of_value, sizeof of_class);
    assert_true(of_class[LS_METRIC_AUC] == 0.75);
    assert_true(of_class[LS_METRIC_ACCURACY] == 0.5);
    assert_true(of_class[LS_METRIC_BALANCED_ACCURACY] == 0.5);
    free_table(&a);
    free_table(&b);
}

/* Two classes with cross-entropy: the scores are differences of outputs, which are small integers,
 * so that many are equal. */
static void two_classes_are_ranked_by_the_difference_of_their_outputs(void **state)
{
    (void)state;
    double two[LS_METRICS], one[LS_METRICS], three[LS_METRICS];
    table a = make_table(LS_CROSS_ENTROPY, 1500, 2, 0), b = make_table(LS_BCE, 1500, 1, 0);
    table c = make_table(LS_CROSS_ENTROPY, 1500, 3, 0);
    for (int64_t i = 0; i < a.rows; i++) {
        a.labels[i] = b.labels[i] = uniform(i, 0) < 0.3;
        a.y[2 * i] = (float)floor(uniform(i, 1) * 20);
        a.y[2 * i + 1] = (float)floor((uniform(i, 2) + 0.3 * a.labels[i]) * 20);
        b.y[i] = a.y[2 * i + 1] - a.y[2 * i];
    }
    evaluate(&a, two, NULL);
    evaluate(&b, one, NULL);
    evaluate(&c, three, NULL);
    assert_true(two[LS_METRIC_AUC] == one[LS_METRIC_AUC]);
    assert_near(two[LS_METRIC_AUC], area_by_pairs(&b), 1e-12, 0);
    assert_true(two[LS_METRIC_ACCURACY] == one[LS_METRIC_ACCURACY]);
    assert_true(isnan(three[LS_METRIC_AUC]));
    free_table(&a);
    free_table(&b);
    free_table(&c);
}

static void auc_of_rows_of_one_class_is_undefined(void **state)
{
    (void)state;
    double metric[LS_METRICS];
    table t = make_table(LS_BCE, 200, 1, 0);
    evaluate(&t, metric, NULL);
    assert_true(isnan(metric[LS_METRIC_AUC]));
    assert_true(metric[LS_METRIC_BALANCED_ACCURACY] == 1 && metric[LS_METRIC_MACRO_F1] == 1);
    free_table(&t);
}

/* True classes 0 1 2 0 1 2, predicted 0 2 1 0 0 1: scikit-learn's example of f1_score(), whose
 * macro mean is 0.26667; the recalls are 1, 0, 0. Class 3 has neither rows nor predictions, class 4
 * has no rows: it counts in the mean of F1 with 0, but not in that of the recalls. */
static void means_over_classes_are_those_of_scikit_learn(void **state)
{
    (void)state;
    static const int truth[] = {0, 1, 2, 0, 1, 2, 0}, predicted[] = {0, 2, 1, 0, 0, 1, 4};
    double metric[LS_METRICS];
    for (int64_t rows = 6; rows <= 7; rows++) {
        table t = make_table(LS_CROSS_ENTROPY, rows, 5, 0);
        for (int64_t i = 0; i < rows; i++) {
            t.labels[i] = truth[i];
            t.y[i * 5 + predicted[i]] = 1;
        }
        evaluate(&t, metric, NULL);
        const double recall = rows == 6 ? 1 : 2.0 / 3;
        const double f1 = rows == 6 ? 0.8 / 3 : 2.0 * 2 / 6 / 4;
        assert_near(metric[LS_METRIC_MACRO_F1], f1, 1e-12, 0);
        assert_near(metric[LS_METRIC_BALANCED_ACCURACY], recall / 3, 1e-12, 0);
        free_table(&t);
    }
}

static void several_labels_are_scored_output_by_output(void **state)
{
    (void)state;
    enum { K = 3, ROWS = 700 };
    double metric[LS_METRICS], right = 0, f1 = 0, balanced = 0;
    table t = make_table(LS_BCE, ROWS, K, K);
    for (int64_t i = 0; i < ROWS * K; i++) {
        t.targets[i] = i % K == 2 ? 0.0f : uniform(i, 0) < 0.4; /* the last output is never true */
        t.y[i] = (float)(uniform(i, 1) - 0.5 + 0.3 * (double)t.targets[i]);
    }
    for (int k = 0; k < K; k++) {
        double n[2][2] = {{0}};
        for (int64_t i = k; i < ROWS * K; i += K)
            n[t.targets[i] > 0][t.y[i] > 0]++;
        right += n[0][0] + n[1][1];
        f1 += 2 * n[1][1] / (2 * n[1][1] + n[0][1] + n[1][0]) / K;
        const double of_false = n[0][0] / (n[0][0] + n[0][1]);
        balanced += (k == 2 ? of_false : (of_false + n[1][1] / (n[1][0] + n[1][1])) / 2) / K;
    }
    evaluate(&t, metric, NULL);
    assert_near(metric[LS_METRIC_ACCURACY], right / (ROWS * K), 1e-12, 0);
    assert_near(metric[LS_METRIC_MACRO_F1], f1, 1e-12, 0);
    assert_near(metric[LS_METRIC_BALANCED_ACCURACY], balanced, 1e-12, 0);
    assert_true(isnan(metric[LS_METRIC_AUC]));
    free_table(&t);
}

/* Evaluates a single output. */
static double r2_of(const float *targets, const float *y, int64_t rows)
{
    double metric[LS_METRICS];
    ls_output_score output;
    table t = make_table(LS_MSE, rows, 1, 1);
    memcpy(t.targets, targets, (size_t)rows * sizeof *targets);
    memcpy(t.y, y, (size_t)rows * sizeof *y);
    evaluate(&t, metric, &output);
    assert_true(output.r2 == metric[LS_METRIC_R2] || (rows == 1 && isnan(output.r2)));
    assert_true(isnan(metric[LS_METRIC_ACCURACY]) && isnan(metric[LS_METRIC_MACRO_F1]));
    free_table(&t);
    return metric[LS_METRIC_R2];
}

/* Figures of scikit-learn's r2_score() on the same numbers, the second in double precision of the
 * floats. Targets that hardly differ made another program say 82685. */
static void r2_is_that_of_scikit_learn(void **state)
{
    (void)state;
    static const float t[] = {3, -0.5f, 2, 7}, y[] = {2.5f, 0, 2, 8};
    static const float near_t[] = {-5.1608f, -5.1609f, -5.1608f, -5.1608f, -5.1608f, -5.1608f};
    static const float near_y[] = {-3.9865f, -5.4648f, -5.0238f, -4.3899f, -5.6672f, -4.7336f};
    assert_near(r2_of(t, y, 4), 0.9486081370449679, 1e-12, 0);
    assert_near(r2_of(near_t, near_y, 6), -301979052.4975578, 1e-9, 0);
    assert_true(isnan(r2_of(t, y, 1)));
    assert_true(r2_of(near_t + 2, near_y, 3) == 0); /* equal targets that are not met, and met */
    assert_true(r2_of(near_t + 2, near_t + 2, 3) == 1);
}

static void large_targets_that_hardly_differ_keep_their_digits(void **state)
{
    (void)state;
    enum { ROWS = 1000, K = 2 };
    double metric[LS_METRICS], errors[K] = {0}, spread[K] = {0}, mean[K] = {0};
    ls_output_score output[K];
    table t = make_table(LS_MAE, ROWS, K, K);
    for (int64_t i = 0; i < ROWS * K; i++) {
        t.targets[i] = (float)(-311030.0 * (double)(i % K) + 20 * uniform(i, 0) - 10);
        t.y[i] = t.targets[i] + (float)(8 * uniform(i, 1) - 4);
        mean[i % K] += (double)t.targets[i] / ROWS;
    }
    for (int64_t i = 0; i < ROWS * K; i++) {
        errors[i % K] += pow((double)t.y[i] - (double)t.targets[i], 2);
        spread[i % K] += pow((double)t.targets[i] - mean[i % K], 2);
    }
    evaluate(&t, metric, output);
    for (int k = 0; k < K; k++) {
        assert_near(output[k].r2, 1 - errors[k] / spread[k], 1e-9, 0);
        assert_near(output[k].rmse, sqrt(errors[k] / ROWS), 1e-12, 0);
    }
    assert_near(metric[LS_METRIC_R2], (output[0].r2 + output[1].r2) / 2, 1e-12, 0);
    assert_near(metric[LS_METRIC_MAE], (output[0].mae + output[1].mae) / 2, 1e-12, 0);
    assert_near(metric[LS_METRIC_RMSE], sqrt((errors[0] + errors[1]) / (ROWS * K)), 1e-12, 0);
    assert_near(metric[LS_METRIC_LOSS], metric[LS_METRIC_MAE], 1e-12, 0);
    free_table(&t);
}

/* A sum that is rounded to a quantum would lose them. */
static void small_errors_are_not_rounded_away(void **state)
{
    (void)state;
    double metric[LS_METRICS];
    ls_output_score output;
    table t = make_table(LS_MSE, 5000, 1, 1);
    for (int64_t i = 0; i < t.rows; i++)
        t.y[i] = t.targets[i] + 1e-6f;
    evaluate(&t, metric, &output);
    assert_near(metric[LS_METRIC_LOSS], 1e-12, 1e-5, 0);
    assert_near(metric[LS_METRIC_RMSE], 1e-6, 1e-5, 0);
    free_table(&t);
}

static void a_loss_that_is_not_finite_stays_so(void **state)
{
    (void)state;
    double metric[LS_METRICS];
    table t = make_table(LS_MSE, 300, 1, 1);
    t.y[280] = INFINITY;
    evaluate(&t, metric, NULL);
    assert_true(isinf(metric[LS_METRIC_LOSS]));
    t.y[280] = NAN;
    evaluate(&t, metric, NULL);
    assert_true(isnan(metric[LS_METRIC_LOSS]) && isnan(metric[LS_METRIC_R2]));
    free_table(&t);
}

MPI_TEST_MAIN(cmocka_unit_test(auc_counts_pairs_and_halves_of_equal_ones),
              cmocka_unit_test(a_binary_task_reads_classes_and_values_alike),
              cmocka_unit_test(two_classes_are_ranked_by_the_difference_of_their_outputs),
              cmocka_unit_test(auc_of_rows_of_one_class_is_undefined),
              cmocka_unit_test(means_over_classes_are_those_of_scikit_learn),
              cmocka_unit_test(several_labels_are_scored_output_by_output),
              cmocka_unit_test(r2_is_that_of_scikit_learn),
              cmocka_unit_test(large_targets_that_hardly_differ_keep_their_digits),
              cmocka_unit_test(small_errors_are_not_rounded_away),
              cmocka_unit_test(a_loss_that_is_not_finite_stays_so))
