/* HDF5 wrapper: tables of rows, attributes, and one-line errors. The only module that includes
 * hdf5.h. All functions are Local; data that they read are owned by the caller. h5_check.h defines
 * which files are accepted.
 *
 * Errors: LS_ERR_DATA for a file that is missing, unreadable or not as required; LS_ERR_FAILURE for
 * a write that fails. */
#ifndef LS_DATA_H5_H
#define LS_DATA_H5_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lockstep/status.h>

#include "base/text_list.h"

typedef struct ls_h5 ls_h5; /* an open file */

typedef enum ls_h5_type {
    LS_H5_U8,
    LS_H5_I32,
    LS_H5_I64,
    LS_H5_F32,
    LS_H5_F64,
    LS_H5_I8,
    LS_H5_I16,
    LS_H5_U16,
    LS_H5_U32,
    LS_H5_U64,
    LS_H5_F16, /* IEEE 754 binary16, as h5py writes NumPy's float16 */
    /* In a description only: */
    LS_H5_BOOL, /* h5py's: an enumeration FALSE = 0, TRUE = 1, read as any integer type */
    LS_H5_STRING,
    LS_H5_COMPOUND, /* records with named members */
    LS_H5_ENUM,     /* any but LS_H5_BOOL */
    LS_H5_OTHER     /* any other type */
} ls_h5_type;

enum { LS_H5_MAX_RANK = 4 };

/* Returns what a dataset of a type holds: "uint8", "strings". Local. */
const char *ls_h5_type_name(ls_h5_type type);

/* Returns the bytes of an element in memory. */
int64_t ls_h5_type_bytes(ls_h5_type type);

/* The shape of a dataset. */
typedef struct ls_h5_shape {
    ls_h5_type type;
    int rank; /* dimensions; may exceed LS_H5_MAX_RANK in a description */
    int64_t dims[LS_H5_MAX_RANK];
} ls_h5_shape;

/* HDF5 is not thread-safe: while a thread reads, all threads that use this module must hold the
 * lock during each call. The lock is recursive. Local. */
void ls_h5_lock(void);
void ls_h5_unlock(void);

/* Creates a file with a user block of LS_SEAL_BYTES; an existing file is overwritten. */
ls_status ls_h5_create(ls_h5 **out, const char *path) LS_MUST_CHECK;

/* Creates a file without a user block, for other programs; an existing file is overwritten. */
ls_status ls_h5_create_plain(ls_h5 **out, const char *path) LS_MUST_CHECK;

/* Opens a file for reading only. */
ls_status ls_h5_open(ls_h5 **out, const char *path) LS_MUST_CHECK;

/* Runs work(arg), which reads the file, in a child process, so that a crash becomes an error: on
 * some damaged files HDF5 reads out of bounds or does not return (1.10.8 does not check lengths in
 * its heaps). Call before opening the file.
 * Errors: those of the work; LS_ERR_DATA if it crashed or took much longer than it should. */
ls_status ls_h5_try(const char *path, ls_status (*work)(const void *arg),
                    const void *arg) LS_MUST_CHECK;

/* Flushes, closes, frees and sets *file to NULL; accepts NULL.
 * Errors: LS_ERR_FAILURE if not all written data reached the file; of no use after reading. */
ls_status ls_h5_close(ls_h5 **file);

/* Returns the path that the file was opened with; borrowed. */
const char *ls_h5_path(const ls_h5 *file);

/* Returns true if there is a link of this name, "group/dataset", to any target. */
bool ls_h5_has(const ls_h5 *file, const char *name);

/* Returns type and dimensions of a dataset. Call before reading: refuses a dataset that is behind a
 * soft or external link, stores its content in other files, needs a filter that is not HDF5's own,
 * or claims more elements than its storage in the file can hold. */
ls_status ls_h5_describe(const ls_h5 *file, const char *name, ls_h5_shape *out) LS_MUST_CHECK;

/* A dataset that stays open while its rows are read, with a cache for the chunks of some rows, so
 * that each chunk is unpacked once. */
typedef struct ls_h5_table ls_h5_table;

/* Opens a dataset with the checks of ls_h5_describe(). The file is borrowed. A dataset of no
 * dimension, or of more than LS_H5_MAX_RANK, has a shape but can't be read.
 * column_major  true: its dimensions are in reverse order, so that the file's last is the rows, in
 *               all functions of the table
 * Errors: as ls_h5_describe(); LS_ERR_DATA if a dimension other than the rows has no extent. */
