/* Files that are well-formed HDF5 and wrong all the same, or unusual and right: what a tool, or
 * somebody who means harm, could make. */
#ifndef LS_TESTS_CRAFTED_H
#define LS_TESTS_CRAFTED_H

#include <stdbool.h>

typedef struct crafted {
    const char *name;
    const char *part; /* of the error's text; NULL: the file is good */
    bool checkpoint;  /* else a data set */
} crafted;

/* What case number `at`, from 0, is; false past the last. */
bool crafted_case(int at, crafted *out);

/* Writes case number `at`, sealed: its digest says nothing against it. */
void crafted_write(int at, const char *path);

/* Takes an attribute out of a file, and seals it anew: an older version did not write it. */
void crafted_forget(const char *path, const char *attribute);

/* Takes a setting out of a checkpoint's settings, likewise. */
void crafted_forget_setting(const char *path, const char *name);

#endif
