/* A scaling experiment in a folder, as jobs/scaling.sh makes it: its runs, what they come to, and
 * the prediction beside them. All functions are Local. */
#ifndef LS_CLI_EXPERIMENT_H
#define LS_CLI_EXPERIMENT_H

#include <lockstep/scaling.h>

#include "measure/disturbance.h"
#include "run/run_read.h"

/* A run of the experiment. */
typedef struct ls_member {
    char name[256]; /* of its folder */
    ls_run_record record;
    int ranks;
    int64_t batch, rows;
} ls_member;

typedef struct ls_experiment {
    const char *folder;
    ls_member *run; /* by their ranks */
    int runs, unfinished;
    ls_scaling_mode mode;
    ls_scaling_row *row;
    int rows;
    double *predicted; /* [rows] seconds of an epoch; NaN: not predicted, or of no use */
    ls_doubts doubts;  /* what is odd about runs and prediction */
} ls_experiment;

/* Reads and evaluates the experiment in a folder.
 * folder  borrowed
 * warmup, target  as for ls_scaling_evaluate()
 * Errors: LS_ERR_DATA if there are no runs, or if they differ in more than they may. The experiment
 * is to be cleared then, too. */
ls_status ls_experiment_read(ls_experiment *out, const char *folder, int64_t warmup,
                             double target) LS_MUST_CHECK;
void ls_experiment_clear(ls_experiment *experiment);

/* The first run on so many ranks; there is one. */
const ls_member *ls_experiment_run(const ls_experiment *experiment, int ranks);

/* Of row `at`, which has a prediction: its error, and the speed-up that it makes over the runs that the
 * measured ones are compared with; else NaN. */
double ls_experiment_error(const ls_experiment *experiment, int at);
double ls_experiment_speedup(const ls_experiment *experiment, int at);

#endif
