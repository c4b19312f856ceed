#include "measure/disturbance.h"

#include "parallel/collectives.h"
#include "base/memory.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

double ls_foreign_load(const ls_placement *placement, const ls_load *load, int ranks, int node)
{
    double apart = 0, together = 0, own = 0;
    for (int r = 0; r < ranks; r++) {
        if (placement[r].node != node || load[r].all <= 0)
            continue;
        if (placement[r].alone) {
            apart += load[r].all - load[r].own;
            continue;
        }
        together = fmax(together, load[r].all);
        own += load[r].own;
    }
    return fmax(0, apart) + fmax(0, together - own);
}

double ls_excess_load(const ls_placement *placement, const ls_load *load, int ranks, int node)
{
    double busy = ls_foreign_load(placement, load, ranks, node);
    int cores = 0;
    for (int r = 0; r < ranks; r++) {
        if (placement[r].node != node)
            continue;
        busy += placement[r].threads;
        cores = placement[r].node_cores;
    }
    return busy - cores;
}

void ls_doubt(ls_doubts *d, const char *format, ...)
{
    if (d->count == LS_MOST_DOUBTS)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(d->text[d->count++], LS_DOUBT_TEXT, format, arguments);
    va_end(arguments);
}

bool ls_doubt_efficiency(ls_doubts *d, const char *whose, double efficiency)
{
    const bool odd = efficiency > LS_MOST_EFFICIENCY;
    if (odd)
        ls_doubt(d, "%s: efficiency %.0f %%, more than its ranks can reach", whose,
                 100 * efficiency);
    return odd;
}

bool ls_doubt_error(ls_doubts *d, const char *whose, double error)
{
    const bool odd = fabs(error) > LS_MOST_ERROR;
    if (odd)
        ls_doubt(d, "%s: the prediction is %+.0f %% off", whose, 100 * error);
    return odd;
}

bool ls_doubt_spread(ls_doubts *d, const char *whose, double spread)
{
    const bool odd = spread > LS_MOST_SPREAD;
    if (odd)
        ls_doubt(d, "%s: times differ by %.0f %% of their median", whose, 100 * spread);
    return odd;
}

bool ls_doubt_excess(ls_doubts *d, const char *whose, double excess, double foreign)
{
    const bool odd = excess > LS_MOST_EXCESS;
    if (odd && foreign > LS_MOST_EXCESS)
        ls_doubt(d, "%s: other programs keep %.1f processors busy, and ranks wait for them", whose,
                 foreign);
    else if (odd)
        ls_doubt(d, "%s: more threads than cores", whose);
    return odd;
}

/* Adds a line for each overloaded node; on rank 0. Local. */
static void add_node_doubts(ls_doubts *d, const ls_topology *t, const ls_load *load)
{
    for (int rank = 0, node = 0; rank < t->ranks; rank++) {
        if (t->placement[rank].node != node)
            continue;
        ls_doubt_excess(d, t->placement[rank].host,
                        ls_excess_load(t->placement, load, t->ranks, node),
                        ls_foreign_load(t->placement, load, t->ranks, node));
        node++;
    }
}

ls_status ls_doubt_loads(ls_doubts *d, ls_comm *comm, const ls_topology *topology,
                         const ls_busy *begin)
{
    const ls_load mine = ls_busy_since(begin);
    const bool first = ls_comm_rank(comm) == 0;
    ls_load *all = ls_alloc(first ? topology->ranks : 0, sizeof *all);
    const ls_status status = ls_agree(comm, all == NULL ? LS_ERR_FAILURE : LS_OK);
    if (status == LS_OK)
        ls_gather_bytes(comm, &mine, (int)sizeof mine, all);
    if (status == LS_OK && first)
        add_node_doubts(d, topology, all);
    ls_free(all);
    return status;
}
