/* Initial values of parameters. */
#include "base/rng.h"
#include "nn/op.h"

#include <math.h>

static uint64_t key_of(const ls_op *op, int at, uint64_t seed)
{
    return ls_rng_key(seed, LS_RNG_INITIALISE, (uint64_t)op->first_param + (uint64_t)at);
}

void ls_init_uniform(const ls_op *op, int at, uint64_t seed, bool before_relu, int64_t fan_in,
                     int64_t fan_out, float *params)
{
    const ls_param *param = &op->param[at];
    const uint64_t key = key_of(op, at, seed);
    const double bound = sqrt(6 / (double)(before_relu ? fan_in : fan_in + fan_out));
    for (int64_t j = 0; j < param->count; j++)
        params[param->offset + j] = (float)(bound * (2 * ls_rng_uniform(key, (uint64_t)j) - 1));
}

void ls_init_constant(const ls_op *op, int at, float value, float *params)
{
    for (int64_t j = 0; at < op->params && j < op->param[at].count; j++)
        params[op->param[at].offset + j] = value;
}

void ls_init_log_uniform(const ls_op *op, int at, uint64_t seed, int64_t count, double most,
                         float *values)
{
    const uint64_t key = key_of(op, at, seed);
    for (int64_t j = 0; j < count; j++)
        values[j] = (float)log(1 + (most - 1) * ls_rng_uniform(key, (uint64_t)j));
}

static double dot(int64_t n, const float *a, const float *b)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

/* Rows of normal numbers, each made orthogonal to those before it, twice against rounding (Gram and
 * Schmidt). */
void ls_init_orthogonal(const ls_op *op, int at, uint64_t seed, float *params)
{
    const ls_param *param = &op->param[at];
    const uint64_t key = key_of(op, at, seed);
    const int64_t columns = param->shape[1];
    float *first = params + param->offset;
    for (int64_t j = 0; j < param->count; j++)
        first[j] = (float)ls_rng_normal(key, (uint64_t)j);
    for (float *row = first; row < first + param->count; row += columns)
        for (int round = 0; round < 2; round++) {
            for (const float *before = first; before < row; before += columns) {
                const double along = dot(columns, row, before);
                for (int64_t j = 0; j < columns; j++)
                    row[j] = (float)((double)row[j] - along * (double)before[j]);
            }
            const double length = sqrt(dot(columns, row, row));
            for (int64_t j = 0; j < columns; j++)
                row[j] = (float)((double)row[j] / length);
        }
}
