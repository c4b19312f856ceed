/* K: classes; t: the one-hot target of a row. */
#include "nn/loss.h"

#include <math.h>

const char *ls_loss_name(ls_loss loss)
{
    static const char *const names[] = {LS_LOSS_LIST(LS_CHOICE_NAME)};
    return names[loss];
}

/* log sum exp(y) - y[label], computed from the largest output down so that nothing overflows;
 * dy = softmax(y) - t. */
static double cross_entropy(int K, const float *y, int32_t label, float *dy)
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

/* What softened labels, t = (1 - e) one-hot + e / K, add to a row of cross-entropy and to dy: the
 * loss is log sum exp(y) - sum t y, so that e (y[label] - mean of y) is added; dy = softmax(y) - t.
 */
static double smooth(double e, int K, const float *y, int32_t label, float *dy)
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

/* mean over k of (y - t)^2; dy = 2 (y - t) / K. */
static double mse(int K, const float *y, int32_t label, float *dy)
{
    double sum = 0;
    for (int k = 0; k < K; k++) {
        float difference = y[k] - (k == label ? 1.0f : 0.0f);
        sum += (double)difference * difference;
        if (dy != NULL)
            dy[k] = 2 * difference / (float)K;
    }
    return sum / K;
}

ls_score ls_loss_score(ls_loss loss, double smoothing, int64_t rows, int classes, const float *y,
                       const int32_t *labels, float *dy, int32_t *predicted)
{
    ls_score score = {.rows = rows};
    for (int64_t r = 0; r < rows; r++, y += classes) {
        int best = 0;
        for (int k = 1; k < classes; k++)
            best = y[k] > y[best] ? k : best;
        score.correct += best == labels[r];
        if (predicted != NULL)
            predicted[r] = best;
        float *dy_row = dy != NULL ? dy + r * classes : NULL;
        score.loss += loss == LS_CROSS_ENTROPY ? cross_entropy(classes, y, labels[r], dy_row)
                                               : mse(classes, y, labels[r], dy_row);
        if (smoothing > 0)
            score.loss += smooth(smoothing, classes, y, labels[r], dy_row);
    }
    return score;
}
