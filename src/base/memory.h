/* Memory for arenas and tables: aligned for SIMD, zeroed, counted. */
#ifndef LS_BASE_MEMORY_H
#define LS_BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include <lockstep/status.h>

/* Allocates `count` elements of `size` bytes, zeroed, aligned to a cache line; owned by the caller:
 * ls_free(). Local.
 * count  0 or more; 0 gives a valid pointer
 * Errors: NULL, with the text set by ls_fail(LS_ERR_FAILURE, ...). */
void *ls_alloc(int64_t count, size_t size);

/* Copies a string; owned by the caller: ls_free(). Local. Errors: NULL, as ls_alloc(). */
char *ls_strdup(const char *text);

/* Frees memory of this module; accepts NULL. Local. */
void ls_free(void *memory);

/* Doubles the room of an array that grows. Local.
 * array  address of a pointer to `*room` elements of `size` bytes; replaced
 * used   elements that are kept
 * room   0: none yet; on return more
 * Errors: LS_ERR_FAILURE if memory is short; nothing is changed. */
ls_status ls_grow(void *array, int64_t used, int64_t *room, size_t size) LS_MUST_CHECK;

/* Returns the number of calls of ls_alloc() in this process: tests prove with it that a loop does
 * not allocate. Local. */
int64_t ls_alloc_calls(void);

/* Arenas of one layout that are traversed together. Each kind begins at an offset of its own in the
 * page: without it large allocations all begin at the same offset, equal indices compete for the
 * same cache sets, and an Adam update takes twice as long. */
typedef enum ls_arena_kind {
    LS_ARENA_GRADS,
    LS_ARENA_PARAMS,
    LS_ARENA_SLOTS /* the optimizer's first slot; its other slots follow */
} ls_arena_kind;
enum { LS_ARENA_STAGGER = 21 * 16 }; /* from one offset to the next: an odd number of cache lines */

/* Allocates an arena of `count` floats, zeroed, aligned to a cache line, at the offset of its kind.
 * Local. Errors: NULL, as ls_alloc(). */
float *ls_arena_alloc(int64_t count, int kind);

/* Frees an arena that was allocated as this kind; accepts NULL. Local. */
void ls_arena_free(float *arena, int kind);

#endif
