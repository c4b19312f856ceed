/* Every layer and loss against finite differences. */
#include "test.h"

#include <lockstep/network.h>

#include "base/memory.h"
#include "base/rng.h"

#include <math.h>

enum { ROWS = 7, FEATURES = 6, CLASSES = 4 };

static double loss_at(ls_network *network, const float *params, const ls_batch *batch)
{
    return ls_network_evaluate(network, params, batch, NULL).loss;
}

/* Central differences of all parameters, and the relative error of the gradient in the norm. */
static double relative_error(const char *model, ls_loss loss)
{
    const ls_shape input = {FEATURES, 1, 1};
    ls_network *network;
    ls_batch *batch;
    assert_ok(ls_network_create(&network, model, input, CLASSES, loss, ROWS));
    assert_ok(ls_batch_create(&batch, ROWS, FEATURES));
    const int64_t size = ls_network_size(network);
    float *params = ls_alloc(size, sizeof *params), *grads = ls_alloc(size, sizeof *grads);
    ls_network_initialise(network, 5, params);
    for (int64_t i = 0; i < size; i++) /* biases too */
        params[i] += (float)(ls_rng_uniform(77, (uint64_t)i) - 0.5) * 0.4f;
    batch->rows = ROWS;
    for (uint64_t i = 0; i < ROWS; i++) {
        batch->labels[i] = (int32_t)(i % CLASSES);
        for (uint64_t j = 0; j < FEATURES; j++)
            batch->x[i * FEATURES + j] = (float)(2 * ls_rng_uniform(i, j) - 1);
    }
    ls_score score = ls_network_gradient(network, params, batch, grads);
    assert_near(score.loss, loss_at(network, params, batch), 1e-6, 0);
    double difference = 0, norm = 0;
    for (int64_t i = 0; i < size; i++) {
        const float kept = params[i], h = 2e-3f;
        params[i] = kept + h;
        double above = loss_at(network, params, batch), to = (double)params[i];
        params[i] = kept - h;
        double below = loss_at(network, params, batch), from = (double)params[i];
        params[i] = kept;
        double numeric = (above - below) / (to - from);
        difference += (numeric - (double)grads[i]) * (numeric - (double)grads[i]);
        norm += numeric * numeric;
    }
    assert_true(norm > 1e-4);
    ls_free(params);
    ls_free(grads);
    ls_batch_destroy(&batch);
    ls_network_destroy(&network);
    return sqrt(difference / norm);
}

static void match_finite_differences(void **state)
{
    (void)state;
    const struct {
        const char *model;
        ls_loss loss;
    } cases[] = {
        {"dense:4", LS_CROSS_ENTROPY},
        {"dense:4 softmax", LS_CROSS_ENTROPY},
        {"dense:9 relu dense:4", LS_CROSS_ENTROPY},
        {"dense:9 sigmoid dense:4", LS_CROSS_ENTROPY},
        {"dense:9 tanh dense:4", LS_CROSS_ENTROPY},
        {"dense:9 tanh dense:8 relu dense:5 sigmoid dense:4 softmax", LS_CROSS_ENTROPY},
        {"dense:4", LS_MSE},
        {"dense:4 softmax", LS_MSE},
        {"dense:4 sigmoid", LS_MSE},
        {"dense:4 tanh", LS_MSE},
        {"dense:9 tanh dense:4 relu", LS_MSE},
        {"relu dense:7 tanh dense:4 softmax", LS_MSE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double error = relative_error(cases[i].model, cases[i].loss);
        if (!(error < 1e-2))
            fail_msg("%s, loss %d: relative error %g", cases[i].model, (int)cases[i].loss, error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(match_finite_differences)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
