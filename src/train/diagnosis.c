#include "train/diagnosis.h"

#include "base/json.h"

#include "train/trainer_state.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { WINDOW = 3 };

/* Factors by which a loss must change to have risen or fallen: larger than noise. */
static const double RISEN = 1.10, FALLEN = 0.95;
/* Least gap between the accuracies: as a fraction of all rows; in standard errors of the validation
 * accuracy; and as a fraction of the rows that validation gets wrong. */
static const double AHEAD = 0.05, STANDARD_ERRORS = 2, OF_ERRORS = 0.5;
/* A gap does not close if at least this fraction of it remains after two epochs. */
static const double STAYS = 0.8;
/* Errors are many above this fraction of the error rate of random guessing. */
static const double MANY_ERRORS = 0.25;
/* The training loss still falls if it is below this fraction of its value two epochs before. */
static const double STILL_FALLING = 0.98;

/* Returns the median, or the least, of a column in the three epochs up to `epoch`.
 * column  offset in a row */
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

/* Updates the rise at an epoch.
 * best  last epoch of the earlier window with the least median of the validation loss; 0: none */
static void update_rise(const ls_course *c, int64_t best, int64_t epoch, ls_overfitting *o)
{
    const ls_metrics *h = c->history;
    if (o->rise > 0 && MEDIAN(h, epoch, val_loss) < o->val_loss[0])
        o->rise = 0;
    /* The two windows share no epoch. */
    if (o->rise > 0 || best == 0 || epoch - best < WINDOW ||
        !(LEAST(h, epoch, val_loss) > RISEN * MEDIAN(h, best, val_loss)) ||
        !(MEDIAN(h, epoch, loss) < FALLEN * MEDIAN(h, best, loss)) ||
        (c->differs && !(MEDIAN(h, epoch, val_accuracy) < MEDIAN(h, best, val_accuracy))))
        return;
    o->rise = epoch;
    o->least = best - WINDOW / 2;
    for (int i = 0; i < 2; i++) {
        o->val_loss[i] = MEDIAN(h, i == 0 ? best : epoch, val_loss);
        o->loss[i] = MEDIAN(h, i == 0 ? best : epoch, loss);
    }
}

static double accuracy_gap(const ls_metrics *m)
{
    return m->accuracy - m->val_accuracy;
}

/* Returns true if the training accuracy was far above the validation accuracy in an epoch. */
static bool has_gap(const ls_course *c, const ls_metrics *m)
{
    const double wrong = 1 - m->val_accuracy;
    const double error = sqrt(m->val_accuracy * wrong / (double)c->validation_rows);
    return accuracy_gap(m) > AHEAD && accuracy_gap(m) > STANDARD_ERRORS * error &&
           accuracy_gap(m) > OF_ERRORS * wrong;
}

/* Updates the gap at an epoch. */
static void update_gap(const ls_course *c, int64_t epoch, ls_overfitting *o)
{
    const ls_metrics *window = &c->history[epoch - WINDOW];
    int ahead = 0;
    for (int i = 0; i < WINDOW; i++)
        ahead += has_gap(c, &window[i]);
    if (ahead == 0)
        o->gap = 0;
    if (o->gap == 0 && ahead == WINDOW &&
        accuracy_gap(&window[WINDOW - 1]) > STAYS * accuracy_gap(&window[0]))
        o->gap = epoch;
    o->accuracy = MEDIAN(c->history, epoch, accuracy);
    o->val_accuracy = MEDIAN(c->history, epoch, val_accuracy);
}

