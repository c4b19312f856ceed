/* The rows of a split that a rank evaluates, batch by batch, as floats for a network; or as bytes.
 * The interface is the same for rows in memory and for rows that are streamed from the file. */
#ifndef LS_TRAIN_ROWS_H
#define LS_TRAIN_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/batch.h>
#include <lockstep/corrupt.h>
#include <lockstep/dataset.h>
#include <lockstep/model.h>
#include <lockstep/network.h>
#include <lockstep/status.h>

#include "base/range.h"
#include "data/samples.h"
#include "data/standardize.h"
#include "train/stream.h"

/* Rows of a batch in an evaluation. */
enum { LS_EVALUATION_ROWS = 128 };

/* Conversion of an image's bytes [C][H][W] to the floats that a network reads. */
typedef struct ls_input_format {
    ls_shape shape;
    double mean, std;   /* each float is (byte / 255 - mean) / std */
    bool channels_last; /* floats are [H][W][C], see ls_network_channels_last() */
    const ls_standardization *standardization; /* afterwards; borrowed; NULL: none */
    bool reconstructs;                         /* the targets are the inputs, see ls_dataset_info */
    int64_t vocabulary; /* the inputs are tokens 0 .. vocabulary-1, which are floats as they are; 0:
                           they are not */
    ls_corruption corruption; /* of the rows of an evaluation */
} ls_input_format;

/* Returns the range of rows of a split that a rank evaluates: whole batches of LS_EVALUATION_ROWS,
 * except for the split's last batch. Local. */
ls_range ls_evaluation_shard(int64_t rows, int ranks, int rank);

/* Returns the number of rows in the split, over all ranks. Local. */
int64_t ls_rows_total(const ls_rows *rows);

/* Returns the rows in memory of this rank, all of them; NULL if they are streamed. Borrowed. */
const ls_samples *ls_rows_samples(const ls_rows *rows);

/* Rewinds to this rank's first row. Local. */
void ls_rows_rewind(ls_rows *rows);

/* Fills a batch with this rank's next LS_EVALUATION_ROWS rows, each of the weight 1; fewer at the
 * end, 0 after the end.
 * Local.
 * batch  its capacity is at least LS_EVALUATION_ROWS
 * Errors: LS_ERR_DATA, LS_ERR_FAILURE if rows can't be read, or have numbers that are no tokens;
 * the batch then has 0 rows. */
ls_status ls_rows_next(ls_rows *rows, ls_batch *batch) LS_MUST_CHECK;

/* Conversion of samples to a batch. */
typedef struct ls_conversion {
    ls_normalization normalization;
    const ls_standardization *standardization; /* borrowed; NULL: none */
    int64_t channels, pixels;
    int64_t steps; /* of a row of whole length, see ls_dataset_steps() */
    int64_t vocabulary;
    bool channels_last;
    bool reconstructs;
    ls_corruption corruption; /* of the inputs, not of the targets that an autoencoder takes from
                                 them */
    int64_t draw;             /* of the corruption, see ls_corruption_apply() */
    const char *data;         /* path of the data set, for messages; borrowed; NULL: none */
} ls_conversion;

/* Makes the conversion of a format. Errors: LS_ERR_USAGE if mean or std is out of range. */
ls_status ls_conversion_make(ls_conversion *out, const ls_input_format *format) LS_MUST_CHECK;

/* Returns the normalisation of tokens: none. */
ls_normalization ls_normalization_of_tokens(void);

/* Gathers samples to a batch, see ls_samples_gather(); the batch gets lengths if the samples have
 * them, and loses them if not. Errors: LS_ERR_FAILURE if memory is short. */
ls_status ls_conversion_gather(const ls_conversion *conversion, const ls_samples *samples,
                               const int32_t *order, int64_t first, int64_t count,
                               ls_batch *batch) LS_MUST_CHECK;

/* Completes a batch: standardises it, makes the inputs the targets of an autoencoder, corrupts the
 * inputs, sets the steps from a row's length on to 0, and converts [C][H][W] to the network's
 * memory format. */
void ls_conversion_finish(const ls_conversion *conversion, ls_batch *batch);

/* Origin of rows: samples in memory, or a stream that reads a range of a split. */
typedef struct ls_rows_origin {
    int64_t total;             /* rows of the split, over all ranks */
    const ls_samples *samples; /* borrowed; NULL: the stream */
    ls_stream *stream;         /* borrowed */
    ls_split split;
    ls_range range; /* with a stream */
} ls_rows_origin;

/* Creates rows.
 * conversion  NULL for rows that are only read as bytes
 * taken       samples to be freed with the rows, or NULL
 * Errors: LS_ERR_FAILURE when memory is short; *out is left alone. */
ls_status ls_rows_create(ls_rows **out, const ls_rows_origin *origin,
                         const ls_conversion *conversion, ls_samples *taken) LS_MUST_CHECK;

/* Returns the conversion of rows to batches. Borrowed. Local. */
const ls_conversion *ls_rows_conversion(const ls_rows *rows);

/* Returns the next rows as bytes; *out is borrowed until the next call, NULL after the last row.
 * Errors: as ls_rows_next(). */
ls_status ls_rows_piece(ls_rows *rows, const ls_samples **out) LS_MUST_CHECK;

#endif
