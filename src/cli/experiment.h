/* A scaling experiment in a folder, made by jobs/scaling.sh: runs, their evaluation, the
 * prediction. All functions are Local. */
#ifndef LS_CLI_EXPERIMENT_H
#define LS_CLI_EXPERIMENT_H

#include "measure/scaling.h"
#include "measure/disturbance.h"

#include <lockstep/run.h>

/* A run of the experiment. */
typedef struct ls_member {
    char name[256]; /* of the run's folder */
    ls_run_record record;
    int ranks;
    int64_t batch, rows;
} ls_member;

typedef struct ls_experiment {
    const char *folder;
    ls_member *run; /* [runs], in the order of ranks */
    int runs, unfinished;
    ls_scaling_mode mode;
    ls_scaling_row *row;
    int rows;
    double *predicted; /* [rows] seconds of an epoch; NaN: no usable prediction */
    ls_doubts doubts;  /* disturbances of runs and prediction */
} ls_experiment;

/* Reads and evaluates the experiment in a folder.
 * folder  borrowed
 * warmup, target  as for ls_scaling_evaluate()
 * Errors: LS_ERR_DATA if there are no runs, or if they are not comparable. The experiment must be
 * cleared then, too. */
ls_status ls_experiment_read(ls_experiment *out, const char *folder, int64_t warmup,
                             double target) LS_MUST_CHECK;
void ls_experiment_clear(ls_experiment *experiment);

/* The first run on this number of ranks, which must be one of the rows'. */
const ls_member *ls_experiment_run(const ls_experiment *experiment, int ranks);

/* The error of the prediction for row `at`; and the predicted speed-up over the measured baseline.
 * NaN without a prediction. */
double ls_experiment_error(const ls_experiment *experiment, int at);
double ls_experiment_speedup(const ls_experiment *experiment, int at);

#endif
