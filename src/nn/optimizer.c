/* The common part of all kinds of update: iteration over the parameter table, state, norms,
 * clipping, running statistics and the moving average. The kinds are in update_*.c. */
#include "nn/update.h"

#include "base/dispatch.h"
#include "base/memory.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Floats of a chunk that is read more than once: a chunk stays in the cache. */
enum { PIECE = 1 << 10 };

/* A phase: norms that are computed before the first update. */
typedef enum measure {
    MEASURE_GRADS, /* norms of the gradients, for clipping and for learning rates by layer */
    MEASURE_STEP,  /* norms of the updates */
    MEASURES
} measure;

struct ls_optimizer {
    const ls_update *update;
    ls_optimizer_config config;
    int64_t count;
    int64_t steps;
    ls_coefficients now;
    ls_param_span *span; /* [spans], contiguous */
    int spans;
    measure phase[MEASURES];
    int phases;
    double *sums; /* [spans][LS_SQUARES] */
    int slots;
    float *slot[LS_OPTIMIZER_MAX_SLOTS]; /* [count] each */
    float *average;                      /* the last slot; NULL: no moving average */
};

static const ls_update *update_of(const ls_optimizer_config *c)
{
    static const ls_update *const updates[LS_OPTIMIZERS] = {
        [LS_SGD] = &ls_update_sgd,   [LS_ADAM] = &ls_update_adam, [LS_ADAMW] = &ls_update_adamw,
        [LS_LARS] = &ls_update_lars, [LS_LAMB] = &ls_update_lamb,
    };
    return c->kind == LS_SGD && c->momentum > 0 ? &ls_update_momentum : updates[c->kind];
}

const char *ls_optimizer_name(ls_optimizer_kind kind)
{
    static const char *const names[LS_OPTIMIZERS] = {LS_OPTIMIZER_LIST(LS_CHOICE_NAME)};
    return names[kind];
}

ls_status ls_optimizer_check(const ls_optimizer_config *config)
{
    return update_of(config)->check(config);
}

/* Divides the arena into spans: one for each row of the table if layerwise, else one for
 * consecutive rows of the same treatment. Returns the number of spans; only counts if `into` is
 * NULL. */
static int make_spans(const ls_param *table, int rows, bool layerwise, ls_param_span *into)
{
    int spans = 0;
    for (int i = 0; i < rows; i++) {
        const bool alike =
            !layerwise && i > 0 && table[i].running_statistic == table[i - 1].running_statistic;
        if (into != NULL && alike)
            into[spans - 1].count += table[i].count;
        else if (into != NULL)
            into[spans] = (ls_param_span){.first = table[i].offset,
                                          .count = table[i].count,
                                          .running_statistic = table[i].running_statistic,
                                          .matrix = table[i].rank > 1,
                                          .ratio = 1};
        spans += !alike;
    }
    return spans;
}

/* Returns true if the layers' learning rates depend on norms of gradients, not of updates. */
static bool uses_gradient_norms(const ls_update *update)
{
    return update->ratio != NULL && update->prepare == NULL;
}

/* Sets the phases of this optimizer, in order. */
static void choose_phases(ls_optimizer *o)
{
    if (o->config.clip_norm > 0 || uses_gradient_norms(o->update))
        o->phase[o->phases++] = MEASURE_GRADS;
    if (o->update->prepare != NULL)
        o->phase[o->phases++] = MEASURE_STEP;
}

/* Allocates all arrays. */
static ls_status alloc_arrays(ls_optimizer *o, const ls_param *table, int rows)
{
    const int spans = make_spans(table, rows, o->update->layerwise, NULL);
    o->span = ls_alloc(spans, sizeof *o->span);
    o->sums = o->span != NULL ? ls_alloc((int64_t)spans * LS_SQUARES, sizeof *o->sums) : NULL;
    if (o->sums == NULL)
        return LS_ERR_FAILURE;
    o->spans = make_spans(table, rows, o->update->layerwise, o->span);
    while (o->slots < LS_OPTIMIZER_MAX_SLOTS && o->update->slot[o->slots] != NULL)
        o->slots++;
    o->slots += o->config.ema > 0;
    for (int i = 0; i < o->slots; i++) {
        o->slot[i] = ls_arena_alloc(o->count, LS_ARENA_SLOTS + i);
        if (o->slot[i] == NULL)
            return LS_ERR_FAILURE;
    }
    if (o->config.ema > 0)
        o->average = o->slot[o->slots - 1];
    return LS_OK;
}

