/* Temporary files: nothing of them is left when a signal ends the process. */
#ifndef LS_BASE_TEMPORARY_H
#define LS_BASE_TEMPORARY_H

/* Notes a temporary file, before it is made, as one that ls_temporary_remove_all() removes, until
 * ls_publish() or ls_temporary_remove(). Of more than 8 at once the others are not noted. Local. */
void ls_temporary_note(const char *temporary);

/* Ends the note of a file, which has another name now. Local. */
void ls_temporary_forget(const char *temporary);

/* Removes a temporary file, after a failure. Local. */
void ls_temporary_remove(const char *temporary);

/* Removes all files that are noted; for signal handlers. Local. */
void ls_temporary_remove_all(void);

#endif
