/* Sequences: words that make them, convolution over steps, lengths, initial weights, memory. */
#include "test.h"

#include <lockstep/network.h>

#include "base/memory.h"
#include "base/rng.h"
#include "nn/op.h"
#include "nn/preset.h"

#include <math.h>
#include <string.h>

static const ls_shape image = {2, 4, 3};
enum { ROWS = 3, FLOATS = 2 * 4 * 3 };

static ls_network *make_network(const char *model, ls_shape input, int outputs, int64_t rows)
{
    ls_network *network;
    assert_ok(ls_network_create(&network, model, input, outputs, LS_MSE, rows));
    return network;
}

/* Rows of random numbers; lengths NULL: all steps. */
static ls_batch *make_batch(int64_t rows, int64_t floats, const int32_t *lengths)
{
    ls_batch *batch;
    assert_ok(ls_batch_create(&batch, rows, floats, 0));
    batch->rows = rows;
    for (int64_t i = 0; i < rows * floats; i++)
        batch->x[i] = (float)(2 * ls_rng_uniform(3, (uint64_t)i) - 1);
    if (lengths != NULL) {
        assert_ok(ls_batch_add_lengths(batch));
        memcpy(batch->lengths, lengths, (size_t)rows * sizeof *lengths);
    }
    return batch;
}

static float *make_params(const ls_network *network)
{
    const int64_t size = ls_network_size(network);
    float *params = ls_alloc(size, sizeof *params);
    ls_network_initialise(network, 9, params);
    for (int64_t i = 0; i < size; i++) /* biases too */
        params[i] += (float)(ls_rng_uniform(7, (uint64_t)i) - 0.5) * 0.4f;
    return params;
}

static void the_word_sequence_changes_nothing_but_the_shape(void **state)
{
    (void)state;
    ls_network *said = make_network("sequence lstm:5 dense:4", image, 4, ROWS);
    ls_network *implied = make_network("lstm:5 dense:4", image, 4, ROWS);
    ls_batch *batch = make_batch(ROWS, FLOATS, NULL);
    float *params = make_params(said);
    const float *y = ls_network_forward(said, params, batch);
    assert_memory_equal(y, ls_network_forward(implied, params, batch), ROWS * 4 * sizeof *y);
    assert_true(ls_network_activation(said, 0) == batch->x);
    ls_free(params);
    ls_batch_destroy(&batch);
    ls_network_destroy(&said);
    ls_network_destroy(&implied);
}

static void a_dense_layer_of_an_image_computes_steps_only_after_the_word_sequence(void **state)
{
    (void)state;
    ls_network *steps = make_network("sequence dense:5 last dense:4", image, 4, 0);
    const ls_shape out = ls_network_layer(steps, 1).out;
    assert_int_equal(out.channels, 5);
    assert_int_equal(out.height, 4);
    assert_true(ls_network_channels_last(steps));
    ls_network_destroy(&steps);
    steps = make_network("dense:5 dense:4", image, 4, 0);
    assert_int_equal(ls_network_layer(steps, 0).out.height, 1);
    assert_false(ls_network_channels_last(steps));
    ls_network_destroy(&steps);
}

static void pixels_are_steps_without_a_copy(void **state)
{
    (void)state;
    ls_network *network = make_network("sequence:pixels rnn:5 dense:4", image, 4, ROWS);
    ls_batch *batch = make_batch(ROWS, FLOATS, NULL);
    float *params = make_params(network);
    (void)ls_network_forward(network, params, batch);
    const ls_shape out = ls_network_layer(network, 0).out;
    assert_int_equal(out.channels, 2);
    assert_int_equal(out.height, 12);
    assert_true(ls_network_activation(network, 0) == batch->x);
    ls_free(params);
    ls_batch_destroy(&batch);
    ls_network_destroy(&network);
}

