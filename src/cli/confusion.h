/* The most confused classes of a confusion matrix. */
#ifndef LS_CLI_CONFUSION_H
#define LS_CLI_CONFUSION_H

#include <stdint.h>

/* Rows of one class that were predicted as another. */
typedef struct ls_confused {
    int64_t label, predicted, rows;
} ls_confused;

/* Finds the most confused pairs, in descending order of rows; ties by label, then by predicted
 * class. Local. Returns the number of pairs, at most `most`.
 * counts  [classes][classes], true class by row
 * out     [most] */
int ls_most_confused(const int64_t *counts, int64_t classes, int most, ls_confused *out);

#endif
