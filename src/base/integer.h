/* The one cast from our 64-bit counts to the int of MPI and BLAS calls. */
#ifndef LS_BASE_INTEGER_H
#define LS_BASE_INTEGER_H

#include <assert.h>
#include <limits.h>
#include <stdint.h>

static inline int ls_int(int64_t value)
{
    assert(value >= INT_MIN && value <= INT_MAX);
    return (int)value;
}

#endif
