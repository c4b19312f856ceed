/* Identifies files that are not HDF5 files. */
#ifndef LS_DATA_MAGIC_H
#define LS_DATA_MAGIC_H

#include <lockstep/status.h>

/* Fails for a file or folder that HDF5 can't open: the text names the actual format, by the first
 * bytes, and how to convert it to a data set. Local. Errors: LS_ERR_DATA, always. */
ls_status ls_magic_fail(const char *path) LS_MUST_CHECK;

/* Returns what a file is, by its first bytes: "a picture"; NULL: HDF5, or unknown. Local. */
const char *ls_magic_name(const char *path);

/* Refuses a folder where a data set is expected. Local. Errors: LS_ERR_DATA. */
ls_status ls_magic_refuse_folder(const char *path) LS_MUST_CHECK;

#endif
