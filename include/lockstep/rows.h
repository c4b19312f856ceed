/* The rows of a split that a rank evaluates, batch by batch, as floats for a network. The interface
 * is the same for rows in memory and for rows that are streamed from the file. */
#ifndef LOCKSTEP_ROWS_H
#define LOCKSTEP_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/batch.h>
#include <lockstep/network.h>
#include <lockstep/range.h>
#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ls_rows ls_rows;

/* Rows of a batch in an evaluation. */
enum { LS_EVALUATION_ROWS = 128 };

/* Conversion of an image's bytes [C][H][W] to the floats that a network reads. */
typedef struct ls_input_format {
    ls_shape shape;
    double mean, std;   /* each float is (byte / 255 - mean) / std */
    bool channels_last; /* floats are [H][W][C], see ls_network_channels_last() */
} ls_input_format;

/* Returns the range of rows of a split that a rank evaluates: whole batches of LS_EVALUATION_ROWS,
 * except for the split's last batch. Local. */
ls_range ls_evaluation_shard(int64_t rows, int ranks, int rank);

/* Returns the number of rows in the split, over all ranks. Local. */
int64_t ls_rows_total(const ls_rows *rows);

/* Rewinds to this rank's first row. Local. */
void ls_rows_rewind(ls_rows *rows);

/* Fills a batch with this rank's next LS_EVALUATION_ROWS rows; fewer at the end, 0 after the end.
 * Local.
 * batch  its capacity is at least LS_EVALUATION_ROWS
 * Errors: LS_ERR_DATA, LS_ERR_FAILURE if rows can't be read; the batch then has 0 rows. */
ls_status ls_rows_next(ls_rows *rows, ls_batch *batch) LS_MUST_CHECK;

/* Frees the rows and sets *rows to NULL; accepts NULL. Local. */
void ls_rows_destroy(ls_rows **rows);

#ifdef __cplusplus
}
#endif

#endif
