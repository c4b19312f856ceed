/* Work that may go wrong beyond repair, in a process of its own. */
#ifndef LS_BASE_CHILD_H
#define LS_BASE_CHILD_H

#include <stdint.h>

#include <lockstep/status.h>

/* Does work(arg) in a child process, whose end is the end of whatever a library does to its memory
 * there; nothing else of it is left than the status and its text. It may take 4 GiB of memory more
 * than there is in use. Local.
 * path     of the file that is worked on, for messages
 * seconds  of processor time that it may take, see below
 * Errors: those of the work; LS_ERR_DATA if it crashed or took longer; LS_ERR_FAILURE if it was
 * killed; LS_INTERRUPTED if this process was asked to end meanwhile. Where no process can be made
 * it is LS_OK, as if this had not been asked for. */
ls_status ls_in_child(ls_status (*work)(const void *arg), const void *arg, const char *path,
                      int64_t seconds) LS_MUST_CHECK;

/* For work that is done in a child and has found out that there is more to do: so many seconds
 * more. Anywhere else it does nothing. Local. */
void ls_child_allow(int64_t seconds);

#endif
