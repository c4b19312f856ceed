/* What a file that is read may ask of HDF5. A file is input that anybody may have written: it must
 * not lead elsewhere, run foreign code, or make memory be taken that its own size does not account
 * for. Included in h5*.c only. */
#ifndef LS_DATA_H5_CHECK_H
#define LS_DATA_H5_CHECK_H

#include <hdf5.h>

#include <lockstep/status.h>

typedef enum ls_h5_link {
    LS_H5_LINK_NONE,   /* there is no such name */
    LS_H5_LINK_HARD,   /* all links on the way are hard: the object is in this file */
    LS_H5_LINK_FOREIGN /* one of them is soft, external or user-defined */
} ls_h5_link;

/* What kind of links the path "group/dataset" is made of. Local.
 * length  on return, of its part that ends with the last link that was looked at; may be NULL */
ls_h5_link ls_h5_follow(hid_t file, const char *name, int *length);

/* Refuses a data set that keeps its content in other files, needs a filter that is not HDF5's own,
 * or claims more elements than its storage can hold. To be asked before anything is read of it or
 * memory is taken for it. Local.
 * path, name  for messages
 * Errors: LS_ERR_DATA. */
ls_status ls_h5_check_dataset(hid_t file, hid_t dataset, const char *path,
                              const char *name) LS_MUST_CHECK;

#endif
