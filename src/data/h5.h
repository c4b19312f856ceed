/* HDF5, as far as Lockstep needs it: tables of rows, attributes, and errors as one line. The only
 * module that knows hdf5.h. All functions are Local; what they read is owned by the caller.
 * What a file that is read may ask of HDF5 is in h5_check.h.
 *
 * Errors: LS_ERR_DATA for a file that is missing, unreadable or not as asked; LS_ERR_FAILURE for a
 * write that fails. */
#ifndef LS_DATA_H5_H
#define LS_DATA_H5_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lockstep/status.h>

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
    /* In a description only: */
    LS_H5_BOOL, /* h5py's: an enumeration FALSE = 0, TRUE = 1 that is read as any integer */
    LS_H5_OTHER /* some type that Lockstep does not use */
} ls_h5_type;

enum { LS_H5_MAX_RANK = 4 };

/* The shape of a dataset. */
typedef struct ls_h5_shape {
    ls_h5_type type;
    int rank; /* dimensions; may exceed LS_H5_MAX_RANK in a description */
    int64_t dims[LS_H5_MAX_RANK];
} ls_h5_shape;

/* HDF5 is not made for threads. Where one thread reads, whoever uses this module on another holds
 * the lock, and so does that one; it may be taken more than once. Local. */
void ls_h5_lock(void);
void ls_h5_unlock(void);

/* Creates a file with a user block of LS_SEAL_BYTES; an existing one is overwritten. */
ls_status ls_h5_create(ls_h5 **out, const char *path) LS_MUST_CHECK;

/* Opens a file for reading only. */
ls_status ls_h5_open(ls_h5 **out, const char *path) LS_MUST_CHECK;

/* Lets work(arg), which reads the file, happen in a child process first: HDF5 reads beyond its
 * memory or never comes back on some damaged files (1.10.8: lengths in its heaps are taken as they
 * are), and a crash there is an error here. To be called before the file is opened. Errors: those
 * of the work; LS_ERR_DATA if it crashed or took much longer than it should. */
ls_status ls_h5_try(const char *path, ls_status (*work)(const void *arg),
                    const void *arg) LS_MUST_CHECK;

/* Flushes, closes, frees and sets *file to NULL; accepts NULL. After writing the status says
 * whether all of it arrived; after reading it says nothing of use. */
ls_status ls_h5_close(ls_h5 **file);

/* The path that the file was opened with; borrowed. */
const char *ls_h5_path(const ls_h5 *file);

/* Whether there is a link of this name, "group/dataset", wherever it leads. */
bool ls_h5_has(const ls_h5 *file, const char *name);

/* Type and dimensions of a dataset. To be asked before it is read, for it refuses one that lies
 * behind a soft or external link, keeps its content in other files, needs a foreign filter, or
 * claims more elements than its storage in the file can hold. */
ls_status ls_h5_describe(const ls_h5 *file, const char *name, ls_h5_shape *out) LS_MUST_CHECK;

/* A dataset that is kept open while its rows are read, with room for the chunks that some rows lie
 * in, so that each is unpacked once. */
typedef struct ls_h5_table ls_h5_table;

/* Opens a dataset as ls_h5_describe() does. The file is borrowed. Where it has no dimension or more
 * than LS_H5_MAX_RANK it has a shape, but can't be read. */
ls_status ls_h5_table_open(ls_h5_table **out, const ls_h5 *file, const char *name) LS_MUST_CHECK;

/* Its type and dimensions; borrowed. */
const ls_h5_shape *ls_h5_table_shape(const ls_h5_table *table);

/* [rank] The box that reads should go by: of rows those of a chunk, 1 where there are none; in the
 * other dimensions all, or, where the chunks side by side are too many to be kept, those of a
 * chunk, so that what one chunk holds should be read before another one. Borrowed. */
const int64_t *ls_h5_table_unit(const ls_h5_table *table);

/* Reads a box of elements, within the shape and not empty, converted to `type`, into `out`.
 * Integers that the type can't hold become its nearest. start, count  [rank] */
ls_status ls_h5_table_read(const ls_h5_table *table, ls_h5_type type, const int64_t *start,
                           const int64_t *count, void *out) LS_MUST_CHECK;

/* Closes, frees and sets *table to NULL; accepts NULL. To be called before the file is closed. */
void ls_h5_table_close(ls_h5_table **table);

/* Reads rows first .. first+count-1 of a dataset, converted to `type`, into `out`. */
ls_status ls_h5_read(const ls_h5 *file, const char *name, ls_h5_type type, int64_t first,
                     int64_t count, void *out) LS_MUST_CHECK;

/* Creates a dataset, and the groups above it. `compress`: chunks of some rows, deflated, each with
 * a checksum; else contiguous. */
ls_status ls_h5_create_dataset(ls_h5 *file, const char *name, const ls_h5_shape *shape,
                               bool compress) LS_MUST_CHECK;

/* Writes rows first .. first+count-1, given as `type`. */
ls_status ls_h5_write(ls_h5 *file, const char *name, ls_h5_type type, int64_t first, int64_t count,
                      const void *rows) LS_MUST_CHECK;

/* Attributes of the root group. The text that is read is owned: ls_free(). Texts above 4 MiB are
 * refused. */
ls_status ls_h5_put_text(ls_h5 *file, const char *name, const char *text) LS_MUST_CHECK;
ls_status ls_h5_get_text(const ls_h5 *file, const char *name, char **out) LS_MUST_CHECK;
ls_status ls_h5_put_int(ls_h5 *file, const char *name, int64_t value) LS_MUST_CHECK;
ls_status ls_h5_get_int(const ls_h5 *file, const char *name, int64_t *out) LS_MUST_CHECK;
ls_status ls_h5_put_real(ls_h5 *file, const char *name, double value) LS_MUST_CHECK;
ls_status ls_h5_get_real(const ls_h5 *file, const char *name, double *out) LS_MUST_CHECK;

/* Whether there is an attribute of this name with a value: one with a null dataspace has none. */
bool ls_h5_has_attribute(const ls_h5 *file, const char *name);

/* The version of the library, "1.10.8". */
const char *ls_h5_version(void);

#endif
