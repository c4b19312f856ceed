/* What a confusion matrix says in words. */
#ifndef LS_CLI_CONFUSION_H
#define LS_CLI_CONFUSION_H

#include <stdint.h>

/* A class that was taken for another one. */
typedef struct ls_confused {
    int64_t label, predicted, rows;
} ls_confused;

/* Finds the pairs that were confused most, by falling rows, equals by label, then by what was
 * predicted. Local. Returns how many were found, at most `most`.
 * counts  [classes][classes], true class by row
 * out     [most] */
int ls_most_confused(const int64_t *counts, int64_t classes, int most, ls_confused *out);

#endif
