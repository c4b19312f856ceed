/* Classification by step: the loss against PyTorch's numbers, lengths, and what fits a network. */
#include "test.h"

#include "base/memory.h"
#include "nn/loss.h"
#include "nn/vocabulary.h"

#include <lockstep/network.h>

#include <math.h>
#include <string.h>

enum { B = 3, T = 3, K = 4 };

static int32_t row_lengths[B] = {3, 2, 0};
static float row_weights[B] = {1, 0.5f, 2};

/* Classes of steps; those beyond the lengths are no classes. */
static float classes[B * T] = {2, 0, 3, 1, 1, 999, -1, 1e30f, 999};

static ls_batch make_batch(bool weighted)
{
    static int32_t none[B];
    return (ls_batch){.rows = B,
                      .values = T,
                      .labels = none,
                      .targets = classes,
                      .lengths = row_lengths,
                      .weights = weighted ? row_weights : NULL};
}

static void fill_outputs(float y[B][T * K])
{
    for (int i = 0; i < T * K; i++) {
        y[0][i] = (float)((i * 7 + 3) % 11 - 5) / 4;
        y[1][i] = (float)((i * 5 + 1) % 13 - 6) / 3;
        y[2][i] = (float)((i * 3) % 7 - 3) / 2;
    }
}

/* torch.nn.functional.cross_entropy(label_smoothing=e) of the five steps, in float64. */
static void the_loss_of_steps_is_that_of_pytorch(void **state)
{
    (void)state;
    static const struct {
        double e, loss, weight;
        float dy_1_0[K], dy_0_2[K]; /* of row 1, step 0; of row 0, step 2 */
    } cases[] = {{0,
                  9.852671076,
                  5,
                  {0.02756807f, -0.85404113f, 0.77277779f, 0.05369527f},
                  {0.23453916f, 0.08628214f, 0.49651941f, -0.81734072f}},
                 {0,
                  6.947431271,
                  4,
                  {0.01378403f, -0.42702056f, 0.3863889f, 0.02684763f},
                  {0.23453916f, 0.08628214f, 0.49651941f, -0.81734072f}},
                 {0.1,
                  9.773504410,
                  5,
                  {0.00256807f, -0.77904113f, 0.74777779f, 0.02869527f},
                  {0.20953916f, 0.06128214f, 0.47151941f, -0.74234072f}},
                 {0.1,
                  6.951597938,
                  4,
                  {0.00128403f, -0.38952056f, 0.3738889f, 0.01434763f},
                  {0.20953916f, 0.06128214f, 0.47151941f, -0.74234072f}}};
    float y[B][T * K], dy[B][T * K];
    int32_t predicted[B * T];
    fill_outputs(y);
    for (int i = 0; i < 4; i++) {
        const ls_loss_terms terms = {
            .loss = LS_CROSS_ENTROPY, .outputs = K, .smoothing = cases[i].e};
        const ls_batch batch = make_batch(i % 2 == 1);
        const ls_score score = ls_loss_score(&terms, &batch, 0, B, y[0], dy[0], predicted);
        assert_near(score.loss, cases[i].loss, 1e-6, 0);
        assert_true(score.weight == cases[i].weight && score.steps == 5 && score.rows == B);
        assert_true(score.correct == 1);
        for (int k = 0; k < K; k++) {
            assert_near((double)dy[1][k], (double)cases[i].dy_1_0[k], 1e-5, 1e-6);
            assert_near((double)dy[0][2 * K + k], (double)cases[i].dy_0_2[k], 1e-5, 1e-6);
            assert_true(dy[1][2 * K + k] == 0);
        }
        for (int k = 0; k < T * K; k++)
            assert_true(dy[2][k] == 0);
        assert_true(predicted[5] == -1 && predicted[6] == -1 && predicted[8] == -1);
        assert_true(predicted[4] >= 0);
    }
}

