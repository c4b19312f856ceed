/* Calibration: sums over rows, which are added over ranks. All functions are Local. */
#ifndef LS_TRAIN_CALIBRATION_H
#define LS_TRAIN_CALIBRATION_H

#include <stdint.h>

#include <lockstep/model.h>
#include <lockstep/network.h>

enum { LS_CALIBRATION_BINS = 15 };

/* Sums over rows by the interval of their largest probability. */
typedef struct ls_calibration_sums {
    int64_t rows[LS_CALIBRATION_BINS];
    int64_t right[LS_CALIBRATION_BINS];
    double probability[LS_CALIBRATION_BINS];
    double brier;
} ls_calibration_sums;

/* Returns the probability of class k, from the outputs [K] of a row; with a loss that does not take
 * logits the output itself. */
double ls_class_probability(ls_loss loss, int K, const float *y, int k);

/* Adds a row.
 * y        [K] outputs, logits
 * quantum  sums are of multiples of it, so that they don't depend on the order of addition */
void ls_calibration_add(ls_calibration_sums *sums, int K, const float *y, int label, int predicted,
                        double quantum);

/* Returns the calibration; NaN for no rows. */
ls_calibration ls_calibration_finish(const ls_calibration_sums *sums);

#endif
