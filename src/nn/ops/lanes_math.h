/* exp, sigmoid, tanh and the normal distribution of vectors. The polynomials are least-maximum fits
 * of relative error over the stated ranges; the errors of the functions are measured over all
 * floats by unit/test_lanes_math. NaN gives NaN; tanh of -0 is -0. */
#ifndef LS_NN_LANES_MATH_H
#define LS_NN_LANES_MATH_H

#include "nn/ops/lanes.h"

/* e^x for x in [-87, 87]; arguments beyond count as the nearer end. Relative error below 1e-7.
 *
 * x = n ln 2 + r with whole n and |r| <= ln 2 / 2; e^r = 1 + r + r^2 q(r); 2^n is made from the
 * bits of n, which adding 1.5 * 2^23 leaves at the end of the sum. ln 2 is a sum of two floats, the
 * first with few bits, so that its product with n is exact. */
INLINE vector lanes_exp(vector x)
{
    const vector magic = splat(0x1.8p23f);
    x = choose(x > 87, splat(87), x);
    x = choose(x < -87, splat(-87), x);
    const vector sum = x * 1.44269504f + magic, n = sum - magic;
    const vector r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    vector q = splat(1.38145988e-3f);
    q = q * r + 8.36871658e-3f;
    q = q * r + 4.16683890e-2f;
    q = q * r + 1.66665211e-1f;
    q = q * r + 4.99999940e-1f;
    const lanes_mask power = ((lanes_mask)sum << 23) + 0x3f800000;
    return (1 + (r + r * r * q)) * (vector)power;
}

/* 1 / (1 + e^-x). Absolute error below 9e-8. */
INLINE vector lanes_sigmoid(vector x)
{
    return 1 / (1 + lanes_exp(-x));
}

/* tanh x. Relative error below 1.5e-7.
 *
 * With the sign of x: of z = |x| up to 0.625 z + z^3 p(z^2); beyond 1 - 2 / (1 + e^(2 z)). */
INLINE vector lanes_tanh(vector x)
{
    const lanes_mask sign = (lanes_mask)x & INT32_MIN;
    const vector size = (vector)((lanes_mask)x & INT32_MAX);
    const vector large = 1 - 2 / (1 + lanes_exp(2 * size));
    const vector u = size * size;
    vector p = splat(-5.70498640e-3f);
    p = p * u + 2.06390862e-2f;
    p = p * u + -5.37397154e-2f;
    p = p * u + 1.33314416e-1f;
    p = p * u + -3.33332807e-1f;
    const vector small = size + size * u * p;
    return (vector)((lanes_mask)choose(size < 0.625f, small, large) | sign);
}

/* Phi(x), the cumulative distribution function of the standard normal distribution. Absolute error
 * below 1e-7; relative error below 5e-6 for x in [-12, 0].
 *
 * Up to |x| = 1.25 1/2 + x p(x^2); beyond e^(-x^2 / 2) q(t) for negative x, 1 minus that for
 * positive x, where t = 1 / (1 + 0.4 |x|). */
INLINE vector lanes_normal(vector x)
{
    const vector size = (vector)((lanes_mask)x & INT32_MAX), u = x * x;
    const vector t = 1 / (1 + 0.4f * size);
    vector p = splat(-6.80941639e-6f), q = splat(6.88989312e-2f);
    p = p * u + 1.11040856e-4f;
    p = p * u + -1.18383684e-3f;
    p = p * u + 9.97228269e-3f;
    p = p * u + -6.64902106e-2f;
    p = p * u + 3.98942262e-1f;
    q = q * t + -1.88381791e-1f;
    q = q * t + 1.07331388e-1f;
    q = q * t + 5.45272082e-2f;
    q = q * t + 1.39282376e-1f;
    q = q * t + 1.59060746e-1f;
    q = q * t + 1.59597963e-1f;
    const vector tail = t * q * lanes_exp(-0.5f * u);
    return choose(size < 1.25f, 0.5f + x * p, choose(x > 0, 1 - tail, tail));
}

#endif
