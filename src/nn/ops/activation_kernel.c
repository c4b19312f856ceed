/* Compiled once for each kind of processor: defines ls_activation_KIND with vectors of LS_LANES
 * floats. */
#include "nn/ops/activation_kernel.h"

#include "nn/ops/lanes_math.h"

static void gelu_forward(int64_t n, const float *x, float *Phi, float *y)
{
    for (int64_t i = 0; i < n; i += LANES) {
        const vector at = load_some(x + i, n - i), below = lanes_normal(at);
        store_some(Phi + i, below, n - i);
        store_some(y + i, at * below, n - i);
    }
}

static void gelu_backward(int64_t n, const float *x, const float *Phi, const float *dy, float *dx)
{
    for (int64_t i = 0; i < n; i += LANES) {
        const vector at = load_some(x + i, n - i);
        const vector density = 0.39894228f * lanes_exp(-0.5f * at * at);
        const vector slope = load_some(Phi + i, n - i) + at * density;
        store_some(dx + i, load_some(dy + i, n - i) * slope, n - i);
    }
}

static void sigmoid(int64_t n, const float *x, float *y)
{
    for (int64_t i = 0; i < n; i += LANES)
        store_some(y + i, lanes_sigmoid(load_some(x + i, n - i)), n - i);
}

static void hyperbolic_tangent(int64_t n, const float *x, float *y)
{
    for (int64_t i = 0; i < n; i += LANES)
        store_some(y + i, lanes_tanh(load_some(x + i, n - i)), n - i);
}

const ls_activation_kernel LS_OF_KIND(ls_activation) = {.gelu_forward = gelu_forward,
                                                        .gelu_backward = gelu_backward,
                                                        .sigmoid = sigmoid,
                                                        .tanh = hyperbolic_tangent};
