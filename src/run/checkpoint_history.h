/* The history in a checkpoint file: the dataset `metrics`, float64 [epochs][columns], and the
 * attribute `columns`, the comma-separated names. All functions are Local. */
#ifndef LS_RUN_CHECKPOINT_HISTORY_H
#define LS_RUN_CHECKPOINT_HISTORY_H

#include <stdint.h>

#include <lockstep/metrics.h>
#include <lockstep/status.h>

#include "data/h5.h"

/* Writes a history [epochs]. Errors: LS_ERR_FAILURE. */
ls_status ls_history_write(ls_h5 *file, const ls_metrics *history, int64_t epochs) LS_MUST_CHECK;

/* Returns LS_OK if the file has a history of `epochs` rows. Errors: LS_ERR_DATA. */
ls_status ls_history_check(const ls_h5 *file, int64_t epochs) LS_MUST_CHECK;

/* Reads a history [epochs] after ls_history_check(), by the names of its columns: unknown columns
 * are ignored, missing columns are NaN. Errors: LS_ERR_DATA, LS_ERR_FAILURE. */
ls_status ls_history_read(const ls_h5 *file, ls_metrics *history, int64_t epochs) LS_MUST_CHECK;

#endif