static void a_batch_without_steps_has_the_loss_0(void **state)
{
    (void)state;
    float y[B][T * K], dy[B][T * K];
    int32_t none[B] = {0};
    for (int i = 0; i < B * T * K; i++)
        y[i / (T * K)][i % (T * K)] = NAN;
    const ls_loss_terms terms = {.loss = LS_CROSS_ENTROPY, .outputs = K};
    ls_batch batch = make_batch(false);
    batch.lengths = none;
    const ls_score score = ls_loss_score(&terms, &batch, 0, B, y[0], dy[0], NULL);
    assert_true(score.loss == 0 && score.weight == 0 && score.steps == 0 && score.rows == B);
    for (int i = 0; i < B * T * K; i++)
        assert_true(dy[i / (T * K)][i % (T * K)] == 0);
    const ls_task task = {.kind = LS_TASK_STEPS, .outputs = K, .unit = 1};
    assert_true(ls_metric_value(LS_METRIC_LOSS, &task, &score) == 0);
    assert_true(isnan(ls_metric_value(LS_METRIC_ACCURACY, &task, &score)));
}

static void metrics_are_means_over_steps(void **state)
{
    (void)state;
    const ls_score score = {
        .rows = 2, .loss = 10, .correct = 4, .top5 = 5, .weight = 5, .steps = 8};
    const ls_task task = {.kind = LS_TASK_STEPS, .outputs = 7, .unit = 1};
    assert_true(ls_metric_value(LS_METRIC_LOSS, &task, &score) == 2);
    assert_near(ls_metric_value(LS_METRIC_PERPLEXITY, &task, &score), exp(2), 1e-12, 0);
    assert_true(ls_metric_value(LS_METRIC_ACCURACY, &task, &score) == 0.5);
    assert_true(ls_metric_value(LS_METRIC_TOP5, &task, &score) == 0.625);
    const ls_task rows = {.kind = LS_TASK_CLASSIFICATION, .outputs = 7, .unit = 1};
    assert_true(isnan(ls_metric_value(LS_METRIC_PERPLEXITY, &rows, &score)));
    assert_string_equal(ls_task_name(LS_TASK_STEPS), "by step");
}

static void classes_of_steps_go_with_cross_entropy(void **state)
{
    (void)state;
    assert_int_equal(ls_loss_choose(LS_LOSS_AUTO, T, K), LS_CROSS_ENTROPY);
    assert_int_equal(ls_loss_outputs(LS_CROSS_ENTROPY, T, K), K);
    assert_int_equal(ls_loss_task(LS_CROSS_ENTROPY, T), LS_TASK_STEPS);
    assert_ok(ls_loss_check(LS_CROSS_ENTROPY, T, K));
    assert_fails(ls_loss_check(LS_MSE, T, K), LS_ERR_USAGE, "a class for each of 3 steps");
    assert_fails(ls_loss_check(LS_CROSS_ENTROPY, T, 0), LS_ERR_USAGE, "needs classes");
}

static ls_network *make_network(const char *model)
{
    ls_network *network;
    assert_ok(ls_network_create(&network, model, (ls_shape){T, 1, 1}, K, LS_CROSS_ENTROPY, B));
    return network;
}

static void outputs_by_step_need_targets_by_step(void **state)
{
    (void)state;
    ls_network *steps = make_network("embedding:3,9 lstm:5,all dense:4");
    ls_network *rows = make_network("embedding:3,9 lstm:5 dense:4");
    assert_true(ls_network_steps(steps) == T && ls_network_steps(rows) == 1);
    assert_int_equal(ls_network_outputs(steps), K);
    assert_ok(ls_network_check_targets(steps, T));
    assert_ok(ls_network_check_targets(rows, 0));
    assert_fails(ls_network_check_targets(rows, T), LS_ERR_USAGE, "give `all`");
    assert_fails(ls_network_check_targets(steps, 0), LS_ERR_USAGE, "add last");
    assert_fails(ls_network_check_targets(steps, T + 1), LS_ERR_USAGE, "the classes of 4");
    ls_network_destroy(&steps);
    ls_network_destroy(&rows);
    assert_fails(ls_network_create(&steps, "embedding:3,9 lstm:5,all dense:6", (ls_shape){T, 1, 1},
                                   K, LS_CROSS_ENTROPY, B),
                 LS_ERR_USAGE, "6 outputs in each of 3 steps but the data set has 4 classes");
}

