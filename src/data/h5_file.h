/* What an open file is to the parts of the module h5. Included in h5*.c only. */
#ifndef LS_DATA_H5_FILE_H
#define LS_DATA_H5_FILE_H

#include <hdf5.h>

#include "data/h5.h"

struct ls_h5 {
    hid_t id;
    bool writable;
    char *path;
};

/* The line for an HDF5 call that has just failed: what was asked for, of what (may be ""), and
 * HDF5's innermost reason. Local. Returns LS_ERR_FAILURE for a file that is written, else
 * LS_ERR_DATA. */
ls_status ls_h5_fail(const ls_h5 *file, const char *name, const char *what);

/* What a value of a type, not BOOL or OTHER, is in memory, and in a file that is written. Local. */
hid_t ls_h5_memory_type(ls_h5_type type);
hid_t ls_h5_file_type(ls_h5_type type);

/* Which type of ours that of a file is, in either byte order. Local. */
ls_h5_type ls_h5_type_of(hid_t type);

/* Opens a dataset that lies in this file and that can be what it says it is. Local.
 * Errors: LS_ERR_DATA. */
ls_status ls_h5_open_dataset(const ls_h5 *file, const char *name, hid_t *out) LS_MUST_CHECK;

/* Its type and dimensions. Local. name: for messages. Errors: LS_ERR_DATA. */
ls_status ls_h5_shape_of(const ls_h5 *file, const char *name, hid_t dataset,
                         ls_h5_shape *out) LS_MUST_CHECK;

#endif
