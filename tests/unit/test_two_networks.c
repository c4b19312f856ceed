/* Passes through two networks, of which one judges the outputs of the other; frozen networks;
 * losses of the caller. */
#include "test.h"

#include <lockstep/network.h>

#include "base/memory.h"
#include "base/rng.h"
#include "nn/pass.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 6, LATENT = 5 };
static const ls_shape image = {2, 4, 6};

/* A network with random parameters, and rows for it. */
typedef struct problem {
    ls_network *network;
    ls_batch *batch;
    float *params, *grads, *dx;
} problem;

static float *random_floats(int64_t count, uint64_t key, double size)
{
    float *values = ls_alloc(count, sizeof *values);
    for (int64_t i = 0; i < count; i++)
        values[i] = (float)((2 * ls_rng_uniform(key, (uint64_t)i) - 1) * size);
    return values;
}

static problem make_problem(const char *model, ls_shape input, int outputs, ls_loss loss)
{
    problem p = {0};
    const int64_t features = ls_shape_size(input);
    assert_ok(ls_network_create(&p.network, model, input, outputs, loss, ROWS));
    assert_ok(ls_batch_create(&p.batch, ROWS, features, loss == LS_MSE ? outputs : 0));
    const int64_t size = ls_network_size(p.network);
    p.params = random_floats(size, 3, 0.2);
    float *start = ls_alloc(size, sizeof *start);
    ls_network_initialise(p.network, 5, start);
    for (int64_t i = 0; i < size; i++)
        p.params[i] += start[i];
    ls_free(start);
    p.grads = ls_alloc(size, sizeof *p.grads);
    p.dx = ls_alloc(ROWS * features, sizeof *p.dx);
    p.batch->rows = ROWS;
    for (int64_t i = 0; i < ROWS * features; i++)
        p.batch->x[i] = (float)(2 * ls_rng_uniform(8, (uint64_t)i) - 1);
    for (int i = 0; i < ROWS; i++) {
        p.batch->ids[i] = 40 + i;
        p.batch->labels[i] = loss == LS_MSE ? 0 : i % (outputs == 1 ? 2 : outputs);
        for (int k = 0; loss == LS_MSE && k < outputs; k++)
            p.batch->targets[i * outputs + k] = (float)ls_rng_uniform(9, (uint64_t)(i * 64 + k));
    }
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

/* Fails if a pass calls it. */
static void refuse(void *user, int64_t from)
{
    (void)user, (void)from;
    fail_msg("a frozen pass calls the gradient hook");
}

static double pass_through(problem *p, const ls_pass *pass, float *grads)
{
    const double loss = ls_network_loss(p->network, p->params, p->batch, pass).loss;
    ls_network_backward(p->network, p->params, p->batch, pass, grads);
    return loss;
}

static void a_frozen_pass_gives_the_same_gradient_of_the_inputs(void **state)
{
    (void)state;
    static const char *const models[] = {
        "dense:9 relu dense:4",
        "batchnorm dense:9 batchnorm relu dense:4 layernorm dense:4",
        "conv:5x3,1,1 relu conv:4x2 batchnorm leaky-relu:0.2 maxpool:2 dropout:0.3 dense:4",
        "dense:24 reshape:4x2x3 upsample:2 conv:3x3,2,1 relu dense:4",
        "rnn:5,both dense:4",
        "lstm:5,all gru:4,all,reverse dense:3 relu layernorm last dense:4",
        "attention:3 conv1d:5x3 relu meanpool dense:4",
        ":a conv:2x3,1,1 relu +a dense:4",
        "embedding:3,9 lstm:4 dense:4",
    };
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        problem p = make_problem(models[i], image, 4, LS_CROSS_ENTROPY);
        const int64_t inputs = ROWS * ls_shape_size(image);
        float *dx = ls_alloc(inputs, sizeof *dx);
        for (int64_t block = 0; block < ROWS; block += 4) {
            const ls_pass whole = {
                .key = 7, .block = block, .quanta = {0x1p-40, 0x1p-40}, .input_gradient = p.dx};
            ls_pass frozen = whole;
            frozen.input_gradient = dx;
            frozen.frozen = true;
            frozen.grad_hook = (ls_grad_hook){.call = refuse, .again = refuse};
            const double loss = pass_through(&p, &whole, p.grads);
            assert_true(pass_through(&p, &frozen, NULL) == loss);
            assert_memory_equal(dx, p.dx, (size_t)inputs * sizeof *dx);
        }
        ls_free(dx);
        free_problem(&p);
    }
}

