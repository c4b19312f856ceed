#include "train/weighting.h"

#include "base/exact.h"
#include "base/float_sum.h"
#include "base/integer.h"
#include "base/memory.h"
#include "data/samples.h"
#include "parallel/collectives.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct ls_weighting {
    const ls_train_config *config; /* borrowed */
    int classes;                   /* 1 if the weights are of rows only */
    ls_float_sum
        *sum; /* [classes] weights of the rows of each class, as they are in the data set */
    int64_t uncarried; /* rows that were added to the sums since the last carry */
    double *factor;    /* [classes] of the weights of a class's rows, scaled */
    double *most;      /* [classes] largest weight of a class's rows, in the data set */
    double quantum;    /* weights are multiples of it */
    int64_t steps;     /* see ls_weighting_steps() */
    int64_t rows;      /* of all ranks */
};

static bool is_word(const char *text)
{
    return strcmp(text, "none") == 0 || strcmp(text, "balanced") == 0;
}

/* Reads a weight and the comma behind it; NULL at anything else. */
static const char *read_weight(const char *at, double *weight)
{
    char *end;
    if (isspace((unsigned char)*at))
        return NULL;
    *weight = strtod(at, &end);
    const bool valid = end != at && *weight >= 0 && *weight <= (double)LS_MAX_WEIGHT;
    if (!valid || (*end != ',' && *end != '\0') || (*end == ',' && end[1] == '\0'))
        return NULL;
    return *end == ',' ? end + 1 : end;
}

ls_status ls_class_weights_check(const char *text)
{
    double weight = 0, most = 0;
    const char *at = is_word(text) ? NULL : text;
    if (at == NULL)
        return LS_OK;
    do {
        at = read_weight(at, &weight);
        most = fmax(most, weight);
    } while (at != NULL && *at != '\0');
    return at != NULL && most > 0
               ? LS_OK
               : ls_fail(LS_ERR_USAGE,
                         "--class-weights %s: expected balanced, or for each class a weight of 0 "
                         "or more, as 1,1,20",
                         text);
}

/* Sets the factors to the weights in the text. */
static ls_status read_weights(ls_weighting *w)
{
    const char *text = w->config->class_weights;
    int count = 0;
    double weight = 0;
    for (const char *at = text; at != NULL && *at != '\0'; count++) {
        at = read_weight(at, &weight);
        if (count < w->classes)
            w->factor[count] = weight;
    }
    if (count == w->classes)
        return LS_OK;
    return ls_fail(LS_ERR_USAGE, "--class-weights %s: %d weights, but the data set has %d classes",
                   text, count, w->classes);
}

int64_t ls_weighting_steps(const ls_dataset_info *d)
{
    int64_t steps = 1;
    while (ls_dataset_by_step(d) && steps < d->values)
        steps *= 2;
    return steps;
}

/* Returns the classes of rows; 0: they are of none, or of several. */
static int classes_of(const ls_train_config *c, const ls_dataset_info *d)
{
    const bool is_binary = c->loss == LS_BCE && d->values == 1 && !d->reconstructs;
    return d->classes > 0 && d->values == 0 ? d->classes : is_binary ? 2 : 0;
}

static bool is_given(const ls_train_config *c)
{
    return strcmp(c->class_weights, "none") != 0;
}

static ls_status allocate(ls_weighting *w)
{
    w->sum = ls_alloc(w->classes, sizeof *w->sum);
    w->factor = ls_alloc(w->classes, sizeof *w->factor);
    w->most = ls_alloc(w->classes, sizeof *w->most);
    if (w->sum == NULL || w->factor == NULL || w->most == NULL)
        return LS_ERR_FAILURE;
    for (int k = 0; k < w->classes; k++)
        w->factor[k] = 1;
    return is_word(w->config->class_weights) ? LS_OK : read_weights(w);
}

ls_status ls_weighting_create(ls_weighting **out, const ls_train_config *c,
                              const ls_dataset_info *d)
{
    const int classes = is_given(c) ? classes_of(c, d) : 1;
    *out = NULL;
    if (!is_given(c) && !d->weighted)
        return LS_OK;
    if (classes == 0 && ls_dataset_by_step(d))
        return ls_fail(LS_ERR_USAGE,
                       "--class-weights needs one class for a row, but the targets are the classes "
                       "of %d steps: give weights of rows by --weights",
                       d->values);
    if (classes == 0 && d->values == 1 && !d->reconstructs)
        return ls_fail(
            LS_ERR_USAGE,
            "--class-weights needs classes, but the targets are values, and the loss is not bce: "
            "give --loss bce if they are 0 and 1, or weights of rows by --weights");
    if (classes == 0)
        return ls_fail(LS_ERR_USAGE,
                       "--class-weights needs classes, or --loss bce and one value, as targets, "
                       "but a row of the data set has %d values: give --weights",
                       d->values);
    ls_weighting *w = ls_alloc(1, sizeof *w);
    if (w == NULL)
        return LS_ERR_FAILURE;
    w->config = c;
    w->classes = classes;
    w->steps = ls_weighting_steps(d);
    const ls_status status = allocate(w);
    if (status == LS_OK)
        *out = w;
    else
        ls_weighting_destroy(&w);
    return status;
}

