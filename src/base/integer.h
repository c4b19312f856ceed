/* Helpers for 64-bit counts. Local. */
#ifndef LS_BASE_INTEGER_H
#define LS_BASE_INTEGER_H

#include <assert.h>
#include <limits.h>
#include <stdint.h>

/* Casts a count to the int of MPI and BLAS calls, checked by an assertion. */
static inline int ls_int(int64_t value)
{
    assert(value >= INT_MIN && value <= INT_MAX);
    return (int)value;
}

static inline int64_t ls_min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t ls_max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

#endif
