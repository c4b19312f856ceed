/* Hooks: they let passes through a network overlap with the reduction of its gradients. Hooks are
 * the only interface between a network and the reducer that moves its parameters and gradients. */
#ifndef LS_BASE_HOOKS_H
#define LS_BASE_HOOKS_H

#include <stddef.h>
#include <stdint.h>

/* Parameter hook: called during a forward pass before the parameters from offset `from` to the end
 * of the arena are read; returns when they are up to date. Offsets decrease: the first operation
 * with parameters waits for its parameters from last to first, so that it can begin while the
 * others are still being received. `call` may be NULL. */
typedef struct ls_param_hook {
    void (*call)(void *user, int64_t from);
    void *user;
} ls_param_hook;

/* Gradient hook: called during a backward pass when all gradients from offset `from` to the end of
 * the arena are final. Offsets decrease, so that the reduction over ranks can begin at the arena's
 * end. With micro-batches, final means the gradients of one micro-batch; `again` is then called
 * when gradients below offset `end` are about to be recomputed for the next micro-batch, to be
 * added to those of the micro-batches before. Both may be NULL. */
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

/* Announces that gradients below this offset are recomputed for the next micro-batch. Collective if
 * the hook is. */
static inline void ls_next_micro_batch(ls_grad_hook hook, int64_t end)
{
    if (hook.again != NULL)
        hook.again(hook.user, end);
}

#endif
