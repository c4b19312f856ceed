/* What the curves of loss and accuracy say about a training: overfitting, underfitting. */
#ifndef LS_TRAIN_DIAGNOSIS_H
#define LS_TRAIN_DIAGNOSIS_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/metrics.h>
#include <lockstep/trainer.h>

/* A training's curves, and what they are judged by. */
typedef struct ls_course {
    const ls_metrics *history; /* [epochs] */
    int64_t epochs;
    bool smoothed; /* labels were, in training */
    int classes;
    int64_t validation_rows;
} ls_course;

/* Overfitting, which two signs tell of. Neither is one epoch's: each must show in three epochs, one
 * after the other, and stands until it is overcome.
 *
 * Rise: the validation loss lies above its least median of three epochs before, while the training
 * loss has fallen since. It is overcome when the validation loss is lower than it ever was. That
 * one of the two losses lies above the other says nothing: with augmentation, dropout or label
 * smoothing it is the training loss. Nor does it say much that the validation loss rises where
 * labels are smoothed: there it is least for a network that is surer than it is asked to be. Then
 * accuracy must have fallen as well.
 *
 * Gap: the accuracy of training is higher than that of validation by more than 0.05 and than twice
 * the standard error that so many validation rows leave, and by more than half of the rows that
 * validation gets wrong: most of its errors are such as training does not make. It does not count
 * while it closes fast, as in the first epochs of a network whose validation lags behind, and is
 * overcome when three epochs are without it. The accuracy of training is one of rows as they were
 * met, while the network still learnt, augmented and with dropout: the true gap is wider still. */
typedef struct ls_overfitting {
    int64_t rise;                /* the epoch, from 1, at which the losses show it; 0: they don't */
    int64_t least;               /* the epoch around which the validation loss was least */
    double val_loss[2], loss[2]; /* medians, then and at `rise` */
    int64_t gap;                 /* the epoch at which the accuracies show it; 0: they don't */
    double accuracy, val_accuracy; /* medians at the last epoch */
} ls_overfitting;

/* A function of the course alone: what is known at its last epoch. Local. */
ls_overfitting ls_diagnose_overfitting(const ls_course *course);

/* Underfitting: at its end a run gets many rows wrong, of training as of validation. */
typedef struct ls_underfitting {
    bool shows;
    bool falling;                  /* the training loss still falls */
    double accuracy, val_accuracy; /* medians of the last three epochs; NaN: no validation rows */
} ls_underfitting;

/* A function of the course alone. Local. */
ls_underfitting ls_diagnose_underfitting(const ls_course *course);

/* What there is to say about a run that is at its end. */
typedef struct ls_diagnosis {
    const char *what; /* "overfitting" or "underfitting"; NULL: neither */
    char text[512];   /* what shows it and what helps, or why there is nothing to say */
} ls_diagnosis;

struct ls_trainer;

/* A function of the trainer's history and settings: a resumed run gets the same. Local. */
ls_diagnosis ls_diagnose(const struct ls_trainer *trainer);

/* Says in the records and to the observer that the epoch that was just finished shows overfitting,
 * if it is the first to do so; that the run which is at its end has underfitted. Collective.
 * Errors: LS_ERR_FAILURE if the records can't be written. */
ls_status ls_diagnosis_after_epoch(const struct ls_trainer *trainer) LS_MUST_CHECK;
ls_status ls_diagnosis_at_end(const struct ls_trainer *trainer) LS_MUST_CHECK;

#endif
