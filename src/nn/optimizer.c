#include <lockstep/optimizer.h>

#include "base/memory.h"

#include <assert.h>
#include <math.h>

struct ls_optimizer {
    ls_optimizer_config config;
    int64_t count;
    int64_t steps;
    int slots;
    float *slot[LS_OPTIMIZER_MAX_SLOTS]; /* [count] each */
};

static int slots_of(const ls_optimizer_config *config)
{
    if (config->kind == LS_SGD)
        return config->momentum > 0 ? 1 : 0;
    return 2;
}

/* The update is computed in float: what is below 1 or above 0 must be so as a float. */
static bool is_decay(double value)
{
    return value >= 0 && (float)value < 1;
}

static ls_status check(const ls_optimizer_config *c)
{
    if (!(c->weight_decay >= 0))
        return ls_fail(LS_ERR_USAGE, "--weight-decay must be 0 or more");
    if (c->kind == LS_SGD) {
        if (!is_decay(c->momentum))
            return ls_fail(LS_ERR_USAGE, "--momentum must be at least 0 and below 1, as a float");
        if (c->nesterov && c->momentum == 0)
            return ls_fail(LS_ERR_USAGE, "--nesterov needs a --momentum above 0");
        return LS_OK;
    }
    if (!is_decay(c->beta1) || !is_decay(c->beta2))
        return ls_fail(LS_ERR_USAGE,
                       "--beta1 and --beta2 must be at least 0 and below 1, as floats");
    if (!((float)c->epsilon > 0))
        return ls_fail(LS_ERR_USAGE, "--epsilon must be above 0, as a float");
    return LS_OK;
}

ls_status ls_optimizer_create(ls_optimizer **out, const ls_optimizer_config *config, int64_t count)
{
    ls_status status = check(config);
    if (status != LS_OK)
        return status;
    ls_optimizer *optimizer = ls_alloc(1, sizeof *optimizer);
    if (optimizer == NULL)
        return LS_ERR_FAILURE;
    optimizer->config = *config;
    optimizer->count = count;
    optimizer->slots = slots_of(config);
    for (int i = 0; i < optimizer->slots; i++) {
        optimizer->slot[i] = ls_alloc(count, sizeof(float));
        if (optimizer->slot[i] == NULL) {
            ls_optimizer_destroy(&optimizer);
            return LS_ERR_FAILURE;
        }
    }
    *out = optimizer;
    return LS_OK;
}

void ls_optimizer_destroy(ls_optimizer **optimizer)
{
    if (optimizer == NULL || *optimizer == NULL)
        return;
    for (int i = 0; i < LS_OPTIMIZER_MAX_SLOTS; i++)
        ls_free((*optimizer)->slot[i]);
    ls_free(*optimizer);
    *optimizer = NULL;
}

static void sgd(ls_optimizer *o, const float *restrict grads, float scale, float lr,
                float *restrict params)
{
    const float decay = (float)o->config.weight_decay;
    for (int64_t i = 0; i < o->count; i++)
        params[i] -= lr * (scale * grads[i] + decay * params[i]);
}

static void sgd_momentum(ls_optimizer *o, const float *restrict grads, float scale, float lr,
                         float *restrict params)
{
    const float decay = (float)o->config.weight_decay, momentum = (float)o->config.momentum;
    /* Plain momentum steps along v; Nesterov along g + momentum v. */
    const float of_g = o->config.nesterov ? 1 : 0, of_v = o->config.nesterov ? momentum : 1;
    float *restrict velocity = o->slot[0];
    for (int64_t i = 0; i < o->count; i++) {
        float g = scale * grads[i] + decay * params[i];
        float v = momentum * velocity[i] + g;
        velocity[i] = v;
        params[i] -= lr * (of_g * g + of_v * v);
    }
}

/* p -= lr mhat / (sqrt(vhat) + epsilon), where mhat = m / (1 - beta1^t), vhat = v / (1 - beta2^t).
 */
static void adam(ls_optimizer *o, const float *restrict grads, float scale, double lr,
                 float *restrict params)
{
    const ls_optimizer_config *c = &o->config;
    const double t = (double)o->steps;
    const float step = (float)(lr / (1 - pow(c->beta1, t)));
    const float root = (float)(1 / sqrt(1 - pow(c->beta2, t)));
    const float b1 = (float)c->beta1, b2 = (float)c->beta2, epsilon = (float)c->epsilon;
    const float l2 = c->kind == LS_ADAM ? (float)c->weight_decay : 0;
    const float keep = c->kind == LS_ADAMW ? (float)(1 - lr * c->weight_decay) : 1;
    float *restrict m = o->slot[0], *restrict v = o->slot[1];
    for (int64_t i = 0; i < o->count; i++) {
        float g = scale * grads[i] + l2 * params[i];
        m[i] = b1 * m[i] + (1 - b1) * g;
        v[i] = b2 * v[i] + (1 - b2) * g * g;
        params[i] = keep * params[i] - step * m[i] / (sqrtf(v[i]) * root + epsilon);
    }
}

void ls_optimizer_step(ls_optimizer *optimizer, const float *grads, double scale, double lr,
                       float *params)
{
    optimizer->steps++;
    if (optimizer->config.kind != LS_SGD)
        adam(optimizer, grads, (float)scale, lr, params);
    else if (optimizer->slots > 0)
        sgd_momentum(optimizer, grads, (float)scale, (float)lr, params);
    else
        sgd(optimizer, grads, (float)scale, (float)lr, params);
}

int64_t ls_optimizer_steps(const ls_optimizer *optimizer)
{
    return optimizer->steps;
}

void ls_optimizer_set_steps(ls_optimizer *optimizer, int64_t steps)
{
    optimizer->steps = steps;
}

int ls_optimizer_slots(const ls_optimizer *optimizer)
{
    return optimizer->slots;
}

const char *ls_optimizer_slot_name(const ls_optimizer *optimizer, int slot)
{
    static const char *const adam_names[] = {"m", "v"};
    assert(slot >= 0 && slot < optimizer->slots);
    return optimizer->config.kind == LS_SGD ? "momentum" : adam_names[slot];
}

float *ls_optimizer_slot(ls_optimizer *optimizer, int slot)
{
    assert(slot >= 0 && slot < optimizer->slots);
    return optimizer->slot[slot];
}
