/* System limits that may be too low: errors here name the exhausted resource, where a library would
 * hang or report another cause. */
#ifndef LS_BASE_LIMITS_H
#define LS_BASE_LIMITS_H

#include <lockstep/status.h>

/* Ensures that this process may have `count` open files, by raising its soft limit if necessary.
 * Local. Errors: LS_ERR_FAILURE, naming the limit. */
ls_status ls_limits_allow_files(int count) LS_MUST_CHECK;

/* Checks that `count` more files, at most 64, can be opened now. Local. Errors: LS_ERR_FAILURE. */
ls_status ls_limits_try_files(int count) LS_MUST_CHECK;

/* Checks that shared memory can be created: a file in /dev/shm, if that folder exists. Local.
 * Errors: LS_ERR_FAILURE. */
ls_status ls_limits_try_shared_memory(void) LS_MUST_CHECK;

#endif