ls_overfitting ls_diagnose_overfitting(const ls_course *c)
{
    ls_overfitting o = {0};
    int64_t best = 0; /* the last epoch of the window with the least median so far */
    for (int64_t e = WINDOW; e <= c->epochs; e++) {
        update_rise(c, best, e, &o);
        update_gap(c, e, &o);
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
    u.shows = !c->by_step && o.rise == 0 && o.gap == 0 && 1 - u.accuracy > many &&
              (isnan(u.val_accuracy) || 1 - u.val_accuracy > many);
    return u;
}

/* Returns false for a GAN, whose losses do not say what it has learned. */
static bool is_diagnosed(const ls_trainer *t)
{
    return t->adversarial == NULL;
}

static ls_course make_course(const ls_trainer *t)
{
    return (ls_course){.history = t->history,
                       .epochs = t->progress.epoch,
                       .differs = t->config->label_smoothing > 0 || ls_loader_weighs(t->loader),
                       .classes = (t->task.kind & LS_TASK_ONE_OF) != 0 ? t->task.outputs : 2,
                       .by_step = t->task.kind == LS_TASK_STEPS,
                       .validation_rows = ls_trainer_dataset(t)->rows[LS_VALIDATION]};
}

/* Returns the augmentation that helps against overfitting; "": the rows are no pictures. */
static const char *advise_augment(const ls_trainer *t)
{
    const ls_dataset_info *d = ls_trainer_dataset(t);
    if (ls_loader_reads_tokens(t->loader) || d->ragged || d->height * d->width == 1)
        return "";
    return ls_loader_augments(t->loader) ? "a stronger --augment, " : "--augment, ";
}

static ls_diagnosis describe_rise(const ls_trainer *t, const ls_overfitting *o)
{
    const ls_train_config *c = t->config;
    ls_diagnosis d = {.what = "overfitting"};
    snprintf(
        d.text, sizeof d.text,
        "the validation loss has risen from %.4g around epoch %lld to %.4g, while the training "
        "loss fell from %.4g to %.4g (medians of %d epochs); what helps: %s%s%s%sdropout in "
        "--model, more data",
        o->val_loss[0], (long long)o->least, o->val_loss[1], o->loss[0], o->loss[1], WINDOW,
        c->patience == 0 ? "early stopping (--patience 3 --restore-best), " : "",
        c->optimizer.weight_decay == 0 ? "--weight-decay, " : "",
        c->label_smoothing == 0 && ls_loss_smooths(c->loss) ? "--label-smoothing, " : "",
        advise_augment(t));
    return d;
}

static ls_diagnosis describe_gap(const ls_trainer *t, const ls_overfitting *o)
{
    ls_diagnosis d = {.what = "overfitting"};
    snprintf(d.text, sizeof d.text,
             "the training accuracy is %.4f, the validation accuracy only %.4f (medians of the "
             "latest %d "
             "epochs), and the gap has not closed for %d epochs up to epoch %lld; what helps: "
             "%s%s, %sa smaller --model, more data",
             o->accuracy, o->val_accuracy, WINDOW, WINDOW, (long long)o->gap, advise_augment(t),
             strstr(t->config->model, "dropout") == NULL ? "dropout in --model" : "more dropout",
             t->config->optimizer.weight_decay == 0 ? "--weight-decay, " : "");
    return d;
}

static ls_diagnosis describe_underfitting(const ls_trainer *t, const ls_underfitting *u)
{
    const ls_train_config *c = t->config;
    char validation[64] = "";
    ls_diagnosis d = {.what = "underfitting"};
    if (!isnan(u->val_accuracy))
        snprintf(validation, sizeof validation, ", the validation accuracy %.4f", u->val_accuracy);
    snprintf(d.text, sizeof d.text,
             "the training accuracy is %.4f%s (medians of the latest %d epochs), and the training "
             "loss %s; what helps: %s, a "
             "larger --model%s%s%s%s",
             u->accuracy, validation, WINDOW, u->falling ? "still falls" : "no longer falls",
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
        snprintf(d.text, sizeof d.text, "fewer than %d epochs are too few for a diagnosis", WINDOW);
    else
        snprintf(d.text, sizeof d.text, "%s",
                 isnan(c->history[c->epochs - 1].accuracy)
                     ? (c->validation_rows > 0 ? "overfitting does not show"
                                               : "overfitting needs validation rows to be found")
                 : c->validation_rows > 0
                     ? "neither overfitting nor underfitting shows"
                     : "underfitting does not show; overfitting needs validation rows to be found");
    return d;
}

ls_diagnosis ls_diagnose(const ls_trainer *t)
{
    const ls_course course = make_course(t);
    const ls_overfitting o = ls_diagnose_overfitting(&course);
    const ls_underfitting u = ls_diagnose_underfitting(&course);
    if (!is_diagnosed(t))
        return (ls_diagnosis){.text = "the losses of a GAN do not show what it has learned: look "
                                      "at its samples, and give --score"};
    return o.rise > 0  ? describe_rise(t, &o)
           : o.gap > 0 ? describe_gap(t, &o)
           : u.shows   ? describe_underfitting(t, &u)
                       : describe_nothing(&course);
}

/* Reports a diagnosis to the observer and in the records; on rank 0. Local. */
static ls_status report_diagnosis(const ls_trainer *t, const ls_diagnosis *d)
{
    ls_trainer_note(t, "%s: %s", d->what, d->text);
    if (t->records.log == NULL)
        return LS_OK;
    return ls_run_log_event(t->records.log, LS_EVENT_DIAGNOSIS, t->progress.epoch,
                            json_pack("{s:s, s:s}", "what", d->what, "text", d->text));
}

static ls_status report_overfitting(const ls_trainer *t)
{
    const ls_course course = make_course(t);
    const ls_overfitting o = ls_diagnose_overfitting(&course);
    const bool news = o.rise > 0 ? o.rise == course.epochs : o.gap == course.epochs;
    if (!news)
        return LS_OK;
    const ls_diagnosis d = o.rise > 0 ? describe_rise(t, &o) : describe_gap(t, &o);
    return report_diagnosis(t, &d);
}

static ls_status report_underfitting(const ls_trainer *t)
{
    const ls_course course = make_course(t);
    const ls_underfitting u = ls_diagnose_underfitting(&course);
    if (!u.shows)
        return LS_OK;
    const ls_diagnosis d = describe_underfitting(t, &u);
    return report_diagnosis(t, &d);
}

ls_status ls_diagnosis_after_epoch(const ls_trainer *t)
{
    return ls_agree_root(t->comm, t->rank == 0 && is_diagnosed(t) ? report_overfitting(t) : LS_OK);
}

ls_status ls_diagnosis_at_end(const ls_trainer *t)
{
    return ls_agree_root(t->comm, t->rank == 0 && is_diagnosed(t) ? report_underfitting(t) : LS_OK);
}
