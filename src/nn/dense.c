/* dense:UNITS: y = x W + b, without b before a batch normalisation. B: rows, D: inputs, U: units; W
 * is [D][U], b is [U]. */
#include "base/integer.h"
#include "nn/layer.h"

#include <lockstep/team.h>

#include <cblas.h>
#include <string.h>

enum { WEIGHT };

static const ls_matrix *matrix_of(const ls_layer *layer)
{
    return &layer->layout->matrix[layer->matrix];
}

/* Whether the inputs of the latest batch are packed: then W's rows are worked on in slices, for
 * which there is room. */
static bool is_packed(const ls_layer *layer)
{
    return layer->active != NULL && layer->active->packed;
}

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

/* Of the packed inputs; BLAS wants 1 at least. */
static int row_length(const ls_active *active)
{
    return active->count > 0 ? ls_int(active->count) : 1;
}

/* The next slice of W's rows below `end`, not below `first`, see ls_matrix_slice(). */
static ls_range slice_below(const ls_matrix *W, int64_t first, int64_t end)
{
    const int64_t slice = ls_matrix_slice(W), boundary = (end - 1) / slice * slice;
    const int64_t begin = boundary > first ? boundary : first;
    return (ls_range){begin, end - begin};
}

/* y = x W, or y += x W, of some rows of W and the columns of x [B][D] that meet them. */
static void add_product(const ls_layer *layer, const float *params, int64_t rows, const float *x,
                        ls_range of, bool add, float *y)
{
    const ls_matrix *W = matrix_of(layer);
    const int B = ls_int(rows), D = ls_int(W->rows), U = ls_int(W->columns);
    const float *weights = params + W->offset + of.first * U;
    if (is_packed(layer)) {
        const ls_range which = ls_active_within(layer->active, of);
        ls_active_gather(layer->active, which, U, params + W->offset);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, B, U, ls_int(which.count), 1,
                    layer->active->x + which.first, row_length(layer->active), layer->active->w, U,
                    add, y, U);
        return;
    }
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, B, U, ls_int(of.count), 1, x + of.first,
                D, weights, U, add, y, U);
}

/* Some rows of dW = x^T dy. */
static void make_gradient(const ls_layer *layer, int64_t rows, const float *x, const float *dy,
                          ls_range of, float *grads)
{
    const ls_matrix *W = matrix_of(layer);
    const int B = ls_int(rows), D = ls_int(W->rows), U = ls_int(W->columns);
    float *gradient = grads + W->offset + of.first * U;
    if (is_packed(layer)) {
        const ls_range which = ls_active_within(layer->active, of);
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, ls_int(which.count), U, B, 1,
                    layer->active->x + which.first, row_length(layer->active), dy, U, 0,
                    layer->active->w, U);
        ls_active_scatter(layer->active, which, of, U, grads + W->offset);
        return;
    }
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, ls_int(of.count), U, B, 1, x + of.first, D,
                dy, U, 0, gradient, U);
}

static void forward(const ls_layer *layer, const ls_layer_pass *pass, const float *x, float *y)
{
    const ls_matrix *W = matrix_of(layer);
    const int64_t rows = pass->rows;
    if (layer->active != NULL)
        ls_active_take(layer->active, rows, (ls_range){0, W->rows}, W->rows, W->columns, x);
    for (ls_range of = {W->rows, 0}; of.first > 0;) {
        of = pass->need.call != NULL || is_packed(layer) ? slice_below(W, 0, of.first)
                                                         : (ls_range){0, W->rows};
        ls_need_call(pass->need, W->offset + of.first * W->columns);
        add_product(layer, pass->params, rows, x, of, of.first + of.count < W->rows, y);
    }
    ls_bias_add(rows, W->columns, layer->rectified, ls_layer_bias(layer, pass->params), y);
}

