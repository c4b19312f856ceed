/* Numbers of the types in which data sets are kept in memory, and their conversion to floats. */
#ifndef LS_DATA_ELEMENT_H
#define LS_DATA_ELEMENT_H

#include <stddef.h>
#include <stdint.h>

#include <lockstep/dataset.h>

/* Converts numbers to floats, x[i] = scale * number[i] + shift. Integers beyond 2^24 are rounded to
 * the nearest float. Local.
 * numbers  [count] at any address
 * x        [count] */
void ls_element_convert(ls_element element, int64_t count, const void *numbers, float scale,
                        float shift, float *x);

/* Returns the index of the first number that is NaN or infinite; -1 if all are finite. Local.
 * numbers  [count] at any address */
int64_t ls_element_find_special(ls_element element, int64_t count, const void *numbers);

#endif
