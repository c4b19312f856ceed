#include "base/memory.h"
#include "base/fault.h"

#include <lockstep/status.h>

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    CACHE_LINE = 64,
    HUGE_PAGE = 2 << 20, /* alignment of large arenas, which request huge pages */
};

static atomic_int_least64_t calls;

void *ls_alloc(int64_t count, size_t size)
{
    assert(count >= 0 && size > 0);
    atomic_fetch_add(&calls, 1);
    if (ls_fault(LS_FAULT_ALLOC) != LS_OK)
        return NULL;
    if ((uint64_t)count > (SIZE_MAX - HUGE_PAGE) / size) {
        (void)ls_fail(LS_ERR_FAILURE, "out of memory: %lld elements of %zu bytes requested",
                      (long long)count, size);
        return NULL;
    }
    size_t align = (size_t)count * size < HUGE_PAGE / 2 ? CACHE_LINE : HUGE_PAGE;
    size_t bytes = ((size_t)count * size + align - 1) / align * align;
    bytes = bytes > 0 ? bytes : CACHE_LINE;
    void *memory = aligned_alloc(align, bytes);
    if (memory == NULL) {
        (void)ls_fail(LS_ERR_FAILURE, "out of memory: %zu bytes requested", bytes);
        return NULL;
    }
    if (align == HUGE_PAGE) /* a hint: failure only means small pages */
        (void)madvise(memory, bytes, MADV_HUGEPAGE);
    return memset(memory, 0, bytes);
}

char *ls_strdup(const char *text)
{
    const size_t size = strlen(text) + 1;
    char *copy = ls_alloc((int64_t)size, 1);
    return copy == NULL ? NULL : memcpy(copy, text, size);
}

void ls_free(void *memory)
{
    free(memory);
}

ls_status ls_grow(void *array, int64_t used, int64_t *room, size_t size)
{
    enum { LEAST = 256 };
    void *old; /* by bytes: `array` may point to a pointer of any type */
    memcpy(&old, array, sizeof old);
    const int64_t larger = *room > 0 ? 2 * *room : LEAST;
    void *copy = ls_alloc(larger, size);
    if (copy == NULL)
        return LS_ERR_FAILURE;
    if (used > 0)
        memcpy(copy, old, (size_t)used * size);
    memcpy(array, &copy, sizeof copy);
    *room = larger;
    ls_free(old);
    return LS_OK;
}

float *ls_arena_alloc(int64_t count, int kind)
{
    float *base = ls_alloc(count + (int64_t)kind * LS_ARENA_STAGGER, sizeof *base);
    return base == NULL ? NULL : base + (int64_t)kind * LS_ARENA_STAGGER;
}

void ls_arena_free(float *arena, int kind)
{
    if (arena != NULL)
        ls_free(arena - (int64_t)kind * LS_ARENA_STAGGER);
}

int64_t ls_alloc_calls(void)
{
    return atomic_load(&calls);
}
