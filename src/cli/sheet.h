/* Contact sheets: enlarged images of a data set in rows and columns, each with a line of text
 * above. */
#ifndef LS_CLI_SHEET_H
#define LS_CLI_SHEET_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/network.h>
#include <lockstep/status.h>

typedef struct ls_sheet ls_sheet;

/* The text above an image, in the characters of cli/letters.h. */
typedef struct ls_sheet_line {
    const char *caption; /* to the left */
    const char *note;    /* smaller and paler, to the right */
} ls_sheet_line;

/* The layout of a sheet. */
typedef struct ls_sheet_layout {
    ls_shape shape; /* of the images; 1 channel: grey, 3: colours */
    int64_t columns, rows;
    bool bare;          /* images only, in narrow gaps, without lines of text above them */
    ls_sheet_line line; /* the longest line: sets the width of a cell */
    bool apart;         /* the first column is set apart from the others: */
    ls_sheet_line lead; /* its longest line */
} ls_sheet_layout;

/* Creates an empty sheet. Small images are enlarged by an integer factor; the size of the letters
 * follows. Local.
 * Errors: LS_ERR_USAGE if images have another number of channels, or the sheet would be too large;
 * LS_ERR_FAILURE when memory is short. *out is left alone. */
ls_status ls_sheet_create(ls_sheet **out, const ls_sheet_layout *layout) LS_MUST_CHECK;

/* Draws an image in cell `at`, counted along the rows from 0. Local.
 * pixels  [channels][height][width]
 * caption, note  no longer than the layout's */
void ls_sheet_put(ls_sheet *sheet, int64_t at, const uint8_t *pixels, const char *caption,
                  const char *note);

/* Writes the sheet as PNG. Local. Errors: as ls_png_check(). */
ls_status ls_sheet_write(const ls_sheet *sheet, const char *path) LS_MUST_CHECK;

/* The columns of a roughly square sheet of `images` images. Local. */
int64_t ls_sheet_columns(int64_t images);

/* Frees a sheet and sets *sheet to NULL; accepts NULL. Local. */
void ls_sheet_destroy(ls_sheet **sheet);

#endif
