/* Ranges of consecutive rows or elements, and their division into even parts. Local, cannot
 * fail. */
#ifndef LS_BASE_RANGE_H
#define LS_BASE_RANGE_H

#include <stdint.h>

/* Consecutive rows or elements: first .. first+count-1. */
typedef struct ls_range {
    int64_t first;
    int64_t count;
} ls_range;

/* Returns part `part` of 0 .. total-1, cut into `parts` contiguous ranges whose sizes differ by at
 * most 1: a rank's shard of the file or of a validation split, or the rows of a matrix that a rank
 * of a group computes. Local, pure. */
ls_range ls_shard(int64_t total, int parts, int part);

/* As ls_shard(), cut only at multiples of `block`, 1 or more: the sizes differ by at most one
 * block. Local, pure. */
ls_range ls_shard_blocks(int64_t total, int64_t block, int parts, int part);

/* Returns the start of part `part` of `parts` of 0 .. total-1: floor(total * part / parts).
 * Local. */
static inline int64_t ls_part_start(int64_t total, int64_t parts, int64_t part)
{
    /* Without the product total * part, which may overflow. */
    return total / parts * part + total % parts * part / parts;
}

#endif
