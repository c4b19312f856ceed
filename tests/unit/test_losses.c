/* Losses of values and with weights against figures worked out by hand and definitions. */
#include "test.h"

#include "base/memory.h"
#include "base/rng.h"
#include "nn/loss.h"

#include <lockstep/network.h>

#include <math.h>
#include <string.h>

/* Returns the score of a row of values.
 * dy  [K]; may be NULL */
static ls_score score_values(ls_loss loss, double delta, int K, const float *y, const float *t,
                             float *dy)
{
    int32_t label = 0;
    float targets[8];
    memcpy(targets, t, (size_t)K * sizeof *t);
    const ls_batch batch = {.rows = 1, .values = K, .labels = &label, .targets = targets};
    const ls_loss_terms terms = {.loss = loss, .outputs = K, .delta = delta};
    return ls_loss_score(&terms, &batch, 0, 1, y, dy, NULL);
}

static double loss_of(ls_loss loss, double delta, float y, float t, float *dy)
{
    return score_values(loss, delta, 1, &y, &t, dy).loss;
}

static void bce_is_exact_for_large_logits(void **state)
{
    (void)state;
    static const struct {
        float y, t;
        double loss, dy;
    } cases[] = {
        {100, 0, 100, 1},
        {-100, 1, 100, -1},
        {100, 1, 0, 0},
        {-100, 0, 0, 0},
        {0, 0, 0.69314718, 0.5},
        {0, 1, 0.69314718, -0.5},
        {1e4f, 0, 1e4, 1},
        {-1e4f, 1, 1e4, -1},
        {2, 1, 0.12692801, -0.11920292},
        {2, 0.5f, 1.12692801, 0.38079708},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float dy;
        assert_near(loss_of(LS_BCE, 1, cases[i].y, cases[i].t, &dy), cases[i].loss, 1e-6, 1e-8);
        assert_near((double)dy, cases[i].dy, 1e-6, 1e-7);
    }
}

