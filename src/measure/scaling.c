#include <lockstep/scaling.h>

#include "base/median.h"
#include "base/memory.h"
#include "base/show.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The probability that fewer than k of n values lie below the true median. */
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

static ls_estimate times(ls_estimate e, double factor)
{
    e.median *= factor;
    e.low *= factor;
    e.high *= factor;
    return e;
}

/* Of each epoch beyond the warm-up, and the median of them. */
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

static double median_of(const ls_scaling_run *run, int64_t warmup, value_of *of, double *scratch)
{
    const int64_t epochs = run->epochs - warmup;
    for (int64_t i = 0; i < epochs; i++)
        scratch[i] = of(&run->history[warmup + i]);
    return ls_estimate_make(scratch, (int)epochs).median;
}

/* Seconds until the validation accuracy has come to the target; NaN: it never has. */
static double seconds_to(const ls_scaling_run *run, double target)
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

/* Room for the values of a row's runs, and for those of a run's epochs. */
typedef struct desk {
    double *of_runs, *of_epochs;
} desk;

/* One value a run, of the runs on so many ranks. */
static ls_estimate estimate(const ls_scaling_run *run, int count, int ranks, int64_t warmup,
                            value_of *of, desk d)
{
    int used = 0;
    for (int i = 0; i < count; i++)
        if (run[i].ranks == ranks)
            d.of_runs[used++] = median_of(&run[i], warmup, of, d.of_epochs);
    return ls_estimate_make(d.of_runs, used);
}

/* Medians of parts need not add up to the whole: the rest takes what is left, or they are scaled.
 */
static void make_shares(const ls_scaling_run *run, int count, int64_t warmup, desk d,
                        ls_scaling_row *row)
{
    static value_of *const parts[] = {compute_of, communicate_of, exchange_of};
    double sum = 0;
    for (int k = 0; k < LS_SCALING_rest; k++)
        sum += row->share[k] = estimate(run, count, row->ranks, warmup, parts[k], d).median;
    row->share[LS_SCALING_rest] = sum < 1 ? 1 - sum : 0;
    for (int k = 0; k < LS_SCALING_rest && sum > 1; k++)
        row->share[k] /= sum;
}

static void make_row(const ls_scaling_run *run, int count, int64_t warmup, double target, desk d,
                     ls_scaling_row *row)
{
    row->seconds = estimate(run, count, row->ranks, warmup, seconds_of, d);
    row->rate = estimate(run, count, row->ranks, warmup, rate_of, d);
    make_shares(run, count, warmup, d, row);
    for (int i = 0; i < count; i++) {
        if (run[i].ranks != row->ranks)
            continue;
        row->runs++;
        row->oversubscribed = row->oversubscribed || run[i].oversubscribed;
        const double seconds = target > 0 ? seconds_to(&run[i], target) : NAN;
        if (!isnan(seconds))
            d.of_runs[row->reached++] = seconds;
    }
    row->to_target = ls_estimate_make(d.of_runs, row->reached);
}

/* Speed-ups over the median of the runs on the fewest ranks. */
static void compare_rows(ls_scaling_mode mode, ls_scaling_row *rows, int used)
{
    const double base = rows[0].rate.median / rows[0].ranks;
    for (int i = 0; i < used; i++) {
        ls_scaling_row *row = &rows[i];
        const double P = row->ranks;
        row->speedup = times(row->rate, 1 / base);
        row->efficiency = times(row->speedup, 1 / P);
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
                           "a run on %s has %s, of which the first %lld are left out: train for "
                           "more",
                           ls_counted(run[i].ranks, "rank").text,
                           ls_counted(run[i].epochs, "epoch").text, (long long)warmup);
        longest = run[i].epochs > longest ? run[i].epochs : longest;
        int at = 0;
        while (at < *used && rows[at].ranks != run[i].ranks)
            at++;
        if (at == *used)
            rows[(*used)++] = (ls_scaling_row){.ranks = run[i].ranks};
    }
    const desk d = {ls_alloc(count, sizeof *d.of_runs), ls_alloc(longest, sizeof *d.of_epochs)};
    const ls_status status = d.of_runs != NULL && d.of_epochs != NULL ? LS_OK : LS_ERR_FAILURE;
    qsort(rows, (size_t)*used, sizeof *rows, compare_ranks);
    for (int i = 0; status == LS_OK && i < *used; i++)
        make_row(run, count, warmup, target, d, &rows[i]);
    if (status == LS_OK && *used > 0)
        compare_rows(mode, rows, *used);
    ls_free(d.of_runs);
    ls_free(d.of_epochs);
    return status;
}
