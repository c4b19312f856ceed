/* Evaluates a scaling experiment: trainings on several numbers of ranks, each repeated. All
 * functions are Local and depend on the runs' metrics only.
 *
 * Strong scaling keeps the global batch, weak scaling keeps the rows of a rank. Both compare rates
 * in samples/s, medians over the runs; P: ranks, P0: the smallest P of the experiment:
 *
 *     speed-up    S = P0 rate(P) / rate(P0), so that on P0 ranks it is P0
 *     efficiency  S / P
 *     serial fraction  (1/S - 1/P) / (1 - 1/P), of strong scaling from one rank (Karp and Flatt,
 *                      Measuring Parallel Processor Performance, 1990) */
#ifndef LS_MEASURE_SCALING_H
#define LS_MEASURE_SCALING_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/metrics.h>
#include <lockstep/status.h>

/* A median, and the interval that contains the true median with a probability of at least 95 % for
 * any distribution: two of the sorted values, from the binomial distribution of the number of
 * values below the true median (Hoefler and Belli, Scientific Benchmarking of Parallel Computing
 * Systems, 2015). Fewer than 6 values have no such interval: it is then from the least to the
 * largest value, and `coverage` is its probability. With 0 values all are NaN. */
typedef struct ls_estimate {
    int count;
    double median, low, high, coverage;
} ls_estimate;

/* Returns the median and its confidence interval. Local.
 * values  [count] sorted on return; count may be 0 */
ls_estimate ls_estimate_make(double *values, int count);

typedef enum ls_scaling_mode { LS_SCALING_STRONG, LS_SCALING_WEAK } ls_scaling_mode;

typedef struct ls_scaling_run {
    int ranks;
    bool oversubscribed;       /* a node had more threads than cores */
    const ls_metrics *history; /* [epochs], borrowed */
    int64_t epochs;
} ls_scaling_run;

/* Phases of an epoch on a rank; the rest is waiting and unmeasured work. */
#define LS_SCALING_PHASE_LIST(X)                                                                   \
    X(compute)                                                                                     \
    X(communicate)                                                                                 \
    X(exchange)                                                                                    \
    X(rest)
enum {
#define LS_SCALING_PHASE(name) LS_SCALING_##name,
    LS_SCALING_PHASE_LIST(LS_SCALING_PHASE)
#undef LS_SCALING_PHASE
        LS_SCALING_PHASES
};

/* Results of the runs on one number of ranks. Each run counts with the median of its epochs. */
typedef struct ls_scaling_row {
    int ranks;
    int runs;
    bool oversubscribed;             /* any of the runs */
    ls_estimate seconds;             /* of an epoch */
    ls_estimate rate;                /* samples/s */
    ls_estimate speedup;             /* the interval is that of the rate, over rate(P0) */
    ls_estimate efficiency;          /* likewise */
    double serial_fraction;          /* NaN for weak scaling, and if it is undefined */
    double share[LS_SCALING_PHASES]; /* of an epoch, with sum 1; medians over runs, scaled */
    int reached;                     /* runs whose validation accuracy reached the target */
    ls_estimate to_target;           /* seconds until then, with validation and checkpoints */
} ls_scaling_row;

/* Evaluates an experiment: one row for each number of ranks, in ascending order. Local.
 * run     [count]
 * warmup  first epochs of each run to leave out of all results except the time to the target
 * target  validation accuracy; 0: none
 * rows    [count] room; on return *used rows
 * Errors: LS_ERR_DATA if a run has no epoch beyond the warm-up. */
ls_status ls_scaling_evaluate(const ls_scaling_run *run, int count, ls_scaling_mode mode,
                              int64_t warmup, double target, ls_scaling_row *rows,
                              int *used) LS_MUST_CHECK;

#endif
