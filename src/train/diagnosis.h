/* Diagnoses overfitting and underfitting from the curves of loss and accuracy. */
#ifndef LS_TRAIN_DIAGNOSIS_H
#define LS_TRAIN_DIAGNOSIS_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/metrics.h>
#include <lockstep/trainer.h>

/* A training's curves, and the facts needed to judge them. */
typedef struct ls_course {
    const ls_metrics *history; /* [epochs] */
    int64_t epochs;
    bool differs; /* the training loss is of smoothed labels or weighted rows */
    int classes;  /* 2 of a binary or multi-label task, whose outputs are true or false */
    int64_t validation_rows;
    bool by_step; /* classes of steps, as the next words of a text, which nobody can know */
} ls_course;

/* Overfitting has two signs. Each must show in three consecutive epochs, and counts until it is
 * withdrawn.
 *
 * Rise: the validation loss lies above its earlier least median of three epochs, while the training
 * loss has fallen since. It is withdrawn when the validation loss is lower than ever before.
 * Comparing the two losses proves nothing: with augmentation, dropout or label smoothing the
 * training loss is the larger one. With label smoothing a rise of the validation loss proves little
 * either: that loss is least for a network that is more confident than the smoothed labels ask for.
 * Nor does it with weights, which it does not have. Then the validation accuracy must have fallen
 * as well.
 *
 * Gap, of tasks that have an accuracy: the training accuracy exceeds the validation accuracy by
 * more than 0.05, more than twice the standard error of the validation accuracy, and more than half
 * of the fraction of rows that validation gets wrong: most of these errors do not occur in
 * training. A gap that closes fast does not count, as in the first epochs of a network whose
 * validation lags behind. It is withdrawn after three epochs without it. The training accuracy is
 * measured during the epoch, on augmented rows and with dropout: the true gap is even wider. */
typedef struct ls_overfitting {
    int64_t rise;                  /* epoch, from 1, at which the losses show it; 0: none */
    int64_t least;                 /* epoch around which the validation loss was least */
    double val_loss[2], loss[2];   /* medians, at `least` and at `rise` */
    int64_t gap;                   /* epoch at which the accuracies show it; 0: none */
    double accuracy, val_accuracy; /* medians at the last epoch */
} ls_overfitting;

/* Diagnoses overfitting at the last epoch of the course. Pure. Local. */
ls_overfitting ls_diagnose_overfitting(const ls_course *course);

/* Underfitting, of tasks that have an accuracy: at its end a run gets many rows wrong, in training
 * and in validation; never of a task by step. */
typedef struct ls_underfitting {
    bool shows;
    bool falling;                  /* the training loss still falls */
    double accuracy, val_accuracy; /* medians of the last three epochs; NaN: no validation rows */
} ls_underfitting;

/* Diagnoses underfitting at the end of the course. Pure. Local. */
ls_underfitting ls_diagnose_underfitting(const ls_course *course);

/* The diagnosis of a finished run. */
typedef struct ls_diagnosis {
    const char *what; /* "overfitting" or "underfitting"; NULL: neither */
    char text[512];   /* the evidence and remedies, or the reason why there is no diagnosis */
} ls_diagnosis;

struct ls_trainer;

/* Diagnoses a run from its history and settings: a resumed run gets the same result. Local. */
ls_diagnosis ls_diagnose(const struct ls_trainer *trainer);

/* Reports, to the observer and in the records, overfitting if the latest epoch is the first that
 * shows it. Collective.
 * Errors: LS_ERR_FAILURE if the records can't be written. */
ls_status ls_diagnosis_after_epoch(const struct ls_trainer *trainer) LS_MUST_CHECK;

/* Reports underfitting of a finished run. Collective. Errors: as above. */
ls_status ls_diagnosis_at_end(const struct ls_trainer *trainer) LS_MUST_CHECK;

#endif
