/* Sums of floating-point numbers that do not depend on the order of addition.
 *
 * If all numbers are multiples of one power of two, the quantum, and their magnitudes add up to
 * less than 2^52 quanta, every partial sum is a multiple of the quantum, too, and a double holds it
 * without rounding, in any order of addition. This is fixed-point arithmetic that any summation of
 * doubles performs, including an MPI library's. */
#ifndef LS_BASE_EXACT_H
#define LS_BASE_EXACT_H

#include <math.h>

/* Returns the quantum for sums of magnitudes up to `most`, above 0. Local. */
static inline double ls_exact_quantum(double most)
{
    int exponent;
    frexp(most, &exponent);
    return ldexp(1, exponent - 51);
}

/* Returns the multiple of the quantum nearest to x, of a magnitude up to `most`: adding and
 * subtracting a number whose neighbouring doubles are one quantum apart rounds x. Local. */
static inline double ls_exact_round(double x, double quantum)
{
    const double there = 0x1.8p52 * quantum;
    return (x + there) - there;
}

/* For numbers of unknown magnitude: each number is split into parts, part i a multiple of quantum
 * i, and part i of all numbers is summed separately (after Demmel and Nguyen, Fast Reproducible
 * Floating-Point Summation, 2013). Each quantum is 2^-29 of the previous one, and the remainder
 * left for it is at most half of the previous quantum: 2^24 such parts are below 2^52 quanta. So up
 * to 2^24 numbers below 2^70 have exact sums; bits of a number below 2^-75 are dropped. Sums of any
 * number of floats: base/float_sum.h. */
enum { LS_EXACT_PARTS = 5 };

/* Adds a number to the sums of parts, sums[0], sums[stride], ... Local. */
static inline void ls_exact_add(double x, double *sums, int stride)
{
    static const double quantum[LS_EXACT_PARTS] = {0x1p42, 0x1p13, 0x1p-16, 0x1p-45, 0x1p-74};
    for (int i = 0; i < LS_EXACT_PARTS; i++) {
        const double part = ls_exact_round(x, quantum[i]);
        sums[i * stride] += part;
        x -= part;
    }
}

/* Returns the total of the sums of parts. Local. */
static inline double ls_exact_total(const double *sums, int stride)
{
    double total = 0;
    for (int i = LS_EXACT_PARTS - 1; i >= 0; i--)
        total += sums[i * stride];
    return total;
}

#endif
