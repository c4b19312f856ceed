#include "train/model_outputs.h"

#include "nn/loss.h"
#include "train/model_state.h"

#include <math.h>
#include <string.h>

ls_meaning ls_model_meaning(const ls_model *m)
{
    if (m->info.classes == 0)
        return LS_MEANING_VALUES;
    return ls_loss_takes_logits(m->info.loss) || ls_loss_takes_sigmoid(m->info.loss)
               ? LS_MEANING_PROBABILITIES
               : LS_MEANING_SCORES;
}

int ls_model_outputs_count(const ls_model *m)
{
    return m->info.classes > 0 ? m->info.classes : m->info.values;
}

int64_t ls_model_steps(const ls_model *m)
{
    return ls_model_info_by_step(&m->info) ? m->info.values : 1;
}

static double sigmoid(double logit)
{
    return 1 / (1 + exp(-logit));
}

/* Converts logits [K] to probabilities. */
static void softmax(int K, const float *y, int32_t largest, float *p)
{
    double sum = 0;
    for (int k = 0; k < K; k++)
        sum += exp((double)y[k] - (double)y[largest]);
    for (int k = 0; k < K; k++)
        p[k] = (float)(exp((double)y[k] - (double)y[largest]) / sum);
}

static bool are_finite(int K, const float *y)
{
    bool finite = true;
    for (int k = 0; k < K; k++)
        finite = finite && isfinite(y[k]);
    return finite;
}

/* Converts standardised values to the target's units. */
static void restore_units(const ls_columns *columns, int K, const float *y, float *out)
{
    for (int k = 0; k < K; k++)
        out[k] =
            columns->count > 0 ? (float)(columns->mean[k] + columns->std[k] * (double)y[k]) : y[k];
}

/* Converts outputs for bce to the probability of each of the two classes, or of each label. */
static void apply_sigmoid(const ls_model *m, const float *raw, float *y)
{
    if (m->info.values == 0) {
        y[0] = (float)sigmoid(-(double)raw[0]);
        y[1] = (float)sigmoid((double)raw[0]);
    }
    for (int k = 0; k < m->info.values; k++)
        y[k] = (float)sigmoid((double)raw[k]);
}

/* Converts the network's outputs of a row to what they mean. The only place that knows. */
static void convert_outputs(const ls_model *m, int K, const float *raw, int32_t largest, float *y)
{
    if (ls_loss_takes_sigmoid(m->info.loss)) {
        apply_sigmoid(m, raw, y);
        restore_units(&m->standardization.targets, K, y, y); /* of an autoencoder */
        return;
    }
    switch (ls_model_meaning(m)) {
    case LS_MEANING_PROBABILITIES:
        softmax(K, raw, largest, y);
        break;
    case LS_MEANING_SCORES:
        memcpy(y, raw, (size_t)K * sizeof *y);
        break;
    case LS_MEANING_VALUES:
        restore_units(&m->standardization.targets, K, raw, y);
        break;
    }
}

static ls_status check_finite(int K, const float *raw, int64_t row)
{
    return are_finite(K, raw)
               ? LS_OK
               : ls_fail(LS_ERR_NUMERIC, "row %lld: an output of the network is not finite",
                         (long long)row);
}

ls_status ls_model_convert(const ls_model *m, int64_t first, int64_t rows, const float *raw,
                           float *y, int32_t *predicted)
{
    const int K = ls_model_info_outputs(&m->info);
    const int64_t steps = ls_model_steps(m);
    const bool decides = m->info.values == 0 && ls_loss_takes_sigmoid(m->info.loss);
    ls_status status = LS_OK;
    for (int64_t i = 0; status == LS_OK && i < rows * steps; i++, raw += K) {
        status = check_finite(K, raw, first + i / steps);
        if (status != LS_OK)
            break;
        const int32_t largest = decides ? raw[0] > 0 : ls_largest_output(K, raw);
        convert_outputs(m, K, raw, largest, y);
        y += ls_model_outputs_count(m);
        if (predicted != NULL)
            predicted[i] = largest;
    }
    return status;
}

/* Returns the largest of the probabilities of logits [K]. */
static float largest_probability(int K, const float *y, int32_t largest)
{
    double sum = 0;
    for (int k = 0; k < K; k++)
        sum += exp((double)y[k] - (double)y[largest]);
    return (float)(1 / sum);
}

/* The prediction of a batch by step: the class of each step, and its probability. */
static ls_status predict_steps(const ls_model *m, int64_t first, const ls_batch *batch,
                               const float *raw, float *y, int32_t *predicted)
{
    const int K = ls_model_info_outputs(&m->info);
    const int64_t T = ls_model_steps(m);
    ls_status status = LS_OK;
    for (int64_t i = 0; status == LS_OK && i < batch->rows * T; i++, raw += K) {
        const bool counts = batch->lengths == NULL || i % T < batch->lengths[i / T];
        if (counts)
            status = check_finite(K, raw, first + i / T);
        predicted[i] = counts ? ls_largest_output(K, raw) : -1;
        y[i] = counts ? largest_probability(K, raw, predicted[i]) : 0;
    }
    return status;
}

ls_status ls_model_predict_batch(const ls_model *m, int64_t first, const ls_batch *batch,
                                 const float *raw, float *y, int32_t *predicted)
{
    return ls_model_steps(m) > 1 ? predict_steps(m, first, batch, raw, y, predicted)
                                 : ls_model_convert(m, first, batch->rows, raw, y, predicted);
}
