#include "train/diagnosis.h"

#include "base/json.h"

#include "train/trainer_state.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { WINDOW = 3 };

/* How much a loss must change to have risen or fallen, as a factor: more than noise does. */
static const double RISEN = 1.10, FALLEN = 0.95;
/* What training must be ahead of validation, as a part of all rows; in standard errors of the
 * validation accuracy; and as a part of the rows that validation gets wrong. */
static const double AHEAD = 0.05, STANDARD_ERRORS = 2, OF_ERRORS = 0.5;
/* The part of a gap that is left after two epochs where it does not close. */
static const double STAYS = 0.8;
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

/* Notes the rise that the losses show at an epoch, of which `best` is the last of the window with
 * the least median before. */
static void look_for_rise(const ls_course *c, int64_t best, int64_t epoch, ls_overfitting *o)
{
    const ls_metrics *h = c->history;
    if (o->rise > 0 && MEDIAN(h, epoch, val_loss) < o->val_loss[0])
        o->rise = 0;
    /* The two windows share no epoch. */
    if (o->rise > 0 || best == 0 || epoch - best < WINDOW ||
        !(LEAST(h, epoch, val_loss) > RISEN * MEDIAN(h, best, val_loss)) ||
        !(MEDIAN(h, epoch, loss) < FALLEN * MEDIAN(h, best, loss)) ||
        (c->smoothed && !(MEDIAN(h, epoch, val_accuracy) < MEDIAN(h, best, val_accuracy))))
        return;
    o->rise = epoch;
    o->least = best - WINDOW / 2;
    for (int i = 0; i < 2; i++) {
        o->val_loss[i] = MEDIAN(h, i == 0 ? best : epoch, val_loss);
        o->loss[i] = MEDIAN(h, i == 0 ? best : epoch, loss);
    }
}

static double gap_of(const ls_metrics *m)
{
    return m->accuracy - m->val_accuracy;
}

/* Whether training was far ahead of validation in an epoch. */
static bool is_ahead(const ls_course *c, const ls_metrics *m)
{
    const double wrong = 1 - m->val_accuracy;
    const double error = sqrt(m->val_accuracy * wrong / (double)c->validation_rows);
    return gap_of(m) > AHEAD && gap_of(m) > STANDARD_ERRORS * error &&
           gap_of(m) > OF_ERRORS * wrong;
}

/* Notes the gap that the accuracies show at an epoch. */
static void look_for_gap(const ls_course *c, int64_t epoch, ls_overfitting *o)
{
    const ls_metrics *window = &c->history[epoch - WINDOW];
    int ahead = 0;
    for (int i = 0; i < WINDOW; i++)
        ahead += is_ahead(c, &window[i]);
    if (ahead == 0)
        o->gap = 0;
    if (o->gap == 0 && ahead == WINDOW && gap_of(&window[WINDOW - 1]) > STAYS * gap_of(&window[0]))
        o->gap = epoch;
    o->accuracy = MEDIAN(c->history, epoch, accuracy);
    o->val_accuracy = MEDIAN(c->history, epoch, val_accuracy);
}

ls_overfitting ls_diagnose_overfitting(const ls_course *c)
{
    ls_overfitting o = {0};
    int64_t best = 0; /* the last epoch of the window with the least median so far */
    for (int64_t e = WINDOW; e <= c->epochs; e++) {
        look_for_rise(c, best, e, &o);
        look_for_gap(c, e, &o);
        const double val_loss = MEDIAN(c->history, e, val_loss);
        if (best == 0 ? !isnan(val_loss) : val_loss < MEDIAN(c->history, best, val_loss))
            best = e;
    }
    return o;
}

ls_underfitting ls_diagnose_underfitting(const ls_course *c)
{
    ls_underfitting u = {0};
    if (c->epochs < WINDOW)
        return u;
    const ls_overfitting o = ls_diagnose_overfitting(c);
    const double many = MANY_ERRORS * (1 - 1.0 / c->classes);
    u.accuracy = MEDIAN(c->history, c->epochs, accuracy);
    u.val_accuracy = MEDIAN(c->history, c->epochs, val_accuracy);
    u.falling =
        c->history[c->epochs - 1].loss < STILL_FALLING * c->history[c->epochs - WINDOW].loss;
    u.shows = o.rise == 0 && o.gap == 0 && 1 - u.accuracy > many &&
              (isnan(u.val_accuracy) || 1 - u.val_accuracy > many);
    return u;
}

static ls_course course_of(const ls_trainer *t)
{
    return (ls_course){.history = t->history,
                       .epochs = t->progress.epoch,
                       .smoothed = t->config->label_smoothing > 0,
                       .classes = ls_trainer_dataset(t)->classes,
                       .validation_rows = ls_trainer_dataset(t)->rows[LS_VALIDATION]};
}

