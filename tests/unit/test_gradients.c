/* Every layer and loss against finite differences. */
#include "test.h"

#include <lockstep/network.h>

#include "base/memory.h"
#include "base/rng.h"
#include "nn/pass.h"

#include <math.h>
#include <string.h>

enum { ROWS = 7, CLASSES = 4 };
static const ls_shape features = {6, 1, 1}, image = {2, 7, 6};

/* Returns the loss in training mode. */
static double loss_at(ls_network *network, const float *params, const ls_batch *batch,
                      double smoothing)
{
    const ls_pass pass = {.key = 11, .label_smoothing = smoothing};
    return ls_network_loss(network, params, batch, &pass).loss;
}

/* Returns true if a parameter is a running statistic, which has no derivative. */
static bool is_running_statistic(const ls_network *network, int64_t at)
{
    int rows;
    const ls_param *param = ls_network_params(network, &rows);
    while (at >= param->offset + param->count)
        param++;
    return param->running_statistic;
}

/* A network with random rows and parameters. */
typedef struct problem {
    ls_network *network;
    ls_batch *batch;
    float *params, *grads, *dx;
    double smoothing;
} problem;

/* values  true: the targets are values, with bce from 0 to 1; and the rows have weights */
static problem make_problem(const char *model, ls_shape input, ls_loss loss, double smoothing,
                            bool values)
{
    const uint64_t FEATURES = (uint64_t)ls_shape_size(input);
    problem p = {.smoothing = smoothing};
    assert_ok(ls_network_create(&p.network, model, input, CLASSES, loss, ROWS));
    assert_ok(ls_batch_create(&p.batch, ROWS, (int64_t)FEATURES, values ? CLASSES : 0));
    if (values)
        assert_ok(ls_batch_add_weights(p.batch));
    ls_network_set_huber(p.network, 0.25);
    const int64_t size = ls_network_size(p.network);
    p.params = ls_alloc(size, sizeof *p.params);
    p.grads = ls_alloc(size, sizeof *p.grads);
    p.dx = ls_alloc(ROWS * (int64_t)FEATURES, sizeof *p.dx);
    ls_network_initialise(p.network, 5, p.params);
    for (int64_t i = 0; i < size; i++) /* biases too */
        p.params[i] += (float)(ls_rng_uniform(77, (uint64_t)i) - 0.5) * 0.4f;
    p.batch->rows = ROWS;
    for (uint64_t i = 0; i < ROWS; i++) {
        p.batch->labels[i] = (int32_t)(i % CLASSES);
        p.batch->ids[i] = (int64_t)(100 + i);
        if (values)
            p.batch->weights[i] = (float)i / 2;
        for (uint64_t k = 0; values && k < CLASSES; k++)
            p.batch->targets[i * CLASSES + k] = (float)ls_rng_uniform(200 + i, k);
        for (uint64_t j = 0; j < FEATURES; j++)
            p.batch->x[i * FEATURES + j] = (float)(2 * ls_rng_uniform(i, j) - 1);
    }
    if (ls_network_channels_last(p.network))
        ls_batch_to_channels_last(p.batch, input.channels, input.height * input.width);
    return p;
}

static void free_problem(problem *p)
{
    ls_free(p->params);
    ls_free(p->grads);
    ls_free(p->dx);
    ls_batch_destroy(&p->batch);
    ls_network_destroy(&p->network);
}

static double loss_of(const problem *p)
{
    return loss_at(p->network, p->params, p->batch, p->smoothing);
}

/* Computes the gradients of parameters and inputs. */
static void differentiate(const problem *p)
{
    const ls_pass pass = {.key = 11, .label_smoothing = p->smoothing, .input_gradient = p->dx};
    ls_score score = ls_network_loss(p->network, p->params, p->batch, &pass);
    ls_network_backward(p->network, p->params, p->batch, &pass, p->grads);
    assert_near(score.loss, loss_of(p), 1e-6, 0);
}

/* Returns the central difference of the loss in one parameter or input. */
static double central_difference(const problem *p, float *number)
{
    const float kept = *number, h = 2e-3f;
    *number = kept + h;
    const double above = loss_of(p), to = (double)*number;
    *number = kept - h;
    const double below = loss_of(p), from = (double)*number;
    *number = kept;
    return (above - below) / (to - from);
}

/* Stride over the checked parameters: small enough to find an error in the norm. */
static int check_stride(void)
{
    return 1 + test_stride() / 3;
}

