#include <lockstep/optimizer.h>

#include "base/dispatch.h"
#include "base/memory.h"

#include <assert.h>
#include <math.h>

/* What is the same for all parameters in a step. */
typedef struct coefficients {
    float scale;                       /* of the gradients */
    float step;                        /* learning rate, bias correction included */
    float l2;                          /* weight decay that is added to the gradient */
    float momentum, of_g, of_v;        /* sgd */
    float b1, b2, root, epsilon, keep; /* adam, adamw */
} coefficients;

struct ls_optimizer {
    ls_optimizer_config config;
    int64_t count;
    int64_t steps;
    coefficients now;
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
        optimizer->slot[i] = ls_arena_alloc(count, LS_LANE_SLOTS + i);
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
        ls_arena_free((*optimizer)->slot[i], LS_LANE_SLOTS + i);
    ls_free(*optimizer);
    *optimizer = NULL;
}

/* The updates of n parameters p by gradients g; what is the same for all of them is computed once a
 * step, in ls_optimizer_begin(). */

LS_DISPATCH static void sgd(const coefficients *c, int64_t n, const float *restrict grads,
                            float *restrict params)
{
    const float scale = c->scale, lr = c->step, decay = c->l2;
    for (int64_t i = 0; i < n; i++)
        params[i] -= lr * (scale * grads[i] + decay * params[i]);
}

LS_DISPATCH static void sgd_momentum(const coefficients *c, int64_t n, const float *restrict grads,
                                     float *restrict params, float *restrict velocity)
{
    const float scale = c->scale, lr = c->step, decay = c->l2, momentum = c->momentum;
    const float of_g = c->of_g, of_v = c->of_v;
    for (int64_t i = 0; i < n; i++) {
        float g = scale * grads[i] + decay * params[i];
        float v = momentum * velocity[i] + g;
        velocity[i] = v;
        params[i] -= lr * (of_g * g + of_v * v);
    }
}

/* p -= lr mhat / (sqrt(vhat) + epsilon), where mhat = m / (1 - beta1^t), vhat = v / (1 - beta2^t).
 */
LS_DISPATCH static void adam(const coefficients *c, int64_t n, const float *restrict grads,
                             float *restrict params, float *restrict m, float *restrict v)
{
    const float scale = c->scale, step = c->step, root = c->root, epsilon = c->epsilon;
    const float b1 = c->b1, b2 = c->b2, l2 = c->l2, keep = c->keep;
    for (int64_t i = 0; i < n; i++) {
        float g = scale * grads[i] + l2 * params[i];
        m[i] = b1 * m[i] + (1 - b1) * g;
        v[i] = b2 * v[i] + (1 - b2) * g * g;
        params[i] = keep * params[i] - step * m[i] / (sqrtf(v[i]) * root + epsilon);
    }
}

void ls_optimizer_begin(ls_optimizer *optimizer, double scale, double lr)
{
    const ls_optimizer_config *c = &optimizer->config;
    coefficients *now = &optimizer->now;
    const double t = (double)++optimizer->steps;
    *now = (coefficients){.scale = (float)scale, .step = (float)lr, .keep = 1};
    if (c->kind != LS_ADAMW)
        now->l2 = (float)c->weight_decay;
    if (c->kind == LS_SGD) {
        /* Plain momentum steps along v; Nesterov along g + momentum v. */
        now->momentum = (float)c->momentum;
        now->of_g = c->nesterov ? 1 : 0;
        now->of_v = c->nesterov ? now->momentum : 1;
        return;
    }
    now->b1 = (float)c->beta1;
    now->b2 = (float)c->beta2;
    now->epsilon = (float)c->epsilon;
    now->step = (float)(lr / (1 - pow(c->beta1, t)));
    now->root = (float)(1 / sqrt(1 - pow(c->beta2, t)));
    if (c->kind == LS_ADAMW)
        now->keep = (float)(1 - lr * c->weight_decay);
}

void ls_optimizer_update(ls_optimizer *optimizer, int64_t first, int64_t count, const float *grads,
                         float *params)
{
    assert(first >= 0 && first + count <= optimizer->count);
    const coefficients *now = &optimizer->now;
    float *slot[LS_OPTIMIZER_MAX_SLOTS];
    for (int i = 0; i < optimizer->slots; i++)
        slot[i] = optimizer->slot[i] + first;
    if (optimizer->config.kind != LS_SGD)
        adam(now, count, grads, params, slot[0], slot[1]);
    else if (optimizer->slots > 0)
        sgd_momentum(now, count, grads, params, slot[0]);
    else
        sgd(now, count, grads, params);
}

void ls_optimizer_step(ls_optimizer *optimizer, const float *grads, double scale, double lr,
                       float *params)
{
    ls_optimizer_begin(optimizer, scale, lr);
    ls_optimizer_update(optimizer, 0, optimizer->count, grads, params);
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
