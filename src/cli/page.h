/* A page of HTML that needs nothing else: texts, tables, line charts, pictures, all in one file. */
#ifndef LS_CLI_PAGE_H
#define LS_CLI_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <lockstep/status.h>

/* Writes the page's head, up to its heading; and its end. Local. */
void ls_page_begin(FILE *out, const char *title);
void ls_page_end(FILE *out);

/* Writes a text so that none of it is markup. Local. */
void ls_page_text(FILE *out, const char *text);

/* Writes a heading; a row of a table of two columns, of which the table is to be opened and closed
 * by the caller. Local. */
void ls_page_heading(FILE *out, const char *text);
void ls_page_row(FILE *out, const char *name, const char *format, ...) LS_PRINTF(3, 4);

/* A curve over epochs 1 .. count; NaN: nothing there. */
typedef struct ls_curve {
    const char *name;
    const double *value; /* [count] */
    bool dashed;
} ls_curve;

/* How heights are measured: losses by their logarithm, accuracies by that of the errors. */
typedef enum ls_scale { LS_SCALE_LOSS, LS_SCALE_ACCURACY } ls_scale;

/* Draws curves into the page, as SVG, with a dot on the solid ones at epoch `marked`; 0: none.
 * Local. */
void ls_page_chart(FILE *out, const char *title, const ls_curve *curve, int curves, int64_t count,
                   ls_scale scale, int64_t marked);

/* A matrix of counts, true class by row, the deeper the larger a share of its row is. Local.
 * counts  [classes][classes] */
void ls_page_matrix(FILE *out, const int64_t *counts, int classes);

/* Takes a PNG, or an SVG, up into the page. Local. Errors: LS_ERR_DATA if it can't be read or is
 * none. */
ls_status ls_page_picture(FILE *out, const char *path, const char *what) LS_MUST_CHECK;

#endif
