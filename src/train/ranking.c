#include "train/ranking.h"

#include "base/integer.h"
#include "base/memory.h"
#include "parallel/collectives.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 1 << 16 /* outputs in a message */ };

struct ls_ranking {
    float *output; /* [room] of true rows from the begin, of false rows from the end */
    float *piece;  /* [PIECE] */
    int64_t room, trues, falses, nans;
    int64_t halves;   /* twice the pairs in the right order, plus the equal ones */
    int64_t total[3]; /* true and false rows, and NaN, of all ranks */
};

ls_status ls_ranking_create(ls_ranking **out, int64_t rows)
{
    ls_ranking *r = ls_alloc(1, sizeof *r);
    if (r == NULL)
        return LS_ERR_FAILURE;
    r->room = rows;
    r->output = ls_alloc(rows, sizeof *r->output);
    r->piece = ls_alloc(PIECE, sizeof *r->piece);
    if (r->output == NULL || r->piece == NULL) {
        ls_ranking_destroy(&r);
        return LS_ERR_FAILURE;
    }
    *out = r;
    return LS_OK;
}

void ls_ranking_destroy(ls_ranking **ranking)
{
    if (ranking == NULL || *ranking == NULL)
        return;
    ls_free((*ranking)->output);
    ls_free((*ranking)->piece);
    ls_free(*ranking);
    *ranking = NULL;
}

void ls_ranking_add(ls_ranking *r, float output, bool truth)
{
    assert(r->trues + r->falses < r->room);
    if (isnan(output))
        r->nans++;
    else if (truth)
        r->output[r->trues++] = output;
    else
        r->output[r->room - ++r->falses] = output;
}

static int compare(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Counts the pairs of this rank's true rows and of false rows: each false row that is below a true
 * one counts two, each equal one.
 * false_  [count] outputs, ascending */
static void count_pairs(ls_ranking *r, const float *false_, int64_t count)
{
    int64_t below = 0, up_to = 0;
    for (int64_t i = 0; i < r->trues; i++) {
        while (below < count && false_[below] < r->output[i])
            below++;
        up_to = up_to > below ? up_to : below;
        while (up_to < count && false_[up_to] <= r->output[i])
            up_to++;
        r->halves += below + up_to;
    }
}

/* Sends the false rows of a rank to all ranks, piece by piece. Collective. */
static void pair_with(ls_ranking *r, ls_comm *comm, int rank)
{
    const bool mine = rank == ls_comm_rank(comm);
    int64_t count = r->falses;
    ls_broadcast_from(comm, &count, sizeof count, rank);
    for (int64_t done = 0; done < count; done += PIECE) {
        const int64_t n = count - done < PIECE ? count - done : PIECE;
        if (mine)
            memcpy(r->piece, r->output + r->room - r->falses + done, (size_t)n * sizeof *r->piece);
        ls_broadcast_from(comm, r->piece, (size_t)n * sizeof *r->piece, rank);
        count_pairs(r, r->piece, n);
    }
}

void ls_ranking_sum(ls_ranking *r, ls_comm *comm)
{
    if (r->trues > 0)
        qsort(r->output, (size_t)r->trues, sizeof *r->output, compare);
    if (r->falses > 0)
        qsort(r->output + r->room - r->falses, (size_t)r->falses, sizeof *r->output, compare);
    for (int rank = 0; rank < ls_comm_size(comm); rank++)
        pair_with(r, comm, rank);
    r->total[0] = r->trues;
    r->total[1] = r->falses;
    r->total[2] = r->nans;
    ls_allreduce_integers(comm, r->total, 3);
    ls_allreduce_integers(comm, &r->halves, 1);
}

double ls_ranking_auc(const ls_ranking *r)
{
    const double pairs = (double)r->total[0] * (double)r->total[1];
    return pairs > 0 && r->total[2] == 0 ? (double)r->halves / 2 / pairs : NAN;
}
