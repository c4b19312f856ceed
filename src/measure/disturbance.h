/* Whether figures come from a machine that does something else, too: what is odd about them. */
#ifndef LS_MEASURE_DISTURBANCE_H
#define LS_MEASURE_DISTURBANCE_H

#include <stdbool.h>

#include <lockstep/topology.h>

#include "base/busy.h"

/* Beyond these a figure is odd. */
#define LS_MOST_EFFICIENCY 1.05 /* ranks gain nothing from nothing */
#define LS_MOST_ERROR      0.30 /* of a prediction, relative to what was measured */
#define LS_MOST_SPREAD     0.30 /* of repeated values: their interval, relative to their median */
#define LS_MOST_EXCESS     0.25 /* busy processors beyond the cores that there are */

/* Processors of a node that are busy for others than the job's ranks.
 * seat  [ranks]
 * load  [ranks] what each found in the same time
 * Pure. Ranks that share processors see the same ones. */
double ls_foreign_load(const ls_placement *seat, const ls_load *load, int ranks, int node);

/* How many more processors are busy than a node has cores, for the job's threads and for others;
 * not above 0: no more. Pure. */
double ls_excess_load(const ls_placement *seat, const ls_load *load, int ranks, int node);

/* What is odd, a line each. */
enum { LS_MOST_DOUBTS = 16, LS_DOUBT_TEXT = 160 };
typedef struct ls_doubts {
    int count;
    char text[LS_MOST_DOUBTS][LS_DOUBT_TEXT];
} ls_doubts;

/* Each adds a line if its value is beyond its bound, and says whether it did. Local. NaN is not.
 * whose  what the value is of, the beginning of the line: "2 ranks" */
bool ls_doubt_efficiency(ls_doubts *doubts, const char *whose, double efficiency);
bool ls_doubt_error(ls_doubts *doubts, const char *whose, double error);
bool ls_doubt_spread(ls_doubts *doubts, const char *whose, double spread);
/* foreign  busy processors that are not the job's */
bool ls_doubt_excess(ls_doubts *doubts, const char *whose, double excess, double foreign);

/* Adds a line for each node on which more processors than it has cores were busy since a moment, on
 * rank 0. Collective.
 * topology  of the same ranks
 * begin     what this rank noted then
 * Errors: LS_ERR_FAILURE when memory is short, on all ranks alike. */
ls_status ls_doubt_loads(ls_doubts *doubts, ls_comm *comm, const ls_topology *topology,
                         const ls_busy *begin) LS_MUST_CHECK;

/* Adds a line. Local. */
void ls_doubt(ls_doubts *doubts, const char *format, ...) LS_PRINTF(2, 3);

#endif
