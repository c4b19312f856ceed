#include "train/diagnosis.h"

#include "base/json.h"
#include "train/trainer_state.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { WINDOW = 3, TEXT = 512 };

/* How much a loss must change to have risen or fallen, as a factor: more than noise does. */
static const double RISEN = 1.10, FALLEN = 0.95;
/* The part of the errors of guessing at random above which there are many. */
static const double MANY_ERRORS = 0.25;
/* What the training loss of a run that still learns has come to, of what it was two epochs before.
 */
static const double STILL_FALLING = 0.98;

/* Of the values of a column, by its offset in a row, in the three epochs up to `epoch`: the median,
 * or the least. */
static double pick(const ls_metrics *history, int64_t epoch, size_t column, bool least)
{
    double v[WINDOW];
    for (int i = 0; i < WINDOW; i++)
        v[i] = *(const double *)(const void *)((const char *)&history[epoch - WINDOW + i] + column);
    const double low = fmin(v[0], v[1]), high = fmax(v[0], v[1]);
    return least ? fmin(low, v[2]) : fmax(low, fmin(high, v[2]));
}
#define MEDIAN(history, epoch, column) pick(history, epoch, offsetof(ls_metrics, column), false)
#define LEAST(history, epoch, column)  pick(history, epoch, offsetof(ls_metrics, column), true)

ls_overfitting ls_diagnose_overfitting(const ls_metrics *history, int64_t epochs, bool smoothed)
{
    ls_overfitting o = {0};
    int64_t best = 0; /* the last epoch of the window with the least median so far */
    for (int64_t e = WINDOW; e <= epochs; e++) {
        const double val_loss = MEDIAN(history, e, val_loss);
        if (isnan(val_loss))
            return o;
        if (best == 0 || val_loss < MEDIAN(history, best, val_loss)) {
            best = e;
            continue;
        }
        o.val_loss[0] = MEDIAN(history, best, val_loss);
        o.loss[0] = MEDIAN(history, best, loss);
        o.val_loss[1] = val_loss;
        o.loss[1] = MEDIAN(history, e, loss);
        o.least = best - WINDOW / 2;
        /* The two windows share no epoch. */
        if (e - best >= WINDOW && LEAST(history, e, val_loss) > RISEN * o.val_loss[0] &&
            o.loss[1] < FALLEN * o.loss[0] &&
            (!smoothed || MEDIAN(history, e, val_accuracy) < MEDIAN(history, best, val_accuracy))) {
            o.epoch = e;
            return o;
        }
    }
    return (ls_overfitting){0};
}

ls_underfitting ls_diagnose_underfitting(const ls_metrics *history, int64_t epochs, bool smoothed,
                                         int classes)
{
    ls_underfitting u = {0};
    if (epochs < WINDOW || ls_diagnose_overfitting(history, epochs, smoothed).epoch > 0)
        return u;
    const double many = MANY_ERRORS * (1 - 1.0 / classes);
    u.accuracy = MEDIAN(history, epochs, accuracy);
    u.val_accuracy = MEDIAN(history, epochs, val_accuracy);
    u.falling = history[epochs - 1].loss < STILL_FALLING * history[epochs - WINDOW].loss;
    u.shows = 1 - u.accuracy > many && (isnan(u.val_accuracy) || 1 - u.val_accuracy > many);
    return u;
}

/* Tells the observer and the records; on rank 0. Local. */
static ls_status tell(const ls_trainer *t, const char *what, const char *text)
{
    ls_trainer_note(t, "%s: %s", what, text);
    if (t->log == NULL)
        return LS_OK;
    return ls_run_log_event(t->log, "diagnosis", t->progress.epoch,
                            json_pack("{s:s, s:s}", "what", what, "text", text));
}

static ls_status look_for_overfitting(const ls_trainer *t)
{
    const ls_train_config *c = t->config;
    const ls_overfitting o =
        ls_diagnose_overfitting(t->history, t->progress.epoch, c->label_smoothing > 0);
    if (o.epoch == 0 || o.epoch != t->progress.epoch)
        return LS_OK;
    char text[TEXT];
    snprintf(
        text, sizeof text,
        "the validation loss has risen from %.4g around epoch %lld to %.4g, while the training "
        "loss fell from %.4g to %.4g; what helps: %s%s%s--augment, dropout in --model, more "
        "data",
        o.val_loss[0], (long long)o.least, o.val_loss[1], o.loss[0], o.loss[1],
        c->patience == 0 ? "early stopping (--patience 3 --restore-best), " : "",
        c->optimizer.weight_decay == 0 ? "--weight-decay, " : "",
        c->label_smoothing == 0 && c->loss == LS_CROSS_ENTROPY ? "--label-smoothing, " : "");
    return tell(t, "overfitting", text);
}

static ls_status look_for_underfitting(const ls_trainer *t)
{
    const ls_train_config *c = t->config;
    const ls_underfitting u = ls_diagnose_underfitting(t->history, t->progress.epoch,
                                                       c->label_smoothing > 0, t->dataset.classes);
    if (!u.shows)
        return LS_OK;
    char text[TEXT], validation[64] = "";
    if (!isnan(u.val_accuracy))
        snprintf(validation, sizeof validation, " and of validation %.4f", u.val_accuracy);
    snprintf(text, sizeof text,
             "the accuracy of training is %.4f%s, and the training loss %s; what helps: %s, a "
             "larger --model%s%s%s%s",
             u.accuracy, validation, u.falling ? "still falls" : "no longer falls",
             u.falling ? "more --epochs, a larger --lr" : "another --lr, larger or smaller",
             strstr(c->model, "dropout") != NULL ? ", less dropout in it" : "",
             t->replica.augment != NULL ? ", a weaker --augment" : "",
             c->optimizer.weight_decay > 0 ? ", less --weight-decay" : "",
             c->label_smoothing > 0 ? ", less --label-smoothing" : "");
    return tell(t, "underfitting", text);
}

ls_status ls_diagnosis_after_epoch(const ls_trainer *t)
{
    return ls_agree(t->comm, t->rank == 0 ? look_for_overfitting(t) : LS_OK);
}

ls_status ls_diagnosis_at_end(const ls_trainer *t)
{
    return ls_agree(t->comm, t->rank == 0 ? look_for_underfitting(t) : LS_OK);
}
