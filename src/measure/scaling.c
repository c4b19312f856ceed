#include "measure/scaling.h"

#include "base/median.h"
#include "base/memory.h"
#include "base/show.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Returns the probability that fewer than k of n values lie below the true median. */
static double fewer_below(int n, int k)
{
    double term = pow(0.5, n), sum = 0;
    for (int i = 0; i < k; i++) {
        sum += term;
        term *= (double)(n - i) / (i + 1);
    }
    return sum;
}

ls_estimate ls_estimate_make(double *values, int count)
{
    const double wanted = 0.95;
    if (count == 0)
        return (ls_estimate){.median = NAN, .low = NAN, .high = NAN, .coverage = NAN};
    const double median = ls_median(values, count);
    int outer = 1; /* the interval goes from the outer-th value to the outer-th from the end */
    while (outer < (count + 1) / 2 && 1 - 2 * fewer_below(count, outer + 1) >= wanted)
        outer++;
    return (ls_estimate){.count = count,
                         .median = median,
                         .low = values[outer - 1],
                         .high = values[count - outer],
                         .coverage = 1 - 2 * fewer_below(count, outer)};
}

static ls_estimate scale_estimate(ls_estimate e, double factor)
{
    e.median *= factor;
    e.low *= factor;
    e.high *= factor;
    return e;
}

/* A value of an epoch; median_of_epochs() takes the median over the epochs after the warm-up. */
typedef double value_of(const ls_metrics *epoch);

static double seconds_of(const ls_metrics *m)
{
    return m->seconds;
}
static double rate_of(const ls_metrics *m)
{
    return m->samples_per_second;
}
static double compute_of(const ls_metrics *m)
{
    return m->compute_s / m->seconds;
}
static double communicate_of(const ls_metrics *m)
{
    return m->communicate_s / m->seconds;
}
static double exchange_of(const ls_metrics *m)
{
    return m->exchange_s / m->seconds;
}

static double median_of_epochs(const ls_scaling_run *run, int64_t warmup, value_of *of,
                               double *scratch)
{
    const int64_t epochs = run->epochs - warmup;
    for (int64_t i = 0; i < epochs; i++)
        scratch[i] = of(&run->history[warmup + i]);
    return ls_estimate_make(scratch, (int)epochs).median;
}

/* Returns the seconds until the validation accuracy reaches the target; NaN: never. */
static double seconds_to_target(const ls_scaling_run *run, double target)
{
    double seconds = 0;
    for (int64_t i = 0; i < run->epochs; i++) {
        const ls_metrics *m = &run->history[i];
        seconds += m->seconds + (isnan(m->validation_s) ? 0 : m->validation_s);
        if (m->val_accuracy >= target)
            return seconds;
        seconds += isnan(m->checkpoint_s) ? 0 : m->checkpoint_s;
    }
    return NAN;
}

/* Scratch for a value of each run, and of each epoch of a run. */
typedef struct workspace {
    double *of_runs, *of_epochs;
} workspace;

/* Estimates a value over the runs on a number of ranks. */
static ls_estimate estimate_runs(const ls_scaling_run *run, int count, int ranks, int64_t warmup,
                                 value_of *of, workspace w)
{
    int used = 0;
    for (int i = 0; i < count; i++)
        if (run[i].ranks == ranks)
            w.of_runs[used++] = median_of_epochs(&run[i], warmup, of, w.of_epochs);
    return ls_estimate_make(w.of_runs, used);
}

/* Medians of parts need not add up to 1: LS_SCALING_rest gets the remainder, or, if their sum is
 * larger than 1, they are scaled. */
static void make_shares(const ls_scaling_run *run, int count, int64_t warmup, workspace w,
                        ls_scaling_row *row)
{
    static value_of *const parts[] = {compute_of, communicate_of, exchange_of};
    double sum = 0;
    for (int k = 0; k < LS_SCALING_rest; k++)
        sum += row->share[k] = estimate_runs(run, count, row->ranks, warmup, parts[k], w).median;
    row->share[LS_SCALING_rest] = sum < 1 ? 1 - sum : 0;
    for (int k = 0; k < LS_SCALING_rest && sum > 1; k++)
        row->share[k] /= sum;
}

static void make_row(const ls_scaling_run *run, int count, int64_t warmup, double target,
                     workspace w, ls_scaling_row *row)
{
    row->seconds = estimate_runs(run, count, row->ranks, warmup, seconds_of, w);
    row->rate = estimate_runs(run, count, row->ranks, warmup, rate_of, w);
    make_shares(run, count, warmup, w, row);
    for (int i = 0; i < count; i++) {
        if (run[i].ranks != row->ranks)
            continue;
        row->runs++;
        row->oversubscribed = row->oversubscribed || run[i].oversubscribed;
        const double seconds = target > 0 ? seconds_to_target(&run[i], target) : NAN;
        if (!isnan(seconds))
            w.of_runs[row->reached++] = seconds;
    }
    row->to_target = ls_estimate_make(w.of_runs, row->reached);
}

/* Computes speed-ups relative to the median of the runs on the fewest ranks. */
static void compare_rows(ls_scaling_mode mode, ls_scaling_row *rows, int used)
{
    const double base = rows[0].rate.median / rows[0].ranks;
    for (int i = 0; i < used; i++) {
        ls_scaling_row *row = &rows[i];
        const double P = row->ranks;
        row->speedup = scale_estimate(row->rate, 1 / base);
        row->efficiency = scale_estimate(row->speedup, 1 / P);
        row->serial_fraction = mode == LS_SCALING_STRONG && rows[0].ranks == 1 && P > 1
                                   ? (1 / row->speedup.median - 1 / P) / (1 - 1 / P)
                                   : NAN;
    }
}

static int compare_ranks(const void *a, const void *b)
{
    const ls_scaling_row *x = a, *y = b;
    return (x->ranks > y->ranks) - (x->ranks < y->ranks);
}

ls_status ls_scaling_evaluate(const ls_scaling_run *run, int count, ls_scaling_mode mode,
                              int64_t warmup, double target, ls_scaling_row *rows, int *used)
{
    int64_t longest = 0;
    *used = 0;
    for (int i = 0; i < count; i++) {
        if (run[i].epochs <= warmup)
            return ls_fail(LS_ERR_DATA,
                           "a run on %s has %s, and the first %lld are left out: train for more",
                           ls_counted(run[i].ranks, "rank").text,
                           ls_counted(run[i].epochs, "epoch").text, (long long)warmup);
        longest = run[i].epochs > longest ? run[i].epochs : longest;
        int at = 0;
        while (at < *used && rows[at].ranks != run[i].ranks)
            at++;
        if (at == *used)
            rows[(*used)++] = (ls_scaling_row){.ranks = run[i].ranks};
    }
    const workspace w = {ls_alloc(count, sizeof *w.of_runs),
                         ls_alloc(longest, sizeof *w.of_epochs)};
    const ls_status status = w.of_runs != NULL && w.of_epochs != NULL ? LS_OK : LS_ERR_FAILURE;
    qsort(rows, (size_t)*used, sizeof *rows, compare_ranks);
    for (int i = 0; status == LS_OK && i < *used; i++)
        make_row(run, count, warmup, target, w, &rows[i]);
    if (status == LS_OK && *used > 0)
        compare_rows(mode, rows, *used);
    ls_free(w.of_runs);
    ls_free(w.of_epochs);
    return status;
}