static ls_diagnosis describe_rise(const ls_trainer *t, const ls_overfitting *o)
{
    const ls_train_config *c = t->config;
    ls_diagnosis d = {.what = "overfitting"};
    snprintf(
        d.text, sizeof d.text,
        "the validation loss has risen from %.4g around epoch %lld to %.4g, while the training "
        "loss fell from %.4g to %.4g; what helps: %s%s%s--augment, dropout in --model, more "
        "data",
        o->val_loss[0], (long long)o->least, o->val_loss[1], o->loss[0], o->loss[1],
        c->patience == 0 ? "early stopping (--patience 3 --restore-best), " : "",
        c->optimizer.weight_decay == 0 ? "--weight-decay, " : "",
        c->label_smoothing == 0 && ls_loss_smooths(c->loss) ? "--label-smoothing, " : "");
    return d;
}

static ls_diagnosis describe_gap(const ls_trainer *t, const ls_overfitting *o)
{
    ls_diagnosis d = {.what = "overfitting"};
    snprintf(
        d.text, sizeof d.text,
        "the accuracy of training is %.4f, but of validation %.4f, and was so for %d epochs up "
        "to epoch %lld; what helps: %s%s, %sa smaller --model, more data",
        o->accuracy, o->val_accuracy, WINDOW, (long long)o->gap,
        !ls_loader_augments(t->loader) ? "--augment" : "a stronger --augment",
        strstr(t->config->model, "dropout") == NULL ? ", dropout in --model" : ", more dropout",
        t->config->optimizer.weight_decay == 0 ? "--weight-decay, " : "");
    return d;
}

static ls_diagnosis describe_underfitting(const ls_trainer *t, const ls_underfitting *u)
{
    const ls_train_config *c = t->config;
    char validation[64] = "";
    ls_diagnosis d = {.what = "underfitting"};
    if (!isnan(u->val_accuracy))
        snprintf(validation, sizeof validation, " and of validation %.4f", u->val_accuracy);
    snprintf(d.text, sizeof d.text,
             "the accuracy of training is %.4f%s, and the training loss %s; what helps: %s, a "
             "larger --model%s%s%s%s",
             u->accuracy, validation, u->falling ? "still falls" : "no longer falls",
             u->falling ? "more --epochs, a larger --lr" : "another --lr, larger or smaller",
             strstr(c->model, "dropout") != NULL ? ", less dropout in it" : "",
             ls_loader_augments(t->loader) ? ", a weaker --augment" : "",
             c->optimizer.weight_decay > 0 ? ", less --weight-decay" : "",
             c->label_smoothing > 0 ? ", less --label-smoothing" : "");
    return d;
}

static ls_diagnosis describe_nothing(const ls_course *c)
{
    ls_diagnosis d = {.what = NULL};
    if (c->epochs < WINDOW)
        snprintf(d.text, sizeof d.text, "fewer than %d epochs tell nothing", WINDOW);
    else
        snprintf(d.text, sizeof d.text, "%s",
                 c->validation_rows > 0
                     ? "neither overfitting nor underfitting shows"
                     : "underfitting does not show; overfitting can't without validation rows");
    return d;
}

ls_diagnosis ls_diagnose(const ls_trainer *t)
{
    const ls_course course = course_of(t);
    const ls_overfitting o = ls_diagnose_overfitting(&course);
    const ls_underfitting u = ls_diagnose_underfitting(&course);
    return o.rise > 0  ? describe_rise(t, &o)
           : o.gap > 0 ? describe_gap(t, &o)
           : u.shows   ? describe_underfitting(t, &u)
                       : describe_nothing(&course);
}

/* Tells the observer and the records; on rank 0. Local. */
static ls_status tell(const ls_trainer *t, const ls_diagnosis *d)
{
    ls_trainer_note(t, "%s: %s", d->what, d->text);
    if (t->records.log == NULL)
        return LS_OK;
    return ls_run_log_event(t->records.log, LS_EVENT_DIAGNOSIS, t->progress.epoch,
                            json_pack("{s:s, s:s}", "what", d->what, "text", d->text));
}

static ls_status look_for_overfitting(const ls_trainer *t)
{
    const ls_course course = course_of(t);
    const ls_overfitting o = ls_diagnose_overfitting(&course);
    const bool news = o.rise > 0 ? o.rise == course.epochs : o.gap == course.epochs;
    if (!news)
        return LS_OK;
    const ls_diagnosis d = o.rise > 0 ? describe_rise(t, &o) : describe_gap(t, &o);
    return tell(t, &d);
}

static ls_status look_for_underfitting(const ls_trainer *t)
{
    const ls_course course = course_of(t);
    const ls_underfitting u = ls_diagnose_underfitting(&course);
    if (!u.shows)
        return LS_OK;
    const ls_diagnosis d = describe_underfitting(t, &u);
    return tell(t, &d);
}

ls_status ls_diagnosis_after_epoch(const ls_trainer *t)
{
    return ls_agree(t->comm, t->rank == 0 ? look_for_overfitting(t) : LS_OK);
}

ls_status ls_diagnosis_at_end(const ls_trainer *t)
{
    return ls_agree(t->comm, t->rank == 0 ? look_for_underfitting(t) : LS_OK);
}
