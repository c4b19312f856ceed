/* Work that may crash or hang, in a child process. */
#ifndef LS_BASE_CHILD_H
#define LS_BASE_CHILD_H

#include <stdint.h>

#include <lockstep/status.h>

/* Runs work(arg) in a child process, so that a library that crashes or corrupts memory does not
 * affect this process; only the status and its text come back. The child may use 4 GiB more memory
 * than this process uses now. Local.
 * path     of the file that is read, for messages
 * seconds  limit on the child's processor time; ls_child_allow() raises it
 * Errors: those of the work; LS_ERR_DATA if the child crashed or exceeded its time; LS_ERR_FAILURE
 * if it was killed; LS_INTERRUPTED if this process was asked to end meanwhile. Returns LS_OK,
 * without running the work, if no process can be created. */
ls_status ls_in_child(ls_status (*work)(const void *arg), const void *arg, const char *path,
                      int64_t seconds) LS_MUST_CHECK;

/* Raises the time limit of the child that calls it by `seconds`, for work whose amount is known
 * only after it began. Does nothing outside a child. Local. */
void ls_child_allow(int64_t seconds);

#endif
