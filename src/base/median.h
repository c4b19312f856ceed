/* Numbers in order, and the one in the middle. */
#ifndef LS_BASE_MEDIAN_H
#define LS_BASE_MEDIAN_H

/* Sorts values, ascending, and returns the middle one, or the mean of the two in the middle. Local.
 * values  [count], 1 or more */
double ls_median(double *values, int count);

#endif
