/* What a file is that is no HDF5 file. */
#ifndef LS_DATA_MAGIC_H
#define LS_DATA_MAGIC_H

#include <lockstep/status.h>

/* The error for a file or folder that HDF5 can't open: what it is instead, as far as its first
 * bytes tell, and how a data set is made of it. Local. Errors: LS_ERR_DATA, always. */
ls_status ls_magic_fail(const char *path) LS_MUST_CHECK;

/* Refuses a folder where a data set is meant. Local. Errors: LS_ERR_DATA. */
ls_status ls_magic_refuse_folder(const char *path) LS_MUST_CHECK;

#endif
