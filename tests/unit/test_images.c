/* Layers of images against their definitions, as loops in double precision. */
#include "test.h"

#include <lockstep/network.h>

#include "base/memory.h"
#include "base/rng.h"
#include "nn/pass.h"
#include "nn/ops/conv_kernel.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A convolution: images [H][W][C] with padding, F filters of K x K, stride S. */
typedef struct conv {
    int64_t H, W, C, K, S, F;
} conv;

static ls_conv_shape conv_shape_of(conv c)
{
    return (ls_conv_shape){.row = c.W * c.C,
                           .image = c.H * c.W * c.C,
                           .K = c.K,
                           .taps = c.K * c.C,
                           .filters = c.F,
                           .height = (c.H - c.K) / c.S + 1,
                           .width = (c.W - c.K) / c.S + 1,
                           .down = c.S * c.W * c.C,
                           .right = c.S * c.C};
}

static float *random_floats(int64_t count, uint64_t key)
{
    float *values = ls_alloc(count + LS_CONV_SLACK, sizeof *values);
    for (int64_t i = 0; i < count; i++)
        values[i] = (float)(2 * ls_rng_uniform(key, (uint64_t)i) - 1);
    return values;
}

/* Adds the product of each pair of input and output, by definition.
 * w [K][K][C][F]; any of y, dw, dx may be NULL */
static void convolve_by_definition(conv c, const float *x, const float *w, const float *dy,
                                   double *y, double *dw, double *dx)
{
    const ls_conv_shape s = conv_shape_of(c);
    for (int64_t h = 0; h < s.height; h++)
        for (int64_t v = 0; v < s.width; v++)
            for (int64_t i = 0; i < c.K; i++)
                for (int64_t j = 0; j < c.K; j++)
                    for (int64_t ch = 0; ch < c.C; ch++)
                        for (int64_t f = 0; f < c.F; f++) {
                            const int64_t in = ((h * c.S + i) * c.W + v * c.S + j) * c.C + ch;
                            const int64_t at = ((i * c.K + j) * c.C + ch) * c.F + f;
                            const int64_t out = (h * s.width + v) * c.F + f;
                            if (y != NULL)
                                y[out] += (double)x[in] * (double)w[at];
                            if (dw != NULL)
                                dw[at] += (double)x[in] * (double)dy[out];
                            if (dx != NULL)
                                dx[in] += (double)w[at] * (double)dy[out];
                        }
}

static void assert_close(const char *what, conv c, int64_t count, const float *got,
                         const double *expected)
{
    for (int64_t i = 0; i < count; i++)
        if (!(fabs((double)got[i] - expected[i]) <= 2e-5 * (1 + fabs(expected[i]))))
            fail_msg(
                "%s of %lldx%lldx%lld, K %lld, stride %lld, %lld filters: [%lld] is %g, not %g",
                what, (long long)c.H, (long long)c.W, (long long)c.C, (long long)c.K,
                (long long)c.S, (long long)c.F, (long long)i, (double)got[i], expected[i]);
}

static int64_t round_up_to_block(int64_t count, const ls_conv_kernel *k)
{
    return (count + k->block - 1) / k->block * k->block;
}

/* Packs weights in blocks of filters, for `forward`, or in blocks of taps, for `image`. */
static float *pack_weights(conv c, const ls_conv_kernel *k, const float *w, bool by_tap)
{
    const int64_t J = c.K * c.C, width = by_tap ? J : c.F, depth = by_tap ? c.F : J;
    float *packed = ls_alloc(round_up_to_block(width, k) * c.K * depth, sizeof *packed),
          *to = packed;
    for (int64_t b = 0; b < width; b += k->block)
        for (int64_t row = 0; row < c.K; row++)
            for (int64_t d = 0; d < depth; d++)
                for (int64_t i = b; i < b + k->block; i++, to++)
                    if (i < width)
                        *to = by_tap ? w[(row * J + i) * c.F + d] : w[(row * J + d) * c.F + i];
    return packed;
}