/* The figures are those of an independent program, in Python. */
static void the_order_of_permuted_pixels_follows_from_the_seed_alone(void **state)
{
    (void)state;
    enum { PIXELS = 12 };
    static const int32_t of_seed_5[PIXELS] = {10, 0, 3, 7, 4, 5, 2, 1, 9, 11, 8, 6};
    int32_t order[PIXELS], other[PIXELS];
    ls_pixel_order(5, PIXELS, order);
    ls_pixel_order(6, PIXELS, other);
    assert_memory_equal(order, of_seed_5, sizeof order);
    assert_memory_not_equal(order, other, sizeof order);
    ls_network *network = make_network("sequence:permuted,5 rnn:5 dense:4", image, 4, ROWS);
    ls_batch *batch = make_batch(ROWS, FLOATS, NULL);
    float *params = make_params(network);
    (void)ls_network_forward(network, params, batch);
    const float *y = ls_network_activation(network, 0);
    for (int r = 0; r < ROWS; r++)
        for (int t = 0; t < PIXELS; t++)
            assert_memory_equal(y + (r * PIXELS + t) * 2, batch->x + (r * PIXELS + order[t]) * 2,
                                2 * sizeof *y);
    ls_free(params);
    ls_batch_destroy(&batch);
    ls_network_destroy(&network);
}

static void wrong_words_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *model, *error;
    } cases[] = {
        {"sequence:rows rnn:4",
         "word 1, 'sequence:rows': write it as sequence, sequence:pixels or"},
        {"sequence:permuted rnn:4", "word 1, 'sequence:permuted': write it as"},
        {"sequence:permuted,-1 rnn:4", "word 1, 'sequence:permuted,-1': write it as"},
        {"sequence:permuted,1234567890123456789 rnn:4", "word 1"},
        {"flatten sequence:pixels rnn:4",
         "word 2, 'sequence:pixels': needs an image, but 'flatten'"},
        {"dense:4 sequence rnn:4", "word 2, 'sequence': needs a sequence, but 'dense'"},
        {"rnn:4,all sequence:permuted,1 rnn:4", "word 2, 'sequence:permuted,1': needs an image"},
        {"sequence conv:3x3 dense:4", "word 2, 'conv:3x3': needs an image, but the value before"},
        {"conv1d:4 dense:4", "word 1, 'conv1d:4': write it as conv1d:FILTERSxK[,causal]"},
        {"conv1d:4x0 dense:4", "word 1, 'conv1d:4x0': FILTERS and K must be from 1"},
        {"conv1d:4x3,valid dense:4", "word 1, 'conv1d:4x3,valid': write it as"},
        {"conv1d:65536x65536 dense:4", "word 1, 'conv1d:65536x65536': the layer has more than"},
        {"dense:4 conv1d:4x3 dense:4", "word 2, 'conv1d:4x3': needs a sequence, but 'dense'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ls_network *network;
        assert_fails(ls_network_create(&network, cases[i].model, image, 4, LS_MSE, 0), LS_ERR_USAGE,
                     cases[i].error);
    }
}

static void words_that_make_other_steps_can_not_have_lengths(void **state)
{
    (void)state;
    static const char *const wrong[] = {"sequence:pixels rnn:4", "sequence:permuted,3 rnn:4"};
    ls_network *network = make_network("conv1d:4x3 rnn:4", image, 4, 0);
    assert_ok(ls_network_check_lengths(network, image.height));
    ls_network_destroy(&network);
    for (size_t i = 0; i < 2; i++) {
        network = make_network(wrong[i], image, 4, 0);
        assert_fails(ls_network_check_lengths(network, image.height), LS_ERR_USAGE, "word ");
        ls_network_destroy(&network);
    }
}

/* By the definition: y[t][f] = b[f] + sum over k, c of x[t + k - before][c] w[k][c][f]. */
static double convolve(const ls_batch *batch, int64_t row, int64_t t, int64_t f, int64_t T,
                       int64_t C, int64_t F, int64_t K, int64_t before, const float *params)
{
    const int64_t length = batch->lengths != NULL ? batch->lengths[row] : T;
    double sum = (double)params[K * C * F + f];
    for (int64_t k = 0; k < K; k++)
        for (int64_t c = 0; c < C; c++) {
            const int64_t at = t + k - before;
            if (at >= 0 && at < length)
                sum +=
                    (double)batch->x[(row * T + at) * C + c] * (double)params[(k * C + c) * F + f];
        }
    return sum;
}