/* Returns the relative error, in the 2-norm, of the gradient of all parameters. */
static double relative_error(const char *model, ls_shape input, ls_loss loss, double smoothing,
                             bool values)
{
    problem p = make_problem(model, input, loss, smoothing, values);
    double difference = 0, norm = 0;
    differentiate(&p);
    for (int64_t i = 0; i < ls_network_size(p.network); i += check_stride()) {
        if (is_running_statistic(p.network, i))
            continue;
        const double numeric = central_difference(&p, &p.params[i]);
        difference += (numeric - (double)p.grads[i]) * (numeric - (double)p.grads[i]);
        norm += numeric * numeric;
    }
    assert_true(norm > 1e-4);
    free_problem(&p);
    return sqrt(difference / norm);
}

/* Gives the rows of a problem sequences of several lengths: all steps, some, none. */
static void set_lengths(const problem *p)
{
    static const int32_t lengths[ROWS] = {7, 3, 0, 1, 5, 6, 2};
    p->batch->lengths = ls_alloc(ROWS, sizeof *p->batch->lengths);
    memcpy(p->batch->lengths, lengths, sizeof lengths);
}

/* Returns the relative error, in the 2-norm, of the gradient of all inputs. */
static double input_relative_error(const char *model, ls_shape input, bool lengths)
{
    problem p = make_problem(model, input, LS_CROSS_ENTROPY, 0, false);
    if (lengths)
        set_lengths(&p);
    const int64_t FEATURES = ls_shape_size(input);
    double difference = 0, norm = 0;
    differentiate(&p);
    for (int64_t i = 0; i < ROWS * FEATURES; i += check_stride()) {
        const double numeric = central_difference(&p, &p.batch->x[i]);
        difference += (numeric - (double)p.dx[i]) * (numeric - (double)p.dx[i]);
        norm += numeric * numeric;
    }
    assert_true(norm > 1e-4);
    free_problem(&p);
    return sqrt(difference / norm);
}

