/* Memory for arenas and tables: aligned for SIMD, zeroed, counted. */
#ifndef LS_BASE_MEMORY_H
#define LS_BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* `count` elements of `size` bytes, zeroed, aligned to a cache line; owned by the caller, who gives
 * them to ls_free(). Local.
 * count   0 or more; 0 gives a valid pointer
 * NULL on failure, with the text set by ls_fail(LS_ERR_FAILURE, ...). */
void *ls_alloc(int64_t count, size_t size);

/* A copy of a string, owned by the caller. Local. NULL on failure, as ls_alloc(). */
char *ls_strdup(const char *text);

/* Gives memory back; accepts NULL. Local. */
void ls_free(void *memory);

/* How many times ls_alloc() was called in this process: lets a test prove that a loop allocates
 * nothing. Local. */
int64_t ls_alloc_calls(void);

/* Arenas of floats of one layout that are walked through side by side. Each has a lane of its own,
 * a place in the page where it begins: large allocations all begin at the same place, so that equal
 * offsets would compete for the same sets of the caches, which doubles the time of an Adam update.
 * The array begins at a cache line and is all zeros; NULL when memory is short. */
typedef enum ls_alignment_slot {
    LS_LANE_GRADS,
    LS_LANE_PARAMS,
    LS_LANE_SLOTS /* the optimizer's first slot; the others follow */
} ls_alignment_slot;
enum { LS_LANE_FLOATS = 21 * 16 }; /* from one lane to the next: an odd number of cache lines */

float *ls_arena_alloc(int64_t count, int lane);

/* Frees an arena of that lane; accepts NULL. */
void ls_arena_free(float *arena, int lane);

#endif
