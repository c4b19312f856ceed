/* Whole numbers that are computed from decimals. A user's 0.29 is a double a little below it, of
 * which 100 rows make 28.999999999999996: what was meant is 29. */
#ifndef LS_BASE_FRACTION_H
#define LS_BASE_FRACTION_H

#include <float.h>
#include <math.h>
#include <stdint.h>

/* What the rounding of a few operations changes a number by, in parts of it. */
#define LS_ROUNDING (4 * DBL_EPSILON)

/* The number that is meant by x, a product or quotient of decimals: the whole number beside it, if
 * rounding can be what parts them; else x. Local. */
static inline double ls_meant(double x)
{
    const double whole = round(x);
    return fabs(x - whole) <= LS_ROUNDING * fabs(x) ? whole : x;
}

/* How many of the total a fraction, from 0 to 1, is: whole ones, not all of them unless it is 1.
 * Local. */
static inline int64_t ls_part_of(double fraction, int64_t total)
{
    const int64_t part = (int64_t)ls_meant(fraction * (double)total);
    return part == total && total > 0 && fraction < 1 ? total - 1 : part;
}

#endif
