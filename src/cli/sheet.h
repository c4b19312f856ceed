/* Contact sheets: images of a data set in rows and columns, enlarged, each with a line above it. */
#ifndef LS_CLI_SHEET_H
#define LS_CLI_SHEET_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/network.h>
#include <lockstep/status.h>

typedef struct ls_sheet ls_sheet;

/* What stands above an image, in the letters that cli/letters.h has. */
typedef struct ls_sheet_line {
    const char *caption; /* to the left */
    const char *note;    /* smaller and paler, to the right */
} ls_sheet_line;

/* How a sheet is laid out. */
typedef struct ls_sheet_layout {
    ls_shape shape; /* of the images; 1 channel: grey, 3: colours */
    int64_t columns, rows;
    ls_sheet_line line; /* the longest: there will be room for it */
    bool apart;         /* the first column stands apart from the others, with lines of its own: */
    ls_sheet_line lead; /* their longest */
} ls_sheet_layout;

/* An empty sheet. Images are enlarged by a whole factor until a person can see something, and the
 * letters are as large as goes with them. Local.
 * Errors: LS_ERR_USAGE if images have other numbers of channels, or the sheet would be too large;
 * LS_ERR_FAILURE when memory is short. *out is left alone. */
ls_status ls_sheet_create(ls_sheet **out, const ls_sheet_layout *layout) LS_MUST_CHECK;

/* Puts an image into cell `at`, counted along the rows from 0. Local.
 * pixels  [channels][height][width]
 * caption, note  no longer than the layout's */
void ls_sheet_put(ls_sheet *sheet, int64_t at, const uint8_t *pixels, const char *caption,
                  const char *note);

/* Writes it as PNG. Local. Errors: LS_ERR_FAILURE. */
ls_status ls_sheet_write(const ls_sheet *sheet, const char *path) LS_MUST_CHECK;

/* Columns for so many images in a sheet that is about as wide as high. Local. */
int64_t ls_sheet_columns(int64_t images);

/* Frees a sheet and sets *sheet to NULL; accepts NULL. Local. */
void ls_sheet_destroy(ls_sheet **sheet);

#endif
