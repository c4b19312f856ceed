/* B: batch rows of the group; D, U: rows and columns of the matrix W; k: range of this rank's rows
 * of W.
 *
 * Forward and backward have two barriers each. They are the only protection of the shared arrays:
 *
 *     array   written before     read between                     belongs to
 *     x       forward's first    that and the end of backward     one matrix and slot
 *     part    forward's second   that and the next first barrier  all matrices in turn
 *     dy      backward's first   backward's two barriers          all matrices in turn
 *     part    backward's second  that and the next first barrier  all matrices in turn */
#include "nn/tensor_parallel.h"

#include "nn/product.h"

#include <string.h>

enum { WEIGHT, BIAS };

bool ls_is_split(const ls_op *op, const ls_layout *layout, const ls_group *group)
{
    return group != NULL && op->matrix >= 0 &&
           ls_group_splits(group->size, group->rows, &layout->matrix[op->matrix]);
}

/* Copies this rank's batch rows to its part of a shared matrix [B][N]; missing rows are zeros. */
static void copy_to_shared(const ls_group *group, int64_t rows, int64_t N, const float *from,
                           float *matrix)
{
    float *mine = matrix + group->rank * group->rows * N;
    memcpy(mine, from, (size_t)(rows * N) * sizeof *mine);
    memset(mine + rows * N, 0, (size_t)((group->rows - rows) * N) * sizeof *mine);
}

/* y = sum over the group's ranks of their parts of x W, plus bias, for this rank's batch rows. */
static void sum_parts(const ls_op *op, const ls_op_data *d, const ls_group *group,
                      const float *part)
{
    const int64_t B = group->size * group->rows, U = op->param[WEIGHT].shape[1];
    float *y = d->y;
    for (int64_t row = 0; row < d->rows; row++, y += U) {
        const float *of_rank = part + (group->rank * group->rows + row) * U;
        memcpy(y, of_rank, (size_t)U * sizeof *y);
        for (int r = 1; r < group->size; r++) {
            of_rank += B * U;
            for (int64_t u = 0; u < U; u++)
                y[u] += of_rank[u];
        }
        ls_bias_add(1, U, op->fused_relu, d->w[BIAS], y);
    }
}

void ls_split_forward(const ls_op *op, const ls_op_data *d, const ls_layout *layout,
                      const ls_group *group, int slot)
{
    const int64_t D = op->param[WEIGHT].shape[0], U = op->param[WEIGHT].shape[1];
    const int64_t B = group->size * group->rows;
    const ls_group_buffers buffers = ls_group_buffers_of(group, layout, op->matrix, slot);
    const ls_range k = ls_shard(D, group->size, group->rank);
    copy_to_shared(group, d->rows, D, d->x[0], buffers.x);
    group->barrier(group->user);
    ls_product_prepare(op->product, B, k, buffers.x);
    ls_product_forward(op->product, B, k, buffers.x, d->w[WEIGHT], false,
                       buffers.part + group->rank * B * U);
    group->barrier(group->user);
    sum_parts(op, d, group, buffers.part);
}

void ls_split_backward(const ls_op *op, const ls_op_data *d, const ls_layout *layout,
                       const ls_group *group, int slot)
{
    const int64_t D = op->param[WEIGHT].shape[0], U = op->param[WEIGHT].shape[1];
    const int64_t B = group->size * group->rows;
    const ls_group_buffers buffers = ls_group_buffers_of(group, layout, op->matrix, slot);
    const ls_range k = ls_shard(D, group->size, group->rank);
    ls_bias_sum(d->rows, U, op->fused_relu, d->y, d->dy, d->dw[BIAS]);
    copy_to_shared(group, d->rows, U, d->dy, buffers.dy);
    group->barrier(group->user);
    if (d->dx[0] != NULL)
        ls_product_backward(op->product, B, k, buffers.dy, d->w[WEIGHT], buffers.part);
    if (d->dw[WEIGHT] != NULL)
        ls_product_gradient(op->product, B, k, buffers.x, buffers.dy, d->dw[WEIGHT]);
    group->barrier(group->user);
    if (d->dx[0] != NULL)
        memcpy(d->dx[0], buffers.part + group->rank * group->rows * D,
               (size_t)(d->rows * D) * sizeof(float));
}