static const struct {
    const char *model;
    ls_loss loss;
    bool of_image;
} gradient_cases[] = {
    {"dense:4", LS_CROSS_ENTROPY, false},
    {"dense:4 softmax", LS_CROSS_ENTROPY, false},
    {"dense:9 relu dense:4", LS_CROSS_ENTROPY, false},
    {"dense:9 leaky-relu dense:4", LS_CROSS_ENTROPY, false},
    {"dense:9 gelu dense:4", LS_CROSS_ENTROPY, false},
    {"dense:9 silu dense:4", LS_CROSS_ENTROPY, false},
    {"dense:9 sigmoid dense:4", LS_CROSS_ENTROPY, false},
    {"dense:9 tanh dense:4", LS_CROSS_ENTROPY, false},
    {"dense:9 tanh dense:8 relu dense:5 sigmoid dense:4 softmax", LS_CROSS_ENTROPY, false},
    {"dense:9 tanh dropout:0.4 dense:4", LS_CROSS_ENTROPY, false},
    {"noise:0.3 dense:9 tanh noise:2 dense:4", LS_CROSS_ENTROPY, false},
    {"conv:2x3,1,1 noise:0.5 :a batchnorm relu noise:0.1 +a globalpool dense:4", LS_MSE, true},
    {"dense:9 tanh dense:8 gaussian dense:4", LS_CROSS_ENTROPY, false},
    {"dense:6 gaussian:0.5 dense:9 batchnorm tanh dense:4", LS_MSE, false},
    {"dense:9 batchnorm tanh dense:4", LS_CROSS_ENTROPY, false},
    {"dense:9 batchnorm relu dense:4 batchnorm", LS_CROSS_ENTROPY, false},
    {"dense:4", LS_MSE, false},
    {"dense:4 softmax", LS_MSE, false},
    {"dense:4 sigmoid", LS_MSE, false},
    {"dense:4 tanh", LS_MSE, false},
    {"dense:9 tanh dense:4 relu", LS_MSE, false},
    {"relu dense:7 tanh dense:4 softmax", LS_MSE, false},
    {"conv:3x3 flatten dense:4", LS_CROSS_ENTROPY, true},
    {"flatten dense:5 tanh dense:4", LS_CROSS_ENTROPY, true},
    {"conv:3x3,1,1 tanh conv:5x2 tanh dense:4", LS_CROSS_ENTROPY, true},
    {"conv:19x3,2,1 tanh conv:2x1 flatten dense:4", LS_CROSS_ENTROPY, true},
    {"conv:35x2,2 tanh conv:9x2,1,1 relu dense:4", LS_CROSS_ENTROPY, true},
    {"tanh conv:3x4,3,3 tanh dense:4", LS_CROSS_ENTROPY, true},
    {"conv:5x3,1,1 tanh conv:4x1,2 tanh dense:4", LS_CROSS_ENTROPY, true},
    {"conv:9x1,1 tanh conv:17x1,3 batchnorm relu dense:4", LS_CROSS_ENTROPY, true},
    {"tanh conv:3x1,2 tanh conv:5x2,3,1 tanh dense:4", LS_CROSS_ENTROPY, true},
    {"conv:2x3,1,1 tanh maxpool:3 dense:4", LS_CROSS_ENTROPY, true},
    {"conv:5x3,1,1 tanh avgpool:3 dense:4", LS_CROSS_ENTROPY, true},
    {"conv:5x2 batchnorm relu avgpool:2 conv:4x2 batchnorm tanh dense:4", LS_CROSS_ENTROPY, true},
    {"conv:5x2 dropout:0.25 tanh conv:4x6,1,3 batchnorm gelu avgpool:2 dense:4", LS_MSE, true},
    {"conv:5x3,1,1 tanh globalpool dense:4", LS_CROSS_ENTROPY, true},
    {"dense:6 tanh :a dense:6 tanh +a dense:4", LS_CROSS_ENTROPY, false},
    {":in dense:6 +in tanh dense:4", LS_CROSS_ENTROPY, false},
    {"dense:6 :a +a tanh dense:4", LS_CROSS_ENTROPY, false},
    {"dense:6 :a relu +a dense:4", LS_CROSS_ENTROPY, false},
    {"dense:5 tanh :a dense:5 :b dense:5 +a +b relu +a dense:4", LS_CROSS_ENTROPY, false},
    {"dense:5 tanh :a dense:3 &a &a dense:4", LS_CROSS_ENTROPY, false},
    {"dense:5 :a batchnorm relu :b @a tanh +b batchnorm &a dense:4", LS_CROSS_ENTROPY, false},
    {"conv:4x3,1,1 :a batchnorm tanh conv:4x3,1,1 batchnorm +a relu maxpool:2 dense:4",
     LS_CROSS_ENTROPY, true},
    {":in conv:3x3,1,1 tanh &in conv:4x2,2 :a @in conv:4x2,2 +a tanh globalpool dense:4", LS_MSE,
     true},
    {"rnn:5 dense:4", LS_CROSS_ENTROPY, true},
    {"lstm:5 dense:4", LS_CROSS_ENTROPY, true},
    {"gru:5 dense:4", LS_CROSS_ENTROPY, true},
    {"lstm:3 dense:4", LS_CROSS_ENTROPY, false},
    {"rnn:17,reverse dense:4", LS_CROSS_ENTROPY, true},
    {"lstm:18,all,both lstm:4,both dense:4", LS_CROSS_ENTROPY, true},
    {"gru:18,all,both gru:4,both dense:4", LS_MSE, true},
    {"rnn:6,all,both :a rnn:12,all +a gru:3,all,reverse flatten dense:4", LS_CROSS_ENTROPY, true},
    {"lstm:3,all,reverse lstm:4,reverse dense:4", LS_CROSS_ENTROPY, true},
    {"lstm:3,all dense:9 relu dense:5 tanh last dense:4", LS_CROSS_ENTROPY, true},
    {"gru:3,all :a dense:3 layernorm +a meanpool dense:4", LS_CROSS_ENTROPY, true},
    {"rnn:6,all layernorm maxpool dense:4", LS_CROSS_ENTROPY, true},
    {"dense:9 layernorm tanh dense:4", LS_CROSS_ENTROPY, false},
    {"rnn:6,all flatten dense:4", LS_CROSS_ENTROPY, true},
    {"attention:3 meanpool dense:4", LS_CROSS_ENTROPY, true},
    {"attention:2,causal last dense:4", LS_CROSS_ENTROPY, true},
    {"position :a attention:4,causal +a layernorm :b dense:9 gelu dense:12 +b layernorm meanpool "
     "dense:4",
     LS_CROSS_ENTROPY, true},
    {"embedding:5,9 lstm:6 dense:4", LS_CROSS_ENTROPY, false},
    {"sequence dense:5 tanh batchnorm last dense:4", LS_CROSS_ENTROPY, true},
    {"sequence:pixels dense:3 tanh gru:4 dense:4", LS_CROSS_ENTROPY, true},
    {"tanh sequence:permuted,5 dense:3 rnn:4 dense:4", LS_CROSS_ENTROPY, true},
    {"conv1d:5x3 tanh conv1d:4x4 relu meanpool dense:4", LS_CROSS_ENTROPY, true},
    {"conv1d:19x2,causal tanh conv1d:2x9,causal batchnorm relu flatten dense:4", LS_CROSS_ENTROPY,
     true},
    {"dense:24 tanh reshape:4x2x3 conv:3x2 tanh dense:4", LS_CROSS_ENTROPY, false},
    {"reshape:1x3x2 upsample:2 conv:3x3 tanh dense:4", LS_CROSS_ENTROPY, false},
    {"dense:8 batchnorm leaky-relu:0.2 reshape:8x1x1 upsample:3 conv:5x2 tanh upsample:2 "
     "conv:2x3,2,1 batchnorm relu dense:4",
     LS_CROSS_ENTROPY, false},
    {"conv:3x3,2,1 :a upsample:2 conv:3x2,2 +a tanh dense:12 reshape:3x2x2 conv:1x1 flatten",
     LS_CROSS_ENTROPY, true},
    {"deconv:3x3 tanh dense:4", LS_CROSS_ENTROPY, true},
    {"conv:5x3,2 deconv:3x4,2,1 relu deconv:19x3,3,2 tanh globalpool dense:4", LS_CROSS_ENTROPY,
     true},
    {"dense:6 reshape:6x1x1 deconv:35x3 batchnorm tanh deconv:2x2,3 tanh dense:4", LS_CROSS_ENTROPY,
     false},
    {"conv:3x2,2 :a deconv:3x1 +a deconv:17x2,2,1 tanh :b upsample:2 maxpool:2 &b dense:4",
     LS_CROSS_ENTROPY, true},
    {"sequence:pixels conv1d:3x1 globalpool dense:4", LS_CROSS_ENTROPY, true},
};