static void check_kernel(const ls_conv_kernel *k, conv c)
{
    enum { IMAGES = 3 };
    const ls_conv_shape s = conv_shape_of(c);
    const int64_t out = s.height * s.width * c.F, weights = c.K * c.K * c.C * c.F;
    float *x = random_floats(IMAGES * s.image, 1), *w = random_floats(weights, 2);
    float *dy = random_floats(IMAGES * out, 3), *dw = random_floats(weights, 4);
    float *bias = random_floats(round_up_to_block(c.F, k), 5), *y = random_floats(out, 0);
    float *dx = random_floats(s.image, 6);
    float *by_filter = pack_weights(c, k, w, false), *by_tap = pack_weights(c, k, w, true);
    double *expected = ls_alloc(out + weights + s.image, sizeof *expected);
    double *of_w = expected + out, *of_x = of_w + weights;

    for (int64_t i = 0; i < out; i++)
        expected[i] = (double)bias[i % c.F];
    convolve_by_definition(c, x, w, NULL, expected, NULL, NULL);
    k->forward(&s, by_filter, bias, false, x, y);
    assert_close("output", c, out, y, expected);
    for (int64_t i = 0; i < out; i++)
        expected[i] = fmax(expected[i], 0);
    k->forward(&s, by_filter, bias, true, x, y);
    assert_close("output of a fused relu", c, out, y, expected);

    for (int64_t i = 0; i < weights; i++)
        of_w[i] = (double)dw[i];
    for (int i = 0; i < IMAGES; i++)
        convolve_by_definition(c, x + i * s.image, NULL, dy + i * out, NULL, of_w, NULL);
    k->weights(&s, IMAGES, x, dy, dw);
    assert_close("weights' gradient", c, weights, dw, of_w);

    for (int64_t i = 0; i < s.image; i++)
        of_x[i] = (double)dx[i];
    convolve_by_definition(c, NULL, w, dy, NULL, NULL, of_x);
    k->image(&s, by_tap, dy, dx);
    assert_close("image's gradient", c, s.image, dx, of_x);
    float *const all[] = {x, w, dy, dw, bias, y, dx, by_filter, by_tap};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        ls_free(all[i]);
    ls_free(expected);
}

/* Returns kernel `at` of this processor; 0 is the portable one. NULL: after the last. */
static const ls_conv_kernel *kernel_at(int at)
{
    const ls_conv_kernel *kernels[4] = {&ls_conv_any};
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        kernels[1] = &ls_conv_avx2;
    if (__builtin_cpu_supports("avx512f"))
        kernels[2] = &ls_conv_avx512;
#endif
    return kernels[at];
}

static void kernels_compute_convolutions_as_defined(void **state)
{
    (void)state;
    const conv cases[] = {{5, 5, 1, 5, 1, 6},
                          {9, 8, 1, 3, 1, 1},
                          {7, 6, 2, 3, 1, 16},
                          {6, 9, 3, 2, 2, 7},
                          {8, 8, 5, 3, 2, 33},
                          {10, 7, 1, 4, 3, 40},
                          {4, 4, 7, 1, 1, 17},
                          {7, 7, 6, 5, 1, 9},
                          {12, 11, 11, 3, 1, 65},
                          {1, 1, 50, 1, 1, 20},
                          {3, 20, 1, 3, 1, 24},
                          /* strides that skip pixels */
                          {7, 7, 64, 1, 2, 24},
                          {8, 5, 3, 1, 3, 40},
                          {9, 11, 2, 2, 3, 5},
                          {6, 6, 1, 1, 2, 1},
                          {4, 5, 9, 1, 8, 17},
                          {12, 13, 5, 3, 5, 33}};
    for (int k = 0; kernel_at(k) != NULL; k++)
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
            check_kernel(kernel_at(k), cases[i]);
}

/* With one rounding, so that all such processors give the same bits. */
static void kernels_use_fused_multiply_add(void **state)
{
    (void)state;
    const ls_conv_shape s = conv_shape_of((conv){1, 1, 1, 1, 1, 1});
    const float x[1 + LS_CONV_SLACK] = {1 + 0x1p-13f};
    for (int at = 1; kernel_at(at) != NULL; at++) {
        float w[64] = {1 + 0x1p-13f}, bias[64] = {-1}, y[64];
        assert_true(kernel_at(at)->block <= 64);
        kernel_at(at)->forward(&s, w, bias, false, x, y);
        assert_true(y[0] == 0x1p-12f + 0x1p-26f);
    }
}

