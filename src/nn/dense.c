/* dense:UNITS: y = x W + b. B: rows, D: inputs, U: units; W is [D][U], b is [U]. */
#include "base/integer.h"
#include "nn/layer.h"

#include <lockstep/team.h>

#include <cblas.h>
#include <string.h>

enum { WEIGHT, BIAS };

static ls_status configure(ls_layer *layer, const char *argument)
{
    int64_t units;
    ls_status status = ls_layer_argument_count(argument, "number of units", &units);
    if (status != LS_OK)
        return status;
    int64_t inputs = ls_shape_size(layer->in);
    if (units > INT32_MAX / inputs)
        return ls_fail(LS_ERR_USAGE, "%lld x %lld weights are more than 2^31", (long long)inputs,
                       (long long)units);
    ls_layer_add_param(layer, "weight", 2, (int64_t[]){inputs, units}, inputs, units);
    ls_layer_add_param(layer, "bias", 1, (int64_t[]){units}, 0, 0);
    layer->out = (ls_shape){units, 1, 1};
    return LS_OK;
}

/* y += b, and the relu that may follow, in one pass. */
static void add_bias(int64_t rows, int64_t U, bool rectify, const float *restrict b,
                     float *restrict y)
{
    for (int64_t r = 0; r < rows; r++, y += U) {
        if (!rectify) {
            for (int64_t u = 0; u < U; u++)
                y[u] += b[u];
            continue;
        }
        /* Written so that a NaN goes through: it must reach the loss to be seen. */
        for (int64_t u = 0; u < U; u++) {
            float z = y[u] + b[u];
            y[u] = z < 0 ? 0 : z;
        }
    }
}

/* db = column sums of dy, after the mask of the relu that may follow, in one pass. */
static void sum_bias(int64_t rows, int64_t U, bool rectify, const float *restrict y,
                     float *restrict dy, float *restrict db)
{
    memset(db, 0, (size_t)U * sizeof *db);
    for (int64_t r = 0; r < rows; r++, y += U, dy += U) {
        if (rectify)
            for (int64_t u = 0; u < U; u++)
                dy[u] = y[u] > 0 ? dy[u] : 0;
        for (int64_t u = 0; u < U; u++)
            db[u] += dy[u];
    }
}

/* The products with W come in slices, see ls_matrix_slice(). */
static void forward(const ls_layer *layer, const float *params, int64_t rows, const float *x,
                    float *y, ls_need need)
{
    const int B = ls_int(rows), D = ls_int(ls_shape_size(layer->in));
    const int U = ls_int(layer->out.channels);
    const int64_t weight = layer->param[WEIGHT].offset;
    const int slice =
        need.call != NULL ? ls_int(ls_matrix_slice(&layer->layout->matrix[layer->matrix])) : D;
    for (int end = D, begin; end > 0; end = begin) {
        begin = end > slice ? end - slice : 0;
        const int64_t from = weight + (int64_t)begin * U;
        ls_need_call(need, from);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, B, U, end - begin, 1, x + begin, D,
                    params + from, U, end < D, y, U);
    }
    add_bias(rows, U, layer->rectified, params + layer->param[BIAS].offset, y);
}

/* dx = dy W^T, db = column sums of dy, dW = x^T dy. */
static void backward(const ls_layer *layer, const float *params, int64_t rows, const float *x,
                     const float *y, float *dy, float *dx, float *grads, ls_ready ready)
{
    const int B = ls_int(rows), D = ls_int(ls_shape_size(layer->in));
    const int U = ls_int(layer->out.channels);
    const int64_t weight = layer->param[WEIGHT].offset;
    sum_bias(rows, U, layer->rectified, y, dy, grads + layer->param[BIAS].offset);
    if (dx != NULL)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, B, D, U, 1, dy, U, params + weight, U,
                    0, dx, D);
    const int slice = ls_int(ls_matrix_slice(&layer->layout->matrix[layer->matrix]));
    for (int end = D, begin; end > 0; end = begin) {
        begin = end > slice ? end - slice : 0;
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, end - begin, U, B, 1, x + begin, D, dy,
                    U, 0, grads + weight + (int64_t)begin * U, U);
        if (begin > 0)
            ls_ready_call(ready, weight + (int64_t)begin * U);
    }
}

