/* File helpers: atomic writes, locks, paths. */
#ifndef LS_BASE_FILE_H
#define LS_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include <lockstep/status.h>

enum { LS_PATH_MAX = 4096 };

/* Joins up to three pieces of text, NULL for none, into a path. Local.
 * Errors: LS_ERR_USAGE if it is longer than LS_PATH_MAX - 1. */
ls_status ls_path(char out[LS_PATH_MAX], const char *a, const char *b, const char *c) LS_MUST_CHECK;

/* Chooses the name of the temporary file that becomes `path`: of this process alone, in the same
 * folder. It is noted, see base/temporary.h. Local.
 * Errors: LS_ERR_USAGE if it is too long. */
ls_status ls_temporary_name(char out[LS_PATH_MAX], const char *path) LS_MUST_CHECK;

/* Creates a folder and its parents; an existing folder is no error. Local.
 * Errors: LS_ERR_FAILURE. */
ls_status ls_make_folder(const char *path) LS_MUST_CHECK;

/* Checks that the folder exists in which a file is to be made. Local.
 * Errors: LS_ERR_FAILURE. */
ls_status ls_check_folder_of(const char *path) LS_MUST_CHECK;

/* Renames a complete, synchronised file over `path` and synchronises the folder. Local.
 * Errors: LS_ERR_FAILURE; if the rename fails, `path` is unchanged and the temporary file is
 * removed. */
ls_status ls_publish(const char *temporary, const char *path) LS_MUST_CHECK;

/* Makes `link` a symbolic link to `target`, replacing an existing link atomically. Local.
 * Errors: LS_ERR_FAILURE. */
ls_status ls_replace_symlink(const char *link, const char *target) LS_MUST_CHECK;

/* Writes a whole file atomically: to a temporary file, synchronised, then published. Local.
 * Errors: LS_ERR_FAILURE; `path` is then unchanged, unless only its folder could not be
 * synchronised. */
ls_status ls_write_file(const char *path, const char *text, size_t length) LS_MUST_CHECK;

/* Refuses to replace a file of another kind, which is hardly intended. Missing and empty files may
 * be replaced. Local.
 * begin  [length] first bytes of files of the right kind, at most 128
 * kind   "PNG", for the message
 * Errors: LS_ERR_USAGE. */
ls_status ls_refuse_foreign(const char *path, const void *begin, size_t length,
                            const char *kind) LS_MUST_CHECK;

/* As ls_refuse_foreign(), with a function that judges a file by its first bytes, at most 128.
 * Local. */
ls_status ls_refuse_other_kind(const char *path,
                               bool (*is_kind)(const unsigned char *begin, size_t length),
                               const char *kind) LS_MUST_CHECK;

/* Refuses to replace a file that is also an input, under whatever name. Local.
 * input  [count] paths
 * Errors: LS_ERR_USAGE. */
ls_status ls_refuse_input(const char *path, const char *const *input, int count) LS_MUST_CHECK;

/* Appends a text to an existing file, completely or not at all. Local.
 * Errors: LS_ERR_FAILURE. */
ls_status ls_append_file(const char *path, const char *text, size_t length) LS_MUST_CHECK;

/* Writes all of the bytes to an open file. Local.
 * path  for the message
 * Errors: LS_ERR_FAILURE. */
ls_status ls_write_all(int file, const char *path, const void *bytes, size_t length) LS_MUST_CHECK;

/* Synchronises a closed file: its content is on the disk afterwards. Local.
 * Errors: LS_ERR_FAILURE. */
ls_status ls_sync_file(const char *path) LS_MUST_CHECK;

/* Closes a file after writing.
 * Local. status: of the writing
 * Errors: `status`; LS_ERR_FAILURE if close() reports an error, as on network file systems. */
ls_status ls_close_written(int file, const char *path, ls_status status) LS_MUST_CHECK;

/* Locks a file for this process until ls_unlock_file() or the end of the process; creates the file
 * if it is missing. Local.
 * out  on return the open file; -1 if the file system does not support locks
 * Errors: LS_ERR_USAGE if another process holds the lock, naming that process; LS_ERR_FAILURE. */
ls_status ls_lock_file(int *out, const char *path) LS_MUST_CHECK;

/* Closes a file that ls_lock_file() or ls_hold_folder() opened, which releases the lock, and sets
 * *file to -1; accepts -1. Local. */
void ls_unlock_file(int *file);

/* Opens a folder, for later calls of ls_find_again(). Local. Errors: LS_ERR_FAILURE. */
ls_status ls_hold_folder(int *out, const char *path) LS_MUST_CHECK;

typedef enum ls_found {
    LS_FOUND_SAME,
    LS_FOUND_NONE,  /* the path no longer exists */
    LS_FOUND_OTHER, /* the path leads to another file or folder */
} ls_found;

/* Checks if a path still leads to an open file or folder. An open file keeps its inode number, even
 * on file systems that generate numbers on demand. Local.
 * Errors: LS_ERR_FAILURE if the path can't be checked. */
ls_status ls_find_again(int file, const char *path, ls_found *out) LS_MUST_CHECK;

/* Checks that a file can be opened and read, and is no pipe or device. Local. Errors:
 * LS_ERR_DATA. */
ls_status ls_check_readable(const char *path) LS_MUST_CHECK;

/* Reads a whole file of at most `limit` bytes. Local.
 * missing  code for a file that can't be opened or read, or is larger than `limit`
 * out      zero-terminated, owned by the caller: ls_free()
 * Errors: `missing`; LS_ERR_FAILURE if memory is short. *out is left alone. */
ls_status ls_read_file(const char *path, size_t limit, ls_status missing, char **out,
                       size_t *length) LS_MUST_CHECK;

#endif
