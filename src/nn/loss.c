/* K: classes; t: the one-hot target of a row. */
#include "nn/loss.h"

#include "base/metrics.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* log sum exp(y) - y[label], relative to the largest output so that nothing overflows;
 * dy = softmax(y) - t. */
static double negative_log_likelihood(int K, const float *y, int32_t label, float *dy)
{
    float largest = y[0], sum = 0;
    for (int k = 1; k < K; k++)
        largest = y[k] > largest ? y[k] : largest;
    if (dy == NULL) {
        for (int k = 0; k < K; k++)
            sum += expf(y[k] - largest);
    } else {
        for (int k = 0; k < K; k++)
            sum += dy[k] = expf(y[k] - largest);
        for (int k = 0; k < K; k++)
            dy[k] /= sum;
        dy[label] -= 1;
    }
    return log((double)sum) - ((double)y[label] - (double)largest);
}

/* Label smoothing, t = (1 - e) one-hot + e / K: returns its contribution to the cross-entropy of a
 * row and adds its contribution to dy. The loss is log sum exp(y) - sum t y, so the contribution is
 * e (y[label] - mean of y); dy = softmax(y) - t. */
static double smoothing_term(double e, int K, const float *y, int32_t label, float *dy)
{
    double mean = 0;
    for (int k = 0; k < K; k++)
        mean += (double)y[k] / K;
    for (int k = 0; dy != NULL && k < K; k++)
        dy[k] -= (float)(e / K);
    if (dy != NULL)
        dy[label] += (float)e;
    return e * ((double)y[label] - mean);
}

static void loss_cross_entropy(double e, int K, const float *y, int32_t label, float *dy,
                               double *sum)
{
    *sum += negative_log_likelihood(K, y, label, dy);
    if (e > 0)
        *sum += smoothing_term(e, K, y, label, dy);
}

/* mean over k of (y - t)^2; dy = 2 (y - t) / K. */
static void loss_mse(double e, int K, const float *y, int32_t label, float *dy, double *sum)
{
    double squares = 0;
    (void)e;
    for (int k = 0; k < K; k++) {
        float difference = y[k] - (k == label ? 1.0f : 0.0f);
        squares += (double)difference * difference;
        if (dy != NULL)
            dy[k] = 2 * difference / (float)K;
    }
    *sum += squares / K;
}

static const ls_loss_kind kinds[LS_LOSSES] = {
    [LS_CROSS_ENTROPY] = {.targets = LS_TARGETS_CLASS,
                          .outputs = LS_OUTPUTS_LOGITS,
                          .smooths = true,
                          .row = loss_cross_entropy},
    [LS_MSE] = {.targets = LS_TARGETS_CLASS, .outputs = LS_OUTPUTS_VALUES, .row = loss_mse},
};

static const char *const names[LS_LOSSES] = {LS_LOSS_LIST(LS_CHOICE_NAME)};

const ls_loss_kind *ls_loss_describe(ls_loss loss)
{
    assert(loss >= 0 && loss < LS_LOSSES);
    return &kinds[loss];
}

const char *ls_loss_name(ls_loss loss)
{
    assert(loss >= 0 && loss < LS_LOSSES);
    return names[loss];
}

bool ls_loss_find(const char *name, ls_loss *out)
{
    for (int i = 0; i < LS_LOSSES; i++)
        if (strcmp(names[i], name) == 0) {
            *out = (ls_loss)i;
            return true;
        }
    return false;
}

bool ls_loss_takes_logits(ls_loss loss)
{
    return ls_loss_describe(loss)->outputs == LS_OUTPUTS_LOGITS;
}

bool ls_loss_smooths(ls_loss loss)
{
    return ls_loss_describe(loss)->smooths;
}

int32_t ls_largest_output(int K, const float *y)
{
    int32_t best = 0;
    for (int32_t k = 1; k < K; k++)
        best = y[k] > y[best] ? k : best;
    return best;
}

ls_score ls_loss_score(ls_loss loss, double smoothing, int64_t rows, int classes, const float *y,
                       const int32_t *labels, float *dy, int32_t *predicted)
{
    const ls_loss_kind *kind = ls_loss_describe(loss);
    ls_score score = {0};
    for (int64_t r = 0; r < rows; r++, y += classes) {
        const int32_t largest = ls_largest_output(classes, y);
        if (predicted != NULL)
            predicted[r] = largest;
        ls_metric_add_row(&score, classes, y, labels[r], largest);
        kind->row(smoothing, classes, y, labels[r], dy != NULL ? dy + r * classes : NULL,
                  &score.loss);
    }
    return score;
}
