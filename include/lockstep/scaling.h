/* What a scaling experiment says: trainings on several numbers of ranks, each repeated, beside one
 * another. Pure functions of the runs' metrics. All are Local.
 *
 * Strong scaling keeps the global batch, weak scaling keeps the rows of a rank. Both compare rates
 * in samples/s, medians over the runs, P: ranks, P0: the fewest of the experiment:
 *
 *     speed-up    S = P0 rate(P) / rate(P0), so that on P0 ranks it is P0
 *     efficiency  S / P
 *     serial fraction  (1/S - 1/P) / (1 - 1/P), of strong scaling from one rank (Karp and Flatt,
 *                      Measuring Parallel Processor Performance, 1990) */
#ifndef LOCKSTEP_SCALING_H
#define LOCKSTEP_SCALING_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/metrics.h>
#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A median, and the interval that holds the true one with a probability of at least 95 %, whatever
 * the distribution: two of the sorted values, after the binomial distribution of how many lie below
 * it (Hoefler and Belli, Scientific Benchmarking of Parallel Computing Systems, 2015). Fewer than 6
 * values can't have such an interval: it is then from the least to the largest, and `coverage` says
 * with which probability that holds it. All NaN of no values. */
typedef struct ls_estimate {
    int count;
    double median, low, high, coverage;
} ls_estimate;

/* Median and confidence interval of some values.
 * Local.
 * values  [count], sorted on return; 0 or more */
ls_estimate ls_estimate_make(double *values, int count);

typedef enum ls_scaling_mode { LS_SCALING_STRONG, LS_SCALING_WEAK } ls_scaling_mode;

typedef struct ls_scaling_run {
    int ranks;
    bool oversubscribed;       /* some node had more threads than cores */
    const ls_metrics *history; /* [epochs], borrowed */
    int64_t epochs;
} ls_scaling_run;

/* What a rank does in an epoch; the rest is waiting, and whatever no phase counts. */
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

/* The runs on one number of ranks. Of each run the median of its epochs counts. */
typedef struct ls_scaling_row {
    int ranks;
    int runs;
    bool oversubscribed;             /* any of them */
    ls_estimate seconds;             /* of an epoch */
    ls_estimate rate;                /* samples/s */
    ls_estimate speedup;             /* the interval is that of the rate, over rate(P0) */
    ls_estimate efficiency;          /* likewise */
    double serial_fraction;          /* NaN for weak scaling, and where it means nothing */
    double share[LS_SCALING_PHASES]; /* of an epoch, add up to 1; medians of the runs', scaled */
    int reached;                     /* runs whose validation accuracy has come to the target */
    ls_estimate to_target; /* their seconds to there, validation and checkpoints included */
} ls_scaling_row;

/* Evaluates an experiment: one row for each number of ranks, in ascending order.
 * Local.
 * warmup  epochs of each run that are left out of all but the time to the target
 * target  validation accuracy; 0: none
 * rows    [count] at most; *used says how many
 * Errors: LS_ERR_DATA if a run has no epoch beyond the warm-up. */
ls_status ls_scaling_evaluate(const ls_scaling_run *run, int count, ls_scaling_mode mode,
                              int64_t warmup, double target, ls_scaling_row *rows,
                              int *used) LS_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
