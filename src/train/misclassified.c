#include "train/evaluate.h"

#include "parallel/collectives.h"
#include "base/memory.h"
#include "train/calibration.h"

#include <math.h>

/* The rows of highest confidence so far, in descending order. */
typedef struct list {
    ls_misclassified *row; /* [most] */
    int64_t count, most;
} list;

/* Returns true if a comes before b. */
static bool comes_before(const ls_misclassified *a, const ls_misclassified *b)
{
    return a->probability > b->probability || (a->probability == b->probability && a->row < b->row);
}

/* Inserts a row at its position, if it is among the first l->most. */
static void insert(list *l, const ls_misclassified *new)
{
    if (l->count == l->most && (l->most == 0 || !comes_before(new, &l->row[l->most - 1])))
        return;
    int64_t at = l->count < l->most ? l->count++ : l->most - 1;
    for (; at > 0 && comes_before(new, &l->row[at - 1]); at--)
        l->row[at] = l->row[at - 1];
    l->row[at] = *new;
}

/* Collects the misclassified rows of this rank. Local.
 * predicted  [LS_EVALUATION_ROWS] scratch */
static ls_status collect_rows(const ls_evaluation *e, int32_t *predicted, list *found)
{
    const ls_loss loss = ls_network_loss_kind(e->network);
    const int classes = ls_network_outputs(e->network);
    ls_status status;
    ls_rows_rewind(e->rows);
    while ((status = ls_rows_next(e->rows, e->batch)) == LS_OK && e->batch->rows > 0) {
        (void)ls_network_evaluate(e->network, e->params, e->batch, predicted);
        const float *y = ls_network_activation(e->network, ls_network_layers(e->network) - 1);
        for (int64_t i = 0; i < e->batch->rows; i++, y += classes) {
            const ls_misclassified row = {.row = e->batch->ids[i],
                                          .label = e->batch->labels[i],
                                          .predicted = predicted[i],
                                          .probability =
                                              ls_class_probability(loss, classes, y, predicted[i])};
            if (row.predicted != row.label && isfinite(row.probability))
                insert(found, &row);
        }
    }
    return status;
}

/* Finds the misclassified rows of this rank. Local. */
static ls_status find_local(const ls_evaluation *e, list *found)
{
    int32_t *predicted = ls_alloc(LS_EVALUATION_ROWS, sizeof *predicted);
    if (predicted == NULL || found->row == NULL) {
        ls_free(predicted);
        return LS_ERR_FAILURE;
    }
    const ls_status status = collect_rows(e, predicted, found);
    ls_free(predicted);
    return status;
}

/* Merges the ranks' lists: in each round every rank offers its first remaining row. Collective.
 * count  on return the number of rows, at most mine->most */
static void merge_lists(ls_comm *comm, const list *mine, ls_misclassified *out, int64_t *count)
{
    int64_t total = mine->count, taken = 0;
    ls_allreduce_integers(comm, &total, 1);
    *count = total < mine->most ? total : mine->most;
    for (int64_t i = 0; i < *count; i++) {
        const bool offers = taken < mine->count;
        /* Of equals the lowest rank wins: it has the lower rows. */
        const int rank = ls_argmax_rank(comm, offers ? mine->row[taken].probability : -INFINITY);
        if (rank == ls_comm_rank(comm))
            out[i] = mine->row[taken++];
        ls_broadcast_from(comm, &out[i], sizeof out[i], rank);
    }
}

ls_status ls_find_misclassified(const ls_evaluation *e, int64_t most, ls_misclassified *out,
                                int64_t *count)
{
    list mine = {.row = ls_alloc(most, sizeof *mine.row), .most = most};
    const ls_status status = ls_agree(e->comm, find_local(e, &mine));
    if (status == LS_OK)
        merge_lists(e->comm, &mine, out, count);
    ls_free(mine.row);
    return status;
}
