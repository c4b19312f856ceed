/* B: rows of the team's batch; D, U: rows and columns of the matrix W; k: the rows of W that are this
 * rank's. */
#include "nn/tensor_parallel.h"

#include "nn/product.h"

#include <string.h>

enum { WEIGHT, BIAS };

bool ls_is_split(const ls_op *op, const ls_layout *layout, const ls_team *team)
{
    return team != NULL && op->matrix >= 0 &&
           ls_team_splits(team->size, team->rows, &layout->matrix[op->matrix]);
}

/* Copies this rank's rows to its part of a shared matrix [B][N]; rows that it lacks become zeros. */
static void share_rows(const ls_team *team, int64_t rows, int64_t N, const float *from,
                       float *matrix)
{
    float *mine = matrix + team->rank * team->rows * N;
    memcpy(mine, from, (size_t)(rows * N) * sizeof *mine);
    memset(mine + rows * N, 0, (size_t)((team->rows - rows) * N) * sizeof *mine);
}

/* y = sum over the team of its parts of x W, of this rank's rows. */
static void sum_parts(const ls_op *op, const ls_op_data *d, const ls_team *team, const float *part)
{
    const int64_t B = team->size * team->rows, U = op->param[WEIGHT].shape[1];
    float *y = d->y;
    for (int64_t row = 0; row < d->rows; row++, y += U) {
        const float *of_rank = part + (team->rank * team->rows + row) * U;
        memcpy(y, of_rank, (size_t)U * sizeof *y);
        for (int r = 1; r < team->size; r++) {
            of_rank += B * U;
            for (int64_t u = 0; u < U; u++)
                y[u] += of_rank[u];
        }
        ls_bias_add(1, U, op->fused_relu, d->w[BIAS], y);
    }
}

void ls_split_forward(const ls_op *op, const ls_op_data *d, const ls_layout *layout,
                      const ls_team *team)
{
    const int64_t D = op->param[WEIGHT].shape[0], U = op->param[WEIGHT].shape[1];
    const int64_t B = team->size * team->rows;
    const ls_team_desk desk = ls_team_desk_of(team, layout, op->matrix);
    const ls_range k = ls_shard(D, team->size, team->rank);
    share_rows(team, d->rows, D, d->x[0], desk.x);
    team->meet(team->user);
    ls_product_prepare(op->product, B, k, desk.x);
    ls_product_forward(op->product, B, k, desk.x, d->w[WEIGHT], false,
                       desk.part + team->rank * B * U);
    team->meet(team->user);
    sum_parts(op, d, team, desk.part);
}

void ls_split_backward(const ls_op *op, const ls_op_data *d, const ls_layout *layout,
                       const ls_team *team)
{
    const int64_t D = op->param[WEIGHT].shape[0], U = op->param[WEIGHT].shape[1];
    const int64_t B = team->size * team->rows;
    const ls_team_desk desk = ls_team_desk_of(team, layout, op->matrix);
    const ls_range k = ls_shard(D, team->size, team->rank);
    ls_bias_sum(d->rows, U, op->fused_relu, d->y, d->dy, d->dw[BIAS]);
    share_rows(team, d->rows, U, d->dy, desk.dy);
    team->meet(team->user);
    if (d->dx[0] != NULL)
        ls_product_backward(op->product, B, k, desk.dy, d->w[WEIGHT], desk.part);
    ls_product_gradient(op->product, B, k, desk.x, desk.dy, d->dw[WEIGHT]);
    if (d->dx[0] == NULL)
        return;
    team->meet(team->user);
    memcpy(d->dx[0], desk.part + team->rank * team->rows * D,
           (size_t)(d->rows * D) * sizeof(float));
}
