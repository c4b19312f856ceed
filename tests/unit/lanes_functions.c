/* The functions of lanes_math.h over arrays, compiled once for each kind of processor for
 * test_lanes_math.c. */
#include "nn/ops/lanes_math.h"
#include "lanes_functions.h"

void LS_OF_KIND(lanes_functions)(int64_t count, const float *x, float *of_exp, float *of_sigmoid,
                                 float *of_tanh, float *of_normal)
{
    for (int64_t i = 0; i < count; i += LANES) {
        store(of_exp + i, lanes_exp(load(x + i)));
        store(of_sigmoid + i, lanes_sigmoid(load(x + i)));
        store(of_normal + i, lanes_normal(load(x + i)));
        store(of_tanh + i, lanes_tanh(load(x + i)));
    }
}
