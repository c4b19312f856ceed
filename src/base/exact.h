/* Sums of floating-point numbers that do not depend on the order of addition.
 *
 * Numbers that are all multiples of one power of two, the quantum, and whose magnitudes add up to
 * less than 2^52 of it, have partial sums that are such multiples, too: each is a double without
 * rounding, whatever is added to what first. It is fixed-point arithmetic that any summation of
 * doubles carries out, that of an MPI library included. */
#ifndef LS_BASE_EXACT_H
#define LS_BASE_EXACT_H

#include <math.h>

/* The quantum for sums of magnitudes up to `most`, above 0. Local. */
static inline double ls_exact_quantum(double most)
{
    int exponent;
    frexp(most, &exponent);
    return ldexp(1, exponent - 51);
}

/* The multiple of the quantum that is nearest to x, of a magnitude up to `most`: where doubles are
 * as far apart as the quantum, the addition rounds. */
static inline double ls_exact_round(double x, double quantum)
{
    const double there = 0x1.8p52 * quantum;
    return (x + there) - there;
}

/* Where magnitudes are not known beforehand: numbers are cut into parts, each a multiple of a
 * quantum of its own, and each kind of part is summed alone (after Demmel and Nguyen, Fast
 * Reproducible Floating-Point Summation, 2013). A quantum is 2^-29 of the one before, of which what
 * is left for it is at most a half: 2^24 such numbers are below 2^52 quanta. So up to 2^24 numbers
 * below 2^70 have exact sums; what is below 2^-75 of a number is left out. */
enum { LS_EXACT_PARTS = 5 };

/* Adds a number to sums that are kept in parts, sums[0], sums[stride], ... Local. */
static inline void ls_exact_add(double x, double *sums, int stride)
{
    static const double quantum[LS_EXACT_PARTS] = {0x1p42, 0x1p13, 0x1p-16, 0x1p-45, 0x1p-74};
    for (int i = 0; i < LS_EXACT_PARTS; i++) {
        const double part = ls_exact_round(x, quantum[i]);
        sums[i * stride] += part;
        x -= part;
    }
}

/* What such sums come to. Local. */
static inline double ls_exact_total(const double *sums, int stride)
{
    double total = 0;
    for (int i = LS_EXACT_PARTS - 1; i >= 0; i--)
        total += sums[i * stride];
    return total;
}

#endif