/* Returns true if a model string has a word with this name. */
static bool has_word(const char *model, const char *name, size_t length)
{
    for (const char *word = model; *word != '\0'; word += strspn(word, " ")) {
        const size_t letters = strcspn(word, " :");
        if (letters == length && strncmp(word, name, length) == 0)
            return true;
        word += strcspn(word, " ");
    }
    return false;
}

static void every_kind_of_layer_is_among_the_cases(void **state)
{
    (void)state;
    const char *form, *help;
    for (int at = 0; ls_network_layer_word(at, &form, &help); at++) {
        const size_t length = strcspn(form, ":");
        bool found = strspn(form, ":@+&") > 0; /* names of values, not layers */
        for (size_t i = 0; i < sizeof gradient_cases / sizeof *gradient_cases; i++)
            found = found || has_word(gradient_cases[i].model, form, length);
        if (!found)
            fail_msg("no case has the layer %s", form);
    }
}

static void parameter_gradients_match_finite_differences(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof gradient_cases / sizeof *gradient_cases; i++) {
        double error =
            relative_error(gradient_cases[i].model, gradient_cases[i].of_image ? image : features,
                           gradient_cases[i].loss, 0, false);
        if (!(error < 1e-2))
            fail_msg("%s, loss %d: relative error %g", gradient_cases[i].model,
                     (int)gradient_cases[i].loss, error);
    }
}

/* Of every loss for values. */
static void gradients_of_values_with_weights_match_finite_differences(void **state)
{
    (void)state;
    static const char *const models[] = {"dense:9 tanh dense:4",
                                         "dense:6 gaussian:2 dense:9 tanh dense:4"};
    for (int i = 0; i < 2 * LS_LOSSES; i++) {
        const ls_loss loss = (ls_loss)(i / 2);
        if (loss == LS_CROSS_ENTROPY)
            continue;
        const double error = relative_error(models[i % 2], features, loss, 0, true);
        if (!(error < 1e-2))
            fail_msg("%s, %s: relative error %g", models[i % 2], ls_loss_name(loss), error);
    }
}

static void gradients_with_smoothed_labels_match_finite_differences(void **state)
{
    (void)state;
    assert_true(relative_error("dense:4", features, LS_CROSS_ENTROPY, 0.1, false) < 1e-2);
    assert_true(relative_error("dense:9 tanh dense:4 softmax", features, LS_CROSS_ENTROPY, 0.7,
                               false) < 1e-2);
}

