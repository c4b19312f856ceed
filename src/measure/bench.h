/* Measures the machine and the training step, and predicts how training scales.
 *
 * Times are in seconds, rates per second. Statistics over ranks are {least, mean, most}. */
#ifndef LS_MEASURE_BENCH_H
#define LS_MEASURE_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "parallel/reducer.h"

#include <lockstep/comm.h>
#include <lockstep/dataset.h>
#include <lockstep/network.h>
#include <lockstep/status.h>

typedef struct ls_spread {
    double least, mean, most;
    int most_rank; /* rank with the largest value */
} ls_spread;

/* Returns least, mean and most of one value of each rank, the same on all ranks. Collective. */
ls_spread ls_spread_of(ls_comm *comm, double value);

/* A link between P ranks: an allreduce of s bytes takes 2 ceil(log2 P) latency + 2 (P-1)/P
 * s/bandwidth (reduce-scatter and allgather by halving and doubling; Thakur, Rabenseifner, Gropp:
 * Optimization of Collective Communication Operations in MPICH, 2005). */
typedef struct ls_link {
    double latency;   /* s */
    double bandwidth; /* bytes/s; 0: unknown */
} ls_link;

enum { LS_BENCH_SIZES = 8, LS_BENCH_ROWS = 40, LS_BENCH_GROUPS = 16 };

/* Rates of the machine with all ranks working at once. */
typedef struct ls_bench_machine {
    ls_spread peak;   /* flop/s of a core in registers, see ls_compute_peak() */
    ls_spread sgemm;  /* flop/s of a rank, the best of several sizes */
    ls_spread memory; /* bytes/s of a rank, a = b + c x over arrays larger than caches */
    int sizes;        /* of allreduces; 0 on one rank */
    int64_t bytes[LS_BENCH_SIZES];
    double seconds[LS_BENCH_SIZES]; /* of an allreduce, median, the slowest rank's */
    ls_link link;                   /* fitted to these times */
} ls_bench_machine;

/* Measures the machine, all ranks at once. Collective.
 * Errors, on all ranks alike: LS_ERR_FAILURE when memory is short. */
ls_status ls_bench_machine_measure(ls_comm *comm, ls_bench_machine *out) LS_MUST_CHECK;

/* The training step to measure. */
typedef struct ls_bench_task {
    const char *model;
    ls_shape input;
    int classes;       /* 0: the targets are values */
    int values;        /* in a target; with classes they are the classes of steps */
    int vocabulary;    /* the inputs are tokens of it; 0: they are not */
    bool reconstructs; /* the targets are the inputs */
    const char *data; /* a data set whose first rows are used; NULL: synthetic rows without zeros */
    ls_dataset_options options; /* of the data set */
    int64_t batch;              /* global batch */
    int64_t block;              /* rows of a micro-batch, for LS_REDUCE_EXACT */
    bool shard;                 /* see ls_reducer_create() */
    int steps;                  /* number of steps to measure, 5 or more */
} ls_bench_task;

/* Checks that a task's data set can be read, and reads its description, the same on all ranks.
 * Collective.
 * Errors, on all ranks alike: LS_ERR_DATA, LS_ERR_USAGE, LS_ERR_RANKS, LS_ERR_FAILURE. */
ls_status ls_bench_data(ls_comm *comm, const char *path, const ls_dataset_options *options,
                        ls_dataset_info *out) LS_MUST_CHECK;

/* The phases of a step, in the order of ls_bench_phase_name(). */
enum { LS_BENCH_PHASES = 7 };

/* Returns the name of phase `at`, from 0: "gather", ... Local. */
const char *ls_bench_phase_name(int at);

typedef struct ls_bench_step {
    ls_reduce reduce;
    ls_spread phase[LS_BENCH_PHASES]; /* of the mean step, over ranks */
    double median;                    /* of the steps, each on its slowest rank */
    double spread;                    /* interquartile range of the steps, relative to the median */
    int slowest;                      /* rank with the most computing time */
} ls_bench_step;

/* Trains with several kinds of reducer, in turns, so that a disturbance from outside affects all of
 * them. Collective.
 * kinds  [count] the kinds, each once
 * count  on return the number of kinds that could be measured
 * out    [count] on return the times of each measured kind
 * Errors, on all ranks alike: LS_ERR_USAGE, LS_ERR_DATA, LS_ERR_FAILURE. */
ls_status ls_bench_steps_measure(ls_comm *comm, const ls_bench_task *task, const ls_reduce *kinds,
                                 int *count, ls_bench_step *out) LS_MUST_CHECK;

/* Times of a step by its number of rows, in a group: ranks of a node that compute it together, as
 * with the reducer hierarchical, or a single rank. */
typedef struct ls_bench_group {
    int ranks, sizes;              /* ranks of the group; numbers of rows measured */
    int64_t rows[LS_BENCH_ROWS];   /* of the group, ascending, from 1 */
    double seconds[LS_BENCH_ROWS]; /* without the update; median, the slowest rank's */
    double optimizer;              /* an update of all parameters, median */
} ls_bench_group;

typedef struct ls_bench_compute {
    int groups;                            /* number of group sizes measured, 1 or more */
    ls_bench_group group[LS_BENCH_GROUPS]; /* ascending, from one rank */
    double bytes;                          /* of the gradients */
    double flops;                          /* of a row */
} ls_bench_compute;

/* Measures the computing part of a step, all groups working at once, for 1, 2, 4, ... rows up to
 * `rows` for each rank of a group; large numbers are left out if steps are long. Collective.
 * together  true: groups of 1, 2, 4, ... and all ranks of a node; false: single ranks
 * Errors, on all ranks alike: as above. */
ls_status ls_bench_compute_measure(ls_comm *comm, const ls_bench_task *task, bool together,
                                   int64_t rows, ls_bench_compute *out) LS_MUST_CHECK;

/* The machine of a prediction. */
typedef struct ls_cluster {
    int ranks_per_node;
    ls_link within;  /* within a node */
    ls_link between; /* between nodes */
} ls_cluster;

/* The parts of a predicted step. */
typedef struct ls_prediction {
    int64_t ranks;
    double compute, optimizer;
    double latency, transfer; /* of the reduction */
    double step;              /* sum of the four */
} ls_prediction;

/* Predicts a step of `rows` global rows on `ranks` ranks. The ranks of a node form a group, or
 * groups as large as the largest measured one; each group has rows in proportion to its ranks,
 * rounded up. Computing time is interpolated between measured numbers of rows and of ranks; the
 * groups' allreduce is done within the nodes first, then between them. Exchange, validation,
 * checkpoints and the sums of batchnorm between groups are left out. Local, pure. */
ls_prediction ls_predict(const ls_bench_compute *compute, const ls_cluster *cluster, int64_t rows,
                         int64_t ranks);

/* Returns the largest part: "computing", "updating", "latency" or "bandwidth". Local. */
const char *ls_prediction_limit(const ls_prediction *prediction);

/* Returns the number of ranks, up to `most`, with the shortest predicted step of `rows` rows.
 * Local, pure. */
int64_t ls_predict_best_ranks(const ls_bench_compute *compute, const ls_cluster *cluster,
                              int64_t rows, int64_t most);

#endif
