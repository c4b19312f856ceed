/* K: outputs; t: the target of a row, of a class its one-hot vector. */
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

static void loss_cross_entropy(const ls_loss_terms *terms, const float *y, const ls_target *target,
                               float *dy, double *sum)
{
    *sum += negative_log_likelihood(terms->outputs, y, target->label, dy);
    if (terms->smoothing > 0)
        *sum += smoothing_term(terms->smoothing, terms->outputs, y, target->label, dy);
}

/* Returns the number by which the sum over the outputs is divided: K for a mean. */
static int divisor(const ls_loss_terms *terms)
{
    return terms->summed ? 1 : terms->outputs;
}

/* mean over k of (y - t)^2; dy = 2 (y - t) / K. */
static void loss_mse(const ls_loss_terms *terms, const float *y, const ls_target *target, float *dy,
                     double *sum)
{
    const int K = terms->outputs;
    double squares = 0;
    for (int k = 0; k < K; k++) {
        float difference = y[k] - ls_target_value(target, K, k);
        squares += (double)difference * difference;
        if (dy != NULL)
            dy[k] = 2 * difference / (float)divisor(terms);
    }
    *sum += squares / divisor(terms);
}

/* mean over k of |y - t|; dy = sign(y - t) / K, where sign(0) = 0. */
static void loss_mae(const ls_loss_terms *terms, const float *y, const ls_target *target, float *dy,
                     double *sum)
{
    const int K = terms->outputs;
    double absolute = 0;
    for (int k = 0; k < K; k++) {
        const double e = (double)y[k] - (double)ls_target_value(target, K, k);
        absolute += fabs(e);
        if (dy != NULL)
            dy[k] = (e == 0 ? 0.0f : e < 0 ? -1.0f : (float)(e / fabs(e))) / (float)divisor(terms);
    }
    *sum += absolute / divisor(terms);
}

/* mean over k of e^2 / 2, beyond |e| = D of D (|e| - D / 2), where e = y - t (Huber, Robust
 * Estimation of a Location Parameter, 1964); dy = e / K, at most D / K. */
static void loss_huber(const ls_loss_terms *terms, const float *y, const ls_target *target,
                       float *dy, double *sum)
{
    const int K = terms->outputs;
    const double D = terms->delta;
    double losses = 0;
    for (int k = 0; k < K; k++) {
        const double e = (double)y[k] - (double)ls_target_value(target, K, k), size = fabs(e);
        losses += size <= D ? e * e / 2 : D * (size - D / 2);
        if (dy != NULL)
            dy[k] = (float)((size <= D ? e : copysign(D, e)) / divisor(terms));
    }
    *sum += losses / divisor(terms);
}

/* mean over k of -(t log p + (1 - t) log(1 - p)), where p = sigmoid(y): max(y, 0) - t y +
 * log(1 + exp(-|y|)), in which nothing overflows; dy = (p - t) / K. */
static void loss_bce(const ls_loss_terms *terms, const float *y, const ls_target *target, float *dy,
                     double *sum)
{
    const int K = terms->outputs;
    double losses = 0;
    for (int k = 0; k < K; k++) {
        const double z = (double)y[k], t = (double)ls_target_value(target, K, k);
        const double small = exp(-fabs(z));
        losses += (z > 0 ? z : 0) - t * z + log1p(small);
        if (dy != NULL)
            dy[k] = (float)(((z > 0 ? 1 : small) / (1 + small) - t) / divisor(terms));
    }
    *sum += losses / divisor(terms);
}

