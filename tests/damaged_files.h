/* Files that are well-formed HDF5 and wrong all the same, or unusual and right: what a tool, or
 * somebody who means harm, could make. */
#ifndef LS_TESTS_DAMAGED_FILES_H
#define LS_TESTS_DAMAGED_FILES_H

#include <stdbool.h>
#include <stdint.h>

typedef struct damaged_file {
    const char *name;
    const char *part; /* of the error's text; NULL: the file is good */
    bool checkpoint;  /* else a data set */
} damaged_file;

/* What case number `at`, from 0, is; false past the last. */
bool damaged_file_case(int at, damaged_file *out);

/* Writes case number `at`, sealed: its digest says nothing against it. */
void damaged_file_write(int at, const char *path);

/* Gives a checkpoint another history, [epochs][number of names], and seals it anew.
 * columns  the names, with commas between them */
void damaged_file_history(const char *path, const char *columns, const double *values,
                          int64_t epochs);

/* Takes an attribute out of a file, and seals it anew: an older version did not write it. */
void damaged_file_forget(const char *path, const char *attribute);

/* Takes a setting out of a checkpoint's settings, likewise. */
void damaged_file_forget_setting(const char *path, const char *name);

#endif
