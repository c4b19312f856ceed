/* dense:UNITS: y = x W + b. B: rows, D: inputs, U: units; W is [D][U], b is [U]. */
#include "base/integer.h"
#include "nn/layer.h"

#include <cblas.h>
#include <string.h>

enum { WEIGHT, BIAS };

/* The weights' gradient is computed in slices of W's rows, so that the reduction of one can hide
 * behind the product of the next: of about so many floats, but not more slices than these, because
 * each packs dy anew. */
enum { SLICE = 1 << 16, SLICES = 8 };

static int rows_of_slice(int D, int U)
{
    const int wanted = SLICE / U, least = (D + SLICES - 1) / SLICES;
    return wanted > least ? wanted : least;
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

static void forward(const ls_layer *layer, const float *params, int64_t rows, const float *x,
                    float *y)
{
    const int B = ls_int(rows), D = ls_int(ls_shape_size(layer->in));
    const int U = ls_int(layer->out.channels);
    const float *W = params + layer->param[WEIGHT].offset;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, B, U, D, 1, x, D, W, U, 0, y, U);
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
    const int slice = rows_of_slice(D, U);
    for (int end = D, begin; end > 0; end = begin) {
        begin = end > slice ? end - slice : 0;
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, end - begin, U, B, 1, x + begin, D, dy,
                    U, 0, grads + weight + (int64_t)begin * U, U);
        if (begin > 0)
            ls_ready_call(ready, weight + (int64_t)begin * U);
    }
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
};