ls_status ls_h5_table_open(ls_h5_table **out, const ls_h5 *file, const char *name,
                           bool column_major) LS_MUST_CHECK;

/* Returns the table's type and dimensions; borrowed. */
const ls_h5_shape *ls_h5_table_shape(const ls_h5_table *table);

/* Returns the preferred unit of reads, [rank], borrowed: in rows, the rows of a chunk, 1 if not
 * chunked; in the other dimensions, the full extent, or, if the chunks side by side exceed the
 * cache, the extent of a chunk: then all content of one chunk should be read before the next
 * chunk. A column-major dataset that is not chunked has a unit of a few columns of many rows, for
 * long reads from the file. */
const int64_t *ls_h5_table_unit(const ls_h5_table *table);

/* Reads a box of elements, within the shape and not empty, converted to `type`, into `out`.
 * Integers out of the type's range become its nearest value.
 * start, count  [rank] */
ls_status ls_h5_table_read(const ls_h5_table *table, ls_h5_type type, const int64_t *start,
                           const int64_t *count, void *out) LS_MUST_CHECK;

/* Closes, frees and sets *table to NULL; accepts NULL. Call before closing the file. */
void ls_h5_table_close(ls_h5_table **table);

/* Reads rows first .. first+count-1 of a dataset, converted to `type`, into `out`. */
ls_status ls_h5_read(const ls_h5 *file, const char *name, ls_h5_type type, int64_t first,
                     int64_t count, void *out) LS_MUST_CHECK;

/* Creates a dataset and its parent groups.
 * compress  true: chunks of some rows, deflated, each with a checksum; false: contiguous */
ls_status ls_h5_create_dataset(ls_h5 *file, const char *name, const ls_h5_shape *shape,
                               bool compress) LS_MUST_CHECK;

/* Writes rows first .. first+count-1 of a dataset from elements of `type`. */
ls_status ls_h5_write(ls_h5 *file, const char *name, ls_h5_type type, int64_t first, int64_t count,
                      const void *rows) LS_MUST_CHECK;

/* Creates a group and its parent groups; an existing group is no error. */
ls_status ls_h5_create_group(ls_h5 *file, const char *name) LS_MUST_CHECK;

/* Write an attribute of a group: a text; texts, as an array of strings of equal size, at most 64
 * KiB together; texts, as an array of strings of any size, at most 4,000. */
ls_status ls_h5_put_text_of(ls_h5 *file, const char *group, const char *name,
                            const char *text) LS_MUST_CHECK;
ls_status ls_h5_put_texts_of(ls_h5 *file, const char *group, const char *name,
                             const char *const *texts, int count) LS_MUST_CHECK;
ls_status ls_h5_put_long_texts_of(ls_h5 *file, const char *group, const char *name,
                                  const char *const *texts, int count) LS_MUST_CHECK;

/* Writes a dataset of texts, of one dimension; appends the texts of one to a list: at most 2^20, of
 * equal size 64 MiB. Errors: also LS_ERR_DATA if they are more. */
ls_status ls_h5_write_texts(ls_h5 *file, const char *name, const char *const *texts,
                            int count) LS_MUST_CHECK;
ls_status ls_h5_read_texts(const ls_h5 *file, const char *name, ls_text_list *out) LS_MUST_CHECK;

/* Writes and reads attributes of the root group. A text that is read is owned: ls_free(). Texts
 * above 4 MiB are refused. */
ls_status ls_h5_put_text(ls_h5 *file, const char *name, const char *text) LS_MUST_CHECK;
ls_status ls_h5_get_text(const ls_h5 *file, const char *name, char **out) LS_MUST_CHECK;
/* Appends the strings of an attribute, an array of one dimension, to a list. */
ls_status ls_h5_get_texts(const ls_h5 *file, const char *name, ls_text_list *out) LS_MUST_CHECK;
ls_status ls_h5_put_int(ls_h5 *file, const char *name, int64_t value) LS_MUST_CHECK;
ls_status ls_h5_get_int(const ls_h5 *file, const char *name, int64_t *out) LS_MUST_CHECK;
ls_status ls_h5_put_real(ls_h5 *file, const char *name, double value) LS_MUST_CHECK;
ls_status ls_h5_get_real(const ls_h5 *file, const char *name, double *out) LS_MUST_CHECK;

/* Returns true if there is an attribute of this name with a value, that is, no null dataspace. */
bool ls_h5_has_attribute(const ls_h5 *file, const char *name);

/* Returns the version of the HDF5 library, "1.10.8". */
const char *ls_h5_version(void);

#endif
