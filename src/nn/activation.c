/* Layers without parameters that work element by element, and softmax, that works row by row. */
#include "nn/layer.h"

#include <math.h>

static void relu_forward(const ls_layer *layer, const ls_layer_pass *pass, const float *x, float *y)
{
    const int64_t n = pass->rows * ls_shape_size(layer->out);
    /* Written so that a NaN goes through: it must reach the loss to be seen. */
    for (int64_t i = 0; i < n; i++)
        y[i] = x[i] < 0 ? 0 : x[i];
}

static void relu_backward(const ls_layer *layer, const ls_layer_pass *pass, const float *x,
                          const float *y, float *dy, float *dx, float *grads)
{
    (void)x, (void)grads;
    const int64_t n = pass->rows * ls_shape_size(layer->out);
    for (int64_t i = 0; dx != NULL && i < n; i++)
        dx[i] = y[i] > 0 ? dy[i] : 0;
}

const ls_layer_kind ls_layer_relu = {
    .name = "relu",
    .meaning = "max(x, 0)",
    .rectifies = true,
    .bounded = true,
    .forward = relu_forward,
    .backward = relu_backward,
};

#define LEAK 0.01f

static void leaky_relu_forward(const ls_layer *layer, const ls_layer_pass *pass, const float *x,
                               float *y)
{
    const int64_t n = pass->rows * ls_shape_size(layer->out);
    for (int64_t i = 0; i < n; i++)
        y[i] = x[i] < 0 ? LEAK * x[i] : x[i];
}

static void leaky_relu_backward(const ls_layer *layer, const ls_layer_pass *pass, const float *x,
                                const float *y, float *dy, float *dx, float *grads)
{
    (void)y, (void)grads;
    const int64_t n = pass->rows * ls_shape_size(layer->out);
    for (int64_t i = 0; dx != NULL && i < n; i++)
        dx[i] = x[i] < 0 ? LEAK * dy[i] : dy[i];
}

const ls_layer_kind ls_layer_leaky_relu = {
    .name = "leaky-relu",
    .meaning = "max(x, 0.01 x)",
    .rectifies = true,
    .forward = leaky_relu_forward,
    .backward = leaky_relu_backward,
};

/* Phi(x): the normal distribution's function. Hendrycks and Gimpel, Gaussian Error Linear Units,
 * 2016. */
static float normal_below(float x)
{
    return 0.5f * (1 + erff(x * 0.70710678f));
}

static void gelu_forward(const ls_layer *layer, const ls_layer_pass *pass, const float *x, float *y)
{
    const int64_t n = pass->rows * ls_shape_size(layer->out);
    for (int64_t i = 0; i < n; i++)
        y[i] = x[i] * normal_below(x[i]);
}

static void gelu_backward(const ls_layer *layer, const ls_layer_pass *pass, const float *x,
                          const float *y, float *dy, float *dx, float *grads)
{
    (void)y, (void)grads;
    const int64_t n = pass->rows * ls_shape_size(layer->out);
    for (int64_t i = 0; dx != NULL && i < n; i++) {
        const float density = 0.39894228f * expf(-0.5f * x[i] * x[i]);
        dx[i] = dy[i] * (normal_below(x[i]) + x[i] * density);
    }
}

const ls_layer_kind ls_layer_gelu = {
    .name = "gelu",
    .meaning = "x times the normal distribution's function of x",
    .rectifies = true,
    .forward = gelu_forward,
    .backward = gelu_backward,
};

static void sigmoid_forward(const ls_layer *layer, const ls_layer_pass *pass, const float *x,
                            float *y)
{
    const int64_t n = pass->rows * ls_shape_size(layer->out);
    for (int64_t i = 0; i < n; i++)
        y[i] = 1 / (1 + expf(-x[i]));
}

static void sigmoid_backward(const ls_layer *layer, const ls_layer_pass *pass, const float *x,
                             const float *y, float *dy, float *dx, float *grads)
{
    (void)x, (void)grads;
    const int64_t n = pass->rows * ls_shape_size(layer->out);
    for (int64_t i = 0; dx != NULL && i < n; i++)
        dx[i] = dy[i] * y[i] * (1 - y[i]);
}

const ls_layer_kind ls_layer_sigmoid = {
    .name = "sigmoid",
    .meaning = "1 / (1 + exp(-x))",
    .bounded = true,
    .forward = sigmoid_forward,
    .backward = sigmoid_backward,
};

static void tanh_forward(const ls_layer *layer, const ls_layer_pass *pass, const float *x, float *y)
{
    const int64_t n = pass->rows * ls_shape_size(layer->out);
    for (int64_t i = 0; i < n; i++)
        y[i] = tanhf(x[i]);
}

static void tanh_backward(const ls_layer *layer, const ls_layer_pass *pass, const float *x,
                          const float *y, float *dy, float *dx, float *grads)
{
    (void)x, (void)grads;
    const int64_t n = pass->rows * ls_shape_size(layer->out);
    for (int64_t i = 0; dx != NULL && i < n; i++)
        dx[i] = dy[i] * (1 - y[i] * y[i]);
}

const ls_layer_kind ls_layer_tanh = {
    .name = "tanh",
    .meaning = "hyperbolic tangent",
    .bounded = true,
    .forward = tanh_forward,
    .backward = tanh_backward,
};

static void softmax_forward(const ls_layer *layer, const ls_layer_pass *pass, const float *x,
                            float *y)
{
    const int64_t K = ls_shape_size(layer->out);
    for (int64_t r = 0; r < pass->rows; r++, x += K, y += K) {
        float largest = x[0], sum = 0;
        for (int64_t k = 1; k < K; k++)
            largest = x[k] > largest ? x[k] : largest;
        for (int64_t k = 0; k < K; k++)
            sum += y[k] = expf(x[k] - largest);
        for (int64_t k = 0; k < K; k++)
            y[k] /= sum;
    }
}

/* dx = y (dy - <dy, y>) */
static void softmax_backward(const ls_layer *layer, const ls_layer_pass *pass, const float *x,
                             const float *y, float *dy, float *dx, float *grads)
{
    (void)x, (void)grads;
    if (dx == NULL)
        return;
    const int64_t K = ls_shape_size(layer->out);
    for (int64_t r = 0; r < pass->rows; r++, y += K, dy += K, dx += K) {
        float inner = 0;
        for (int64_t k = 0; k < K; k++)
            inner += dy[k] * y[k];
        for (int64_t k = 0; k < K; k++)
            dx[k] = y[k] * (dy[k] - inner);
    }
}

const ls_layer_kind ls_layer_softmax = {
    .name = "softmax",
    .meaning = "exp(x) / sum exp(x); last layer only, fused with cross-entropy",
    .only_last = true,
    .forward = softmax_forward,
    .backward = softmax_backward,
};
