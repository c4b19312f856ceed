/* Detects measurements on a disturbed machine: values beyond a plausible bound. */
#ifndef LS_MEASURE_DISTURBANCE_H
#define LS_MEASURE_DISTURBANCE_H

#include <stdbool.h>

#include <lockstep/comm.h>

#include "base/busy.h"

/* Plausible bounds. */
#define LS_MOST_EFFICIENCY 1.05 /* more ranks can't be more than proportionally faster */
#define LS_MOST_ERROR      0.30 /* of a prediction, relative to the measurement */
#define LS_MOST_SPREAD     0.30 /* of repeated values: their interval, relative to their median */
#define LS_MOST_EXCESS     0.25 /* busy processors beyond the number of cores */

/* Returns the number of a node's processors that are busy for other processes than the job's ranks.
 * Pure.
 * placement  [ranks]
 * load  [ranks] measured by each rank in the same interval; ranks that share processors measure the
 *       same ones */
double ls_foreign_load(const ls_placement *placement, const ls_load *load, int ranks, int node);

/* Returns the number of processors that are busy, for the job's threads and for others, beyond the
 * node's cores; 0 or less: none. Pure. */
double ls_excess_load(const ls_placement *placement, const ls_load *load, int ranks, int node);

/* Doubts about measurements, a line each. */
enum { LS_MOST_DOUBTS = 16, LS_DOUBT_TEXT = 160 };
typedef struct ls_doubts {
    int count;
    char text[LS_MOST_DOUBTS][LS_DOUBT_TEXT];
} ls_doubts;

/* Each adds a line if the value is beyond its bound; returns true if it is. NaN is not. Local.
 * whose  subject of the line: "2 ranks" */
bool ls_doubt_efficiency(ls_doubts *doubts, const char *whose, double efficiency);
bool ls_doubt_error(ls_doubts *doubts, const char *whose, double error);
bool ls_doubt_spread(ls_doubts *doubts, const char *whose, double spread);
/* foreign  busy processors that are not the job's */
bool ls_doubt_excess(ls_doubts *doubts, const char *whose, double excess, double foreign);

/* Adds, on rank 0, a line for each node on which more processors than its cores were busy since
 * `begin`. Collective.
 * topology  of the same ranks
 * begin     this rank's reading at the beginning
 * Errors, on all ranks alike: LS_ERR_FAILURE when memory is short. */
ls_status ls_doubt_loads(ls_doubts *doubts, ls_comm *comm, const ls_topology *topology,
                         const ls_busy *begin) LS_MUST_CHECK;

/* Adds a line. Local. */
void ls_doubt(ls_doubts *doubts, const char *format, ...) LS_PRINTF(2, 3);

#endif
