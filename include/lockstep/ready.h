/* How the passes through a network and the reduction of its gradients run side by side: the link
 * between a network and those who move its parameters and gradients, which know nothing else of
 * each other. */
#ifndef LOCKSTEP_READY_H
#define LOCKSTEP_READY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Asked during a forward pass, before parameters from offset `from` to the end of the arena are
 * read: it returns when they are as they should be. Offsets go down: the first layer with
 * parameters asks for its own from the end to the beginning, so that it can begin while some are
 * still on their way. `call` may be NULL. */
typedef struct ls_need {
    void (*call)(void *user, int64_t from);
    void *user;
} ls_need;

/* Told during a backward pass that all gradients from offset `from` to the end of the arena are
 * final: they come from the end down, so that their reduction over ranks can begin. `call` may be
 * NULL. A pass that goes block by block makes the gradients of each block: then `again` tells that
 * those from some offset below `end` are made anew, for the next block, to be added to what was
 * told. */
typedef struct ls_ready {
    void (*call)(void *user, int64_t from);
    void (*again)(void *user, int64_t end);
    void *user;
} ls_ready;

/* Call the hook if there is one; as the struct's members say. */
static inline void ls_need_call(ls_need need, int64_t from)
{
    if (need.call != NULL)
        need.call(need.user, from);
}

static inline void ls_ready_call(ls_ready ready, int64_t from)
{
    if (ready.call != NULL)
        ready.call(ready.user, from);
}

static inline void ls_ready_again(ls_ready ready, int64_t end)
{
    if (ready.again != NULL)
        ready.again(ready.user, end);
}

#ifdef __cplusplus
}
#endif

#endif