static void conv1d_equals_its_definition(void **state)
{
    (void)state;
    static const struct {
        const char *model;
        int64_t F, K, before;
    } cases[] = {{"conv1d:3x3 flatten", 3, 3, 1},          {"conv1d:33x4 flatten", 33, 4, 1},
                 {"conv1d:2x1 flatten", 2, 1, 0},          {"conv1d:5x2,causal flatten", 5, 2, 1},
                 {"conv1d:3x3,causal flatten", 3, 3, 2},   {"conv1d:4x9 flatten", 4, 9, 4},
                 {"conv1d:4x12,causal flatten", 4, 12, 11}};
    static const int32_t lengths[ROWS] = {4, 2, 0};
    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        const int64_t F = cases[i / 2].F, T = image.height, C = image.width * image.channels;
        ls_network *network = make_network(cases[i / 2].model, image, (int)(F * T), ROWS);
        ls_batch *batch = make_batch(ROWS, FLOATS, i % 2 != 0 ? lengths : NULL);
        float *params = make_params(network);
        const float *y = ls_network_forward(network, params, batch);
        for (int64_t at = 0; at < ROWS * T * F; at++)
            assert_near(y[at],
                        convolve(batch, at / F / T, at / F % T, at % F, T, C, F, cases[i / 2].K,
                                 cases[i / 2].before, params),
                        1e-5, 1e-5);
        ls_free(params);
        ls_batch_destroy(&batch);
        ls_network_destroy(&network);
    }
}

static void presets_fit_tokens_and_targets_by_step(void **state)
{
    (void)state;
    static const struct {
        const char *model, *begin;
        ls_preset_data data;
        int64_t outputs; /* in all */
        bool causal;
    } cases[] = {
        {"lstm", "lstm:128,all", {.outputs = 5}, 5, false},
        {"lstm", "embedding:64 lstm:128,all", {.outputs = 5, .vocabulary = 50}, 5, false},
        {"lstm", "embedding:64 lstm", {.outputs = 5, .vocabulary = 50, .by_step = true}, 60, false},
        {"lstm", "lstm:128,all", {.outputs = 5, .by_step = true}, 20, false},
        {"transformer", "sequence dense:64", {.outputs = 5}, 5, false},
        {"transformer", "embedding:64", {.outputs = 5, .vocabulary = 50}, 5, false},
        {"transformer",
         "embedding:64",
         {.outputs = 5, .vocabulary = 50, .by_step = true},
         60,
         true},
        {"transformer", "sequence dense:64", {.outputs = 5, .by_step = true}, 20, true},
        {"mlp", "dense:512", {.outputs = 5, .by_step = true}, 5, false},
        {"dense:7", "dense:7", {.outputs = 5, .vocabulary = 50}, 7, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *layers = ls_preset_expand(cases[i].model, cases[i].data), text[1024];
        const char *rest = layers + (cases[i].data.vocabulary > 0 ? strlen("embedding:64") : 0);
        assert_non_null(layers);
        assert_memory_equal(layers, cases[i].begin, strlen(cases[i].begin));
        assert_int_equal(strstr(layers, "causal") != NULL, cases[i].causal);
        if (strncmp(layers, "embedding", 9) != 0)
            snprintf(text, sizeof text, "%s", layers);
        else
            snprintf(text, sizeof text, "embedding:64,50%s", rest);
        const ls_shape input = cases[i].data.vocabulary > 0 ? (ls_shape){1, 12, 1} : image;
        ls_network *network = make_network(text, input, (int)cases[i].outputs, 0);
        ls_network_destroy(&network);
        ls_free(layers);
    }
}

/* Checks that the rows of a matrix are orthonormal. */
static void check_orthogonal(const ls_param *param, const float *rows)
{
    const int64_t H = param->shape[0], columns = param->shape[1];
    for (int64_t i = 0; i < H; i++)
        for (int64_t j = 0; j < H; j++) {
            double product = 0;
            for (int64_t k = 0; k < columns; k++)
                product += (double)rows[i * columns + k] * (double)rows[j * columns + k];
            assert_near(product, i == j ? 1 : 0, 0, 1e-5);
        }
}

static void recurrent_weights_begin_orthogonal_and_forget_biases_one(void **state)
{
    (void)state;
    ls_network *network = make_network("lstm:17,all,both gru:9,all,both lstm:8,both dense:4",
                                       (ls_shape){1, 5, 6}, 4, 0);
    float *params = ls_alloc(ls_network_size(network), sizeof *params);
    int count, orthogonal = 0, biases = 0;
    const ls_param *param = ls_network_params(network, &count);
    ls_network_initialise(network, 3, params);
    for (int k = 0; k < count; k++, param++) {
        const float *at = params + param->offset;
        const bool lstm = strncmp(param->name, "lstm", 4) == 0;
        if (strstr(param->name, "recurrent") != NULL) {
            check_orthogonal(param, at);
            orthogonal++;
        }
        if (strstr(param->name, "bias") == NULL)
            continue;
        for (int64_t i = 0; i < param->count; i++)
            assert_true(at[i] == (lstm && i / (param->count / 4) == 1 ? 1 : 0));
        biases += lstm;
    }
    assert_int_equal(orthogonal, 6);
    assert_int_equal(biases, 4);
    ls_free(params);
    ls_network_destroy(&network);
}

/* Both directions see all steps, of which the backward one sees the first last; padding none. */
static void the_last_state_of_both_directions_has_seen_all_steps_of_the_row(void **state)
{
    (void)state;
    enum { T = 28, F = 28, H = 8 };
    static const char *const models[] = {"rnn:8,both", "lstm:8,both", "gru:8,both"};
    static const int32_t length = 20;
    for (int i = 0; i < 3; i++) {
        ls_network *network = make_network(models[i], (ls_shape){1, T, F}, 2 * H, 1);
        ls_batch *batch = make_batch(1, T * F, &length);
        float *params = make_params(network), before[2 * H];
        memcpy(before, ls_network_forward(network, params, batch), sizeof before);
        for (int64_t f = 0; f < F; f++)
            batch->x[f] += 1; /* of the first step */
        const float *y = ls_network_forward(network, params, batch);
        for (int u = 0; u < H; u++)
            assert_true(y[H + u] != before[H + u]);
        memcpy(before, y, sizeof before);
        for (int64_t f = 0; f < F; f++)
            batch->x[(length - 1) * F + f] += 1; /* of the last step */
        y = ls_network_forward(network, params, batch);
        for (int u = 0; u < H; u++)
            assert_true(y[u] != before[u]);
        memcpy(before, y, sizeof before);
        for (int64_t f = length * F; f < T * F; f++)
            batch->x[f] = 1e30f; /* padding */
        assert_memory_equal(ls_network_forward(network, params, batch), before, sizeof before);
        ls_free(params);
        ls_batch_destroy(&batch);
        ls_network_destroy(&network);
    }
}

static bool all_finite(const float *values, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(values[i]))
            return false;
    return true;
}

