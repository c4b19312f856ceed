/* Measuring what bounds training here, and predicting how it scales.
 *
 * Times are seconds, rates are per second. Statistics over ranks are {least, mean, most}. */
#ifndef LOCKSTEP_BENCH_H
#define LOCKSTEP_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/comm.h>
#include <lockstep/dataset.h>
#include <lockstep/network.h>
#include <lockstep/reducer.h>
#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ls_spread {
    double least, mean, most;
    int most_rank; /* the rank of the most */
} ls_spread;

/* Least, mean and most of one value of each rank.
 * Collective; the same result on all ranks. */
ls_spread ls_spread_of(ls_comm *comm, double value);

/* A link between P ranks: an allreduce of s bytes takes 2 ceil(log2 P) latency + 2 (P-1)/P
 * s/bandwidth (reduce-scatter and allgather by halving and doubling; Thakur, Rabenseifner, Gropp:
 * Optimization of Collective Communication Operations in MPICH, 2005). */
typedef struct ls_link {
    double latency;   /* s */
    double bandwidth; /* bytes/s; 0: unknown */
} ls_link;

enum { LS_BENCH_SIZES = 8, LS_BENCH_ROWS = 40, LS_BENCH_GROUPS = 16 };

/* What the machine can do, all ranks working at once. */
typedef struct ls_bench_machine {
    ls_spread sgemm;  /* flop/s of a rank, the best of several sizes */
    ls_spread memory; /* bytes/s of a rank, a = b + c x over arrays larger than caches */
    int sizes;        /* of allreduces; 0 on one rank */
    int64_t bytes[LS_BENCH_SIZES];
    double seconds[LS_BENCH_SIZES]; /* of an allreduce, median, the slowest rank's */
    ls_link link;                   /* fitted to these */
} ls_bench_machine;

/* Measures the machine, all ranks at once.
 * Collective.
 * Errors, on all ranks alike: LS_ERR_FAILURE when memory is short. */
ls_status ls_bench_machine_measure(ls_comm *comm, ls_bench_machine *out) LS_MUST_CHECK;

/* The training step to be measured. */
typedef struct ls_bench_task {
    const char *model;
    ls_shape input;
    int classes;
    const char *data;       /* a data set whose first rows are trained on; NULL: made-up rows,
                               without zeros */
    ls_layout_order layout; /* of the data set */
    int64_t batch;          /* global */
    int64_t block;          /* rows of a block, for LS_REDUCE_EXACT */
    bool shard;
    int steps; /* to be measured, 5 or more */
} ls_bench_task;

/* The phases of a step, in the order of ls_bench_phase_name(). */
enum { LS_BENCH_PHASES = 7 };

/* The name of phase `at`, from 0: "gather", ... Local. */
const char *ls_bench_phase_name(int at);

typedef struct ls_bench_step {
    ls_reduce reduce;
    ls_spread phase[LS_BENCH_PHASES]; /* mean of a step, over ranks */
    double median;                    /* of the steps of the slowest rank */
    double spread;                    /* of them: the middle half's width, relative to the median */
    int slowest;                      /* rank that computes the longest */
} ls_bench_step;

/* Trains with several kinds of reducer, in turns, so that a disturbance from outside hits all of
 * them.
 * Collective.
 * kinds  [count] the kinds, each once
 * out    [count] on return the times of each
 * Errors, on all ranks alike: LS_ERR_USAGE, LS_ERR_DATA, LS_ERR_FAILURE. */
ls_status ls_bench_steps_measure(ls_comm *comm, const ls_bench_task *task, const ls_reduce *kinds,
                                 int *count, ls_bench_step *out) LS_MUST_CHECK;

/* What a step takes in a group, by the rows that it has: ranks of a node that compute it together,
 * as with the reducer hierarchical, or a rank alone. */
typedef struct ls_bench_group {
    int ranks, sizes;
    int64_t rows[LS_BENCH_ROWS];   /* of the group, ascending, from 1 */
    double seconds[LS_BENCH_ROWS]; /* of all but the update; median, the slowest rank's */
    double optimizer;              /* an update of all parameters, median */
} ls_bench_group;

typedef struct ls_bench_compute {
    int groups;                            /* kinds of group that were measured, at least one */
    ls_bench_group group[LS_BENCH_GROUPS]; /* ascending, from one rank */
    double bytes;                          /* of a gradient */
    double flops;                          /* of a row */
} ls_bench_compute;

/* Measures the computing part of a step, all groups working at once, for rows 1, 2, 4, ... and `rows` for each rank of a group;
 * for fewer where these take seconds.
 * Collective.
 * together  for groups of 1, 2, 4, ... and all ranks of a node; else for a rank alone
 * Errors, on all ranks alike: as above. */
ls_status ls_bench_compute_measure(ls_comm *comm, const ls_bench_task *task, bool together,
                                   int64_t rows, ls_bench_compute *out) LS_MUST_CHECK;

/* Where ranks are to run. */
typedef struct ls_cluster {
    int ranks_per_node;
    ls_link within;  /* a node */
    ls_link between; /* nodes */
} ls_cluster;

/* The parts of a predicted step. */
typedef struct ls_prediction {
    int64_t ranks;
    double compute, optimizer, latency, transfer; /* the last two of the reduction */
    double step;                                  /* their sum */
} ls_prediction;

/* Predicts a step of `rows` global rows on `ranks` ranks. Local, pure. The ranks of a node form a group, or
 * groups as large as the largest that was measured; each has the share of rows that its ranks are of
 * all, rounded up. Computing is interpolated between measured numbers of rows, and of ranks; the
 * groups' allreduce goes within the nodes first and then between them. Exchange, validation,
 * checkpoints and the sums of batchnorm between groups are left out. */
ls_prediction ls_predict(const ls_bench_compute *compute, const ls_cluster *cluster, int64_t rows,
                         int64_t ranks);

/* The part that is the largest: "computing", "updating", "latency", "bandwidth". Local. */
const char *ls_prediction_limit(const ls_prediction *prediction);

/* The rank count past which more ranks make a step of these rows slower; at most `most`. Local, pure. */
int64_t ls_predict_best_ranks(const ls_bench_compute *compute, const ls_cluster *cluster,
                              int64_t rows, int64_t most);

#ifdef __cplusplus
}
#endif

#endif
