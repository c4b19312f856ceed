/* The rows of a rank whose shard is too large for its memory: they are read from the file in
 * windows (see lockstep/plan.h), the next one by a thread while the one before is trained on.
 *
 * All functions are Local; the caller agrees on failures. */
#ifndef LS_TRAIN_STREAM_H
#define LS_TRAIN_STREAM_H

#include <lockstep/dataset.h>
#include <lockstep/plan.h>
#include <lockstep/range.h>
#include <lockstep/status.h>

typedef struct ls_stream ls_stream;

/* Rows of a window, so that a stream's memory stays within `bytes`; 0: not even single rows fit. */
int64_t ls_stream_window(int64_t bytes, int64_t features);

/* Opens the data set for a rank; it stays open.
 * options  as for ls_dataset_open()
 * plan     borrowed; with windows
 * Errors: LS_ERR_DATA, LS_ERR_FAILURE; *out is left alone. */
ls_status ls_stream_create(ls_stream **out, const char *path, const ls_dataset_options *options,
                           const ls_plan *plan, int rank) LS_MUST_CHECK;

/* The rank's samples `slice` of the order of the epoch; borrowed until the next call. What comes
 * next in the order is read ahead; any other place costs the reading of a window. Errors: those of
 * ls_dataset_read(). */
ls_status ls_stream_take(ls_stream *stream, int64_t epoch, ls_range slice,
                         const ls_samples **out) LS_MUST_CHECK;

/* Reads the first rows of a range of a split, as many as a piece holds; *out is borrowed until the
 * next call. Errors: as above. */
ls_status ls_stream_read(ls_stream *stream, ls_split split, ls_range rows,
                         const ls_samples **out) LS_MUST_CHECK;

/* Ends the thread, closes, frees, and sets *stream to NULL; accepts NULL. */
void ls_stream_destroy(ls_stream **stream);

#endif