static void rows_without_steps_are_finite_and_give_inputs_no_gradient(void **state)
{
    (void)state;
    static const char *const models[] = {
        "rnn:5,both dense:4",
        "lstm:5,all,both gru:5 dense:4",
        "attention:3,causal meanpool dense:4",
        "attention:2 last dense:4",
        "conv1d:5x3 batchnorm relu globalpool dense:4",
        "sequence batchnorm dense:6 layernorm maxpool dense:4",
        "embedding:4,7 position lstm:5 dense:4",
    };
    static const int32_t lengths[ROWS] = {0, 0, 0};
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        ls_network *network = make_network(models[i], image, 4, ROWS);
        ls_batch *batch = make_batch(ROWS, FLOATS, lengths);
        const int64_t size = ls_network_size(network);
        float *params = make_params(network), *grads = ls_alloc(size, sizeof *grads);
        float dx[ROWS * FLOATS];
        for (int64_t k = 0; k < ROWS * FLOATS; k++)
            batch->x[k] = 1e30f;
        assert_true(isfinite(ls_network_gradient(network, params, batch, grads, dx).loss));
        assert_true(all_finite(grads, size));
        for (int64_t k = 0; k < ROWS * FLOATS; k++)
            assert_true(dx[k] == 0);
        ls_free(params);
        ls_free(grads);
        ls_batch_destroy(&batch);
        ls_network_destroy(&network);
    }
}

