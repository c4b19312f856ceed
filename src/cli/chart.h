/* Figures of a page, as SVG: curves over epochs, and matrices of counts, at most 860 units wide,
 * which fits a sheet of A4. */
#ifndef LS_CLI_CHART_H
#define LS_CLI_CHART_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* A curve over epochs 1 .. count; a NaN or Inf leaves a gap. */
typedef struct ls_curve {
    const char *name;
    const double *value; /* [count] */
    bool dashed;
} ls_curve;

/* Draws the curves that have a finite value, or a note if neither has one. Local.
 * marked  epoch with a dot on the solid curve; 0: none */
void ls_chart_curves(FILE *out, const char *title, const ls_curve curve[2], int64_t count,
                     int64_t marked);

/* The most classes with which the cells of a matrix are visible. */
enum { LS_CHART_MOST_CLASSES = 256 };

/* Draws a matrix of counts, true class by row, predicted class by column. The opacity of a cell
 * shows its share of the row; labels and counts are left out where they would be illegible. Local.
 * counts   [classes][classes], not negative
 * classes  at most LS_CHART_MOST_CLASSES
 * names    [classes] of the classes, or NULL: they have none
 * counted  "rows": what is counted */
void ls_chart_matrix(FILE *out, const int64_t *counts, int classes, const char *const *names,
                     const char *counted);

#endif
