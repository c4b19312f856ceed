/* Checks of files before HDF5 reads them. Files are untrusted input: they must not refer to other
 * files, load filter plugins, or cause allocations that their own size does not justify. Included
 * in h5*.c only. */
#ifndef LS_DATA_H5_CHECK_H
#define LS_DATA_H5_CHECK_H

#include <hdf5.h>

#include <lockstep/status.h>

typedef enum ls_h5_link {
    LS_H5_LINK_NONE,   /* the path does not exist */
    LS_H5_LINK_HARD,   /* all links of the path are hard: the object is in this file */
    LS_H5_LINK_FOREIGN /* a link of the path is soft, external or user-defined */
} ls_h5_link;

/* Returns the kind of links in the path "group/dataset". Local.
 * length  on return, the length of the path up to the last link that was checked; may be NULL */
ls_h5_link ls_h5_follow(hid_t file, const char *name, int *length);

/* Refuses a dataset that stores its content in other files, needs a filter that is not HDF5's own,
 * or claims more elements than its storage can hold. Call before reading it or allocating memory
 * for it. Local.
 * path, name  for messages
 * Errors: LS_ERR_DATA. */
ls_status ls_h5_check_dataset(hid_t file, hid_t dataset, const char *path,
                              const char *name) LS_MUST_CHECK;

#endif
