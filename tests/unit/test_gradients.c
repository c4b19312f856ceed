/* Every layer and loss against finite differences. */
#include "test.h"

#include <lockstep/network.h>

#include "base/memory.h"
#include "base/rng.h"

#include <math.h>

enum { ROWS = 7, FEATURES = 6, CLASSES = 4 };

static double loss_at(ls_network *network, const float *params, const ls_batch *batch)
{
    return ls_network_loss(network, params, batch, NULL, (ls_need){0}).loss;
}

/* Central differences of all parameters, and the relative error of the gradient in the norm. */
static double relative_error(const char *model, ls_loss loss, double smoothing)
{
    const ls_shape input = {FEATURES, 1, 1};
    ls_network *network;
    ls_batch *batch;
    assert_ok(ls_network_create(&network, model, input, CLASSES, loss, ROWS));
    assert_ok(ls_batch_create(&batch, ROWS, FEATURES));
    ls_network_set_label_smoothing(network, smoothing);
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
        double error = relative_error(cases[i].model, cases[i].loss, 0);
        if (!(error < 1e-2))
            fail_msg("%s, loss %d: relative error %g", cases[i].model, (int)cases[i].loss, error);
    }
    assert_true(relative_error("dense:4", LS_CROSS_ENTROPY, 0.1) < 1e-2);
    assert_true(relative_error("dense:9 tanh dense:4 softmax", LS_CROSS_ENTROPY, 0.7) < 1e-2);
}

/* - sum over k of t log softmax(y), t being what Szegedy et al. say, in its plainest form; what is
 * said of an evaluation stays - log softmax(y)[label]. */
static void smoothed_labels_have_their_definition(void **state)
{
    (void)state;
    const double e = 0.3;
    ls_network *network;
    ls_batch *batch;
    float params[CLASSES * CLASSES + CLASSES] = {0};
    assert_ok(ls_network_create(&network, "dense:4", (ls_shape){CLASSES, 1, 1}, CLASSES,
                                LS_CROSS_ENTROPY, ROWS));
    assert_ok(ls_batch_create(&batch, ROWS, CLASSES));
    for (int k = 0; k < CLASSES; k++) /* the outputs are the inputs */
        params[k * CLASSES + k] = 1;
    double plain = 0, smoothed = 0;
    batch->rows = ROWS;
    for (int r = 0; r < ROWS; r++) {
        double y[CLASSES], sum = 0;
        batch->labels[r] = r % CLASSES;
        for (int k = 0; k < CLASSES; k++) {
            batch->x[r * CLASSES + k] = (float)(20 * ls_rng_uniform((uint64_t)r, (uint64_t)k) - 10);
            y[k] = (double)batch->x[r * CLASSES + k];
            sum += exp(y[k]);
        }
        for (int k = 0; k < CLASSES; k++) {
            const double hot = k == batch->labels[r] ? 1 : 0;
            plain -= hot * log(exp(y[k]) / sum);
            smoothed -= ((1 - e) * hot + e / CLASSES) * log(exp(y[k]) / sum);
        }
    }
    ls_network_set_label_smoothing(network, e);
    assert_near(loss_at(network, params, batch), smoothed, 1e-6, 0);
    assert_near(ls_network_evaluate(network, params, batch, NULL).loss, plain, 1e-6, 0);
    assert_true(fabs(smoothed - plain) > 0.1);
    ls_batch_destroy(&batch);
    ls_network_destroy(&network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(match_finite_differences),
                                       cmocka_unit_test(smoothed_labels_have_their_definition)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
