/* Hooks: how passes through a network and the reduction of its gradients run side by side. The link
 * between a network and those who move its parameters and gradients, which know nothing else of each
 * other. */
#ifndef LOCKSTEP_HOOKS_H
#define LOCKSTEP_HOOKS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Parameter hook: called during a forward pass, before parameters from offset `from` to the end of the
 * arena are read; it returns when they are up to date. Offsets go down: the first operation with
 * parameters waits for its own from the end to the beginning, so that it can begin while some are
 * still on their way. `call` may be NULL. */
typedef struct ls_param_hook {
    void (*call)(void *user, int64_t from);
    void *user;
} ls_param_hook;

/* Gradient hook: called during a backward pass when all gradients from offset `from` to the end of the
 * arena are final: they come from the end down, so that their reduction over ranks can begin. With
 * micro-batches they are those of one micro-batch; then `again` is called when those from some offset
 * below `end` are made anew, for the next micro-batch, to be added to the ones before. Both may be
 * NULL. */
typedef struct ls_grad_hook {
    void (*call)(void *user, int64_t from);
    void (*again)(void *user, int64_t end);
    void *user;
} ls_grad_hook;

/* Waits for the parameters from this offset on. Collective if the hook is. */
static inline void ls_wait_params(ls_param_hook hook, int64_t from)
{
    if (hook.call != NULL)
        hook.call(hook.user, from);
}

/* Announces that the gradients from this offset on are final. Collective if the hook is. */
static inline void ls_grads_ready(ls_grad_hook hook, int64_t from)
{
    if (hook.call != NULL)
        hook.call(hook.user, from);
}

/* Announces that gradients below this offset are made anew for the next micro-batch. */
static inline void ls_next_micro_batch(ls_grad_hook hook, int64_t end)
{
    if (hook.again != NULL)
        hook.again(hook.user, end);
}

#ifdef __cplusplus
}
#endif

#endif