ls_status ls_optimizer_create(ls_optimizer **out, const ls_optimizer_config *config,
                              const ls_param *table, int rows)
{
    ls_status status = ls_optimizer_check(config);
    if (status != LS_OK)
        return status;
    ls_optimizer *optimizer = ls_alloc(1, sizeof *optimizer);
    if (optimizer == NULL)
        return LS_ERR_FAILURE;
    optimizer->update = update_of(config);
    optimizer->config = *config;
    for (int i = 0; i < rows; i++) {
        assert(table[i].offset == optimizer->count);
        optimizer->count += table[i].count;
    }
    choose_phases(optimizer);
    status = alloc_arrays(optimizer, table, rows);
    if (status != LS_OK) {
        ls_optimizer_destroy(&optimizer);
        return status;
    }
    *out = optimizer;
    return LS_OK;
}

void ls_optimizer_destroy(ls_optimizer **optimizer)
{
    if (optimizer == NULL || *optimizer == NULL)
        return;
    for (int i = 0; i < LS_OPTIMIZER_MAX_SLOTS; i++)
        ls_arena_free((*optimizer)->slot[i], LS_ARENA_SLOTS + i);
    ls_free((*optimizer)->span);
    ls_free((*optimizer)->sums);
    ls_free(*optimizer);
    *optimizer = NULL;
}

void ls_optimizer_start(ls_optimizer *o, const float *params)
{
    if (o->average != NULL)
        memcpy(o->average, params, (size_t)o->count * sizeof *params);
}

/* Calls `visit` for each chunk of a range: at most `most` parameters, all of the same span. */
static void
for_each_chunk(ls_optimizer *o, ls_range range, int64_t most, const float *grads, float *params,
               void (*visit)(ls_optimizer *o, ls_param_span *span, int64_t at, const ls_chunk *s))
{
    const int64_t end = range.first + range.count;
    assert(range.first >= 0 && end <= o->count);
    for (int i = 0; i < o->spans; i++) {
        ls_param_span *span = &o->span[i];
        const int64_t span_end = span->first + span->count, until = end < span_end ? end : span_end;
        int64_t at = range.first > span->first ? range.first : span->first;
        for (int64_t n; at < until; at += n) {
            n = until - at < most ? until - at : most;
            ls_chunk s = {.span = span,
                          .count = n,
                          .grads = grads + (at - range.first),
                          .params = params + (at - range.first)};
            for (int k = 0; k < o->slots; k++)
                s.slot[k] = o->slot[k] + at;
            visit(o, span, at, &s);
        }
    }
}

/* Adds the squares of n floats, the first at offset `at` of the arena, to the lanes. */
LS_DISPATCH static void add_squares(int64_t at, int64_t n, const float *restrict x,
                                    double lane[restrict LS_LANES])
{
    double sum[LS_LANES];
    int64_t i = 0;
    for (; i < n && (at + i) % LS_LANES != 0; i++)
        lane[(at + i) % LS_LANES] += (double)x[i] * (double)x[i];
    memcpy(sum, lane, sizeof sum);
    for (; i + LS_LANES <= n; i += LS_LANES)
        for (int k = 0; k < LS_LANES; k++)
            sum[k] += (double)x[i + k] * (double)x[i + k];
    memcpy(lane, sum, sizeof sum);
    for (; i < n; i++)
        lane[(at + i) % LS_LANES] += (double)x[i] * (double)x[i];
}

/* Adds the squares of a chunk's gradients, and of its parameters if needed. */
static void optimizer_measure_grads(ls_optimizer *o, ls_param_span *span, int64_t at,
                                    const ls_chunk *s)
{
    if (span->running_statistic)
        return;
    add_squares(at, s->count, s->grads, span->lane[LS_SQUARE_STEP]);
    if (uses_gradient_norms(o->update) && span->matrix)
        add_squares(at, s->count, s->params, span->lane[LS_SQUARE_PARAMS]);
}

/* Adds the squares of a chunk's updates and parameters; advances the slots. */
static void optimizer_measure_step(ls_optimizer *o, ls_param_span *span, int64_t at,
                                   const ls_chunk *s)
{
    float step[PIECE];
    if (span->running_statistic)
        return;
    o->update->prepare(&o->now, s, step);
    if (!span->matrix)
        return;
    add_squares(at, s->count, step, span->lane[LS_SQUARE_STEP]);
    add_squares(at, s->count, s->params, span->lane[LS_SQUARE_PARAMS]);
}

int ls_optimizer_phases(const ls_optimizer *optimizer)
{
    return optimizer->phases;
}

void ls_optimizer_accumulate_norms(ls_optimizer *o, int phase, int64_t first, int64_t count,
                                   const float *grads, const float *params)
{
    assert(phase >= 0 && phase < o->phases);
    for_each_chunk(o, (ls_range){first, count}, PIECE, grads, (float *)params,
                   o->phase[phase] == MEASURE_GRADS ? optimizer_measure_grads
                                                    : optimizer_measure_step);
}

