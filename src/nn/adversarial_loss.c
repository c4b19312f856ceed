#include "nn/adversarial_loss.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static double sigmoid(double y)
{
    return y >= 0 ? 1 / (1 + exp(-y)) : exp(y) / (1 + exp(y));
}

/* log(1 + exp(y)) */
static double softplus(double y)
{
    return y > 0 ? y + log1p(exp(-y)) : log1p(exp(y));
}

/* The cross-entropy of sigmoid(y) and a target from 0 to 1. */
static double likelihood(double y, double target, double *dy)
{
    *dy = sigmoid(y) - target;
    return softplus(y) - target * y;
}

/* max(0, 1 + y) */
static double hinge(double y, double *dy)
{
    *dy = 1 + y > 0 ? 1 : 0;
    return 1 + y > 0 ? 1 + y : 0;
}

static double half_square(double y, double target, double *dy)
{
    *dy = y - target;
    return (y - target) * (y - target) / 2;
}

static double judge_likelihood(const ls_adversarial_terms *t, double y, double *dy)
{
    if (t->side == LS_SIDE_GENERATOR && t->loss == LS_SATURATING) {
        const double loss = -likelihood(y, 0, dy);
        *dy = -*dy;
        return loss;
    }
    const double target = t->side == LS_SIDE_DATA ? 1 - t->smoothing : 1;
    return likelihood(y, t->side == LS_SIDE_GENERATED ? 0 : target, dy);
}

static double judge_hinge(const ls_adversarial_terms *t, double y, double *dy)
{
    if (t->side == LS_SIDE_GENERATED)
        return hinge(y, dy);
    if (t->side == LS_SIDE_GENERATOR) {
        *dy = -1;
        return -y;
    }
    const double loss = hinge(-y, dy);
    *dy = -*dy;
    return loss;
}

double ls_adversarial_judge(const ls_adversarial_terms *t, double y, double *dy)
{
    if (t->loss == LS_HINGE)
        return judge_hinge(t, y, dy);
    if (t->loss == LS_LEAST_SQUARES)
        return half_square(y, t->side == LS_SIDE_GENERATED ? 0 : 1, dy);
    return judge_likelihood(t, y, dy);
}

/* Returns true if a judgement is right about the row. */
static bool is_right(const ls_adversarial_terms *t, double y)
{
    const bool taken_for_data = t->loss == LS_LEAST_SQUARES ? y > 0.5 : y > 0;
    return taken_for_data == (t->side == LS_SIDE_DATA);
}

ls_score ls_adversarial_score(const void *terms, const ls_batch *batch, int64_t first, int64_t rows,
                              const float *y, float *dy)
{
    const ls_adversarial_terms *t = terms;
    const int outputs = 1 + t->classes;
    ls_score score = {0};
    memset(dy, 0, (size_t)(rows * outputs) * sizeof *dy);
    for (int64_t r = 0; r < rows; r++, y += outputs, dy += outputs) {
        const int of_class = t->classes > 0 ? 1 + batch->labels[first + r] : 0;
        const double judgement = (double)y[0] + (of_class > 0 ? (double)y[of_class] : 0);
        double derivative;
        score.loss += ls_adversarial_judge(t, judgement, &derivative);
        score.correct += is_right(t, judgement);
        dy[0] = dy[of_class] = (float)derivative;
    }
    score.rows = t->side == LS_SIDE_GENERATED ? 0 : rows;
    score.weight = (double)score.rows;
    return score;
}
