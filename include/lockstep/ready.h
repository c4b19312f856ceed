/* How a backward pass tells of gradients that are final: the link between a network and a reducer,
 * which know nothing else of each other. */
#ifndef LOCKSTEP_READY_H
#define LOCKSTEP_READY_H

#include <stddef.h>
#include <stdint.h>

/* Told during a backward pass that all gradients from offset `from` to the end of the arena are
 * final: they come from the end down, so that their reduction over ranks can begin. `call` may be
 * NULL. */
typedef struct ls_ready {
    void (*call)(void *user, int64_t from);
    void *user;
} ls_ready;

static inline void ls_ready_call(ls_ready ready, int64_t from)
{
    if (ready.call != NULL)
        ready.call(ready.user, from);
}

#endif
