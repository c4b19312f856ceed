/* A page of HTML that needs nothing else: texts, tables and pictures, all in one file. Its figures
 * are chart.h's. */
#ifndef LS_CLI_PAGE_H
#define LS_CLI_PAGE_H

#include <stdio.h>

#include <lockstep/status.h>

/* Writes the page's head, up to its heading; and its end. Local. */
void ls_page_begin(FILE *out, const char *title);
void ls_page_end(FILE *out);

/* Writes a text so that none of it is markup. Local. */
void ls_page_text(FILE *out, const char *text);

/* Writes a heading; a paragraph of a class of the page's style; a row of a table of two columns, or
 * a tile with a name, a value and something about it, of which the table, or <dl class="tiles">, is
 * to be opened and closed by the caller. Local. */
void ls_page_heading(FILE *out, const char *text);
void ls_page_paragraph(FILE *out, const char *class, const char *text);
void ls_page_row(FILE *out, const char *name, const char *text);
void ls_page_tile(FILE *out, const char *name, const char *value, const char *more);

/* Takes a PNG, or an SVG, up into the page. Local. Errors: LS_ERR_DATA if it can't be read or is
 * none. */
ls_status ls_page_picture(FILE *out, const char *path, const char *what) LS_MUST_CHECK;

#endif