static void lengths_need_the_same_steps_and_no_batchnorm(void **state)
{
    (void)state;
    ls_network *network = make_network("embedding:3,9 lstm:5,all layernorm dense:4");
    assert_ok(ls_network_check_lengths(network, T));
    assert_fails(ls_network_check_lengths(network, T + 1), LS_ERR_USAGE, "sequences of 3 steps");
    ls_network_destroy(&network);
    network = make_network("embedding:3,9 lstm:5,all batchnorm dense:4");
    assert_fails(ls_network_check_lengths(network, T), LS_ERR_USAGE, "use layernorm");
    ls_network_destroy(&network);
    network = make_network("embedding:3,9 lstm:5 batchnorm dense:4");
    assert_ok(ls_network_check_lengths(network, T));
    ls_network_destroy(&network);
}

/* The gradient of the loss with respect to each parameter, by finite differences; and the same bits
 * whatever the tokens beyond the lengths are. */
static void gradients_are_those_of_the_steps_that_count(void **state)
{
    (void)state;
    ls_network *network = make_network("embedding:3,9 lstm:5,all dense:4");
    const int64_t size = ls_network_size(network);
    float *params = ls_alloc(size, sizeof *params), *grads = ls_alloc(size, sizeof *grads);
    float *again = ls_alloc(size, sizeof *again);
    int64_t ids[B] = {0, 1, 2};
    float tokens[B * T] = {1, 8, 1, 5, 2, 0, 0, 0, 0};
    ls_batch batch = make_batch(true);
    batch.features = T;
    batch.x = tokens;
    batch.ids = ids;
    ls_network_initialise(network, 3, params);
    const ls_score score = ls_network_gradient(network, params, &batch, grads, NULL);
    assert_true(score.weight == 4);
    for (int64_t i = 0; i < size; i += 7) {
        const float kept = params[i], step = 1e-2f;
        double loss[2];
        for (int side = 0; side < 2; side++) {
            params[i] = kept + (side == 0 ? -step : step);
            loss[side] = ls_network_evaluate(network, params, &batch, NULL).loss;
        }
        params[i] = kept;
        assert_near((loss[1] - loss[0]) / (2 * (double)step), (double)grads[i], 2e-3, 2e-4);
    }
    tokens[5] = 7;
    tokens[6] = 1e30f;
    const ls_score other = ls_network_gradient(network, params, &batch, again, NULL);
    assert_true(other.loss == score.loss);
    assert_memory_equal(grads, again, (size_t)size * sizeof *grads);
    ls_free(params);
    ls_free(grads);
    ls_free(again);
    ls_network_destroy(&network);
}

static void assert_completed(const char *model, int64_t vocabulary, const char *expected)
{
    char *text = ls_model_complete(model, (ls_preset_data){.outputs = 3, .vocabulary = vocabulary});
    assert_string_equal(text, expected);
    ls_free(text);
}

/* As a checkpoint has it. */
static void a_model_without_vocabulary_gets_it(void **state)
{
    (void)state;
    assert_completed("embedding:8 lstm:4 dense:3", 30, "embedding:8,30 lstm:4 dense:3");
    assert_completed(" embedding:8\tlstm:4", 30, " embedding:8,30\tlstm:4");
    assert_completed("embedding:8", 7, "embedding:8,7");
    assert_completed("embedding:8,9 lstm:4 @a embedding:2", 7,
                     "embedding:8,9 lstm:4 @a embedding:2,7");
    assert_completed("dense:3", 7, "dense:3");
    assert_completed("embedding:8 dense:3", 0, "embedding:8 dense:3");
    assert_int_equal(ls_model_vocabulary("embedding:8,90 lstm:3 embedding:4,20"), 20);
    assert_int_equal(ls_model_vocabulary("embedding:8 lstm:3"), 0);
    assert_true(ls_model_reads_tokens("embedding:8 lstm:3"));
    assert_false(ls_model_reads_tokens("lstm:3 dense:4"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_loss_of_steps_is_that_of_pytorch),
        cmocka_unit_test(a_batch_without_steps_has_the_loss_0),
        cmocka_unit_test(metrics_are_means_over_steps),
        cmocka_unit_test(classes_of_steps_go_with_cross_entropy),
        cmocka_unit_test(outputs_by_step_need_targets_by_step),
        cmocka_unit_test(lengths_need_the_same_steps_and_no_batchnorm),
        cmocka_unit_test(a_model_without_vocabulary_gets_it),
        cmocka_unit_test(gradients_are_those_of_the_steps_that_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