/* Lays this rank's rows of a matrix [B][N] where the team sees them, zeros for those it lacks. */
static void lay_out(const ls_team *team, int64_t rows, int64_t N, const float *from, float *matrix)
{
    float *mine = matrix + team->rank * team->rows * N;
    memcpy(mine, from, (size_t)(rows * N) * sizeof *mine);
    memset(mine + rows * N, 0, (size_t)((team->rows - rows) * N) * sizeof *mine);
}

/* What follows is described in lockstep/team.h; k: the rows of W that are this rank's. */
static void forward_split(const ls_layer *layer, const ls_team *team, const float *params,
                          int64_t rows, const float *x, float *y)
{
    const ls_matrix *W = &layer->layout->matrix[layer->matrix];
    const ls_team_desk desk = ls_team_desk_of(team, layer->layout, layer->matrix);
    const ls_range k = ls_shard(W->rows, team->size, team->rank);
    const int B = ls_int(team->size * team->rows), D = ls_int(W->rows), U = ls_int(W->columns);
    lay_out(team, rows, D, x, desk.x);
    team->meet(team->user);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, B, U, ls_int(k.count), 1,
                desk.x + k.first, D, params + W->offset + k.first * U, U, 0,
                desk.part + (int64_t)team->rank * B * U, U);
    team->meet(team->user);
    const float *bias = params + layer->param[BIAS].offset;
    for (int64_t row = 0; row < rows; row++, y += U) {
        const float *part = desk.part + (team->rank * team->rows + row) * U;
        memcpy(y, part, (size_t)U * sizeof *y);
        for (int r = 1; r < team->size; r++) {
            part += (int64_t)B * U;
            for (int64_t u = 0; u < U; u++)
                y[u] += part[u];
        }
        add_bias(1, U, layer->rectified, bias, y);
    }
}

static void backward_split(const ls_layer *layer, const ls_team *team, const float *params,
                           int64_t rows, const float *y, float *dy, float *dx, float *grads)
{
    const ls_matrix *W = &layer->layout->matrix[layer->matrix];
    const ls_team_desk desk = ls_team_desk_of(team, layer->layout, layer->matrix);
    const ls_range k = ls_shard(W->rows, team->size, team->rank);
    const int B = ls_int(team->size * team->rows), D = ls_int(W->rows), U = ls_int(W->columns);
    const int64_t mine = W->offset + k.first * U;
    sum_bias(rows, U, layer->rectified, y, dy, grads + layer->param[BIAS].offset);
    lay_out(team, rows, U, dy, desk.dy);
    team->meet(team->user);
    if (dx != NULL)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, B, ls_int(k.count), U, 1, desk.dy, U,
                    params + mine, U, 0, desk.part + k.first, D);
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, ls_int(k.count), U, B, 1, desk.x + k.first,
                D, desk.dy, U, 0, grads + mine, U);
    if (dx == NULL)
        return;
    team->meet(team->user);
    memcpy(dx, desk.part + team->rank * team->rows * D, (size_t)(rows * D) * sizeof *dx);
}

static double flops(const ls_layer *layer)
{
    return 2.0 * (double)layer->param[WEIGHT].count;
}

const ls_layer_kind ls_layer_dense = {
    .name = "dense",
    .argument = "UNITS",
    .meaning = "fully connected, with bias",
    .takes_relu = true,
    .configure = configure,
    .flops = flops,
    .forward = forward,
    .backward = backward,
    .forward_split = forward_split,
    .backward_split = backward_split,
};
