/* The trial goes round the reducers several times, so that a disturbance from outside hits all of
 * them. The first step of each turn, with cold caches, does not count. A step is as slow as its
 * slowest rank; of the steps of a reducer the median counts. */
#include "train/tuner.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 5, TURN = 6, MEASURED = ROUNDS * (TURN - 1) };

struct ls_tuner {
    ls_comm *comm; /* borrowed */
    int candidates;
    ls_reducer *reducer[LS_REDUCERS]; /* owned until the decision */
    int steps;                        /* done so far */
    double seconds[LS_REDUCERS][MEASURED];
};

ls_status ls_tuner_create(ls_tuner **out, ls_comm *comm, int nodes, bool shard,
                          const ls_layout *layout, int64_t rows, ls_reducer **reducer)
{
    ls_tuner *tuner = ls_alloc(1, sizeof *tuner);
    ls_status status = ls_agree(comm, tuner == NULL ? LS_ERR_FAILURE : LS_OK);
    if (status != LS_OK) {
        ls_free(tuner);
        return status;
    }
    tuner->comm = comm;
    for (int kind = 0; kind < LS_REDUCERS; kind++) {
        if (!ls_reduce_applies((ls_reduce)kind, ls_comm_size(comm), nodes))
            continue;
        /* One that does not work here is passed over. */
        ls_status made = ls_reducer_create(&tuner->reducer[tuner->candidates], comm,
                                           (ls_reduce)kind, shard, layout, rows);
        if (made == LS_OK)
            tuner->candidates++;
        else
            status = made;
    }
    if (tuner->candidates == 0) {
        ls_tuner_destroy(&tuner);
        return status;
    }
    *reducer = tuner->reducer[0];
    if (tuner->candidates == 1) {
        tuner->candidates = 0;
        ls_tuner_destroy(&tuner);
    }
    *out = tuner;
    return LS_OK;
}

void ls_tuner_destroy(ls_tuner **tuner)
{
    if (tuner == NULL || *tuner == NULL)
        return;
    for (int i = 0; i < (*tuner)->candidates; i++)
        ls_reducer_destroy(&(*tuner)->reducer[i]);
    ls_free(*tuner);
    *tuner = NULL;
}

/* Goes on with another reducer: every rank gets the whole state, whatever part it had. */
static void go_over(ls_replica *r, ls_reducer *to)
{
    ls_step_finish(r);
    for (int i = 0; i < ls_optimizer_slots(r->optimizer); i++)
        ls_reducer_complete(r->reducer, ls_optimizer_slot(r->optimizer, i));
    ls_reducer_set_params(to, ls_reducer_params(r->reducer));
    r->reducer = to;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static const char *name_of(const ls_tuner *tuner, int candidate)
{
    return ls_reduce_name(ls_reducer_which(tuner->reducer[candidate]));
}

/* Which candidate is the fastest; the same on all ranks. */
static int judge(ls_tuner *tuner, char verdict[LS_VERDICT_TEXT])
{
    double median[LS_REDUCERS];
    int best = 0, used = 0;
    ls_max_doubles(tuner->comm, &tuner->seconds[0][0], LS_REDUCERS * MEASURED);
    for (int i = 0; i < tuner->candidates; i++) {
        qsort(tuner->seconds[i], MEASURED, sizeof(double), ascending);
        median[i] = tuner->seconds[i][MEASURED / 2];
        best = median[i] < median[best] ? i : best;
    }
    used = snprintf(verdict, LS_VERDICT_TEXT, "%s is the fastest here: ", name_of(tuner, best));
    for (int i = 0; i < tuner->candidates; i++)
        used += snprintf(verdict + used, LS_VERDICT_TEXT - (size_t)used, "%s%s %.3g ms",
                         i > 0 ? ", " : "", name_of(tuner, i), 1e3 * median[i]);
    snprintf(verdict + used, LS_VERDICT_TEXT - (size_t)used, " a step");
    return best;
}

bool ls_tuner_step(ls_tuner *tuner, double seconds, ls_replica *replica,
                   char verdict[LS_VERDICT_TEXT])
{
    const int turn = tuner->steps / TURN, in_turn = tuner->steps % TURN;
    const int now = turn % tuner->candidates, round = turn / tuner->candidates;
    if (in_turn > 0)
        tuner->seconds[now][round * (TURN - 1) + in_turn - 1] = seconds;
    tuner->steps++;
    if (in_turn < TURN - 1)
        return false;
    const bool decided = tuner->steps == tuner->candidates * ROUNDS * TURN;
    const int then = decided ? judge(tuner, verdict) : (now + 1) % tuner->candidates;
    if (then != now)
        go_over(replica, tuner->reducer[then]);
    if (decided)
        tuner->reducer[then] = NULL;
    return decided;
}
