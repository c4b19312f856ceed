/* Exact sums of any number of floats, 0 or more, of any magnitude: fixed-point numbers of 288 bits,
 * in multiples of the smallest float, 2^-149 (Kulisch, Computer Arithmetic and Validity, 2008).
 * Word i counts multiples of 2^(32 i - 149). Sums of ranks are the sums of their words. */
#ifndef LS_BASE_FLOAT_SUM_H
#define LS_BASE_FLOAT_SUM_H

#include <math.h>
#include <stdint.h>

enum {
    LS_FLOAT_SUM_WORDS = 9,
    LS_FLOAT_SUM_MOST = 1 << 30 /* numbers, or ranks, that are added before the next carry */
};

typedef int64_t ls_float_sum[LS_FLOAT_SUM_WORDS];

/* Adds a finite number. Local. */
static inline void ls_float_sum_add(ls_float_sum sum, float x)
{
    int exponent;
    uint64_t digits = (uint64_t)ldexpf(frexpf(x, &exponent), 24);
    int shift = exponent - 24 + 149;
    if (shift < 0) { /* a subnormal number, whose last digits are 0 */
        digits >>= -shift;
        shift = 0;
    }
    digits <<= shift % 32;
    sum[shift / 32] += (int64_t)(digits & UINT32_MAX);
    if (digits > UINT32_MAX)
        sum[shift / 32 + 1] += (int64_t)(digits >> 32);
}

/* Moves what is beyond 32 bits to the next word. Local. */
static inline void ls_float_sum_carry(ls_float_sum sum)
{
    for (int i = 0; i + 1 < LS_FLOAT_SUM_WORDS; i++) {
        sum[i + 1] += sum[i] >> 32;
        sum[i] &= UINT32_MAX;
    }
}

/* Returns the sum as the nearest double or its neighbour. Local. */
static inline double ls_float_sum_total(const ls_float_sum sum)
{
    double total = 0;
    for (int i = 0; i < LS_FLOAT_SUM_WORDS; i++)
        total += ldexp((double)sum[i], 32 * i - 149);
    return total;
}

#endif
