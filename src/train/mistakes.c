#include <lockstep/mistakes.h>

#include "base/memory.h"
#include "data/samples.h"

#include <lockstep/evaluate.h>

#include <assert.h>
#include <math.h>
#include <string.h>

/* The worst rows so far, in order. */
typedef struct list {
    ls_mistake *mistake; /* [most] */
    int64_t count, most;
} list;

/* Whether a comes before b. */
static bool is_worse(const ls_mistake *a, const ls_mistake *b)
{
    return a->probability > b->probability || (a->probability == b->probability && a->row < b->row);
}

/* Puts a mistake in its place, if it has one. */
static void insert(list *l, const ls_mistake *new)
{
    if (l->count == l->most && (l->most == 0 || !is_worse(new, &l->mistake[l->most - 1])))
        return;
    int64_t at = l->count < l->most ? l->count++ : l->most - 1;
    for (; at > 0 && is_worse(new, &l->mistake[at - 1]); at--)
        l->mistake[at] = l->mistake[at - 1];
    l->mistake[at] = *new;
}

/* How sure of class k the outputs [K] of a row are. */
static double probability(ls_loss loss, int K, const float *y, int k)
{
    double sum = 0;
    if (!ls_loss_takes_logits(loss))
        return (double)y[k];
    for (int i = 0; i < K; i++)
        sum += exp((double)y[i] - (double)y[k]);
    return 1 / sum;
}

/* This rank's. Local. */
static ls_status find_mine(ls_network *network, ls_loss loss, const float *params,
                           const ls_samples *samples, ls_normalization normalization,
                           ls_batch *batch, int classes, list *found)
{
    assert(batch->capacity >= LS_EVALUATION_ROWS);
    int32_t *predicted = ls_alloc(batch->capacity, sizeof *predicted);
    if (predicted == NULL)
        return LS_ERR_FAILURE;
    for (int64_t done = 0; done < samples->rows; done += LS_EVALUATION_ROWS) {
        const int64_t left = samples->rows - done;
        ls_samples_gather(samples, NULL, done,
                          left < LS_EVALUATION_ROWS ? left : LS_EVALUATION_ROWS, normalization,
                          batch);
        (void)ls_network_evaluate(network, params, batch, predicted);
        const float *y = ls_network_activation(network, ls_network_layers(network) - 1);
        for (int64_t i = 0; i < batch->rows; i++, y += classes) {
            const ls_mistake mistake = {.row = batch->ids[i],
                                        .label = batch->labels[i],
                                        .predicted = predicted[i],
                                        .probability = probability(loss, classes, y, predicted[i])};
            if (mistake.predicted != mistake.label && isfinite(mistake.probability))
                insert(found, &mistake);
        }
    }
    ls_free(predicted);
    return LS_OK;
}

/* Merges the ranks' lists: in each round every rank offers the worst that it has left. Collective.
 * count  on return how many there are together, at most mine->most */
static void merge(ls_comm *comm, const list *mine, ls_mistake *out, int64_t *count)
{
    int64_t total = mine->count, taken = 0;
    ls_sum_integers(comm, &total, 1);
    *count = total < mine->most ? total : mine->most;
    for (int64_t i = 0; i < *count; i++) {
        const bool offers = taken < mine->count;
        /* Of equals the lowest rank wins: it has the lower rows. */
        const int rank =
            ls_rank_of_max(comm, offers ? mine->mistake[taken].probability : -INFINITY);
        if (rank == ls_comm_rank(comm))
            out[i] = mine->mistake[taken++];
        ls_broadcast_from(comm, &out[i], sizeof out[i], rank);
    }
}

ls_status ls_find_mistakes(ls_comm *comm, ls_network *network, ls_loss loss, const float *params,
                           const ls_samples *samples, double mean, double std, ls_batch *batch,
                           int classes, int64_t most, ls_mistake *out, int64_t *count)
{
    list mine = {.mistake = ls_alloc(most, sizeof *mine.mistake), .most = most};
    ls_normalization normalization;
    ls_status status = mine.mistake == NULL ? LS_ERR_FAILURE : LS_OK;
    if (status == LS_OK)
        status = ls_normalization_make(&normalization, mean, std);
    if (status == LS_OK)
        status = find_mine(network, loss, params, samples, normalization, batch, classes, &mine);
    status = ls_agree(comm, status);
    if (status == LS_OK)
        merge(comm, &mine, out, count);
    ls_free(mine.mistake);
    return status;
}