/* Converts a batch of images [C][H][W] to the network's order. */
static void to_network_order(const ls_network *network, ls_shape input, ls_batch *batch)
{
    if (ls_network_channels_last(network))
        ls_batch_to_channels_last(batch, input.channels, input.height * input.width);
}

/* Returns element `at` of the random image [C][H][W] of first_output(). */
static float pixel_at(int64_t at)
{
    return (float)ls_rng_uniform(3, (uint64_t)at);
}

/* Makes a network and a random image; returns the first layer's output. */
static const float *first_output(const char *model, ls_shape input, ls_network **network,
                                 ls_batch **batch, float **params)
{
    const int64_t features = ls_shape_size(input);
    assert_ok(ls_network_create(network, model, input, 2, LS_CROSS_ENTROPY, 1));
    assert_ok(ls_batch_create(batch, 1, features, 0));
    *params = ls_alloc(ls_network_size(*network), sizeof **params);
    ls_network_initialise(*network, 1, *params);
    (*batch)->rows = 1;
    for (int64_t i = 0; i < features; i++)
        (*batch)->x[i] = pixel_at(i);
    to_network_order(*network, input, *batch);
    (void)ls_network_forward(*network, *params, *batch);
    return ls_network_activation(*network, 0);
}

static void destroy_all(ls_network **network, ls_batch **batch, float **params)
{
    ls_network_destroy(network);
    ls_batch_destroy(batch);
    ls_free(*params);
}

/* On a colour image, [C][H][W], with strides and padding as in PyTorch. */
static void a_convolution_of_a_colour_image_equals_its_definition(void **state)
{
    (void)state;
    enum { C = 3, H = 5, W = 4, K = 3, PAD = 1, STRIDE = 2, F = 2, OH = 3, OW = 2 };
    ls_network *network;
    ls_batch *batch;
    float *params;
    const float *y =
        first_output("conv:2x3,2,1 dense:2", (ls_shape){C, H, W}, &network, &batch, &params);
    assert_int_equal(ls_network_layer(network, 0).out.height, OH);
    assert_int_equal(ls_network_layer(network, 0).out.width, OW);
    for (int h = 0; h < OH; h++)
        for (int w = 0; w < OW; w++)
            for (int f = 0; f < F; f++) {
                double sum = (double)params[K * K * C * F + f];
                for (int i = 0; i < K; i++)
                    for (int j = 0; j < K; j++)
                        for (int c = 0; c < C; c++) {
                            const int row = h * STRIDE + i - PAD, column = w * STRIDE + j - PAD;
                            if (row >= 0 && row < H && column >= 0 && column < W)
                                sum += (double)pixel_at((c * H + row) * W + column) *
                                       (double)params[((i * K + j) * C + c) * F + f];
                        }
                assert_near((double)y[(h * OW + w) * F + f], sum, 1e-5, 1e-6);
            }
    destroy_all(&network, &batch, &params);
}

static void pooling_equals_its_definition(void **state)
{
    (void)state;
    enum { C = 2, H = 5, W = 7, K = 2, OH = 2, OW = 3 };
    for (int mean = 0; mean < 2; mean++) {
        ls_network *network;
        ls_batch *batch;
        float *params;
        const float *y = first_output(mean ? "avgpool:2 dense:2" : "maxpool:2 dense:2",
                                      (ls_shape){C, H, W}, &network, &batch, &params);
        for (int h = 0; h < OH; h++)
            for (int w = 0; w < OW; w++)
                for (int c = 0; c < C; c++) {
                    double sum = 0, largest = -1;
                    for (int i = 0; i < K * K; i++) {
                        const int row = h * K + i / K, column = w * K + i % K;
                        const double value = (double)pixel_at((c * H + row) * W + column);
                        sum += value;
                        largest = fmax(largest, value);
                    }
                    assert_near((double)y[(h * OW + w) * C + c], mean ? sum / (K * K) : largest,
                                1e-6, 0);
                }
        destroy_all(&network, &batch, &params);
    }
}

