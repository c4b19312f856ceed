/* The walk through the parameter table, and what all kinds of update have in common: their state,
 * norms and clipping, parameters that track a statistic, the average. The kinds are in update_*.c.
 */
#include "nn/optimizer.h"

#include "base/dispatch.h"
#include "base/memory.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Floats that are handled at once where they are read again. */
enum { PIECE = 1 << 10 };

/* What is measured before the first update. */
typedef enum measure {
    MEASURE_GRADS, /* their norms, and with them what clipping makes of them */
    MEASURE_STEP,  /* the norms of the updates that are to be made */
    MEASURES
} measure;

struct ls_optimizer {
    const ls_update *update;
    ls_optimizer_config config;
    int64_t count;
    int64_t steps;
    ls_coefficients now;
    ls_param_span *span; /* [spans], end to end */
    int spans;
    measure phase[MEASURES];
    int phases;
    double *sums; /* [spans][LS_SQUARES] */
    int slots;
    float *slot[LS_OPTIMIZER_MAX_SLOTS]; /* [count] each */
    float *average;                      /* the last of them; NULL: none is kept */
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

/* Cuts the arena into spans: the table's rows, or as many as are treated alike. Returns their
 * number; NULL only counts. */
static int cut(const ls_param *table, int rows, bool layerwise, ls_param_span *into)
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

/* Whether it is the gradients, and not steps made of them, whose norms set the layers' rates. */
static bool goes_by_grads(const ls_update *update)
{
    return update->ratio != NULL && update->prepare == NULL;
}

/* What this optimizer has to measure, in this order. */
static void choose_phases(ls_optimizer *o)
{
    if (o->config.clip_norm > 0 || goes_by_grads(o->update))
        o->phase[o->phases++] = MEASURE_GRADS;
    if (o->update->prepare != NULL)
        o->phase[o->phases++] = MEASURE_STEP;
}

/* Makes all arrays. */
static ls_status make_room(ls_optimizer *o, const ls_param *table, int rows)
{
    const int spans = cut(table, rows, o->update->layerwise, NULL);
    o->span = ls_alloc(spans, sizeof *o->span);
    o->sums = o->span != NULL ? ls_alloc((int64_t)spans * LS_SQUARES, sizeof *o->sums) : NULL;
    if (o->sums == NULL)
        return LS_ERR_FAILURE;
    o->spans = cut(table, rows, o->update->layerwise, o->span);
    while (o->slots < LS_OPTIMIZER_MAX_SLOTS && o->update->slot[o->slots] != NULL)
        o->slots++;
    o->slots += o->config.ema > 0;
    for (int i = 0; i < o->slots; i++) {
        o->slot[i] = ls_arena_alloc(o->count, LS_LANE_SLOTS + i);
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
    status = make_room(optimizer, table, rows);
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
        ls_arena_free((*optimizer)->slot[i], LS_LANE_SLOTS + i);
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

/* Calls `visit` for what a range has of each span, cut into stretches of at most `most`. */
static void walk(ls_optimizer *o, ls_range range, int64_t most, const float *grads, float *params,
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

/* Adds up the squares of n floats from offset `at` on. */
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

static void measure_grads(ls_optimizer *o, ls_param_span *span, int64_t at, const ls_chunk *s)
{
    if (span->running_statistic)
        return;
    add_squares(at, s->count, s->grads, span->lane[LS_SQUARE_STEP]);
    if (goes_by_grads(o->update) && span->matrix)
        add_squares(at, s->count, s->params, span->lane[LS_SQUARE_PARAMS]);
}

static void measure_step(ls_optimizer *o, ls_param_span *span, int64_t at, const ls_chunk *s)
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
    walk(o, (ls_range){first, count}, PIECE, grads, (float *)params,
         o->phase[phase] == MEASURE_GRADS ? measure_grads : measure_step);
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

/* What the norm of all gradients makes of them (Pascanu, Mikolov and Bengio, On the difficulty of
 * training recurrent neural networks, 2013). */
static double clip_of(const ls_optimizer *o, double scale)
{
    double sum = 0;
    for (int i = 0; i < o->spans; i++)
        sum += o->sums[i * LS_SQUARES + LS_SQUARE_STEP];
    const double norm = scale * sqrt(sum);
    return o->config.clip_norm > 0 && norm > o->config.clip_norm ? o->config.clip_norm / norm : 1;
}

/* Sets the spans' ratios; `scale` of what was measured as their steps. */
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
    const double clipped = now->mean * clip_of(o, now->mean);
    now->scale = (float)clipped;
    if (goes_by_grads(o->update))
        set_ratios(o, clipped);
}

void ls_optimizer_begin(ls_optimizer *o, double scale, double lr)
{
    const double t = (double)++o->steps, warm = (1 + t) / (10 + t);
    const double decay = o->config.ema < warm ? o->config.ema : warm;
    o->now = (ls_coefficients){.lr = lr,
                               .mean = scale,
                               .scale = (float)scale,
                               .track = (float)(LS_RUNNING_RATE * scale),
                               .average = (float)(1 - decay)};
    o->update->begin(&o->config, t, lr, &o->now);
}

/* p -= rate g, where g is the mean of (p - what was seen in the step). */
LS_DISPATCH static void track(float rate, int64_t n, const float *restrict grads,
                              float *restrict params)
{
    for (int64_t i = 0; i < n; i++)
        params[i] -= rate * grads[i];
}

/* a = decay a + (1 - decay) p */
LS_DISPATCH static void take_average(float weight, int64_t n, const float *restrict params,
                                     float *restrict average)
{
    for (int64_t i = 0; i < n; i++)
        average[i] += weight * (params[i] - average[i]);
}

static void update(ls_optimizer *o, ls_param_span *span, int64_t at, const ls_chunk *s)
{
    if (span->running_statistic)
        track(o->now.track, s->count, s->grads, s->params);
    else
        o->update->update(&o->now, s);
    if (o->average != NULL)
        take_average(o->now.average, s->count, s->params, o->average + at);
}

void ls_optimizer_update(ls_optimizer *o, int64_t first, int64_t count, const float *grads,
                         float *params)
{
    walk(o, (ls_range){first, count}, o->average != NULL ? PIECE : o->count, grads, params, update);
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
