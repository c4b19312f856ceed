/* The rows of a rank whose shard is too large for its memory: they are read from the file in
 * windows (see data/plan.h); a thread reads the next window during the training on the current
 * one.
 *
 * All functions are Local; the caller agrees on failures. */
#ifndef LS_TRAIN_STREAM_H
#define LS_TRAIN_STREAM_H

#include <lockstep/dataset.h>
#include <lockstep/status.h>

#include "data/plan.h"
#include "base/range.h"

typedef struct ls_stream ls_stream;

/* Returns the rows of a window, so that the stream's memory stays within `bytes`; 0 if not even
 * windows of one row fit. */
int64_t ls_stream_window(int64_t bytes, const ls_dataset_info *dataset);

/* Opens the data set for a rank; the file stays open.
 * options  as for ls_dataset_open()
 * plan     borrowed; its window is set
 * Errors: LS_ERR_DATA, LS_ERR_FAILURE; *out is left alone. */
ls_status ls_stream_create(ls_stream **out, const char *path, const ls_dataset_options *options,
                           const ls_plan *plan, int rank) LS_MUST_CHECK;

/* Returns the rank's samples of a slice of the epoch's order. The next window in the order is read
 * ahead; for a slice anywhere else the caller waits for a window.
 * out  on return borrowed until the next call
 * Errors: those of ls_dataset_read(). */
ls_status ls_stream_take(ls_stream *stream, int64_t epoch, ls_range slice,
                         const ls_samples **out) LS_MUST_CHECK;

/* Reads the first rows of a range of a split, at most one piece; *out is borrowed until the next
 * call. Errors: as above. */
ls_status ls_stream_read(ls_stream *stream, ls_split split, ls_range rows,
                         const ls_samples **out) LS_MUST_CHECK;

/* Ends the thread, closes, frees, and sets *stream to NULL; accepts NULL. */
void ls_stream_destroy(ls_stream **stream);

#endif