static void a_frozen_pass_without_rows_computes_nothing(void **state)
{
    (void)state;
    problem p = make_problem("dense:9 batchnorm relu dense:4", image, 4, LS_CROSS_ENTROPY);
    p.batch->rows = 0;
    p.dx[0] = 3;
    const ls_pass frozen = {
        .input_gradient = p.dx, .frozen = true, .grad_hook = {.call = refuse, .again = refuse}};
    assert_true(pass_through(&p, &frozen, NULL) == 0);
    assert_true(p.dx[0] == 3);
    free_problem(&p);
}

/* Also if a softmax is the last layer. */
static void the_gradient_of_the_outputs_can_be_the_callers(void **state)
{
    (void)state;
    static const char *const models[] = {"dense:9 tanh dense:5", "dense:9 relu dense:5 softmax",
                                         "conv:3x3,1,1 batchnorm relu dense:5 batchnorm tanh"};
    enum { K = 5 };
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        problem p = make_problem(models[i], image, K, LS_MSE);
        const int64_t size = ls_network_size(p.network);
        float dy[ROWS * K], kept[ROWS * K], *grads = ls_alloc(size, sizeof *grads);
        (void)pass_through(&p, &(ls_pass){.key = 7}, p.grads);
        const ls_pass pass = {.key = 7, .output_gradient = dy};
        const float *y = ls_network_forward_training(p.network, p.params, p.batch, &pass);
        for (int k = 0; k < ROWS * K; k++)
            kept[k] = dy[k] = 2 * (y[k] - p.batch->targets[k]) / K;
        ls_network_backward(p.network, p.params, p.batch, &pass, grads);
        for (int64_t k = 0; k < size; k++)
            assert_near(grads[k], p.grads[k], 1e-5, 1e-6);
        assert_memory_equal(dy, kept, sizeof dy);
        ls_free(grads);
        free_problem(&p);
    }
}

/* Two networks: the outputs of the first one are the inputs of the second one. */
typedef struct pair {
    problem maker, judge;
} pair;

static pair make_pair(const char *maker, const char *judge)
{
    pair p = {.maker =
                  make_problem(maker, (ls_shape){LATENT, 1, 1}, (int)ls_shape_size(image), LS_MSE),
              .judge = make_problem(judge, image, 1, LS_BCE)};
    return p;
}

static void judge_outputs(pair *p)
{
    const float *y = ls_network_forward_training(p->maker.network, p->maker.params, p->maker.batch,
                                                 &(ls_pass){.key = 21});
    memcpy(p->judge.batch->x, y, (size_t)(ROWS * ls_shape_size(image)) * sizeof *y);
}

static double pair_loss(pair *p)
{
    judge_outputs(p);
    return ls_network_loss(p->judge.network, p->judge.params, p->judge.batch, &(ls_pass){.key = 22})
        .loss;
}

/* The gradient of the first network, by the gradient of the second one's inputs. */
static void differentiate_pair(pair *p)
{
    const ls_pass judging = {.key = 22, .input_gradient = p->judge.dx, .frozen = true};
    const ls_pass making = {.key = 21, .output_gradient = p->judge.dx};
    judge_outputs(p);
    (void)pass_through(&p->judge, &judging, NULL);
    ls_network_backward(p->maker.network, p->maker.params, p->maker.batch, &making, p->maker.grads);
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

/* A gradient of this size is that of a loss whose rounding errors finite differences show. */
#define VANISHING 0.1

/* Returns the relative error, in the 2-norm, of the gradient of the first network. */
static double relative_error(pair *p)
{
    double difference = 0, norm = 0, whole = 0;
    const float h = 2e-3f;
    differentiate_pair(p);
    for (int64_t i = 0; i < ls_network_size(p->maker.network); i++)
        whole += pow((double)p->maker.grads[i], 2);
    assert_true(whole > 1e-6);
    for (int64_t i = 0; i < ls_network_size(p->maker.network); i += test_stride()) {
        float *at = &p->maker.params[i], kept = *at;
        if (is_running_statistic(p->maker.network, i))
            continue;
        *at = kept + h;
        const double above = pair_loss(p);
        *at = kept - h;
        const double numeric = (above - pair_loss(p)) / (2 * (double)h);
        *at = kept;
        difference += pow(numeric - (double)p->maker.grads[i], 2);
        norm += numeric * numeric;
    }
    return sqrt(difference) / hypot(sqrt(norm), VANISHING);
}

static void gradients_through_a_frozen_network_match_finite_differences(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"dense:9 tanh dense:48 tanh", "dense:9 tanh dense:1"},
        {"dense:9 batchnorm tanh dense:48 sigmoid", "dense:9 leaky-relu:0.2 dropout:0.3 dense:1"},
        {"dense:8 batchnorm relu reshape:4x1x2 upsample:2 conv:3x3,1,1 batchnorm tanh upsample:2 "
         "conv:2x3,1,1 :a tanh +a upsample:1 conv:2x1 flatten dense:48 reshape:2x4x6",
         "conv:3x3,1,1 tanh conv:4x3,2,1 batchnorm tanh dense:1"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        pair p = make_pair(pairs[i][0], pairs[i][1]);
        const double error = relative_error(&p);
        if (!(error < 1e-2))
            fail_msg("%s, judged by %s: relative error %g", pairs[i][0], pairs[i][1], error);
        free_problem(&p.maker);
        free_problem(&p.judge);
    }
}

