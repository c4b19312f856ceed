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

#endif