static void maxpool_passes_the_gradient_to_one_of_equal_pixels(void **state)
{
    (void)state;
    ls_network *network;
    ls_batch *batch;
    float *params;
    (void)first_output("conv:1x1 maxpool:2 dense:2", (ls_shape){1, 4, 4}, &network, &batch,
                       &params);
    const int64_t size = ls_network_size(network);
    float *grads = ls_alloc(size, sizeof *grads);
    for (int i = 0; i < 16; i++)
        batch->x[i] = 1;
    params[0] = 0.5f;
    (void)ls_network_gradient(network, params, batch, grads, NULL);
    double expected = 0; /* all inputs are 1: the bias's gradient is the sum of the windows' */
    const float *logits = ls_network_forward(network, params, batch);
    const double other = 1 / (1 + exp((double)(logits[0] - logits[1])));
    for (int window = 0; window < 4; window++)
        expected += other * (double)(params[2 + window * 2 + 1] - params[2 + window * 2]);
    assert_near((double)grads[1], expected, 1e-4, 1e-6);
    assert_near((double)grads[0], expected, 1e-4, 1e-6);
    ls_free(grads);
    destroy_all(&network, &batch, &params);
}

/* Dropped values depend on key, layer and row id, not on the row's place in the batch. */
static void dropout_depends_on_the_row_id_and_is_off_in_evaluation(void **state)
{
    (void)state;
    enum { ROWS = 4, WIDTH = 403 };
    const double rate = 0.3;
    ls_network *network;
    ls_batch *batch;
    assert_ok(ls_network_create(&network, "dropout:0.3 dense:2", (ls_shape){WIDTH, 1, 1}, 2,
                                LS_CROSS_ENTROPY, ROWS));
    assert_ok(ls_batch_create(&batch, ROWS, WIDTH, 0));
    float *params = ls_alloc(ls_network_size(network), sizeof *params);
    float kept[ROWS][WIDTH];
    batch->rows = ROWS;
    for (int i = 0; i < ROWS * WIDTH; i++)
        batch->x[i] = 1;
    const int64_t ids[2][ROWS] = {{8, 1, 5, 7}, {7, 8, 1, 5}};
    for (int turn = 0; turn < 2; turn++) {
        memcpy(batch->ids, ids[turn], sizeof ids[turn]);
        (void)ls_network_loss(network, params, batch, &(ls_pass){.key = 9});
        const float *y = ls_network_activation(network, 0);
        for (int r = 0; r < ROWS; r++)
            for (int i = 0; i < WIDTH; i++)
                if (turn == 0)
                    kept[r][i] = y[r * WIDTH + i];
                else
                    assert_true(y[r * WIDTH + i] == kept[(r + 3) % ROWS][i]);
    }
    int64_t dropped = 0, alike = 0;
    for (int r = 0; r < ROWS; r++)
        for (int i = 0; i < WIDTH; i++) {
            assert_true(kept[r][i] == 0 || kept[r][i] == (float)(1 / (1 - rate)));
            dropped += kept[r][i] == 0;
            alike += kept[r][i] == kept[0][i];
        }
    /* Within four standard deviations of the binomial distribution. */
    const double n = ROWS * WIDTH;
    assert_near((double)dropped, rate * n, 0, 4 * sqrt(rate * (1 - rate) * n));
    assert_true((double)alike < 0.8 * n);
    (void)ls_network_loss(network, params, batch, &(ls_pass){.key = 10});
    assert_true(memcmp(kept[3], ls_network_activation(network, 0), sizeof kept[3]) != 0);
    (void)ls_network_forward(network, params, batch);
    for (int i = 0; i < ROWS * WIDTH; i++)
        assert_true(ls_network_activation(network, 0)[i] == 1);
    ls_free(params);
    ls_network_destroy(&network);
    ls_batch_destroy(&batch);
}