/* dx = dy W^T, db = column sums of dy, dW = x^T dy. */
static void backward(const ls_layer *layer, const ls_layer_pass *pass, const float *x,
                     const float *y, float *dy, float *dx, float *grads)
{
    const ls_matrix *W = matrix_of(layer);
    const int64_t rows = pass->rows;
    const int B = ls_int(rows), D = ls_int(W->rows), U = ls_int(W->columns);
    if (layer->active != NULL && layer->active->of != x) /* other blocks came after this one */
        ls_active_take(layer->active, rows, (ls_range){0, W->rows}, W->rows, W->columns, x);
    ls_bias_sum(rows, U, layer->rectified, y, dy, ls_layer_bias_gradient(layer, grads));
    if (dx != NULL)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, B, D, U, 1, dy, U,
                    pass->params + W->offset, U, 0, dx, D);
    for (ls_range of = {D, 0}; of.first > 0;) {
        of = slice_below(W, 0, of.first);
        make_gradient(layer, rows, x, dy, of, grads);
        if (of.first > 0)
            ls_ready_call(pass->ready, W->offset + of.first * U);
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
static void forward_split(const ls_layer *layer, const ls_layer_pass *pass, const float *x,
                          float *y)
{
    const ls_team *team = pass->team;
    const ls_matrix *W = matrix_of(layer);
    const int64_t rows = pass->rows;
    const ls_team_desk desk = ls_team_desk_of(team, layer->layout, layer->matrix);
    const ls_range k = ls_shard(W->rows, team->size, team->rank);
    const int B = ls_int(team->size * team->rows), D = ls_int(W->rows), U = ls_int(W->columns);
    lay_out(team, rows, D, x, desk.x);
    team->meet(team->user);
    if (layer->active != NULL)
        ls_active_take(layer->active, B, k, D, U, desk.x);
    for (ls_range of = {k.first + k.count, 0}; of.first > k.first;) {
        const bool first = of.count == 0;
        of = is_packed(layer) ? slice_below(W, k.first, of.first) : k;
        add_product(layer, pass->params, B, desk.x, of, !first,
                    desk.part + (int64_t)team->rank * B * U);
    }
    team->meet(team->user);
    const float *bias = ls_layer_bias(layer, pass->params);
    for (int64_t row = 0; row < rows; row++, y += U) {
        const float *part = desk.part + (team->rank * team->rows + row) * U;
        memcpy(y, part, (size_t)U * sizeof *y);
        for (int r = 1; r < team->size; r++) {
            part += (int64_t)B * U;
            for (int64_t u = 0; u < U; u++)
                y[u] += part[u];
        }
        ls_bias_add(1, U, layer->rectified, bias, y);
    }
}

static void backward_split(const ls_layer *layer, const ls_layer_pass *pass, const float *y,
                           float *dy, float *dx, float *grads)
{
    const ls_team *team = pass->team;
    const ls_matrix *W = matrix_of(layer);
    const int64_t rows = pass->rows;
    const ls_team_desk desk = ls_team_desk_of(team, layer->layout, layer->matrix);
    const ls_range k = ls_shard(W->rows, team->size, team->rank);
    const int B = ls_int(team->size * team->rows), D = ls_int(W->rows), U = ls_int(W->columns);
    const int64_t mine = W->offset + k.first * U;
    ls_bias_sum(rows, U, layer->rectified, y, dy, ls_layer_bias_gradient(layer, grads));
    lay_out(team, rows, U, dy, desk.dy);
    team->meet(team->user);
    if (dx != NULL)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, B, ls_int(k.count), U, 1, desk.dy, U,
                    pass->params + mine, U, 0, desk.part + k.first, D);
    for (ls_range of = {k.first + k.count, 0}; of.first > k.first;) {
        of = is_packed(layer) ? slice_below(W, k.first, of.first) : k;
        make_gradient(layer, B, desk.x, desk.dy, of, grads);
    }
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
    .meaning = "fully connected, with bias unless batchnorm follows",
    .takes_relu = true,
    .ends_with_bias = true,
    .configure = configure,
    .flops = flops,
    .forward = forward,
    .backward = backward,
    .forward_split = forward_split,
    .backward_split = backward_split,
};
