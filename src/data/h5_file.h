/* Internals of the module h5. Included in h5*.c only. */
#ifndef LS_DATA_H5_FILE_H
#define LS_DATA_H5_FILE_H

#include <hdf5.h>

#include "data/h5.h"

struct ls_h5 {
    hid_t id;
    bool writable;
    char *path;
};

/* Returns the error of an HDF5 call that has just failed, with HDF5's innermost reason. Local.
 * name  of the dataset or attribute, may be ""
 * what  failed: "can't read"
 * Errors: LS_ERR_FAILURE for a file that is written, else LS_ERR_DATA. */
ls_status ls_h5_fail(const ls_h5 *file, const char *name, const char *what);

/* Return the HDF5 type of a type, not BOOL or OTHER, in memory and in files that are written.
 * Local. */
hid_t ls_h5_memory_type(ls_h5_type type);
hid_t ls_h5_file_type(ls_h5_type type);

enum { LS_H5_TEXT_MOST = 4 << 20 /* bytes of an attribute's texts */ };

/* Creates the type of texts of variable length. Local. */
hid_t ls_h5_variable_text(H5T_cset_t set);

/* Writes an attribute of a group. Local.
 * space  its dimensions, closed here
 * Errors: LS_ERR_FAILURE. */
ls_status ls_h5_write_attribute_of(ls_h5 *file, const char *group, const char *name, hid_t space,
                                   hid_t type, const void *value) LS_MUST_CHECK;

/* Returns our type for an HDF5 type of a file, in either byte order. Local. */
ls_h5_type ls_h5_type_of(hid_t type);

/* Opens a dataset, after the checks of h5_check.h. Local.
 * Errors: LS_ERR_DATA. */
ls_status ls_h5_open_dataset(const ls_h5 *file, const char *name, hid_t *out) LS_MUST_CHECK;

/* Returns type and dimensions of an open dataset. Local.
 * name  for messages
 * Errors: LS_ERR_DATA. */
ls_status ls_h5_shape_of(const ls_h5 *file, const char *name, hid_t dataset,
                         ls_h5_shape *out) LS_MUST_CHECK;

#endif
