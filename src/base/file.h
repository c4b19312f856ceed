/* Files that appear whole or not at all. */
#ifndef LS_BASE_FILE_H
#define LS_BASE_FILE_H

#include <stddef.h>

#include <lockstep/status.h>

enum { LS_PATH_MAX = 4096 };

/* Joins up to three pieces of text, NULL for none, into a path. Local.
 * Errors: LS_ERR_USAGE if it is longer than LS_PATH_MAX - 1. */
ls_status ls_path(char out[LS_PATH_MAX], const char *a, const char *b, const char *c) LS_MUST_CHECK;

/* Creates a folder and the ones above it; an existing one is fine. Local.
 * Errors: LS_ERR_FAILURE. */
ls_status ls_make_folder(const char *path) LS_MUST_CHECK;

/* Renames a complete, synchronised file over `path` and synchronises the folder. Local.
 * Errors: LS_ERR_FAILURE; on a failed rename `path` is what it was before, and the temporary file
 * is removed. */
ls_status ls_publish(const char *temporary, const char *path) LS_MUST_CHECK;

/* Makes `link` a symbolic link to `target`, replacing a former one at once. Local.
 * Errors: LS_ERR_FAILURE. */
ls_status ls_replace_symlink(const char *link, const char *target) LS_MUST_CHECK;

/* Writes a whole file: temporary, synchronised, published. Local. Errors: LS_ERR_FAILURE. */
ls_status ls_write_file(const char *path, const char *text, size_t length) LS_MUST_CHECK;

/* Refuses to replace a file that is of another kind than what is to be written: nobody means that.
 * One that is not there, or empty, is none. Local.
 * begin  [length] what files of that kind begin with
 * kind   "picture", for the message
 * Errors: LS_ERR_USAGE. */
ls_status ls_refuse_foreign(const char *path, const void *begin, size_t length,
                            const char *kind) LS_MUST_CHECK;

/* Adds to a file that is there all of a text or nothing. Local.
 * Errors: LS_ERR_FAILURE. */
ls_status ls_append_file(const char *path, const char *text, size_t length) LS_MUST_CHECK;

/* Writes all of the bytes to an open file. Local.
 * path  for the message
 * Errors: LS_ERR_FAILURE. */
ls_status ls_write_all(int file, const char *path, const void *bytes, size_t length) LS_MUST_CHECK;

/* Closes a file that was written to with this status. Local.
 * Errors: that status; LS_ERR_FAILURE if closing reports an error, as network file systems do. */
ls_status ls_close_written(int file, const char *path, ls_status status) LS_MUST_CHECK;

/* Takes the lock on a file, which is made if it is not there, for this process and as long as it
 * lives; *out is -1 where the file system knows no locks. Local.
 * Errors: LS_ERR_USAGE if another process has it, with what that one wrote into it;
 * LS_ERR_FAILURE. */
ls_status ls_lock_file(int *out, const char *path) LS_MUST_CHECK;

/* Closes a file that ls_lock_file() or ls_hold_folder() opened, with which a lock is given back,
 * and sets *file to -1; accepts -1. Local. */
void ls_unlock_file(int *file);

/* Opens a folder, so that it can be found again. Local. Errors: LS_ERR_FAILURE. */
ls_status ls_hold_folder(int *out, const char *path) LS_MUST_CHECK;

typedef enum ls_found {
    LS_FOUND_SAME,
    LS_FOUND_NONE,  /* nothing is there any more */
    LS_FOUND_OTHER, /* something else has come in its place */
} ls_found;

/* Whether an open file or folder is still what its path leads to. Held open it keeps its inode
 * number, also where numbers are made up as they are asked for. Local. Errors: LS_ERR_FAILURE if
 * that can't be told. */
ls_status ls_find_again(int file, const char *path, ls_found *out) LS_MUST_CHECK;

/* Makes sure that a file can be opened and read. Local. Errors: LS_ERR_DATA. */
ls_status ls_check_readable(const char *path) LS_MUST_CHECK;

/* Reads a whole file of at most `limit` bytes; *out is owned, zero-terminated, ls_free(). Local.
 * Errors: `missing` (a code of the caller's choice) if it can't be opened or read or is larger. */
ls_status ls_read_file(const char *path, size_t limit, ls_status missing, char **out,
                       size_t *length) LS_MUST_CHECK;

#endif
