#include "train/reconstruct.h"

#include "base/integer.h"
#include "base/memory.h"
#include "nn/loss.h"
#include "parallel/collectives.h"
#include "train/generator.h"

#include <math.h>
#include <string.h>

enum { MOST_NUMBERS = 1 << 24 /* of all views */ };

/* Returns the number of rows to show: as many as are wanted, but not too many numbers. */
static int64_t count_rows(const ls_evaluation *e, const ls_generated *wanted)
{
    const int64_t most = ls_max(1, MOST_NUMBERS / (wanted->views * e->batch->features));
    return ls_min(ls_min(wanted->rows, ls_rows_total(e->rows)), ls_min(most, LS_RECONSTRUCTED));
}

/* Returns the rank that has the first row. */
static int find_first(int64_t total, int ranks)
{
    int rank = 0;
    while (rank + 1 < ranks && ls_evaluation_shard(total, ranks, rank).count == 0)
        rank++;
    return rank;
}

/* Converts rows from the network's units to those of the data set, in place. */
static void restore_units(const ls_conversion *c, ls_shape shape, int64_t rows, float *x)
{
    static const ls_columns none = {0};
    const ls_columns *units = c->standardization != NULL ? &c->standardization->targets : &none;
    ls_generator_restore(units, shape, false, rows, x, x);
}

/* Computes the reconstructions of a batch. */
static void reconstruct(const ls_evaluation *e, const ls_batch *batch, float *out)
{
    const int64_t count = batch->rows * batch->features;
    memcpy(out, ls_network_forward(e->network, e->params, batch), (size_t)count * sizeof *out);
    if (ls_loss_takes_sigmoid(ls_network_loss_kind(e->network)))
        for (int64_t i = 0; i < count; i++)
            out[i] = (float)(1 / (1 + exp(-(double)out[i])));
}

/* Makes all views of the first rows, which this rank has. Local.
 * x  [rows][features] */
static ls_status make_views(const ls_evaluation *e, const ls_generated *wanted, float *x)
{
    const ls_conversion *c = ls_rows_conversion(e->rows);
    ls_batch *batch = e->batch;
    const int64_t rows = wanted->rows / wanted->views, view = rows * batch->features;
    float *corrupted = x + view, *last = x + (wanted->views - 1) * view;
    ls_rows_rewind(e->rows);
    const ls_status status = ls_rows_next(e->rows, batch);
    if (status != LS_OK)
        return status;
    batch->rows = rows;
    memcpy(x, batch->targets, (size_t)view * sizeof *x);
    if (corrupted != last) {
        memcpy(corrupted, x, (size_t)view * sizeof *x);
        ls_corruption_apply(&c->corruption, c->draw, rows, batch->features, batch->ids, corrupted);
    }
    reconstruct(e, batch, last);
    restore_units(c, wanted->shape, wanted->rows, x);
    return LS_OK;
}

/* Makes the views on the rank that has the first rows, and sends them to rank 0. Collective. */
static ls_status gather_views(const ls_evaluation *e, const ls_generated *wanted, float *x)
{
    const int rank = ls_comm_rank(e->comm);
    const int from = find_first(ls_rows_total(e->rows), ls_comm_size(e->comm));
    const int64_t count = wanted->rows * e->batch->features;
    const ls_status status = ls_agree(e->comm, x == NULL      ? LS_ERR_FAILURE
                                               : rank == from ? make_views(e, wanted, x)
                                                              : LS_OK);
    if (status == LS_OK && from > 0 && (rank == 0 || rank == from))
        ls_send_to_root(e->comm, x, (size_t)count * sizeof *x, from);
    return status;
}

ls_status ls_reconstruct(const ls_evaluation *e, ls_generated wanted, ls_pictures_sink sink,
                         void *user)
{
    const bool corrupts = ls_corruption_is_some(&ls_rows_conversion(e->rows)->corruption);
    wanted.views = corrupts ? 3 : 2;
    wanted.rows = wanted.views * count_rows(e, &wanted);
    float *x = ls_alloc(wanted.rows * e->batch->features, sizeof *x);
    ls_status status = gather_views(e, &wanted, x);
    wanted.x = x;
    if (status == LS_OK)
        status = ls_agree_root(e->comm, ls_comm_rank(e->comm) == 0 ? sink(user, &wanted) : LS_OK);
    ls_free(x);
    return status;
}