static void huber_is_a_parabola_and_then_straight(void **state)
{
    (void)state;
    static const struct {
        float delta, e;
        double loss, dy;
    } cases[] = {{1, 0.5f, 0.125, 0.5}, {1, 2, 1.5, 1},        {1, -3, 2.5, -1},
                 {1, 1, 0.5, 1},        {0.5f, 2, 0.875, 0.5}, {0.5f, 0, 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float dy;
        const double loss = loss_of(LS_HUBER, (double)cases[i].delta, 7 + cases[i].e, 7, &dy);
        assert_near(loss, cases[i].loss, 1e-7, 0);
        assert_near((double)dy, cases[i].dy, 1e-7, 0);
    }
}

static void the_gradient_of_mae_is_a_sign_and_0_at_0(void **state)
{
    (void)state;
    float dy;
    assert_true(loss_of(LS_MAE, 1, 3, 3, &dy) == 0 && dy == 0);
    assert_true(loss_of(LS_MAE, 1, 3, 5, &dy) == 2 && dy == -1);
    assert_true(loss_of(LS_MAE, 1, 3, -1, &dy) == 4 && dy == 1);
}

/* So a learning rate means the same for any number of outputs. */
static void losses_of_several_outputs_are_means(void **state)
{
    (void)state;
    const float y[] = {1, -2, 0.25f}, t[] = {0, 1, 1};
    for (int loss = LS_MSE; loss < LS_LOSSES; loss++) {
        float dy[3], one_dy;
        double mean = 0;
        const double all = score_values((ls_loss)loss, 1, 3, y, t, dy).loss;
        for (int k = 0; k < 3; k++) {
            mean += loss_of((ls_loss)loss, 1, y[k], t[k], &one_dy) / 3;
            assert_near((double)dy[k], (double)one_dy / 3, 1e-6, 0);
        }
        assert_near(all, mean, 1e-12, 0);
    }
}

/* A class is the one-hot vector of its values; with a single output it is the value itself. */
static void classes_are_one_hot_values(void **state)
{
    (void)state;
    const float y[] = {0.5f, -1, 2};
    for (int loss = LS_MSE; loss <= LS_HUBER; loss++)
        for (int32_t label = 0; label < 3; label++) {
            const float t[] = {label == 0, label == 1, label == 2};
            const ls_batch batch = {.rows = 1, .labels = &label};
            const ls_loss_terms terms = {.loss = (ls_loss)loss, .outputs = 3, .delta = 1};
            const ls_score of_class = ls_loss_score(&terms, &batch, 0, 1, y, NULL, NULL);
            assert_true(of_class.loss == score_values((ls_loss)loss, 1, 3, y, t, NULL).loss);
        }
    for (int32_t label = 0; label < 2; label++) {
        int32_t predicted;
        const float value = (float)label;
        const ls_batch batch = {.rows = 1, .labels = &label};
        const ls_loss_terms terms = {.loss = LS_BCE, .outputs = 1};
        const ls_score of_class = ls_loss_score(&terms, &batch, 0, 1, y, NULL, &predicted);
        assert_true(of_class.loss == loss_of(LS_BCE, 1, y[0], value, NULL));
        assert_int_equal(predicted, 1);
        assert_true(of_class.correct == label);
    }
}

/* Logits (.2,.3,.5), (.5,.2,.3), labels 2, 1 with the weights 6 and 4 of their classes: PyTorch's
 * nn.CrossEntropyLoss(weight, reduction="sum"), and "mean", which divides by the sum of weights. */
static void weighted_cross_entropy_divides_by_the_weights(void **state)
{
    (void)state;
    const float y[] = {0.2f, 0.3f, 0.5f, 0.5f, 0.2f, 0.3f};
    int32_t labels[] = {2, 1};
    float weights[] = {6, 4}, dy[6], plain[6];
    ls_batch batch = {.rows = 2, .labels = labels, .weights = weights};
    const ls_loss_terms terms = {.loss = LS_CROSS_ENTROPY, .outputs = 3};
    const ls_task task = {.kind = LS_TASK_CLASSIFICATION, .outputs = 3, .unit = 1};
    const ls_score score = ls_loss_score(&terms, &batch, 0, 2, y, dy, NULL);
    assert_near(score.loss, 10.59831, 1e-6, 0);
    assert_near(ls_metric_value(LS_METRIC_LOSS, &task, &score), 1.05983, 1e-5, 0);
    assert_true(score.rows == 2 && score.weight == 10 && score.correct == 1);
    batch.weights = NULL;
    (void)ls_loss_score(&terms, &batch, 0, 2, y, plain, NULL);
    for (int i = 0; i < 6; i++)
        assert_near((double)dy[i], (double)(weights[i / 3] * plain[i]), 1e-6, 0);
    for (int i = 0; i < 2; i++) { /* of one row the weight cancels */
        batch.weights = weights;
        const ls_score one = ls_loss_score(&terms, &batch, i, 1, y + 3 * i, NULL, NULL);
        batch.weights = NULL;
        const ls_score same = ls_loss_score(&terms, &batch, i, 1, y + 3 * i, NULL, NULL);
        assert_near(one.loss / one.weight, same.loss / same.weight, 1e-7, 0);
    }
}

static void rows_of_no_weight_have_no_loss(void **state)
{
    (void)state;
    const float y[] = {3, 1};
    float weights[] = {0}, dy[2];
    int32_t label = 1;
    const ls_batch batch = {.rows = 1, .labels = &label, .weights = weights};
    const ls_loss_terms terms = {.loss = LS_CROSS_ENTROPY, .outputs = 2};
    const ls_task task = {.kind = LS_TASK_CLASSIFICATION, .outputs = 2, .unit = 1};
    const ls_score score = ls_loss_score(&terms, &batch, 0, 1, y, dy, NULL);
    assert_true(dy[0] == 0 && dy[1] == 0 && score.rows == 1);
    assert_true(ls_metric_value(LS_METRIC_LOSS, &task, &score) == 0);
}

static void the_errors_of_a_regression_are_scaled_by_output(void **state)
{
    (void)state;
    ls_network *network;
    ls_batch *batch;
    const double scale[] = {0.5, 20};
    const float params[] = {0, 0, 1, -2}; /* weights, biases */
    assert_ok(ls_network_create(&network, "dense:2", (ls_shape){1, 1, 1}, 2, LS_MSE, 1));
    assert_ok(ls_batch_create(&batch, 1, 1, 2));
    assert_ok(ls_network_set_target_scale(network, scale));
    batch->rows = 1;
    batch->targets[0] = 3;
    batch->targets[1] = -1;
    const ls_score score = ls_network_evaluate(network, params, batch, NULL);
    const ls_task task = ls_network_task(network, 2);
    assert_int_equal(task.kind, LS_TASK_REGRESSION);
    assert_near(score.loss, (4 + 1) / 2.0, 1e-12, 0); /* of the values as they are */
    assert_near(ls_metric_value(LS_METRIC_MAE, &task, &score), (2 * 0.5 + 1 * 20) / 2, 1e-12, 0);
    assert_near(ls_metric_value(LS_METRIC_RMSE, &task, &score), sqrt((1.0 + 400) / 2), 1e-12, 0);
    assert_near(ls_network_target_scale(network, 0), 0.5, 1e-12, 0);
    assert_ok(ls_network_set_target_scale(network, NULL));
    assert_true(ls_network_target_scale(network, 1) == 1);
    ls_batch_destroy(&batch);
    ls_network_destroy(&network);
}

static void the_loss_is_chosen_by_the_targets(void **state)
{
    (void)state;
    assert_int_equal(ls_loss_choose(LS_LOSS_AUTO, 0, 10), LS_CROSS_ENTROPY);
    assert_int_equal(ls_loss_choose(LS_LOSS_AUTO, 3, 0), LS_MSE);
    assert_int_equal(ls_loss_choose(LS_BCE, 3, 0), LS_BCE);
    assert_int_equal(ls_loss_outputs(LS_BCE, 0, 2), 1);
    assert_int_equal(ls_loss_outputs(LS_BCE, 4, 0), 4);
    assert_int_equal(ls_loss_outputs(LS_MSE, 0, 2), 2);
    assert_int_equal(ls_loss_task(LS_BCE, 0), LS_TASK_BINARY);
    assert_int_equal(ls_loss_task(LS_BCE, 1), LS_TASK_BINARY);
    assert_int_equal(ls_loss_task(LS_BCE, 2), LS_TASK_MULTILABEL);
    assert_int_equal(ls_loss_task(LS_HUBER, 1), LS_TASK_REGRESSION);
    assert_int_equal(ls_loss_task(LS_MAE, 0), LS_TASK_CLASSIFICATION);
    assert_ok(ls_loss_check(LS_BCE, 0, 2));
    assert_ok(ls_loss_check(LS_BCE, 7, 0));
    assert_fails(ls_loss_check(LS_CROSS_ENTROPY, 1, 0), LS_ERR_USAGE, "needs classes");
    assert_fails(ls_loss_check(LS_BCE, 0, 10), LS_ERR_USAGE, "has 10 classes");
}

/* The loss has the sigmoid in it: another one before it would be a mistake. */
static void a_network_for_bce_ends_with_logits(void **state)
{
    (void)state;
    const ls_shape input = {3, 1, 1};
    ls_network *network = NULL;
    assert_fails(ls_network_create(&network, "dense:1 sigmoid", input, 1, LS_BCE, 1), LS_ERR_USAGE,
                 "word 2, 'sigmoid': bce takes logits");
    assert_fails(ls_network_create(&network, "dense:2", input, 1, LS_MSE, 1), LS_ERR_USAGE,
                 "has 2 outputs but the loss and the targets need 1 output: end with dense:1");
    assert_ok(ls_network_create(&network, "dense:1", input, 1, LS_BCE, 1));
    ls_network_destroy(&network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bce_is_exact_for_large_logits),
        cmocka_unit_test(huber_is_a_parabola_and_then_straight),
        cmocka_unit_test(the_gradient_of_mae_is_a_sign_and_0_at_0),
        cmocka_unit_test(losses_of_several_outputs_are_means),
        cmocka_unit_test(classes_are_one_hot_values),
        cmocka_unit_test(weighted_cross_entropy_divides_by_the_weights),
        cmocka_unit_test(rows_of_no_weight_have_no_loss),
        cmocka_unit_test(the_errors_of_a_regression_are_scaled_by_output),
        cmocka_unit_test(the_loss_is_chosen_by_the_targets),
        cmocka_unit_test(a_network_for_bce_ends_with_logits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
