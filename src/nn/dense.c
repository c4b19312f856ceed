/* dense:UNITS: y = x W + b. B: rows, D: inputs, U: units; W is [D][U], b is [U]. */
#include "base/integer.h"
#include "nn/layer.h"

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

static void forward(const ls_layer *layer, const float *params, int64_t rows, const float *x,
                    float *y)
{
    const int B = ls_int(rows), D = ls_int(ls_shape_size(layer->in));
    const int U = ls_int(layer->out.channels);
    const float *W = params + layer->param[WEIGHT].offset;
    const float *b = params + layer->param[BIAS].offset;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, B, U, D, 1, x, D, W, U, 0, y, U);
    for (int64_t r = 0; r < rows; r++)
        for (int u = 0; u < U; u++)
            y[r * U + u] += b[u];
}

/* dW = x^T dy, db = column sums of dy, dx = dy W^T. */
static void backward(const ls_layer *layer, const float *params, int64_t rows, const float *x,
                     const float *y, const float *dy, float *dx, float *grads)
{
    (void)y;
    const int B = ls_int(rows), D = ls_int(ls_shape_size(layer->in));
    const int U = ls_int(layer->out.channels);
    const float *W = params + layer->param[WEIGHT].offset;
    float *dW = grads + layer->param[WEIGHT].offset;
    float *db = grads + layer->param[BIAS].offset;
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, D, U, B, 1, x, D, dy, U, 0, dW, U);
    memset(db, 0, (size_t)U * sizeof *db);
    for (int64_t r = 0; r < rows; r++)
        for (int u = 0; u < U; u++)
            db[u] += dy[r * U + u];
    if (dx != NULL)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, B, D, U, 1, dy, U, W, U, 0, dx, D);
}

const ls_layer_kind ls_layer_dense = {
    .name = "dense",
    .argument = "UNITS",
    .meaning = "fully connected, with bias",
    .configure = configure,
    .forward = forward,
    .backward = backward,
};
