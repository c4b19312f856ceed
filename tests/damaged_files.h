/* Files that are well-formed HDF5 with invalid content, or unusual but valid: as another tool or an
 * attacker could make them. */
#ifndef LS_TESTS_DAMAGED_FILES_H
#define LS_TESTS_DAMAGED_FILES_H

#include <stdbool.h>
#include <stdint.h>

typedef struct damaged_file {
    const char *name;
    const char *part; /* part of the error text; NULL: the file is valid */
    bool checkpoint;  /* true: a checkpoint; false: a data set */
} damaged_file;

/* Describes case number `at`, from 0; returns false after the last case. */
bool damaged_file_case(int at, damaged_file *out);

/* Writes case number `at` with a valid seal, so that its digest matches. */
void damaged_file_write(int at, const char *path);

/* Replaces a checkpoint's history and seals the file again.
 * columns  names, comma-separated
 * values   [epochs][number of names] */
void damaged_file_history(const char *path, const char *columns, const double *values,
                          int64_t epochs);

/* Removes an attribute and seals the file again, like a file of an older version. */
void damaged_file_forget(const char *path, const char *attribute);

/* Removes a setting from a checkpoint's settings and seals the file again. */
void damaged_file_forget_setting(const char *path, const char *name);

#endif
