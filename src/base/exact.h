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

#endif
