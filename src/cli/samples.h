/* Rows that a network makes as pictures. All functions are Local. */
#ifndef LS_CLI_SAMPLES_H
#define LS_CLI_SAMPLES_H

#include <lockstep/trainer.h>

/* Returns true if rows of a shape can be shown as pictures: of more than one line, not too large,
 * grey or in colour. */
bool ls_samples_are_pictures(ls_shape shape);

/* Writes rows as a sheet of pictures: bytes as they are, other numbers from the least, black, to
 * the largest, white; of several views of rows those of the first view.
 * columns  of the sheet; 0: a view in a line, or as many as there are classes, else a square
 * Errors: as ls_png_write(); LS_ERR_FAILURE. */
ls_status ls_samples_write(const char *path, const ls_generated *rows,
                           int64_t columns) LS_MUST_CHECK;

/* Writes the rows of an epoch into a run folder, as samples/epoch-NNNN.png, if they are pictures.
 * Errors: as above. */
ls_status ls_samples_save(const char *run, const ls_generated *rows) LS_MUST_CHECK;

#endif