static const ls_loss_kind kinds[LS_LOSSES] = {
    [LS_CROSS_ENTROPY] = {LS_OUTPUTS_LOGITS, true, loss_cross_entropy},
    [LS_MSE] = {LS_OUTPUTS_VALUES, false, loss_mse},
    [LS_MAE] = {LS_OUTPUTS_VALUES, false, loss_mae},
    [LS_HUBER] = {LS_OUTPUTS_VALUES, false, loss_huber},
    [LS_BCE] = {LS_OUTPUTS_SIGMOID, false, loss_bce},
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

ls_loss ls_loss_choose(ls_loss wanted, int64_t values, int classes)
{
    return wanted != LS_LOSS_AUTO ? wanted : values > 0 && classes == 0 ? LS_MSE : LS_CROSS_ENTROPY;
}

ls_status ls_loss_check(ls_loss loss, int64_t values, int classes)
{
    if (loss != LS_CROSS_ENTROPY && values > 0 && classes > 0)
        return ls_fail(LS_ERR_USAGE,
                       "--loss %s: the targets are a class for each of %lld steps: give --loss "
                       "cross-entropy",
                       ls_loss_name(loss), (long long)values);
    if (loss == LS_CROSS_ENTROPY && values > 0 && classes == 0)
        return ls_fail(LS_ERR_USAGE,
                       "--loss cross-entropy needs classes as targets, but the data set's are "
                       "values: give --loss mse, mae, huber or bce");
    if (loss == LS_BCE && values == 0 && classes != 2)
        return ls_fail(LS_ERR_USAGE,
                       "--loss bce needs two classes, or values, as targets, but the data set has "
                       "%d classes: give --loss cross-entropy",
                       classes);
    return LS_OK;
}

int ls_loss_outputs(ls_loss loss, int64_t values, int classes)
{
    return values > 0 && classes == 0 ? (int)values : loss == LS_BCE ? 1 : classes;
}

unsigned ls_loss_task(ls_loss loss, int64_t values)
{
    if (loss == LS_BCE)
        return values > 1 ? LS_TASK_MULTILABEL : LS_TASK_BINARY;
    if (values > 0)
        return loss == LS_CROSS_ENTROPY ? LS_TASK_STEPS : LS_TASK_REGRESSION;
    return LS_TASK_CLASSIFICATION;
}

bool ls_loss_takes_logits(ls_loss loss)
{
    return ls_loss_describe(loss)->outputs == LS_OUTPUTS_LOGITS;
}

bool ls_loss_takes_sigmoid(ls_loss loss)
{
    return ls_loss_describe(loss)->outputs == LS_OUTPUTS_SIGMOID;
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

/* Adds a row to the sums of its task, except its loss. Returns the row's class, 0 of values. */
typedef int32_t add_row(const ls_loss_terms *terms, const float *y, const ls_target *target,
                        ls_score *score);

static int32_t add_class(const ls_loss_terms *terms, const float *y, const ls_target *target,
                         ls_score *score)
{
    const int32_t largest = ls_largest_output(terms->outputs, y);
    ls_metric_add_row(score, terms->outputs, y, target->label, largest);
    return largest;
}

static int32_t add_decisions(const ls_loss_terms *terms, const float *y, const ls_target *target,
                             ls_score *score)
{
    const int K = terms->outputs;
    for (int k = 0; k < K; k++)
        score->correct += (y[k] > 0) == (ls_target_value(target, K, k) > 0.5f);
    return K == 1 && y[0] > 0;
}

double ls_loss_value(ls_loss loss, float y)
{
    return ls_loss_takes_sigmoid(loss) ? 1 / (1 + exp(-(double)y)) : (double)y;
}

static int32_t add_errors(const ls_loss_terms *terms, const float *y, const ls_target *target,
                          ls_score *score)
{
    const int K = terms->outputs;
    double absolute = 0, squares = 0;
    for (int k = 0; k < K; k++) {
        const double e = (ls_loss_value(terms->loss, y[k]) - (double)target->values[k]) *
                         (terms->scale != NULL ? terms->scale[k] : 1);
        absolute += fabs(e);
        squares += e * e;
    }
    score->absolute += absolute / K;
    score->squares += squares / K;
    return 0;
}

static add_row *adder_of(unsigned task)
{
    return (task & LS_TASK_ONE_OF) != 0 ? add_class
           : task == LS_TASK_REGRESSION ? add_errors
                                        : add_decisions;
}

/* Multiplies a row's gradient by its weight, and adds its weighted loss. A row of the weight 0 adds
 * nothing, even if its loss is not finite. */
static void weigh_row(float weight, int K, float *dy, double loss, double *sum)
{
    *sum += weight > 0 ? (double)weight * loss : 0;
    for (int k = 0; dy != NULL && k < K; k++)
        dy[k] = weight > 0 ? dy[k] * weight : 0;
}

/* What a batch is scored with. */
typedef struct scoring {
    const ls_loss_terms *terms;
    const ls_loss_kind *kind;
    add_row *add;
    const ls_batch *batch;
} scoring;

/* Adds a target, of a row or one of its steps, to a score. Returns its class, 0 of values. */
static int32_t add_target(const scoring *s, int64_t row, const ls_target *target, const float *y,
                          float *dy, ls_score *score)
{
    const ls_batch *batch = s->batch;
    const int32_t class = s->add(s->terms, y, target, score);
    double loss = 0;
    s->kind->row(s->terms, y, target, dy, batch->weights == NULL ? &score->loss : &loss);
    if (batch->weights != NULL)
        weigh_row(batch->weights[row], s->terms->outputs, dy, loss, &score->loss);
    score->weight += batch->weights != NULL ? (double)batch->weights[row] : 1;
    return class;
}

/* Adds the steps of a row; those from its length on have no gradient, and the class -1. The row's
 * loss is summed first: its bits do not depend on the rows before it. */
static void add_steps(const scoring *s, int64_t row, const float *y, float *dy, int32_t *predicted,
                      ls_score *score)
{
    const ls_batch *batch = s->batch;
    const int64_t T = batch->values, K = s->terms->outputs;
    const int64_t length = batch->lengths != NULL ? batch->lengths[row] : T;
    const float *class = batch->targets + row * T;
    ls_score of_row = {.steps = (double)length};
    assert(length >= 0 && length <= T);
    for (int64_t t = 0; t < length; t++) {
        const ls_target target = {NULL, (int32_t) class[t]};
        const int32_t largest =
            add_target(s, row, &target, y + t * K, dy != NULL ? dy + t * K : NULL, &of_row);
        if (predicted != NULL)
            predicted[t] = largest;
    }
    for (int64_t t = length; t < T && predicted != NULL; t++)
        predicted[t] = -1;
    if (dy != NULL)
        memset(dy + length * K, 0, (size_t)((T - length) * K) * sizeof *dy);
    ls_score_add(score, &of_row);
}

static void add_whole_row(const scoring *s, int64_t row, const float *y, float *dy,
                          int32_t *predicted, ls_score *score)
{
    const ls_batch *batch = s->batch;
    const ls_target target = {batch->values > 0 ? batch->targets + row * batch->values : NULL,
                              batch->labels[row]};
    const int32_t class = add_target(s, row, &target, y, dy, score);
    if (predicted != NULL)
        *predicted = class;
}

ls_score ls_loss_score(const ls_loss_terms *terms, const ls_batch *batch, int64_t first,
                       int64_t rows, const float *y, float *dy, int32_t *predicted)
{
    const unsigned task =
        terms->regression ? LS_TASK_REGRESSION : ls_loss_task(terms->loss, batch->values);
    const scoring s = {terms, ls_loss_describe(terms->loss), adder_of(task), batch};
    const int64_t steps = task == LS_TASK_STEPS ? batch->values : 1;
    const int64_t size = steps * terms->outputs;
    ls_score score = {.rows = rows};
    assert(task == LS_TASK_STEPS || batch->values == 0 || batch->values == terms->outputs);
    for (int64_t i = 0; i < rows; i++)
        (task == LS_TASK_STEPS ? add_steps : add_whole_row)(
            &s, first + i, y + i * size, dy != NULL ? dy + i * size : NULL,
            predicted != NULL ? predicted + i * steps : NULL, &score);
    return score;
}
