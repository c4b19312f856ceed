/* Measures the machine: matrix products, memory, allreduces. */
#include "measure/bench.h"

#include "parallel/collectives.h"
#include "base/clock.h"
#include "base/median.h"
#include "base/memory.h"

#include <lockstep/compute.h>

#include <string.h>

ls_spread ls_spread_of(ls_comm *comm, double value)
{
    double most = value, least = -value, sum = value;
    const int rank = ls_argmax_rank(comm, value);
    ls_allreduce_max(comm, &most, 1);
    ls_allreduce_max(comm, &least, 1);
    ls_allreduce_doubles(comm, &sum, 1);
    return (ls_spread){
        .least = -least, .mean = sum / ls_comm_size(comm), .most = most, .most_rank = rank};
}

/* Measures the best rate of products of several sizes: a rank's peak. Collective. */
static ls_status measure_sgemm(ls_comm *comm, ls_spread *out)
{
    enum { MOST = 1536, TRIES = 4 };
    static const int sizes[] = {384, 768, MOST};
    float *a = ls_alloc(3 * (int64_t)MOST * MOST, sizeof *a);
    ls_status status = ls_agree(comm, a == NULL ? LS_ERR_FAILURE : LS_OK);
    double best = 0;
    for (size_t i = 0; status == LS_OK && i < sizeof sizes / sizeof *sizes; i++) {
        const int n = sizes[i], repeats = MOST / n;
        float *b = a + MOST * MOST, *c = b + MOST * MOST;
        for (int k = 0; k < n * n; k++)
            a[k] = b[k] = (float)(k % 7);
        ls_barrier(comm);
        for (int t = 0; t < TRIES; t++) {
            double begin = ls_now();
            for (int r = 0; r < repeats; r++)
                ls_compute_product(n, a, b, c);
            double rate = 2.0 * n * n * n * repeats / (ls_now() - begin);
            best = rate > best ? rate : best;
        }
    }
    ls_free(a);
    if (status == LS_OK)
        *out = ls_spread_of(comm, best);
    return status;
}

/* Measures the best rate of a = b + c x. Collective. */
static ls_status measure_memory(ls_comm *comm, ls_spread *out)
{
    enum { COUNT = 1 << 23, TRIES = 4 };
    float *a = ls_alloc(3 * (int64_t)COUNT, sizeof *a);
    ls_status status = ls_agree(comm, a == NULL ? LS_ERR_FAILURE : LS_OK);
    if (status != LS_OK)
        return status;
    float *restrict x = a, *restrict y = a + COUNT, *restrict z = y + COUNT;
    double best = 0;
    ls_barrier(comm);
    for (int t = 0; t < TRIES; t++) {
        double begin = ls_now();
        for (int64_t i = 0; i < COUNT; i++)
            x[i] = y[i] + (float)(t + 1) * z[i];
        double rate = 3.0 * COUNT * sizeof *a / (ls_now() - begin);
        best = rate > best ? rate : best;
    }
    ls_free(a);
    *out = ls_spread_of(comm, best);
    return LS_OK;
}

/* Fits latency and bandwidth to times, by least squares of relative errors of t = u + v s. */
static ls_link fit_link(const ls_bench_machine *m, int ranks)
{
    double ww = 0, ws = 0, wss = 0, wt = 0, wst = 0;
    for (int i = 0; i < m->sizes; i++) {
        double s = (double)m->bytes[i], t = m->seconds[i], w = 1 / (t * t);
        ww += w;
        ws += w * s;
        wss += w * s * s;
        wt += w * t;
        wst += w * s * t;
    }
    const double determinant = ww * wss - ws * ws;
    const double u = (wt * wss - ws * wst) / determinant, v = (ww * wst - ws * wt) / determinant;
    int rounds = 0;
    while ((1 << rounds) < ranks)
        rounds++;
    return (ls_link){.latency = u > 0 ? u / (2 * rounds) : 0,
                     .bandwidth = 2.0 * (ranks - 1) / ranks / v};
}

/* Leaves the link idle, as it is while ranks compute. Local. */
static void wait_idle(void)
{
    const double begin = ls_now(), seconds = 1e-3;
    while (ls_now() - begin < seconds)
        continue;
}

/* Measures allreduces of several sizes. Collective. */
static ls_status measure_allreduce(ls_comm *comm, ls_bench_machine *m)
{
    enum { REPEATS = 25, SMALLEST = 8 };
    const int64_t largest = SMALLEST * (INT64_C(1) << 3 * (LS_BENCH_SIZES - 1));
    float *values = ls_alloc(largest / (int64_t)sizeof *values, sizeof *values);
    ls_status status = ls_agree(comm, values == NULL ? LS_ERR_FAILURE : LS_OK);
    m->sizes = 0;
    for (int64_t bytes = SMALLEST; status == LS_OK && bytes <= largest; bytes *= 8) {
        double seconds[REPEATS];
        const int count = (int)(bytes / (int64_t)sizeof *values);
        for (int i = -2; i < REPEATS; i++) {
            wait_idle();
            ls_barrier(comm);
            double begin = ls_now();
            ls_allreduce_floats(comm, values, count);
            if (i >= 0)
                seconds[i] = ls_now() - begin;
        }
        ls_allreduce_max(comm, seconds, REPEATS);
        m->bytes[m->sizes] = bytes;
        m->seconds[m->sizes++] = ls_median(seconds, REPEATS);
    }
    ls_free(values);
    if (status == LS_OK)
        m->link = fit_link(m, ls_comm_size(comm));
    return status;
}

ls_status ls_bench_machine_measure(ls_comm *comm, ls_bench_machine *out)
{
    memset(out, 0, sizeof *out);
    ls_barrier(comm);
    out->peak = ls_spread_of(comm, ls_compute_peak(ls_now));
    ls_status status = measure_sgemm(comm, &out->sgemm);
    if (status == LS_OK)
        status = measure_memory(comm, &out->memory);
    if (status == LS_OK && ls_comm_size(comm) > 1)
        status = measure_allreduce(comm, out);
    return status;
}
