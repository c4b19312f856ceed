/* The scaling model; bench.h describes it and names its source. */
#include "measure/bench.h"

/* Returns the seconds that a group computes on `rows` rows. */
static double compute_seconds(const ls_bench_group *t, int64_t rows)
{
    if (rows <= 0)
        return 0;
    int at = 1;
    while (at < t->sizes - 1 && t->rows[at] < rows)
        at++;
    if (t->sizes == 1)
        return t->seconds[0] * (double)rows / (double)t->rows[0];
    /* Beyond the largest measured number of rows, the last two are extrapolated. */
    double x0 = (double)t->rows[at - 1], x1 = (double)t->rows[at];
    double y0 = t->seconds[at - 1], y1 = t->seconds[at];
    return y0 + (y1 - y0) * ((double)rows - x0) / (x1 - x0);
}

/* Fills in the seconds that a group takes for `rows` rows: interpolated between two measured groups
 * linearly in 1/ranks, like shared work.
 * ranks  of the group, at most those of the largest measured group */
static void add_group(ls_prediction *p, const ls_bench_compute *c, int64_t ranks, int64_t rows)
{
    int at = 0;
    while (at < c->groups - 1 && c->group[at].ranks < ranks)
        at++;
    const ls_bench_group *above = &c->group[at], *below = &c->group[at > 0 ? at - 1 : 0];
    const double x0 = 1.0 / below->ranks, x1 = 1.0 / above->ranks;
    const double share = at > 0 ? (x0 - 1.0 / (double)ranks) / (x0 - x1) : 1;
    p->compute = (1 - share) * compute_seconds(below, rows) + share * compute_seconds(above, rows);
    p->optimizer = (1 - share) * below->optimizer + share * above->optimizer;
}

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static int ceil_log2(int64_t n)
{
    int count = 0;
    while ((INT64_C(1) << count) < n)
        count++;
    return count;
}

/* Adds an allreduce over `peers` participants on a link. */
static void add_allreduce(ls_prediction *p, const ls_link *link, int64_t peers, double bytes)
{
    if (peers < 2)
        return;
    p->latency += 2 * ceil_log2(peers) * link->latency;
    p->transfer += 2 * (double)(peers - 1) / (double)peers * bytes / link->bandwidth;
}

ls_prediction ls_predict(const ls_bench_compute *compute, const ls_cluster *cluster, int64_t rows,
                         int64_t ranks)
{
    const int64_t local = ranks < cluster->ranks_per_node ? ranks : cluster->ranks_per_node;
    const int64_t largest = compute->group[compute->groups - 1].ranks;
    const int64_t group = local < largest ? local : largest;
    ls_prediction p = {.ranks = ranks};
    add_group(&p, compute, group, ceil_div(rows * group, ranks));
    add_allreduce(&p, &cluster->within, ceil_div(local, group), compute->bytes);
    add_allreduce(&p, &cluster->between, ceil_div(ranks, local), compute->bytes);
    p.step = p.compute + p.optimizer + p.latency + p.transfer;
    return p;
}

const char *ls_prediction_limit(const ls_prediction *p)
{
    if (p->compute >= p->optimizer && p->compute >= p->latency && p->compute >= p->transfer)
        return "computing";
    if (p->optimizer >= p->latency && p->optimizer >= p->transfer)
        return "updating";
    return p->latency >= p->transfer ? "latency" : "bandwidth";
}

int64_t ls_predict_best_ranks(const ls_bench_compute *compute, const ls_cluster *cluster,
                              int64_t rows, int64_t most)
{
    int64_t best = 1;
    double least = ls_predict(compute, cluster, rows, 1).step;
    for (int64_t ranks = 2; ranks <= most; ranks++) {
        double step = ls_predict(compute, cluster, rows, ranks).step;
        if (step < least) {
            least = step;
            best = ranks;
        }
    }
    return best;
}