/* Appends one of the words, with a blank before it. */
static void append_word(char *model, size_t size, const char *const *words, int count,
                        uint64_t *draw)
{
    const size_t length = strlen(model);
    *draw = ls_mix64(*draw + 1);
    snprintf(model + length, size - length, " %s", words[*draw % (uint64_t)count]);
}

/* Appends some layers of images, without kinks, which finite differences would see. */
static void append_layers(char *model, size_t size, uint64_t *draw)
{
    static const char *const image_words[] = {"conv:3x3,1,1",   "conv:5x2",     "deconv:4x3,1,1",
                                              "deconv:3x4,2,1", "deconv:2x2,3", "upsample:2",
                                              "conv:4x1",       "deconv:17x1",  "avgpool:1"};
    static const char *const words[] = {"batchnorm", "tanh",        "gelu",      "noise:0.1",
                                        "layernorm", "dropout:0.2", "silu tanh", "sigmoid"};
    const uint64_t count = 1 + ls_mix64(*draw + 7) % 3;
    for (uint64_t i = 0; i < count; i++) {
        append_word(model, size, image_words, sizeof image_words / sizeof *image_words, draw);
        append_word(model, size, words, sizeof words / sizeof *words, draw);
    }
}

static void gradients_through_random_networks_match_finite_differences(void **state)
{
    (void)state;
    static const char *const begins[] = {"dense:12 tanh reshape:3x2x2", "reshape:5x1x1",
                                         "dense:8 batchnorm tanh reshape:2x1x4",
                                         "dense:6 layernorm reshape:1x2x3 gelu"};
    static const char *const ends[] = {"dense:48 tanh", "batchnorm dense:48",
                                       "dense:48 reshape:2x4x6 deconv:2x3,1,1 sigmoid",
                                       "dense:12 tanh reshape:2x2x3 deconv:2x4,2,1",
                                       "globalpool dense:12 reshape:2x2x3 upsample:2 conv:2x1"};
    uint64_t draw = 5;
    for (int i = 0; i < 16; i += 1 + test_stride() / 10) {
        char maker[512] = "", judge[512] = "";
        append_word(maker, sizeof maker, begins, sizeof begins / sizeof *begins, &draw);
        append_layers(maker, sizeof maker, &draw);
        append_word(maker, sizeof maker, ends, sizeof ends / sizeof *ends, &draw);
        append_layers(judge, sizeof judge, &draw);
        append_word(judge, sizeof judge, (const char *[]){"dense:1", "globalpool dense:1"}, 2,
                    &draw);
        ls_network *fits = NULL; /* a kernel may be larger than its image */
        if (ls_network_create(&fits, maker, (ls_shape){LATENT, 1, 1}, 48, LS_MSE, 0) != LS_OK)
            continue;
        ls_network_destroy(&fits);
        pair p = make_pair(maker, judge);
        const double error = relative_error(&p);
        if (!(error < 2e-2))
            fail_msg("%s, judged by %s: relative error %g", maker, judge, error);
        free_problem(&p.maker);
        free_problem(&p.judge);
    }
}

/* A network's evaluation reads its running statistics, which training passes leave alone. */
static void training_passes_leave_no_trace_in_an_evaluation(void **state)
{
    (void)state;
    enum { K = 5 };
    problem p = make_problem("conv:3x3 batchnorm relu dense:5 batchnorm", image, K, LS_MSE);
    float before[ROWS * K];
    memcpy(before, ls_network_forward(p.network, p.params, p.batch), sizeof before);
    const float *y = ls_network_forward_training(p.network, p.params, p.batch, &(ls_pass){0});
    assert_memory_not_equal(y, before, sizeof before);
    assert_memory_equal(ls_network_forward(p.network, p.params, p.batch), before, sizeof before);
    free_problem(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frozen_pass_gives_the_same_gradient_of_the_inputs),
        cmocka_unit_test(a_frozen_pass_without_rows_computes_nothing),
        cmocka_unit_test(the_gradient_of_the_outputs_can_be_the_callers),
        cmocka_unit_test(gradients_through_a_frozen_network_match_finite_differences),
        cmocka_unit_test(gradients_through_random_networks_match_finite_differences),
        cmocka_unit_test(training_passes_leave_no_trace_in_an_evaluation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
