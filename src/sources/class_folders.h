/* Folders of classes: FOLDER/train/CLASS/FILE, also in FOLDER/validation (or val) and FOLDER/test,
 * or FOLDER/CLASS/FILE. Classes are sorted by their bytes, files by class and name. All functions
 * are Local. */
#ifndef LS_SOURCES_CLASS_FOLDERS_H
#define LS_SOURCES_CLASS_FOLDERS_H

#include <lockstep/import.h>

#include "base/file.h"
#include "base/text_list.h"

#include <stdbool.h>

enum { LS_FOLDER_SPLITS = 3 };

/* The files that are wanted. */
typedef struct ls_file_kind {
    const char *name;                    /* "PNG" */
    bool (*is_wanted)(const char *name); /* by its name; NULL: all files are */
} ls_file_kind;

/* The files of a split. */
typedef struct ls_class_folder {
    const char *group; /* "train", "validation", "test" */
    char folder[LS_PATH_MAX];
    ls_text_list paths;
    int32_t *label;          /* [paths.count] */
    int64_t rows;            /* to import, after the limit */
    int64_t others;          /* files that are left out */
    char first[LS_PATH_MAX]; /* of them */
} ls_class_folder;

typedef struct ls_class_folders {
    ls_class_folder split[LS_FOLDER_SPLITS];
    int splits;
    ls_text_list classes; /* sorted names of the folders of the training rows */
} ls_class_folders;

/* Lists all files.
 * out  owned: ls_class_folders_free(), also after errors
 * Errors: LS_ERR_DATA without 2 classes, without files, for a class without training rows;
 * LS_ERR_USAGE for an import with a number of classes; LS_ERR_FAILURE. */
ls_status ls_class_folders_list(ls_class_folders **out, const ls_import *import, const char *folder,
                                const ls_file_kind *kind) LS_MUST_CHECK;

/* Tells the user of files that are left out. */
void ls_class_folders_note(const ls_class_folders *folders, const ls_import *import,
                           const ls_file_kind *kind);

/* Frees and sets *folders to NULL; accepts NULL. */
void ls_class_folders_free(ls_class_folders **folders);

#endif
