/* Integers computed from decimal fractions. The double nearest to a user's 0.29 is slightly
 * smaller: times 100 rows it gives 28.999999999999996, where 29 is intended. */
#ifndef LS_BASE_FRACTION_H
#define LS_BASE_FRACTION_H

#include <float.h>
#include <math.h>
#include <stdint.h>

/* Bound on the relative rounding error of a few operations. */
#define LS_ROUNDING (4 * DBL_EPSILON)

/* Returns the nearest integer to x, a product or quotient of decimals, if the difference can be a
 * rounding error; else x. Local. */
static inline double ls_meant(double x)
{
    const double whole = round(x);
    return fabs(x - whole) <= LS_ROUNDING * fabs(x) ? whole : x;
}

/* Returns fraction * total, rounded down; less than the total unless the fraction is 1. Local.
 * fraction  from 0 to 1 */
static inline int64_t ls_part_of(double fraction, int64_t total)
{
    const int64_t part = (int64_t)ls_meant(fraction * (double)total);
    return part == total && total > 0 && fraction < 1 ? total - 1 : part;
}

#endif