/* Also if several layers, or layers without parameters, read the inputs. */
static void input_gradients_match_finite_differences(void **state)
{
    (void)state;
    static const struct {
        const char *model;
        bool of_image;
    } cases[] = {
        {"dense:9 tanh dense:4", false},
        {"tanh dropout:0.3 dense:4", false},
        {"noise:0.5 :in tanh noise:1 +in dense:4", false},
        {"batchnorm dense:4", false},
        {":in dense:6 +in :a +in tanh dense:4 :b @a tanh dense:4 +b", false},
        {":in tanh +in dense:4", false},
        {"conv:5x3,1,1 tanh dense:4", true},
        {"conv:5x3,2 tanh dense:4", true},
        {"avgpool:3 :in conv:4x2 tanh dense:4 :a @in dense:4 +a", true},
        {"rnn:5,both dense:4", true},
        {"lstm:17,all,both gru:4,all flatten dense:4", true},
        {"sequence:permuted,5 lstm:5 dense:4", true},
        {"sequence:pixels :in conv1d:2x4 +in gru:5 dense:4", true},
        {"conv1d:18x5 tanh flatten dense:4", true},
        {"reshape:3x2x1 conv:4x1 tanh dense:4", false},
        {"deconv:5x3,2,1 tanh dense:4", true},
        {"deconv:17x2,3 maxpool:3 dense:4", true},
        {"upsample:2 leaky-relu:0.3 conv:5x2,2 dense:4", true},
        {"batchnorm :in globalpool dense:4 :a @in tanh dense:4 +a", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const double error =
            input_relative_error(cases[i].model, cases[i].of_image ? image : features, false);
        if (!(error < 1e-2))
            fail_msg("%s: relative error %g", cases[i].model, error);
    }
}

/* Of inputs; those of steps beyond a row's end are exactly 0 and change nothing, whatever they
 * are. */
static void gradients_of_rows_of_several_lengths_match_finite_differences(void **state)
{
    (void)state;
    static const char *const models[] = {
        "rnn:5 dense:4",
        "lstm:5,reverse dense:4",
        "gru:17,all,both gru:5,both dense:4",
        "lstm:9,all,both lstm:5,both dense:4",
        "rnn:5,all,both last dense:4",
        "gru:5,all,reverse meanpool dense:4",
        "lstm:5,all dense:9 layernorm maxpool dense:4",
        "attention:3 meanpool dense:4",
        "position attention:2,causal attention:3 last dense:4",
        "conv1d:5x3 tanh conv1d:18x4,causal tanh meanpool dense:4",
        "conv1d:5x1 flatten dense:4",
        "sequence batchnorm relu dense:5 batchnorm globalpool dense:4",
    };
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        const double error = input_relative_error(models[i], image, true);
        if (!(error < 1e-2))
            fail_msg("%s: relative error %g", models[i], error);
        problem p = make_problem(models[i], image, LS_CROSS_ENTROPY, 0, false);
        const int64_t step = image.channels * image.width, row = step * image.height;
        set_lengths(&p);
        differentiate(&p);
        const double loss = loss_of(&p);
        float *grads = ls_alloc(ls_network_size(p.network), sizeof *grads);
        memcpy(grads, p.grads, (size_t)ls_network_size(p.network) * sizeof *grads);
        for (int64_t r = 0; r < ROWS; r++)
            for (int64_t at = p.batch->lengths[r] * step; at < row; at++) {
                assert_true(p.dx[r * row + at] == 0);
                p.batch->x[r * row + at] = 1e30f;
            }
        differentiate(&p);
        assert_true(loss_of(&p) == loss);
        assert_memory_equal(grads, p.grads, (size_t)ls_network_size(p.network) * sizeof *grads);
        ls_free(grads);
        free_problem(&p);
    }
}

/* The loss is - sum over k of t[k] log softmax(y)[k], with the targets t of Szegedy et al.;
 * in an evaluation it stays - log softmax(y)[label]. */
static void the_loss_with_smoothed_labels_equals_its_definition(void **state)
{
    (void)state;
    const double e = 0.3;
    ls_network *network;
    ls_batch *batch;
    float params[CLASSES * CLASSES + CLASSES] = {0};
    assert_ok(ls_network_create(&network, "dense:4", (ls_shape){CLASSES, 1, 1}, CLASSES,
                                LS_CROSS_ENTROPY, ROWS));
    assert_ok(ls_batch_create(&batch, ROWS, CLASSES, 0));
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
    assert_near(loss_at(network, params, batch, e), smoothed, 1e-6, 0);
    assert_near(ls_network_evaluate(network, params, batch, NULL).loss, plain, 1e-6, 0);
    assert_true(fabs(smoothed - plain) > 0.1);
    ls_batch_destroy(&batch);
    ls_network_destroy(&network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_layer_is_among_the_cases),
        cmocka_unit_test(parameter_gradients_match_finite_differences),
        cmocka_unit_test(gradients_of_values_with_weights_match_finite_differences),
        cmocka_unit_test(gradients_with_smoothed_labels_match_finite_differences),
        cmocka_unit_test(input_gradients_match_finite_differences),
        cmocka_unit_test(gradients_of_rows_of_several_lengths_match_finite_differences),
        cmocka_unit_test(the_loss_with_smoothed_labels_equals_its_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
