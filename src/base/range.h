#ifndef LS_BASE_RANGE_H
#define LS_BASE_RANGE_H

#include <lockstep/range.h>

/* Returns the start of part `part` of `parts` of 0 .. total-1: floor(total * part / parts).
 * Local. */
static inline int64_t ls_part_start(int64_t total, int64_t parts, int64_t part)
{
    /* Without the product total * part, which may overflow. */
    return total / parts * part + total % parts * part / parts;
}

#endif
