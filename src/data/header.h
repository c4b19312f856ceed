/* The attributes of a data set in Lockstep's own layout, see lockstep/dataset.h. Local. */
#ifndef LS_DATA_HEADER_H
#define LS_DATA_HEADER_H

#include "data/h5.h"

#include <lockstep/dataset.h>

/* Checks format and version, and reads name and digest of the sources.
 * Errors: LS_ERR_DATA. */
ls_status ls_header_read(const ls_h5 *file, ls_dataset_info *info) LS_MUST_CHECK;

/* Reads the number of classes.
 * Errors: LS_ERR_DATA if there is none, or it is out of range. */
ls_status ls_header_read_classes(const ls_h5 *file, int *out) LS_MUST_CHECK;

#endif
