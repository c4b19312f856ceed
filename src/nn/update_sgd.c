/* Gradient descent: plain, with momentum, and LARS (learning rates by layer). */
#include "nn/update.h"

#include "base/dispatch.h"

static ls_status sgd_check(const ls_optimizer_config *c)
{
    if (c->nesterov && c->momentum == 0)
        return ls_fail(LS_ERR_USAGE, "--nesterov needs a --momentum above 0");
    return LS_OK;
}

static ls_status lars_check(const ls_optimizer_config *c)
{
    if (c->nesterov)
        return ls_fail(LS_ERR_USAGE, "--nesterov works with --optimizer sgd only, not with lars");
    return sgd_check(c);
}

static void sgd_begin(const ls_optimizer_config *c, double t, double lr, ls_coefficients *now)
{
    (void)t;
    now->step = (float)lr;
    now->l2 = (float)c->weight_decay;
    /* Plain momentum: the update is lr v; Nesterov: lr (g + momentum v). */
    now->friction = (float)(1 - c->momentum);
    now->of_g = c->nesterov ? 1 : 0;
    now->of_v = c->nesterov ? (float)c->momentum : 1;
}

LS_DISPATCH static void sgd_kernel(const ls_coefficients *c, int64_t n, const float *restrict grads,
                                   float *restrict params)
{
    const float scale = c->scale, lr = c->step, decay = c->l2;
    for (int64_t i = 0; i < n; i++)
        params[i] -= lr * (scale * grads[i] + decay * params[i]);
}

LS_DISPATCH static void momentum_kernel(const ls_coefficients *c, int64_t n,
                                        const float *restrict grads, float *restrict params,
                                        float *restrict velocity)
{
    const float scale = c->scale, lr = c->step, decay = c->l2, friction = c->friction;
    const float of_g = c->of_g, of_v = c->of_v;
    for (int64_t i = 0; i < n; i++) {
        float g = scale * grads[i] + decay * params[i];
        float v = velocity[i] - friction * velocity[i] + g;
        velocity[i] = v;
        params[i] -= lr * (of_g * g + of_v * v);
    }
}

/* The learning rate is part of the velocity: v = momentum v + lr (g + decay p); p -= v. */
LS_DISPATCH static void lars_kernel(float friction, float scale, float lr, float decay, int64_t n,
                                    const float *restrict grads, float *restrict params,
                                    float *restrict velocity)
{
    for (int64_t i = 0; i < n; i++) {
        float v =
            velocity[i] - friction * velocity[i] + lr * (scale * grads[i] + decay * params[i]);
        velocity[i] = v;
        params[i] -= v;
    }
}

/* trust ||p|| / (||g|| + decay ||p||) */
static double lars_ratio(const ls_optimizer_config *c, double step, double params)
{
    return c->trust * params / (step + c->weight_decay * params);
}

static void sgd_update(const ls_coefficients *now, const ls_chunk *s)
{
    sgd_kernel(now, s->count, s->grads, s->params);
}

static void momentum_update(const ls_coefficients *now, const ls_chunk *s)
{
    momentum_kernel(now, s->count, s->grads, s->params, s->slot[0]);
}

static void lars_update(const ls_coefficients *now, const ls_chunk *s)
{
    const float lr = (float)(now->lr * s->span->ratio);
    lars_kernel(now->friction, now->scale, lr, s->span->matrix ? now->l2 : 0, s->count, s->grads,
                s->params, s->slot[0]);
}

const ls_update ls_update_sgd = {.check = sgd_check, .begin = sgd_begin, .update = sgd_update};

const ls_update ls_update_momentum = {
    .slot = {"momentum"}, .check = sgd_check, .begin = sgd_begin, .update = momentum_update};

const ls_update ls_update_lars = {.slot = {"momentum"},
                                  .layerwise = true,
                                  .check = lars_check,
                                  .begin = sgd_begin,
                                  .update = lars_update,
                                  .ratio = lars_ratio};
