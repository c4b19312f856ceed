#include "train/calibration.h"

#include "base/exact.h"

#include <math.h>

/* Returns the sum of exp(y[i] - y[k]): the reciprocal of class k's probability. */
static double relative_sum(int K, const float *y, int k)
{
    double sum = 0;
    for (int i = 0; i < K; i++)
        sum += exp((double)y[i] - (double)y[k]);
    return sum;
}

double ls_class_probability(ls_loss loss, int K, const float *y, int k)
{
    return ls_loss_takes_logits(loss) ? 1 / relative_sum(K, y, k) : (double)y[k];
}

void ls_calibration_add(ls_calibration_sums *sums, int K, const float *y, int label, int predicted,
                        double quantum)
{
    const double total = relative_sum(K, y, predicted), most = 1 / total;
    double squares = 0, of_label = 0;
    for (int k = 0; k < K; k++) {
        const double p = exp((double)y[k] - (double)y[predicted]) / total;
        squares += p * p;
        of_label = k == label ? p : of_label;
    }
    if (!isfinite(most)) /* the loss says so */
        return;
    const int last = LS_CALIBRATION_BINS - 1, at = (int)ceil(most * LS_CALIBRATION_BINS) - 1;
    const int bin = at < 0 ? 0 : at > last ? last : at;
    sums->rows[bin]++;
    sums->right[bin] += predicted == label;
    sums->probability[bin] += ls_exact_round(most, quantum);
    sums->brier += ls_exact_round(squares - 2 * of_label + 1, quantum);
}

ls_calibration ls_calibration_finish(const ls_calibration_sums *sums)
{
    double rows = 0, error = 0;
    for (int i = 0; i < LS_CALIBRATION_BINS; i++) {
        rows += (double)sums->rows[i];
        error += fabs((double)sums->right[i] - sums->probability[i]);
    }
    return (ls_calibration){.error = rows > 0 ? error / rows : NAN,
                            .brier = rows > 0 ? sums->brier / rows : NAN};
}
