/* Ranges of consecutive rows or elements, and their division into even parts. Local, cannot
 * fail. */
#ifndef LOCKSTEP_RANGE_H
#define LOCKSTEP_RANGE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

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

#ifdef __cplusplus
}
#endif

#endif
