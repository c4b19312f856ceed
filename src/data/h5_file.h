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

#endif