/* Returns the class of a row.
 * values  of its target; NULL: it is a label */
static int class_of(const ls_weighting *w, int32_t label, const float *values)
{
    return w->classes == 1 ? 0 : values != NULL ? values[0] > 0.5f : label;
}

static void carry(ls_weighting *w)
{
    for (int k = 0; k < w->classes; k++)
        ls_float_sum_carry(w->sum[k]);
    w->uncarried = 0;
}

void ls_weighting_count(ls_weighting *w, const ls_samples *samples)
{
    const ls_sample_format *format = &samples->format;
    for (int64_t i = 0; w != NULL && i < samples->rows; i++) {
        const ls_sample *sample = ls_sample_at(samples, i);
        const float *values = format->values > 0 ? ls_sample_targets(samples, sample) : NULL;
        const float weight = format->weighted ? *ls_sample_weight(samples, sample) : 1;
        const int class = class_of(w, sample->label, values);
        ls_float_sum_add(w->sum[class], weight);
        w->most[class] = fmax(w->most[class], (double)weight);
        if (++w->uncarried == LS_FLOAT_SUM_MOST)
            carry(w);
    }
}

/* Sums and largest weights over ranks. Collective. */
static void sum_ranks(ls_weighting *w, ls_comm *comm)
{
    carry(w);
    ls_allreduce_integers(comm, w->sum[0], ls_int((int64_t)w->classes * LS_FLOAT_SUM_WORDS));
    ls_allreduce_max(comm, w->most, w->classes);
    carry(w);
}

static double sum_of(const ls_weighting *w, int class)
{
    return ls_float_sum_total(w->sum[class]);
}

/* Sets the factors so that the rows of each class weigh the same together. */
static void balance(ls_weighting *w)
{
    for (int k = 0; k < w->classes; k++)
        w->factor[k] = sum_of(w, k) > 0 ? 1 / sum_of(w, k) : 0;
}

/* Fails for training rows of which none has a weight above 0. */
static ls_status fail_of_zeros(const ls_train_config *c)
{
    const bool rows = *c->weights != '\0';
    return ls_fail(LS_ERR_DATA, "%s: the weights of all training rows are 0, by --%s %s", c->data,
                   rows ? "weights" : "class-weights", rows ? c->weights : c->class_weights);
}

ls_status ls_weighting_finish(ls_weighting *w, ls_comm *comm, int64_t rows)
{
    double total = 0;
    if (w == NULL)
        return LS_OK;
    sum_ranks(w, comm);
    if (strcmp(w->config->class_weights, "balanced") == 0)
        balance(w);
    for (int k = 0; k < w->classes; k++)
        total += w->factor[k] * sum_of(w, k);
    if (!(total > 0))
        return fail_of_zeros(w->config);
    for (int k = 0; k < w->classes; k++)
        w->factor[k] *= (double)rows / total;
    w->quantum = ls_exact_quantum(2 * (double)rows * (double)w->steps);
    w->rows = rows;
    return LS_OK;
}

/* Returns the weight of a row in a batch.
 * weight  in the data set */
static float scale(const ls_weighting *w, double weight, int class)
{
    return (float)ls_exact_round(weight * w->factor[class], w->quantum);
}

double ls_weighting_bound(const ls_weighting *w, int64_t rows)
{
    double most = 1;
    int exponent;
    if (w == NULL)
        return 1;
    for (int k = 0; k < w->classes; k++)
        most = fmax(most, (double)scale(w, w->most[k], k));
    /* All rows together weigh w->rows, but for rounding. */
    most = fmin(most, fmax(1, 1.001 * (double)w->rows / (double)rows));
    return frexp(most, &exponent) > 0.5 ? ldexp(1, exponent) : most;
}

void ls_weighting_apply(const ls_weighting *w, ls_batch *batch)
{
    for (int64_t i = 0; batch->weights != NULL && i < batch->rows; i++) {
        const float *values = batch->values > 0 ? batch->targets + i * batch->values : NULL;
        batch->weights[i] =
            w == NULL ? 1
                      : scale(w, (double)batch->weights[i], class_of(w, batch->labels[i], values));
    }
}

void ls_weighting_destroy(ls_weighting **weighting)
{
    if (weighting == NULL || *weighting == NULL)
        return;
    ls_free((*weighting)->sum);
    ls_free((*weighting)->factor);
    ls_free((*weighting)->most);
    ls_free(*weighting);
    *weighting = NULL;
}
