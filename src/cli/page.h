/* A self-contained HTML page: texts, tables and pictures in one file. chart.h draws its figures. */
#ifndef LS_CLI_PAGE_H
#define LS_CLI_PAGE_H

#include <stdio.h>

#include <lockstep/status.h>

/* Checks, before any work is done, that a page can be written: no file is lost but a page that
 * Lockstep wrote. Local. Errors: LS_ERR_USAGE. */
ls_status ls_page_check(const char *path) LS_MUST_CHECK;

/* Write the page's head, including its heading; the page's end. Local. */
void ls_page_begin(FILE *out, const char *title);
void ls_page_end(FILE *out);

/* Writes a text with its markup characters escaped. Local. */
void ls_page_text(FILE *out, const char *text);

/* Write a heading; a paragraph of a style class; a row of a table with two columns; a tile with a
 * name, a value and a remark. The caller opens and closes the table, or the <dl class="tiles">.
 * Local. */
void ls_page_heading(FILE *out, const char *text);
void ls_page_paragraph(FILE *out, const char *class, const char *text);
void ls_page_row(FILE *out, const char *name, const char *text);
void ls_page_tile(FILE *out, const char *name, const char *value, const char *more);

/* Embeds a PNG or an SVG in the page. Local. Errors: LS_ERR_DATA if the file can't be read or is
 * neither. */
ls_status ls_page_picture(FILE *out, const char *path, const char *what) LS_MUST_CHECK;

#endif