/* Also if no other layer reads the input as an image. */
static void batchnorm_normalises_the_channels_of_images(void **state)
{
    (void)state;
    enum { ROWS = 4, C = 3, PIXELS = 5 * 4, MEAN = 2 * C };
    const char *const models[] = {"batchnorm dense:2", "batchnorm maxpool:1 dense:2",
                                  "dropout:0 batchnorm flatten dense:2"};
    for (int m = 0; m < 3; m++) {
        ls_network *network;
        ls_batch *batch;
        assert_ok(
            ls_network_create(&network, models[m], (ls_shape){C, 5, 4}, 2, LS_CROSS_ENTROPY, ROWS));
        assert_ok(ls_batch_create(&batch, ROWS, C * PIXELS, 0));
        const int64_t size = ls_network_size(network);
        float *params = ls_alloc(size, sizeof *params), *grads = ls_alloc(size, sizeof *grads);
        ls_network_initialise(network, 1, params);
        batch->rows = ROWS;
        double mean[C] = {0};
        for (int i = 0; i < ROWS * C * PIXELS; i++) {
            const int c = i / PIXELS % C;
            batch->x[i] = (float)(10 * c + ls_rng_uniform(3, (uint64_t)i));
            mean[c] += (double)batch->x[i] / (ROWS * PIXELS);
        }
        to_network_order(network, (ls_shape){C, 5, 4}, batch);
        (void)ls_network_gradient(network, params, batch, grads, NULL);
        for (int c = 0; c < C; c++)
            assert_near((double)grads[MEAN + c], -ROWS * mean[c], 1e-4, 0);
        ls_free(params);
        ls_free(grads);
        ls_network_destroy(&network);
        ls_batch_destroy(&batch);
    }
}

static void batchnorm_ignores_the_variance_of_a_single_value(void **state)
{
    (void)state;
    ls_network *network;
    ls_batch *batch;
    assert_ok(ls_network_create(&network, "batchnorm dense:2", (ls_shape){2, 1, 1}, 2,
                                LS_CROSS_ENTROPY, 1));
    assert_int_equal(ls_network_least_batch(network), 2);
    assert_ok(ls_batch_create(&batch, 1, 2, 0));
    const int64_t size = ls_network_size(network);
    float *params = ls_alloc(size, sizeof *params), *grads = ls_alloc(size, sizeof *grads);
    ls_network_initialise(network, 1, params);
    batch->rows = 1;
    batch->x[0] = 5;
    (void)ls_network_gradient(network, params, batch, grads, NULL);
    for (int i = 4; i < 8; i++)
        assert_true(grads[i] == 0);
    ls_free(params);
    ls_free(grads);
    ls_network_destroy(&network);
    ls_batch_destroy(&batch);
}

/* In training outputs have mean 0 and variance 1, and the gradients of the running statistics are
 * their differences from the batch's; in an evaluation the running statistics are used. */
static void batchnorm_normalises_by_batch_or_running_statistics(void **state)
{
    (void)state;
    enum { ROWS = 50, C = 3, SCALE = 0, SHIFT = C, MEAN = 2 * C, VARIANCE = 3 * C };
    ls_network *network;
    ls_batch *batch;
    assert_ok(ls_network_create(&network, "batchnorm dense:2", (ls_shape){C, 1, 1}, 2,
                                LS_CROSS_ENTROPY, ROWS));
    assert_ok(ls_batch_create(&batch, ROWS, C, 0));
    const int64_t size = ls_network_size(network);
    float *params = ls_alloc(size, sizeof *params), *grads = ls_alloc(size, sizeof *grads);
    ls_network_initialise(network, 1, params);
    double mean[C] = {0}, variance[C] = {0};
    batch->rows = ROWS;
    for (int i = 0; i < ROWS * C; i++) {
        batch->x[i] = (float)(100 * (i % C) + (i % C + 1) * ls_rng_uniform(3, (uint64_t)i));
        mean[i % C] += (double)batch->x[i] / ROWS;
    }
    for (int i = 0; i < ROWS * C; i++)
        variance[i % C] += pow((double)batch->x[i] - mean[i % C], 2) / ROWS;
    (void)ls_network_gradient(network, params, batch, grads, NULL);
    const float *y = ls_network_activation(network, 0);
    for (int c = 0; c < C; c++) {
        double sum = 0, squares = 0;
        for (int r = 0; r < ROWS; r++) {
            sum += (double)y[r * C + c];
            squares += (double)y[r * C + c] * (double)y[r * C + c];
        }
        assert_near(sum / ROWS, 0, 0, 1e-4);
        assert_near(squares / ROWS, variance[c] / (variance[c] + 1e-5), 1e-5, 0);
        assert_true(params[SCALE + c] == 1 && params[SHIFT + c] == 0);
        assert_near((double)grads[MEAN + c] / ROWS, -mean[c], 1e-5, 0);
        assert_near((double)grads[VARIANCE + c] / ROWS, 1 - variance[c] * ROWS / (ROWS - 1), 1e-3,
                    1e-3);
        params[MEAN + c] = (float)c;
        params[VARIANCE + c] = 4;
    }
    (void)ls_network_forward(network, params, batch);
    for (int i = 0; i < ROWS * C; i++)
        assert_near((double)y[i], ((double)batch->x[i] - i % C) / 2, 1e-4, 1e-5);
    ls_free(params);
    ls_free(grads);
    ls_network_destroy(&network);
    ls_batch_destroy(&batch);
}

