/* Consecutive rows or elements, and cutting them into even parts. Local, cannot fail. */
#ifndef LOCKSTEP_RANGE_H
#define LOCKSTEP_RANGE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Some consecutive rows or elements. */
typedef struct ls_range {
    int64_t first;
    int64_t count;
} ls_range;

/* Part `part` of 0 .. total-1 cut into `parts` contiguous ranges whose sizes differ by at most 1:
 * the shard of a rank in the file or of a validation split, the rows of a matrix that a rank of a
 * group computes. Local, pure. */
ls_range ls_shard(int64_t total, int parts, int part);

/* The same, cut only at multiples of `block`, 1 or more: the sizes differ by at most one block.
 * Local, pure. */
ls_range ls_shard_blocks(int64_t total, int64_t block, int parts, int part);

#ifdef __cplusplus
}
#endif

#endif
