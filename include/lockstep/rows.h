/* The rows of a split that a rank evaluates, one batch after the other, as a network reads them.
 * Whether they lie in memory or are read from the file as they are needed does not show. */
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

/* How the bytes of an image, [C][H][W], become the floats that a network reads. */
typedef struct ls_input_format {
    ls_shape shape;
    double mean, std;   /* each becomes (byte / 255 - mean) / std */
    bool channels_last; /* in the order [H][W][C], see ls_network_channels_last() */
} ls_input_format;

/* The rows of a split that a rank evaluates: whole blocks of LS_EVALUATION_ROWS, except for the
 * last. Local. */
ls_range ls_evaluation_shard(int64_t rows, int ranks, int rank);

/* Number of rows in the split, over all ranks. Local. */
int64_t ls_rows_total(const ls_rows *rows);

/* Sets the position back to this rank's first row. Local. */
void ls_rows_rewind(ls_rows *rows);

/* Fills a batch with the rank's next LS_EVALUATION_ROWS rows; fewer only at the end, 0 after it.
 * Local.
 * batch  of that capacity or more; on failure it has 0 rows
 * Errors: LS_ERR_DATA, LS_ERR_FAILURE if rows can't be read. */
ls_status ls_rows_next(ls_rows *rows, ls_batch *batch) LS_MUST_CHECK;

/* Frees and sets *rows to NULL; accepts NULL. Local. */
void ls_rows_destroy(ls_rows **rows);

#ifdef __cplusplus
}
#endif

#endif