/* Sums of gates of 100, 10000 and 1e30, of both signs. */
static void gates_saturate_and_their_gradients_are_finite(void **state)
{
    (void)state;
    static const char *const models[] = {"rnn:5,all,both last dense:4",
                                         "lstm:5,all,both last dense:4",
                                         "gru:5,all,both last dense:4"};
    static const float sizes[] = {100, 1e4f, 1e30f};
    for (int i = 0; i < 9; i++) {
        ls_network *network = make_network(models[i % 3], image, 4, ROWS);
        ls_batch *batch = make_batch(ROWS, FLOATS, NULL);
        const int64_t size = ls_network_size(network);
        float *params = make_params(network), *grads = ls_alloc(size, sizeof *grads);
        for (int64_t k = 0; k < ROWS * FLOATS; k++)
            batch->x[k] = k % 3 == 0 ? -sizes[i / 3] : sizes[i / 3];
        assert_true(isfinite(ls_network_gradient(network, params, batch, grads, NULL).loss));
        assert_true(all_finite(grads, size));
        const float *y = ls_network_activation(network, 0);
        for (int64_t k = 0; k < ROWS * 4 * 10; k++)
            assert_true(fabsf(y[k]) <= (i % 3 == 1 ? tanhf(4) : 1)); /* lstm: |c| <= 4 */
        ls_free(params);
        ls_free(grads);
        ls_batch_destroy(&batch);
        ls_network_destroy(&network);
    }
}

/* sin and cos of t / 10000^(f / F) for even f, far into the sequence. */
static void positions_equal_their_definition(void **state)
{
    (void)state;
    enum { T = 4000, F = 7 };
    ls_network *network = make_network("position last dense:1", (ls_shape){1, T, F}, 1, 1);
    float *params = make_params(network);
    ls_batch *batch = make_batch(1, T * F, NULL);
    memset(batch->x, 0, T * F * sizeof *batch->x);
    (void)ls_network_forward(network, params, batch);
    const float *y = ls_network_activation(network, 0);
    for (int t = 0; t < T; t++)
        for (int f = 0; f < F; f++) {
            const double angle = t / pow(10000, (f - f % 2) / (double)F);
            assert_near(y[t * F + f], f % 2 == 0 ? sin(angle) : cos(angle), 0, 1e-7);
        }
    ls_free(params);
    ls_batch_destroy(&batch);
    ls_network_destroy(&network);
}

/* A step has more products in the backward pass than a dense layer: those within the layer. */
static void operations_are_counted_also_within_first_layers(void **state)
{
    (void)state;
    enum { T = 10, F = 6 };
    static const struct {
        const char *model;
        double flops;
    } cases[] = {
        {"sequence dense:5 last", 2 * 2.0 * T * F * 5},
        {"sequence dense:5 dense:5 last", 2 * 2.0 * T * F * 5 + 3 * 2.0 * T * 25},
        {"lstm:5", 2 * 2.0 * T * (F + 5) * 20 + 2.0 * T * 5 * 20},
        {"sequence conv1d:5x3 last", 2 * 2.0 * T * 3 * F * 5},
        {"attention:2 flatten",
         2 * 2.0 * T * F * 3 * F + 3 * 2.0 * T * F * F + 3 * 4.0 * T * T * F},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int outputs = strstr(cases[i].model, "flatten") != NULL ? T * F : 5;
        ls_network *network = make_network(cases[i].model, (ls_shape){1, T, F}, outputs, 0);
        assert_near(ls_network_flops(network), cases[i].flops, 1e-12, 0);
        ls_network_destroy(&network);
    }
}

/* Normalises a row by layernorm with scale 1 and shift 0.25. */
static void normalise(int64_t F, const float *x, float *y)
{
    ls_network *network = make_network("layernorm", (ls_shape){F, 1, 1}, (int)F, 1);
    ls_batch *batch = make_batch(1, F, NULL);
    float *params = ls_alloc(2 * F, sizeof *params);
    memcpy(batch->x, x, (size_t)F * sizeof *x);
    for (int64_t f = 0; f < F; f++) {
        params[f] = 1;
        params[F + f] = 0.25f;
    }
    memcpy(y, ls_network_forward(network, params, batch), (size_t)F * sizeof *y);
    ls_free(params);
    ls_batch_destroy(&batch);
    ls_network_destroy(&network);
}

