/* What the curves of loss and accuracy say about a training: overfitting, underfitting. */
#ifndef LS_TRAIN_DIAGNOSIS_H
#define LS_TRAIN_DIAGNOSIS_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/metrics.h>
#include <lockstep/trainer.h>

/* Overfitting: in three epochs, one after the other, the validation loss lies above its least
 * median of three epochs before, while the training loss has fallen since; no single epoch decides.
 * That one of the two losses lies above the other says nothing: with augmentation, dropout or label
 * smoothing it is the training loss. Nor does it say much that the validation loss rises where
 * labels are smoothed: there it is least for a network that is surer than it is asked to be. Then
 * accuracy must have fallen as well. */
typedef struct ls_overfitting {
    int64_t epoch;               /* the first at which it shows, from 1; 0: it does not */
    int64_t least;               /* the epoch around which the validation loss was least */
    double val_loss[2], loss[2]; /* medians, then and at `epoch` */
} ls_overfitting;

/* A function of the history [epochs] alone. Local. smoothed: labels were, in training */
ls_overfitting ls_diagnose_overfitting(const ls_metrics *history, int64_t epochs, bool smoothed);

/* Underfitting: at its end a run gets many rows wrong, of training as of validation. */
typedef struct ls_underfitting {
    bool shows;
    bool falling;                  /* the training loss still falls */
    double accuracy, val_accuracy; /* medians of the last three epochs; NaN: no validation rows */
} ls_underfitting;

/* A function of the history alone. Local. */
ls_underfitting ls_diagnose_underfitting(const ls_metrics *history, int64_t epochs, bool smoothed,
                                         int classes);

struct ls_trainer;

/* Says in the records and to the observer that the epoch that was just finished shows overfitting,
 * if it is the first to do so; that the run which is at its end has underfitted. Collective.
 * Errors: LS_ERR_FAILURE if the records can't be written. */
ls_status ls_diagnosis_after_epoch(const struct ls_trainer *trainer) LS_MUST_CHECK;
ls_status ls_diagnosis_at_end(const struct ls_trainer *trainer) LS_MUST_CHECK;

#endif
