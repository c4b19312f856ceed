#include "cli/eval_plots.h"

#include "base/integer.h"
#include "base/memory.h"

#include <jansson.h>
#include <math.h>

enum { MOST_OUTPUTS = 6, MOST_POINTS = 500, RESIDUALS = 41, SCORES = 4096, ROC_POINTS = 200 };

/* Residuals are counted up to this many times the root of their mean square. */
static const double WIDTH = 4;
/* Scores of a binary task are counted by their logit, up to this size. */
static const double LOGIT = 20;

/* The figures of an output of a regression. */
typedef struct figure {
    int output;
    double rmse;
    float point[MOST_POINTS][2];
    int64_t points;
    int64_t residual[RESIDUALS];
} figure;

struct ls_eval_plots {
    int64_t rows;
    bool values;    /* a regression */
    figure *figure; /* [figures] */
    int figures;
    int64_t (*score)[SCORES]; /* [2] rows of false and of true ones, by their logit */
};

/* Returns true if an output is worse than another; without R2, by its number. */
static bool is_worse(const ls_output_score *score, int a, int b)
{
    const double of_a = isnan(score[a].r2) ? 2 : score[a].r2;
    const double of_b = isnan(score[b].r2) ? 2 : score[b].r2;
    return of_a < of_b || (of_a == of_b && a < b);
}

/* Chooses the worst outputs, in their order. */
static void choose_outputs(ls_eval_plots *p, int outputs, const ls_output_score *score)
{
    for (int k = 0; k < outputs && p->figures < MOST_OUTPUTS; k++) {
        int better = 0;
        for (int other = 0; other < outputs && better < MOST_OUTPUTS; other++)
            better += other != k && is_worse(score, other, k);
        if (better < MOST_OUTPUTS)
            p->figure[p->figures++] = (figure){.output = k, .rmse = score[k].rmse};
    }
}

ls_status ls_eval_plots_create(ls_eval_plots **out, const ls_task *task, const ls_evaluated *found)
{
    ls_eval_plots *p = ls_alloc(1, sizeof *p);
    if (p == NULL)
        return LS_ERR_FAILURE;
    p->rows = found->score.rows;
    p->values = task->kind == LS_TASK_REGRESSION;
    p->figure = ls_alloc(p->values ? MOST_OUTPUTS : 0, sizeof *p->figure);
    p->score = ls_alloc(p->values ? 0 : 2, sizeof *p->score);
    if (p->figure == NULL || p->score == NULL) {
        ls_eval_plots_destroy(&p);
        return LS_ERR_FAILURE;
    }
    if (p->values)
        choose_outputs(p, task->outputs, found->output);
    *out = p;
    return LS_OK;
}

/* Returns true if a row is one of those that are shown as points. */
static bool is_shown(const ls_eval_plots *p, int64_t row)
{
    const double share = (double)ls_min(MOST_POINTS, p->rows) / (double)p->rows;
    return p->rows <= MOST_POINTS || floor((double)(row + 1) * share) > floor((double)row * share);
}

static void add_residual(figure *f, double residual)
{
    const double place = (residual / f->rmse + WIDTH) / (2 * WIDTH) * RESIDUALS;
    const double at = f->rmse > 0 ? floor(place) : RESIDUALS / 2;
    f->residual[(int)fmin(fmax(at, 0), RESIDUALS - 1)]++;
}

static void add_values(const ls_eval_plots *p, figure *f, const ls_predictions *rows)
{
    for (int64_t i = 0; i < rows->rows; i++) {
        const float truth = rows->targets[i * rows->outputs + f->output];
        const float y = rows->y[i * rows->outputs + f->output];
        add_residual(f, (double)y - (double)truth);
        if (f->points < MOST_POINTS && is_shown(p, rows->first + i)) {
            f->point[f->points][0] = truth;
            f->point[f->points++][1] = y;
        }
    }
}

/* Counts the probability of being true by its logit: probabilities near 0 and 1 stay apart. */
static void add_score(ls_eval_plots *p, double of_true, double of_false, bool truth)
{
    const double logit = log(of_true) - log(of_false);
    const double place = (fmin(fmax(logit, -LOGIT), LOGIT) + LOGIT) / (2 * LOGIT);
    p->score[truth][(int)fmin(floor(place * SCORES), SCORES - 1)]++;
}

void ls_eval_plots_add(ls_eval_plots *p, const ls_predictions *rows)
{
    for (int k = 0; k < p->figures; k++)
        add_values(p, &p->figure[k], rows);
    for (int64_t i = 0; i < rows->rows && !p->values; i++) {
        const float *y = rows->y + i * rows->outputs;
        const bool both = rows->outputs == 2; /* of two classes; else the one value */
        add_score(p, (double)y[both], both ? (double)y[0] : 1 - (double)y[0],
                  both ? rows->label[i] == 1 : rows->targets[i] > 0.5f);
    }
}

static json_t *pair_json(double a, double b)
{
    return json_pack("[f, f]", a, b);
}

static json_t *figure_json(const figure *f)
{
    json_t *points = json_array(), *counts = json_array();
    for (int64_t i = 0; i < f->points; i++)
        json_array_append_new(points, pair_json((double)f->point[i][0], (double)f->point[i][1]));
    for (int i = 0; i < RESIDUALS; i++)
        json_array_append_new(counts, json_integer(f->residual[i]));
    return json_pack("{s:i, s:o, s:{s:f, s:f, s:o}}", "output", f->output, "points", points,
                     "residuals", "from", -WIDTH * f->rmse, "step", 2 * WIDTH * f->rmse / RESIDUALS,
                     "counts", counts);
}

/* The ROC curve from the largest score down, without points that are near the one before. */
static json_t *roc_json(const ls_eval_plots *p)
{
    int64_t total[2] = {0}, above[2] = {0};
    double last[2] = {0};
    for (int i = 0; i < SCORES; i++)
        for (int truth = 0; truth < 2; truth++)
            total[truth] += p->score[truth][i];
    if (total[0] == 0 || total[1] == 0)
        return NULL;
    json_t *curve = json_pack("[o]", pair_json(0, 0));
    for (int i = SCORES - 1; i >= 0; i--) {
        double rate[2];
        for (int truth = 0; truth < 2; truth++) {
            above[truth] += p->score[truth][i];
            rate[truth] = (double)above[truth] / (double)total[truth];
        }
        if (fmax(rate[0] - last[0], rate[1] - last[1]) < 1.0 / ROC_POINTS && i > 0)
            continue;
        json_array_append_new(curve, pair_json(rate[0], rate[1]));
        last[0] = rate[0];
        last[1] = rate[1];
    }
    return curve;
}

void ls_eval_plots_json(const ls_eval_plots *p, json_t *object)
{
    json_t *list = p->values ? json_array() : roc_json(p);
    for (int k = 0; k < p->figures; k++)
        json_array_append_new(list, figure_json(&p->figure[k]));
    if (list != NULL)
        json_object_set_new(object, p->values ? "plots" : "roc", list);
}

void ls_eval_plots_destroy(ls_eval_plots **plots)
{
    if (plots == NULL || *plots == NULL)
        return;
    ls_free((*plots)->figure);
    ls_free((*plots)->score);
    ls_free(*plots);
    *plots = NULL;
}
