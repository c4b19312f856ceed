/* Adam, AdamW and LAMB: updates from the first and second moments of the gradients. */
#include "nn/update.h"

#include "base/dispatch.h"

#include <math.h>

static ls_status adam_check(const ls_optimizer_config *c)
{
    if (c->momentum > 0 || c->nesterov)
        return ls_fail(
            LS_ERR_USAGE,
            "--momentum is for --optimizer sgd and lars, --nesterov for sgd: adam, adamw "
            "and lamb have --beta1");
    return LS_OK;
}

static void adam_begin(const ls_optimizer_config *c, double t, double lr, ls_coefficients *now)
{
    now->rate_m = (float)(1 - c->beta1);
    now->rate_v = (float)(1 - c->beta2);
    now->epsilon = (float)c->epsilon;
    now->step = (float)(lr / (1 - pow(c->beta1, t)));
    now->root = (float)(1 / sqrt(1 - pow(c->beta2, t)));
    now->fade = 0;
    now->l2 = (float)c->weight_decay;
}

static void adamw_begin(const ls_optimizer_config *c, double t, double lr, ls_coefficients *now)
{
    adam_begin(c, t, lr, now);
    now->l2 = 0;
    now->fade = (float)(lr * c->weight_decay);
}

static void lamb_begin(const ls_optimizer_config *c, double t, double lr, ls_coefficients *now)
{
    adam_begin(c, t, lr, now);
    now->moment = (float)(1 / (1 - pow(c->beta1, t)));
}

/* p -= lr mhat / (sqrt(vhat) + epsilon), where mhat = m / (1 - beta1^t), vhat = v / (1 - beta2^t),
 * m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2. */
LS_DISPATCH static void adam_kernel(const ls_coefficients *c, int64_t n,
                                    const float *restrict grads, float *restrict params,
                                    float *restrict m, float *restrict v)
{
    const float scale = c->scale, step = c->step, root = c->root, epsilon = c->epsilon;
    const float rate_m = c->rate_m, rate_v = c->rate_v, l2 = c->l2, fade = c->fade;
    for (int64_t i = 0; i < n; i++) {
        float g = scale * grads[i] + l2 * params[i];
        m[i] = m[i] - rate_m * m[i] + rate_m * g;
        v[i] = v[i] - rate_v * v[i] + rate_v * g * g;
        params[i] -= fade * params[i] + step * m[i] / (sqrtf(v[i]) * root + epsilon);
    }
}

/* Updates the moments m and v. */
LS_DISPATCH static void moments_kernel(const ls_coefficients *c, int64_t n,
                                       const float *restrict grads, float *restrict m,
                                       float *restrict v)
{
    const float scale = c->scale, rate_m = c->rate_m, rate_v = c->rate_v;
    for (int64_t i = 0; i < n; i++) {
        float g = scale * grads[i];
        m[i] = m[i] - rate_m * m[i] + rate_m * g;
        v[i] = v[i] - rate_v * v[i] + rate_v * g * g;
    }
}

/* r = mhat / (sqrt(vhat) + epsilon) + decay p */
LS_DISPATCH static void lamb_step_kernel(const ls_coefficients *c, float decay, int64_t n,
                                         const float *restrict m, const float *restrict v,
                                         const float *restrict params, float *restrict r)
{
    const float moment = c->moment, root = c->root, epsilon = c->epsilon;
    for (int64_t i = 0; i < n; i++)
        r[i] = moment * m[i] / (sqrtf(v[i]) * root + epsilon) + decay * params[i];
}

/* p -= lr r, with r as in lamb_step_kernel(). */
LS_DISPATCH static void lamb_kernel(const ls_coefficients *c, float lr, float decay, int64_t n,
                                    const float *restrict m, const float *restrict v,
                                    float *restrict params)
{
    const float moment = c->moment, root = c->root, epsilon = c->epsilon;
    for (int64_t i = 0; i < n; i++)
        params[i] -= lr * (moment * m[i] / (sqrtf(v[i]) * root + epsilon) + decay * params[i]);
}

static float weight_decay_of(const ls_coefficients *now, const ls_chunk *s)
{
    return s->span->matrix ? now->l2 : 0;
}

static void lamb_prepare(const ls_coefficients *now, const ls_chunk *s, float *step)
{
    moments_kernel(now, s->count, s->grads, s->slot[0], s->slot[1]);
    lamb_step_kernel(now, weight_decay_of(now, s), s->count, s->slot[0], s->slot[1], s->params,
                     step);
}

/* ||p|| / ||r|| */
static double lamb_ratio(const ls_optimizer_config *c, double step, double params)
{
    (void)c;
    return params / step;
}

static void adam_update(const ls_coefficients *now, const ls_chunk *s)
{
    adam_kernel(now, s->count, s->grads, s->params, s->slot[0], s->slot[1]);
}

static void lamb_update(const ls_coefficients *now, const ls_chunk *s)
{
    lamb_kernel(now, (float)(now->lr * s->span->ratio), weight_decay_of(now, s), s->count,
                s->slot[0], s->slot[1], s->params);
}

const ls_update ls_update_adam = {
    .slot = {"m", "v"}, .check = adam_check, .begin = adam_begin, .update = adam_update};

const ls_update ls_update_adamw = {
    .slot = {"m", "v"}, .check = adam_check, .begin = adamw_begin, .update = adam_update};

const ls_update ls_update_lamb = {.slot = {"m", "v"},
                                  .layerwise = true,
                                  .check = adam_check,
                                  .begin = lamb_begin,
                                  .update = lamb_update,
                                  .ratio = lamb_ratio,
                                  .prepare = lamb_prepare};
