#include <lockstep/model.h>

/* Returns part / whole; 0 of nothing. */
static double fraction(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

/* Returns the rows that are classified as a class. */
static int64_t predicted_rows(const int64_t *confusion, int classes, int class)
{
    int64_t rows = 0;
    for (int i = 0; i < classes; i++)
        rows += confusion[i * (int64_t)classes + class];
    return rows;
}

static int64_t support_of(const int64_t *confusion, int classes, int class)
{
    int64_t rows = 0;
    for (int i = 0; i < classes; i++)
        rows += confusion[class * (int64_t)classes + i];
    return rows;
}

/* Adds a class's scores to a sum, with a weight. */
static void add_scores(ls_class_score *sum, const ls_class_score *score, double weight)
{
    sum->support += score->support;
    sum->precision += weight * score->precision;
    sum->recall += weight * score->recall;
    sum->f1 += weight * score->f1;
}

static void divide_scores(ls_class_score *sum, double weights)
{
    sum->precision = fraction(sum->precision, weights);
    sum->recall = fraction(sum->recall, weights);
    sum->f1 = fraction(sum->f1, weights);
}

void ls_class_scores(const int64_t *confusion, int classes, ls_class_score *out,
                     ls_class_score *macro, ls_class_score *weighted)
{
    int present = 0;
    *macro = *weighted = (ls_class_score){0};
    for (int k = 0; k < classes; k++) {
        const int64_t support = support_of(confusion, classes, k);
        const int64_t predicted = predicted_rows(confusion, classes, k);
        const double right = (double)confusion[k * (int64_t)classes + k];
        out[k] = (ls_class_score){.support = support,
                                  .precision = fraction(right, (double)predicted),
                                  .recall = fraction(right, (double)support),
                                  .f1 = fraction(2 * right, (double)(support + predicted))};
        if (support + predicted == 0)
            continue;
        present++;
        add_scores(macro, &out[k], 1);
        add_scores(weighted, &out[k], (double)support);
    }
    divide_scores(macro, present);
    divide_scores(weighted, (double)weighted->support);
}
