#include "nn/schedule.h"

#include "base/fraction.h"
#include "base/show.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

/* OneCycleLR's defaults. */
static const double CYCLE_RISE = 0.3;   /* fraction of the run with a rising rate */
static const double CYCLE_START = 0.04; /* fraction of the highest rate: 1 / div_factor = 1 / 25 */

static const double MOST_CUTS = 1e9; /* more cuts do not change the rate */

const char *ls_schedule_name(ls_schedule_kind kind)
{
    static const char *const names[] = {LS_SCHEDULE_LIST(LS_CHOICE_NAME)};
    assert((size_t)kind < sizeof names / sizeof *names);
    return names[kind];
}

ls_status ls_schedule_check(const ls_schedule_config *c, int64_t epochs)
{
    if (c->kind == LS_SCHEDULE_ONECYCLE && c->warmup > 0)
        return ls_fail(LS_ERR_USAGE, "--schedule onecycle includes a warmup: remove --warmup");
    if (c->kind == LS_SCHEDULE_COSINE && c->warmup >= (double)epochs && epochs > 0)
        return ls_fail(LS_ERR_USAGE,
                       "--warmup %g leaves none of %s for --schedule cosine: use a shorter warmup",
                       c->warmup, ls_counted(epochs, "epoch").text);
    return LS_OK;
}

bool ls_schedule_needs_epochs(const ls_schedule_config *c)
{
    return c->kind == LS_SCHEDULE_COSINE || c->kind == LS_SCHEDULE_ONECYCLE ||
           (c->kind == LS_SCHEDULE_STEP && c->step == 0);
}

double ls_schedule_base(const ls_schedule_config *c, double lr, int64_t batch)
{
    if (c->scaling == LS_LR_AS_GIVEN)
        return lr;
    const double ratio = (double)batch / (double)c->base_batch;
    return lr * (c->scaling == LS_LR_LINEAR ? ratio : sqrt(ratio));
}

/* (1 + cos(pi x)) / 2 for x from 0 to 1, as 1 - sin^2(pi x / 2). The sine is its Taylor polynomial
 * of degree 23, which is exact to the last bits: the rounding of a library's cosine may depend on
 * the processor, and all ranks must have the same rate. */
static double half_cosine(double x)
{
    enum { DEGREE = 23 };
    const double angle = x * 1.57079632679489661923, square = angle * angle;
    double sine = 1;
    for (int n = DEGREE; n > 1; n -= 2)
        sine = 1 - sine * square / (n * (n - 1));
    sine *= angle;
    return 1 - sine * sine;
}

/* Half a cosine from `from` at x = 0 to `to` at x = 1. */
static double anneal(double from, double to, double x)
{
    return to + (from - to) * half_cosine(x < 1 ? x : 1);
}

/* gamma^n, by multiplications only: the same bits on every processor. */
static double power(double gamma, int64_t n)
{
    double result = 1;
    for (; n > 0 && result > 0; n /= 2, gamma *= gamma)
        if (n % 2 == 1)
            result *= gamma;
    return result;
}

static double one_cycle(const ls_schedule_config *c, double s, double T)
{
    const double top = ls_meant(CYCLE_RISE * T) - 1, last = T - 1;
    if (s <= top)
        return anneal(CYCLE_START, 1, s / top);
    return anneal(1, c->final, (s - top) / (last - top));
}

double ls_schedule_rate(const ls_schedule_config *c, double base, const ls_schedule_at *at)
{
    const double s = (double)at->step, E = (double)at->steps_per_epoch;
    const double T = E * (double)at->epochs, W = ls_meant(E * c->warmup);
    const double cuts = ls_meant(s / (c->step > 0 ? E * c->step : T / 3));
    double factor = 1;
    switch (c->kind) {
    case LS_SCHEDULE_CONSTANT:
        break;
    case LS_SCHEDULE_STEP:
        factor = power(c->gamma, (int64_t)fmin(cuts, MOST_CUTS));
        break;
    case LS_SCHEDULE_COSINE:
        factor = s > W ? anneal(1, c->final, (s - W) / (T - W)) : 1;
        break;
    case LS_SCHEDULE_ONECYCLE:
        factor = one_cycle(c, s, T);
        break;
    case LS_SCHEDULE_PLATEAU:
        factor = power(c->gamma, at->plateaus);
        break;
    }
    return base * (s + 1 < W ? (s + 1) / W : 1) * factor;
}
