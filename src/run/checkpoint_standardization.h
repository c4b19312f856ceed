/* The statistics of --standardize in a checkpoint:
 *
 *     /standardization/inputs/mean, std     float64 [channels]
 *     /standardization/targets/mean, std    float64 [values]
 *
 * All functions are Local. */
#ifndef LS_RUN_CHECKPOINT_STANDARDIZATION_H
#define LS_RUN_CHECKPOINT_STANDARDIZATION_H

#include "data/h5.h"
#include "data/standardize.h"

/* Writes the statistics of columns that are standardised. Errors: LS_ERR_FAILURE. */
ls_status ls_standardization_write(ls_h5 *file,
                                   const ls_standardization *standardization) LS_MUST_CHECK;

/* Reads the statistics; those that the file does not have get no columns.
 * channels  of the inputs
 * values    of a target
 * out       owned by the caller, also after an error
 * Errors: LS_ERR_DATA for statistics that don't fit; LS_ERR_FAILURE when memory is short. */
ls_status ls_standardization_read(const ls_h5 *file, int64_t channels, int64_t values,
                                  ls_standardization *out) LS_MUST_CHECK;

#endif
