/* Median. */
#ifndef LS_BASE_MEDIAN_H
#define LS_BASE_MEDIAN_H

/* Sorts values in ascending order and returns their median, for an even count the mean of the two
 * middle values. Local.
 * values  [count], 1 or more */
double ls_median(double *values, int count);

#endif