/* Outputs and gradients of batchnorm relu dense:2, by definition and in double precision. */
enum { FAR_ROWS = 60, FAR_C = 3, FAR_IN = 4 };

typedef struct far_outcome {
    double mean[FAR_C], variance[FAR_C];
    double y[FAR_ROWS][FAR_C], dx[FAR_ROWS][FAR_C];
    double scale[FAR_C], shift[FAR_C]; /* gradients */
} far_outcome;

/* x  [FAR_ROWS][FAR_C] the input of batchnorm */
static void normalise_by_definition(const float *x, const float *scale, const float *shift,
                                    const float *w, const float *bias, const int32_t *labels,
                                    far_outcome *o)
{
    double dy[FAR_ROWS][FAR_C], hat[FAR_ROWS][FAR_C];
    memset(o, 0, sizeof *o);
    for (int i = 0; i < FAR_ROWS * FAR_C; i++)
        o->mean[i % FAR_C] += (double)x[i] / FAR_ROWS;
    for (int i = 0; i < FAR_ROWS * FAR_C; i++)
        o->variance[i % FAR_C] += pow((double)x[i] - o->mean[i % FAR_C], 2) / FAR_ROWS;
    for (int r = 0; r < FAR_ROWS; r++) {
        double logit[2] = {(double)bias[0], (double)bias[1]};
        for (int c = 0; c < FAR_C; c++) {
            hat[r][c] = ((double)x[r * FAR_C + c] - o->mean[c]) / sqrt(o->variance[c] + 1e-5);
            o->y[r][c] = fmax(0, (double)scale[c] * hat[r][c] + (double)shift[c]);
            for (int k = 0; k < 2; k++)
                logit[k] += o->y[r][c] * (double)w[c * 2 + k];
        }
        const double first = 1 / (1 + exp(logit[1] - logit[0]));
        const double delta = labels[r] == 0 ? first - 1 : first; /* and its negative */
        for (int c = 0; c < FAR_C; c++) {
            dy[r][c] = o->y[r][c] > 0 ? delta * (double)(w[c * 2] - w[c * 2 + 1]) : 0;
            o->shift[c] += dy[r][c];
            o->scale[c] += dy[r][c] * hat[r][c];
        }
    }
    for (int i = 0; i < FAR_ROWS * FAR_C; i++) {
        const int r = i / FAR_C, c = i % FAR_C;
        o->dx[r][c] = (double)scale[c] / sqrt(o->variance[c] + 1e-5) *
                      (dy[r][c] - o->shift[c] / FAR_ROWS - hat[r][c] * o->scale[c] / FAR_ROWS);
    }
}

/* With means of up to 1e6 standard deviations outputs and gradients are as accurate as with mean 0,
 * at once and by blocks, whose sums are exact. */
