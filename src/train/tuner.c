/* The trial consists of rounds with a turn for each reducer, so that a disturbance from outside
 * affects all of them. The first step of each turn, with cold caches, does not count. A step takes
 * as long as on its slowest rank; a reducer is compared by the median of its steps. After each
 * round reducers are dropped whose fastest step is clearly slower than the best median: this
 * shortens the trial where steps are long. */
#include "train/tuner.h"

#include "parallel/collectives.h"
#include "base/median.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

enum { ROUNDS = 5, TURN = 6, MEASURED = ROUNDS * (TURN - 1) };
#define BEATEN 1.1 /* times the best median */

typedef struct candidate {
    ls_reducer *reducer; /* owned until the end of the trial */
    double seconds[MEASURED];
    double median; /* of the steps so far; the same on all ranks, like the next */
    int rounds;    /* whose steps are in the median */
    bool dropped;  /* beaten */
} candidate;

struct ls_tuner {
    ls_comm *comm; /* borrowed */
    candidate candidate[LS_REDUCERS];
    int candidates;
    int now, round, in_turn; /* position in the trial: candidate, round, step of the turn */
};

ls_status ls_tuner_create(ls_tuner **out, ls_comm *comm, int nodes, bool shard, bool checks_first,
                          const ls_layout *layout, ls_step_rows rows, ls_reducer **reducer)
{
    ls_tuner *tuner = ls_alloc(1, sizeof *tuner);
    ls_status status = ls_agree(comm, tuner == NULL ? LS_ERR_FAILURE : LS_OK);
    if (status != LS_OK) {
        ls_free(tuner);
        return status;
    }
    tuner->comm = comm;
    for (int kind = 0; kind < LS_REDUCERS; kind++) {
        if (!ls_reduce_is_candidate((ls_reduce)kind) ||
            (checks_first && !ls_reduce_checks_before_update((ls_reduce)kind, shard)) ||
            !ls_reduce_applies((ls_reduce)kind, ls_comm_size(comm), nodes))
            continue;
        /* A reducer that can't be created here is skipped. */
        ls_status made = ls_reducer_create(&tuner->candidate[tuner->candidates].reducer, comm,
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
    *reducer = tuner->candidate[0].reducer;
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
        ls_reducer_destroy(&(*tuner)->candidate[i].reducer);
    ls_free(*tuner);
    *tuner = NULL;
}

/* Drops beaten candidates after a round. Returns the best candidate, the same on all ranks.
 * Collective. */
static int compare_candidates(ls_tuner *tuner)
{
    const int measured = (tuner->round + 1) * (TURN - 1);
    double least[LS_REDUCERS];
    int best = -1;
    for (int i = 0; i < tuner->candidates; i++) {
        candidate *c = &tuner->candidate[i];
        if (c->dropped)
            continue;
        double slowest[MEASURED];
        memcpy(slowest, c->seconds, sizeof slowest);
        ls_allreduce_max(tuner->comm, slowest, measured);
        c->median = ls_median(slowest, measured);
        c->rounds = tuner->round + 1;
        least[i] = slowest[0];
        best = best < 0 || c->median < tuner->candidate[best].median ? i : best;
    }
    for (int i = 0; i < tuner->candidates; i++) {
        candidate *c = &tuner->candidate[i];
        c->dropped = c->dropped || least[i] > BEATEN * tuner->candidate[best].median;
    }
    return best;
}

static void write_verdict(const ls_tuner *tuner, int best, char verdict[LS_VERDICT_TEXT])
{
    int used = 0;
    for (int i = -1; i < tuner->candidates; i++) {
        const candidate *c = &tuner->candidate[i < 0 ? best : i];
        const char *name = ls_reduce_name(ls_reducer_which(c->reducer));
        used += i < 0
                    ? snprintf(verdict, LS_VERDICT_TEXT, "%s is the fastest here:", name)
                    : snprintf(verdict + used, LS_VERDICT_TEXT - (size_t)used, "%s %s %.3g ms%s",
                               i > 0 ? "," : "", name, 1e3 * c->median,
                               c->rounds < tuner->candidate[best].rounds ? " (dropped early)" : "");
    }
    snprintf(verdict + used, LS_VERDICT_TEXT - (size_t)used, " a step");
}

/* Returns the next candidate that is not dropped, cyclically. */
static int next_after(const ls_tuner *tuner, int at)
{
    do
        at = (at + 1) % tuner->candidates;
    while (tuner->candidate[at].dropped);
    return at;
}

ls_reducer *ls_tuner_step(ls_tuner *tuner, double seconds, ls_replica *replica,
                          char verdict[LS_VERDICT_TEXT])
{
    const int now = tuner->now;
    if (tuner->in_turn > 0)
        tuner->candidate[now].seconds[tuner->round * (TURN - 1) + tuner->in_turn - 1] = seconds;
    if (++tuner->in_turn < TURN)
        return NULL;
    tuner->in_turn = 0;
    bool decided = false;
    tuner->now = next_after(tuner, now);
    if (tuner->now <= now) {
        const int best = compare_candidates(tuner);
        tuner->now = next_after(tuner, tuner->candidates - 1);
        decided = ++tuner->round == ROUNDS || next_after(tuner, best) == best;
        if (decided) {
            tuner->now = best;
            write_verdict(tuner, best, verdict);
        }
    }
    candidate *then = &tuner->candidate[tuner->now];
    ls_reducer *next = then->reducer;
    ls_replica_use(replica, next);
    if (!decided)
        return NULL;
    then->reducer = NULL;
    return next;
}
