/* Figures of a page, as SVG: curves over epochs, and matrices of counts. They are 860 wide at most,
 * which fits a sheet of A4. */
#ifndef LS_CLI_CHART_H
#define LS_CLI_CHART_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* A curve over epochs 1 .. count; what is not finite leaves a gap. */
typedef struct ls_curve {
    const char *name;
    const double *value; /* [count] */
    bool dashed;
} ls_curve;

/* Draws those of two curves that have anything to show, with a dot on the solid one at epoch
 * `marked`, 0: none. Where there is nothing at all it says so. Local. */
void ls_chart_curves(FILE *out, const char *title, const ls_curve curve[2], int64_t count,
                     int64_t marked);

/* The most classes of a matrix that can still be seen. */
enum { LS_CHART_MOST_CLASSES = 256 };

/* Draws a matrix of counts, true class by row, predicted by column: the deeper a cell, the larger a
 * share of its row it is; with as many labels, and the counts, as can be read. Local.
 * counts   [classes][classes], none below 0
 * classes  at most LS_CHART_MOST_CLASSES */
void ls_chart_matrix(FILE *out, const int64_t *counts, int classes);

#endif