static void batchnorm_is_accurate_far_from_zero(void **state)
{
    (void)state;
    enum { SCALE = FAR_IN * FAR_C, SHIFT = SCALE + FAR_C, MEAN = SHIFT + FAR_C };
    enum { VARIANCE = MEAN + FAR_C, WEIGHT = VARIANCE + FAR_C, BIAS = WEIGHT + 2 * FAR_C };
    ls_network *network;
    ls_batch *batch;
    assert_ok(ls_network_create(&network, "dense:3 batchnorm relu dense:2",
                                (ls_shape){FAR_IN, 1, 1}, 2, LS_CROSS_ENTROPY, FAR_ROWS));
    assert_ok(ls_batch_create(&batch, FAR_ROWS, FAR_IN, 0));
    float params[BIAS + 2], grads[BIAS + 2];
    batch->rows = FAR_ROWS;
    for (double ratio = 1; ratio < 2e6; ratio *= 10)
        for (int64_t block = 0; block <= 7; block += 7) {
            assert_int_equal(ls_network_size(network), BIAS + 2);
            for (int i = 0; i < BIAS + 2; i++)
                params[i] = (float)(2 * ls_rng_uniform(8, (uint64_t)i) - 1);
            for (int i = 0; i < FAR_ROWS; i++) {
                batch->labels[i] = i % 3 == 0;
                for (int j = 0; j < FAR_IN; j++)
                    batch->x[i * FAR_IN + j] =
                        (float)(2 * ls_rng_uniform(9, (uint64_t)(i * FAR_IN + j)) - 1);
                batch->x[i * FAR_IN + FAR_IN - 1] = 1; /* its weights are the means */
            }
            for (int c = 0; c < FAR_C; c++) {
                params[(FAR_IN - 1) * FAR_C + c] = (float)((c - 1.5) * ratio);
                params[SCALE + c] += 2;
            }
            const ls_pass pass = {.block = block};
            (void)ls_network_loss(network, params, batch, &pass);
            ls_network_backward(network, params, batch, &pass, grads);
            far_outcome o;
            normalise_by_definition(ls_network_activation(network, 0), params + SCALE,
                                    params + SHIFT, params + WEIGHT, params + BIAS, batch->labels,
                                    &o);
            for (int i = 0; i < FAR_ROWS * FAR_C; i++)
                assert_near((double)ls_network_activation(network, 1)[i], o.y[i / FAR_C][i % FAR_C],
                            1e-4, 1e-5);
            const double rows =
                (double)(block > 0 ? FAR_ROWS % block : FAR_ROWS); /* of the last block */
            for (int c = 0; c < FAR_C; c++) {
                const double seen =
                    (double)params[VARIANCE + c] - (double)grads[VARIANCE + c] / rows;
                assert_near(seen * (FAR_ROWS - 1) / FAR_ROWS, o.variance[c], 1e-4, 1e-6);
                assert_near((double)grads[MEAN + c] / rows, (double)params[MEAN + c] - o.mean[c],
                            1e-6, 1e-6);
            }
            for (int c = 0; c < FAR_C && block == 0; c++) {
                assert_near((double)grads[SCALE + c], o.scale[c], 1e-4, 1e-4);
                assert_near((double)grads[SHIFT + c], o.shift[c], 1e-4, 1e-4);
                for (int j = 0; j < FAR_IN; j++) {
                    double sum = 0;
                    for (int r = 0; r < FAR_ROWS; r++)
                        sum += (double)batch->x[r * FAR_IN + j] * o.dx[r][c];
                    assert_near((double)grads[j * FAR_C + c], sum, 1e-4, 1e-4);
                }
            }
        }
    ls_network_destroy(&network);
    ls_batch_destroy(&batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_compute_convolutions_as_defined),
        cmocka_unit_test(kernels_use_fused_multiply_add),
        cmocka_unit_test(batchnorm_normalises_the_channels_of_images),
        cmocka_unit_test(batchnorm_ignores_the_variance_of_a_single_value),
        cmocka_unit_test(a_convolution_of_a_colour_image_equals_its_definition),
        cmocka_unit_test(pooling_equals_its_definition),
        cmocka_unit_test(maxpool_passes_the_gradient_to_one_of_equal_pixels),
        cmocka_unit_test(dropout_depends_on_the_row_id_and_is_off_in_evaluation),
        cmocka_unit_test(batchnorm_normalises_by_batch_or_running_statistics),
        cmocka_unit_test(batchnorm_is_accurate_far_from_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
