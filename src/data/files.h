/* Lists of files: "a.h5,b.h5", and patterns as of a shell, "run*.h5". All functions are Local. */
#ifndef LS_DATA_FILES_H
#define LS_DATA_FILES_H

#include <lockstep/status.h>

enum { LS_FILES_MOST = 4096 };

typedef struct ls_files {
    int count;
    char **path; /* [count] owned */
} ls_files;

/* Finds the files that a text names, in its order; those of a pattern sorted by name. A text that
 * is the path of an existing file is that file.
 * out  owned: ls_files_free()
 * Errors: LS_ERR_DATA if no file matches a pattern; LS_ERR_USAGE for an empty list or more than
 * LS_FILES_MOST files; LS_ERR_FAILURE. */
ls_status ls_files_find(ls_files *out, const char *text) LS_MUST_CHECK;

/* Finds a file that is in two lists, or twice in one, under any name.
 * b  NULL: twice in `a`
 * Returns its name in the second place; NULL: there is none. */
const char *ls_files_find_same(const ls_files *a, const ls_files *b);

void ls_files_free(ls_files *files);

#endif
