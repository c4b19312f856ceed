/* Elementwise activations, and softmax, which works on whole rows. n: values in the rows of a call.
 * Backward functions do nothing if dx is NULL. */
#include "nn/op.h"
#include "nn/ops/activation_kernel.h"

#include <math.h>

static int64_t value_count(const ls_op *op, const ls_op_data *d)
{
    return d->rows * ls_shape_size(op->out);
}

/* Floats saved per row: one for each value. */
static int64_t activation_saved(const ls_op *op)
{
    return ls_shape_size(op->out);
}

static void relu_forward(const ls_op *op, const ls_op_data *d)
{
    const int64_t n = value_count(op, d);
    const float *x = d->x[0];
    float *y = d->y;
    /* This form passes a NaN on: the NaN must reach the loss to be detected. */
    for (int64_t i = 0; i < n; i++)
        y[i] = x[i] < 0 ? 0 : x[i];
}

static void relu_backward(const ls_op *op, const ls_op_data *d)
{
    const int64_t n = value_count(op, d);
    const float *y = d->y, *dy = d->dy;
    float *dx = d->dx[0];
    for (int64_t i = 0; dx != NULL && i < n; i++)
        dx[i] = y[i] > 0 ? dy[i] : 0;
}

const ls_op_kind ls_op_relu = {
    .name = "relu",
    .forward = relu_forward,
    .backward = relu_backward,
    .relu_like = true,
    .bounded = true,
};

/* y = x, of negative x slope x. */
static void leaky_relu_forward(const ls_op *op, const ls_op_data *d)
{
    const int64_t n = value_count(op, d);
    const float *x = d->x[0], slope = (float)op->attributes.slope;
    float *y = d->y;
    for (int64_t i = 0; i < n; i++)
        y[i] = x[i] < 0 ? slope * x[i] : x[i];
}

static void leaky_relu_backward(const ls_op *op, const ls_op_data *d)
{
    const int64_t n = value_count(op, d);
    const float *x = d->x[0], *dy = d->dy, slope = (float)op->attributes.slope;
    float *dx = d->dx[0];
    for (int64_t i = 0; dx != NULL && i < n; i++)
        dx[i] = x[i] < 0 ? slope * dy[i] : dy[i];
}

const ls_op_kind ls_op_leaky_relu = {
    .name = "leaky-relu",
    .forward = leaky_relu_forward,
    .backward = leaky_relu_backward,
    .relu_like = true,
};

/* The kernel for this processor. */
static const ls_activation_kernel *choose_kernel(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f"))
        return &ls_activation_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return &ls_activation_avx2;
#endif
    return &ls_activation_any;
}

/* gelu: y = x Phi(x), dx = dy (Phi(x) + x phi(x)), where Phi and phi are the cumulative
 * distribution function and the density of the standard normal distribution (Hendrycks and Gimpel,
 * Gaussian Error Linear Units, 2016). Phi(x) is saved. */
static void gelu_forward(const ls_op *op, const ls_op_data *d)
{
    choose_kernel()->gelu_forward(value_count(op, d), d->x[0], d->saved, d->y);
}

static void gelu_backward(const ls_op *op, const ls_op_data *d)
{
    if (d->dx[0] != NULL)
        choose_kernel()->gelu_backward(value_count(op, d), d->x[0], d->saved, d->dy, d->dx[0]);
}

const ls_op_kind ls_op_gelu = {
    .name = "gelu",
    .forward = gelu_forward,
    .backward = gelu_backward,
    .saved = activation_saved,
    .relu_like = true,
};

/* silu: y = x s(x), dx = dy s(x) (1 + x (1 - s(x))), where s is the logistic function (Elfwing,
 * Uchibe and Doya, Sigmoid-weighted linear units, 2018). s(x) is saved. */
static void silu_forward(const ls_op *op, const ls_op_data *d)
{
    const int64_t n = value_count(op, d);
    const float *x = d->x[0];
    float *y = d->y, *s = d->saved;
    choose_kernel()->sigmoid(n, x, s);
    for (int64_t i = 0; i < n; i++)
        y[i] = x[i] * s[i];
}

static void silu_backward(const ls_op *op, const ls_op_data *d)
{
    const int64_t n = value_count(op, d);
    const float *x = d->x[0], *dy = d->dy, *s = d->saved;
    float *dx = d->dx[0];
    for (int64_t i = 0; dx != NULL && i < n; i++)
        dx[i] = dy[i] * s[i] * (1 + x[i] * (1 - s[i]));
}

const ls_op_kind ls_op_silu = {
    .name = "silu",
    .forward = silu_forward,
    .backward = silu_backward,
    .saved = activation_saved,
    .relu_like = true,
};

static void sigmoid_forward(const ls_op *op, const ls_op_data *d)
{
    choose_kernel()->sigmoid(value_count(op, d), d->x[0], d->y);
}

static void sigmoid_backward(const ls_op *op, const ls_op_data *d)
{
    const int64_t n = value_count(op, d);
    const float *y = d->y, *dy = d->dy;
    float *dx = d->dx[0];
    for (int64_t i = 0; dx != NULL && i < n; i++)
        dx[i] = dy[i] * y[i] * (1 - y[i]);
}

const ls_op_kind ls_op_sigmoid = {
    .name = "sigmoid",
    .forward = sigmoid_forward,
    .backward = sigmoid_backward,
    .bounded = true,
};

static void tanh_forward(const ls_op *op, const ls_op_data *d)
{
    choose_kernel()->tanh(value_count(op, d), d->x[0], d->y);
}

static void tanh_backward(const ls_op *op, const ls_op_data *d)
{
    const int64_t n = value_count(op, d);
    const float *y = d->y, *dy = d->dy;
    float *dx = d->dx[0];
    for (int64_t i = 0; dx != NULL && i < n; i++)
        dx[i] = dy[i] * (1 - y[i] * y[i]);
}

const ls_op_kind ls_op_tanh = {
    .name = "tanh",
    .forward = tanh_forward,
    .backward = tanh_backward,
    .bounded = true,
};

/* y = exp(x) / sum of exp(x) over the K values of a row. */
static void softmax_forward(const ls_op *op, const ls_op_data *d)
{
    const int64_t K = ls_shape_size(op->out);
    const float *x = d->x[0];
    float *y = d->y;
    for (int64_t r = 0; r < d->rows; r++, x += K, y += K) {
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
static void softmax_backward(const ls_op *op, const ls_op_data *d)
{
    const int64_t K = ls_shape_size(op->out);
    const float *y = d->y, *dy = d->dy;
    float *dx = d->dx[0];
    if (dx == NULL)
        return;
    for (int64_t r = 0; r < d->rows; r++, y += K, dy += K, dx += K) {
        float inner = 0;
        for (int64_t k = 0; k < K; k++)
            inner += dy[k] * y[k];
        for (int64_t k = 0; k < K; k++)
            dx[k] = y[k] * (dy[k] - inner);
    }
}

const ls_op_kind ls_op_softmax = {
    .name = "softmax",
    .forward = softmax_forward,
    .backward = softmax_backward,
};