double *ls_optimizer_sums(ls_optimizer *o, int *count)
{
    for (int i = 0; i < o->spans; i++)
        for (int k = 0; k < LS_SQUARES; k++) {
            double *lane = o->span[i].lane[k], sum = 0;
            for (int l = 0; l < LS_LANES; l++)
                sum += lane[l];
            memset(lane, 0, LS_LANES * sizeof *lane);
            o->sums[i * LS_SQUARES + k] = sum;
        }
    *count = o->spans * LS_SQUARES;
    return o->sums;
}

/* The factor that clips the gradients to clip_norm by their global norm (Pascanu, Mikolov and
 * Bengio, On the difficulty of training recurrent neural networks, 2013). */
static double clip_factor(const ls_optimizer *o, double scale)
{
    double sum = 0;
    for (int i = 0; i < o->spans; i++)
        sum += o->sums[i * LS_SQUARES + LS_SQUARE_STEP];
    const double norm = scale * sqrt(sum);
    return o->config.clip_norm > 0 && norm > o->config.clip_norm ? o->config.clip_norm / norm : 1;
}

/* Sets the ratios of all spans. scale: factor of the norms of LS_SQUARE_STEP. */
static void set_ratios(ls_optimizer *o, double scale)
{
    for (int i = 0; i < o->spans; i++) {
        const double *sums = &o->sums[i * LS_SQUARES];
        const double step = scale * sqrt(sums[LS_SQUARE_STEP]);
        const double params = sqrt(sums[LS_SQUARE_PARAMS]);
        if (o->span[i].matrix)
            o->span[i].ratio =
                step > 0 && params > 0 ? o->update->ratio(&o->config, step, params) : 1;
    }
}

void ls_optimizer_finish_norms(ls_optimizer *o, int phase)
{
    ls_coefficients *now = &o->now;
    if (o->phase[phase] == MEASURE_STEP) {
        set_ratios(o, 1);
        return;
    }
    const double clipped = now->mean * clip_factor(o, now->mean);
    now->scale = (float)clipped;
    if (uses_gradient_norms(o->update))
        set_ratios(o, clipped);
}

void ls_optimizer_begin(ls_optimizer *o, double scale, double lr)
{
    const double t = (double)++o->steps, warm = (1 + t) / (10 + t);
    const double decay = o->config.ema < warm ? o->config.ema : warm;
    o->now = (ls_coefficients){.lr = lr,
                               .mean = scale,
                               .scale = (float)scale,
                               .running = (float)(LS_RUNNING_RATE * scale),
                               .average = (float)(1 - decay)};
    o->update->begin(&o->config, t, lr, &o->now);
}

void ls_optimizer_scale_statistics(ls_optimizer *o, double scale)
{
    o->now.running = (float)(LS_RUNNING_RATE * scale);
}

/* p -= rate g, where g is the sum over rows of (p - statistic observed in the step). */
LS_DISPATCH static void update_running(float rate, int64_t n, const float *restrict grads,
                                       float *restrict params)
{
    for (int64_t i = 0; i < n; i++)
        params[i] -= rate * grads[i];
}

/* a = decay a + (1 - decay) p, where weight = 1 - decay. */
LS_DISPATCH static void update_average(float weight, int64_t n, const float *restrict params,
                                       float *restrict average)
{
    for (int64_t i = 0; i < n; i++)
        average[i] += weight * (params[i] - average[i]);
}

/* Updates a chunk's parameters and their average. */
static void optimizer_update_chunk(ls_optimizer *o, ls_param_span *span, int64_t at,
                                   const ls_chunk *s)
{
    if (span->running_statistic)
        update_running(o->now.running, s->count, s->grads, s->params);
    else
        o->update->update(&o->now, s);
    if (o->average != NULL)
        update_average(o->now.average, s->count, s->params, o->average + at);
}

void ls_optimizer_update(ls_optimizer *o, int64_t first, int64_t count, const float *grads,
                         float *params)
{
    for_each_chunk(o, (ls_range){first, count}, o->average != NULL ? PIECE : o->count, grads,
                   params, optimizer_update_chunk);
}

void ls_optimizer_step(ls_optimizer *o, const float *grads, double scale, double lr, float *params)
{
    int sums;
    ls_optimizer_begin(o, scale, lr);
    for (int phase = 0; phase < o->phases; phase++) {
        ls_optimizer_accumulate_norms(o, phase, 0, o->count, grads, params);
        (void)ls_optimizer_sums(o, &sums);
        ls_optimizer_finish_norms(o, phase);
    }
    ls_optimizer_update(o, 0, o->count, grads, params);
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
    assert(slot >= 0 && slot < optimizer->slots);
    return optimizer->slot[slot] == optimizer->average ? "average" : optimizer->update->slot[slot];
}

float *ls_optimizer_slot(ls_optimizer *optimizer, int slot)
{
    assert(slot >= 0 && slot < optimizer->slots);
    return optimizer->slot[slot];
}

float *ls_optimizer_average(ls_optimizer *optimizer)
{
    return optimizer->average;
}
