#include "base/median.h"

#include <stdlib.h>

static int median_compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double ls_median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, median_compare);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}
