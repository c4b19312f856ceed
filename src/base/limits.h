/* Resources of the system that may be short: an error here names the one that is, where a library
 * would hang or find another reason. */
#ifndef LS_BASE_LIMITS_H
#define LS_BASE_LIMITS_H

#include <lockstep/status.h>

/* Sees to it that this process may have so many files open, raising its limit as far as it may.
 * Local. Errors: LS_ERR_FAILURE, naming the limit. */
ls_status ls_limits_allow_files(int count) LS_MUST_CHECK;

/* Makes sure that so many more files can be opened now. Local. Errors: LS_ERR_FAILURE. */
ls_status ls_limits_try_files(int count) LS_MUST_CHECK;

/* Makes sure that shared memory can be made: a file in /dev/shm, where there is one. Local.
 * Errors: LS_ERR_FAILURE. */
ls_status ls_limits_try_shared_memory(void) LS_MUST_CHECK;

#endif
