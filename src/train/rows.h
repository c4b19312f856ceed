/* Creates the rows of lockstep/rows.h, and reads them as bytes. All functions are Local. */
#ifndef LS_TRAIN_ROWS_H
#define LS_TRAIN_ROWS_H

#include <lockstep/dataset.h>
#include <lockstep/rows.h>

#include "data/samples.h"
#include "train/stream.h"

/* Conversion of bytes to a batch. */
typedef struct ls_conversion {
    ls_normalization normalization;
    int64_t channels, pixels;
    bool channels_last;
} ls_conversion;

/* Makes the conversion of a format. Errors: LS_ERR_USAGE if mean or std is out of range. */
ls_status ls_conversion_make(ls_conversion *out, const ls_input_format *format) LS_MUST_CHECK;

/* Completes a batch: converts [C][H][W] to the network's memory format. */
void ls_conversion_finish(const ls_conversion *conversion, ls_batch *batch);

/* Origin of rows: samples in memory, or a stream that reads a range of a split. */
typedef struct ls_rows_origin {
    int64_t total;             /* rows of the split, over all ranks */
    const ls_samples *samples; /* borrowed; NULL: the stream */
    ls_stream *stream;         /* borrowed */
    ls_split split;            /* with a stream, like the next */
    ls_range range;
} ls_rows_origin;

/* Creates rows.
 * conversion  NULL for rows that are only read as bytes
 * taken       samples to be freed with the rows, or NULL
 * Errors: LS_ERR_FAILURE when memory is short; *out is left alone. */
ls_status ls_rows_create(ls_rows **out, const ls_rows_origin *origin,
                         const ls_conversion *conversion, ls_samples *taken) LS_MUST_CHECK;

/* Returns the next rows as bytes; *out is borrowed until the next call, NULL after the last row.
 * Errors: as ls_rows_next(). */
ls_status ls_rows_piece(ls_rows *rows, const ls_samples **out) LS_MUST_CHECK;

#endif