static void layernorm_is_exact_far_from_zero(void **state)
{
    (void)state;
    enum { F = 1003 };
    float x[F], y[F];
    for (int f = 0; f < 256; f++)
        x[f] = 1234;
    normalise(256, x, y);
    for (int f = 0; f < 256; f++)
        assert_true(y[f] == 0.25f);
    normalise(6, (float[]){0, 1, 2, 3, 4, 5}, y);
    static const double steps[6] = {-1.46385, -0.87831, -0.29277, 0.29277, 0.87831, 1.46385};
    for (int f = 0; f < 6; f++)
        assert_near(y[f], steps[f] + 0.25, 0, 1e-5);
    for (int64_t count = 1; count <= F; count += count < 40 ? 1 : 321) {
        double mean = 0, variance = 0;
        for (int64_t f = 0; f < count; f++) {
            const double u = 1 - ls_rng_uniform(4, (uint64_t)f), v = ls_rng_uniform(5, (uint64_t)f);
            x[f] = (float)(2000 + sqrt(-2 * log(u)) * cos(6.283185307179586 * v));
            mean += (double)x[f] / (double)count;
        }
        for (int64_t f = 0; f < count; f++)
            variance += ((double)x[f] - mean) * ((double)x[f] - mean) / (double)count;
        normalise(count, x, y);
        for (int64_t f = 0; f < count; f++)
            assert_near(y[f], ((double)x[f] - mean) / sqrt(variance + 1e-5) + 0.25, 1e-6, 1e-6);
    }
}

/* Floats of memory for a row of so many steps. */
static int64_t memory_of(const char *model, int64_t steps, int64_t rows)
{
    ls_network *network = make_network(model, (ls_shape){1, steps, 32}, 4, rows);
    const int64_t floats = ls_network_workspace(network);
    ls_network_destroy(&network);
    return floats;
}

/* The network's own memory as computed in the headers of recurrent.c and attention.c, for the
 * largest part, and nothing that grows with the square of the steps. */
static void memory_grows_with_the_steps_and_not_with_their_square(void **state)
{
    (void)state;
    static const struct {
        const char *model;
        int64_t step; /* floats of a row's step that the layer keeps from forward to backward */
    } cases[] = {
        {"attention:4 last dense:4", 4 * 32 + 4},   {"attention:4,causal last dense:4", 4 * 32 + 4},
        {"lstm:16 dense:4", 32 + 6 * 16},           {"gru:16 dense:4", 32 + 5 * 16},
        {"rnn:16,both dense:4", 2 * (32 + 2 * 16)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *model = cases[i].model;
        const int64_t one = memory_of(model, 1024, 1), two = memory_of(model, 2048, 1);
        const int64_t four = memory_of(model, 4096, 1);
        assert_near((double)(four - two), 2.0 * (double)(two - one), 0, 256);
        const int64_t row = memory_of(model, 1024, 3) - memory_of(model, 1024, 2);
        assert_true(row >= 1024 * cases[i].step);
        assert_true(row <= 1024 * (cases[i].step + 9 * 32) + 4096); /* values and gradients */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_word_sequence_changes_nothing_but_the_shape),
        cmocka_unit_test(a_dense_layer_of_an_image_computes_steps_only_after_the_word_sequence),
        cmocka_unit_test(pixels_are_steps_without_a_copy),
        cmocka_unit_test(the_order_of_permuted_pixels_follows_from_the_seed_alone),
        cmocka_unit_test(wrong_words_are_named),
        cmocka_unit_test(words_that_make_other_steps_can_not_have_lengths),
        cmocka_unit_test(conv1d_equals_its_definition),
        cmocka_unit_test(presets_fit_tokens_and_targets_by_step),
        cmocka_unit_test(recurrent_weights_begin_orthogonal_and_forget_biases_one),
        cmocka_unit_test(the_last_state_of_both_directions_has_seen_all_steps_of_the_row),
        cmocka_unit_test(rows_without_steps_are_finite_and_give_inputs_no_gradient),
        cmocka_unit_test(gates_saturate_and_their_gradients_are_finite),
        cmocka_unit_test(positions_equal_their_definition),
        cmocka_unit_test(operations_are_counted_also_within_first_layers),
        cmocka_unit_test(layernorm_is_exact_far_from_zero),
        cmocka_unit_test(memory_grows_with_the_steps_and_not_with_their_square),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
