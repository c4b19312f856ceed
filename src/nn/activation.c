/* Layers without parameters that work element by element, and softmax, that works row by row. */
#include "nn/layer.h"

#include <math.h>

static void relu_forward(const ls_layer *layer, const float *params, int64_t rows, const float *x,
                         float *y, ls_need need)
{
    (void)params, (void)need;
    const int64_t n = rows * ls_shape_size(layer->out);
    /* Written so that a NaN goes through: it must reach the loss to be seen. */
    for (int64_t i = 0; i < n; i++)
        y[i] = x[i] < 0 ? 0 : x[i];
}

static void relu_backward(const ls_layer *layer, const float *params, int64_t rows, const float *x,
                          const float *y, float *dy, float *dx, float *grads, ls_ready ready)
{
    (void)params, (void)x, (void)grads, (void)ready;
    const int64_t n = rows * ls_shape_size(layer->out);
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

static void sigmoid_forward(const ls_layer *layer, const float *params, int64_t rows,
                            const float *x, float *y, ls_need need)
{
    (void)params, (void)need;
    const int64_t n = rows * ls_shape_size(layer->out);
    for (int64_t i = 0; i < n; i++)
        y[i] = 1 / (1 + expf(-x[i]));
}

static void sigmoid_backward(const ls_layer *layer, const float *params, int64_t rows,
                             const float *x, const float *y, float *dy, float *dx, float *grads,
                             ls_ready ready)
{
    (void)params, (void)x, (void)grads, (void)ready;
    const int64_t n = rows * ls_shape_size(layer->out);
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

static void tanh_forward(const ls_layer *layer, const float *params, int64_t rows, const float *x,
                         float *y, ls_need need)
{
    (void)params, (void)need;
    const int64_t n = rows * ls_shape_size(layer->out);
    for (int64_t i = 0; i < n; i++)
        y[i] = tanhf(x[i]);
}

static void tanh_backward(const ls_layer *layer, const float *params, int64_t rows, const float *x,
                          const float *y, float *dy, float *dx, float *grads, ls_ready ready)
{
    (void)params, (void)x, (void)grads, (void)ready;
    const int64_t n = rows * ls_shape_size(layer->out);
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

static void softmax_forward(const ls_layer *layer, const float *params, int64_t rows,
                            const float *x, float *y, ls_need need)
{
    (void)params, (void)need;
    const int64_t K = ls_shape_size(layer->out);
    for (int64_t r = 0; r < rows; r++, x += K, y += K) {
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
static void softmax_backward(const ls_layer *layer, const float *params, int64_t rows,
                             const float *x, const float *y, float *dy, float *dx, float *grads,
                             ls_ready ready)
{
    (void)params, (void)x, (void)grads, (void)ready;
    if (dx == NULL)
        return;
    const int64_t K = ls_shape_size(layer->out);
    for (int64_t r = 0; r < rows; r++, y += K, dy += K, dx += K) {
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
