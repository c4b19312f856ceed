#include "data/h5.h"
#include "base/child.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/h5_check.h"
#include "data/h5_file.h"
#include "data/magic.h"
#include "data/seal.h"

#include <errno.h>
#include <hdf5.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { REASON = 1024 };

static herr_t h5_keep_innermost(unsigned n, const H5E_error2_t *error, void *text)
{
    if (n == 0)
        snprintf(text, REASON, "%s", error->desc != NULL ? error->desc : "");
    return 0;
}

/* For a system error, HDF5's description quotes strerror(): only the quote is kept. */
ls_status ls_h5_fail(const ls_h5 *file, const char *name, const char *what)
{
    static const char quote[] = "error message = '";
    char text[REASON] = "", *reason = text;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, h5_keep_innermost, text);
    char *quoted = strstr(text, quote);
    if (quoted != NULL) {
        reason = quoted + sizeof quote - 1;
        reason[strcspn(reason, "'")] = '\0';
    }
    if (*name == '\0')
        return ls_fail(file->writable ? LS_ERR_FAILURE : LS_ERR_DATA, "%s: %s%s%s", file->path,
                       what, *reason != '\0' ? ": " : "", reason);
    return ls_fail(file->writable ? LS_ERR_FAILURE : LS_ERR_DATA, "%s: %s '%s'%s%s", file->path,
                   what, name, *reason != '\0' ? ": " : "", reason);
}

/* Sets up HDF5 for this thread; before its first use, for the process.
 *
 * A file whose close failed, on a full disk, must not be closed again at exit: HDF5 1.10 crashes
 * then. Every file is closed by ls_h5_close(). Printing of errors is a setting of each thread. */
static void set_up_library(void)
{
    H5dont_atexit();
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

static ls_status create_handle(ls_h5 **out, const char *path, bool writable)
{
    ls_h5 *file = ls_alloc(1, sizeof *file);
    if (file == NULL)
        return LS_ERR_FAILURE;
    file->id = H5I_INVALID_HID;
    file->writable = writable;
    file->path = ls_strdup(path);
    if (file->path == NULL) {
        ls_free(file);
        return LS_ERR_FAILURE;
    }
    set_up_library();
    *out = file;
    return LS_OK;
}

/* Frees a handle of create_handle(). */
static void destroy_handle(ls_h5 *file)
{
    ls_free(file->path);
    ls_free(file);
}

/* Returns the file access list: no HDF5 file locking, which parallel file systems refuse. */
static hid_t make_access_list(void)
{
    hid_t access_list = H5Pcreate(H5P_FILE_ACCESS);
#if H5_VERSION_GE(1, 10, 7)
    H5Pset_file_locking(access_list, false, true);
#endif
    return access_list;
}

static pthread_mutex_t lock;

static void make_lock(void)
{
    pthread_mutexattr_t recursive;
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&lock, &recursive);
    pthread_mutexattr_destroy(&recursive);
}

void ls_h5_lock(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_lock);
    pthread_mutex_lock(&lock);
    set_up_library();
}

void ls_h5_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

/* Creates a file with a user block of some bytes. */
static ls_status create(ls_h5 **out, const char *path, hsize_t user_block)
{
    ls_h5 *file;
    ls_status status = create_handle(&file, path, true);
    if (status != LS_OK)
        return status;
    hid_t layout = H5Pcreate(H5P_FILE_CREATE), access_list = make_access_list();
    H5Pset_userblock(layout, user_block);
    errno = 0;
    file->id = H5Fcreate(path, H5F_ACC_TRUNC, layout, access_list);
    int reason = errno;
    H5Pclose(access_list);
    H5Pclose(layout);
    if (file->id < 0) {
        status = ls_fail(LS_ERR_FAILURE, "%s: can't create: %s", path,
                         reason != 0 ? strerror(reason) : "HDF5 refuses");
        destroy_handle(file);
        return status;
    }
    *out = file;
    return LS_OK;
}

ls_status ls_h5_create(ls_h5 **out, const char *path)
{
    return create(out, path, LS_SEAL_BYTES);
}

ls_status ls_h5_create_plain(ls_h5 **out, const char *path)
{
    return create(out, path, 0);
}

static herr_t h5_find_writer_mark(unsigned n, const H5E_error2_t *error, void *found)
{
    (void)n;
    if (error->desc != NULL && strstr(error->desc, "h5clear") != NULL)
        *(bool *)found = true;
    return 0;
}

/* Returns the error for a file that HDF5 has just refused to open. For a file marked as open for
 * writing, HDF5's description mentions the tool h5clear. */
static ls_status fail_open(const char *path)
{
    bool writer = false;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, h5_find_writer_mark, &writer);
    if (!writer)
        return ls_magic_fail(path);
    return ls_fail(LS_ERR_DATA,
                   "%s: marked as open for writing: a program is still writing this file, or ended "
                   "without closing it; if no program is, `h5clear -s %s` removes the mark",
                   path, path);
}

ls_status ls_h5_open(ls_h5 **out, const char *path)
{
    ls_h5 *file;
    ls_status status = ls_check_readable(path); /* HDF5 reports these files as damaged, too */
    if (status == LS_OK)
        status = create_handle(&file, path, false);
    if (status != LS_OK)
        return status;
    hid_t access_list = make_access_list();
    file->id = H5Fopen(path, H5F_ACC_RDONLY, access_list);
    if (file->id < 0)
        status = fail_open(path); /* before the next HDF5 call clears the error stack */
    H5Pclose(access_list);
    if (status != LS_OK)
        destroy_handle(file);
    else
        *out = file;
    return status;
}

/* Redirects HDF5's pending writes of a file to a discarded memory file: HDF5 frees the resources of
 * a file only if these writes succeed. */
static void discard_pending_writes(const ls_h5 *file)
{
    void *descriptor = NULL;
    const int sink = memfd_create("discarded", MFD_CLOEXEC);
    if (sink < 0)
        return;
    if (H5Fget_vfd_handle(file->id, H5P_DEFAULT, &descriptor) >= 0)
        (void)dup2(sink, *(int *)descriptor);
    close(sink);
}

ls_status ls_h5_try(const char *path, ls_status (*work)(const void *arg), const void *arg)
{
    enum { SECONDS = 10, BYTES_A_SECOND = 1 << 20 }; /* a generous limit */
    struct stat found;
    const int64_t bytes = stat(path, &found) == 0 ? found.st_size : 0;
    return ls_in_child(work, arg, path, SECONDS + bytes / BYTES_A_SECOND);
}

ls_status ls_h5_close(ls_h5 **file)
{
    if (file == NULL || *file == NULL)
        return LS_OK;
    ls_status status = LS_OK;
    if ((*file)->writable && H5Fflush((*file)->id, H5F_SCOPE_LOCAL) < 0) {
        status = ls_h5_fail(*file, "", "can't write");
        discard_pending_writes(*file);
    }
    if (H5Fclose((*file)->id) < 0 && status == LS_OK)
        status = ls_h5_fail(*file, "", "can't write");
    destroy_handle(*file);
    *file = NULL;
    return status;
}

const char *ls_h5_path(const ls_h5 *file)
{
    return file->path;
}

bool ls_h5_has(const ls_h5 *file, const char *name)
{
    return ls_h5_follow(file->id, name, NULL) != LS_H5_LINK_NONE;
}

ls_status ls_h5_open_dataset(const ls_h5 *file, const char *name, hid_t *out)
{
    int length = 0;
    const ls_h5_link link = ls_h5_follow(file->id, name, &length);
    if (link == LS_H5_LINK_NONE)
        return ls_fail(LS_ERR_DATA, "%s: has no dataset '/%s'", file->path, name);
    if (link == LS_H5_LINK_FOREIGN)
        return ls_fail(LS_ERR_DATA,
                       "%s: '/%.*s' is a soft or external link, which is not followed; replace it "
                       "by the object itself",
                       file->path, length, name);
    const hid_t dataset = H5Dopen2(file->id, name, H5P_DEFAULT);
    if (dataset < 0)
        return ls_fail(LS_ERR_DATA, "%s: '/%s' is not a dataset, or damaged", file->path, name);
    ls_status status = ls_h5_check_dataset(file->id, dataset, file->path, name);
    if (status != LS_OK)
        H5Dclose(dataset);
    else
        *out = dataset;
    return status;
}

ls_status ls_h5_shape_of(const ls_h5 *file, const char *name, hid_t dataset, ls_h5_shape *out)
{
    hid_t space = H5Dget_space(dataset), type = H5Dget_type(dataset);
    ls_h5_shape shape = {.type = ls_h5_type_of(type), .rank = H5Sget_simple_extent_ndims(space)};
    hsize_t dims[H5S_MAX_RANK] = {0};
    ls_status status = LS_OK;
    if (shape.rank < 0 || H5Sget_simple_extent_dims(space, dims, NULL) < 0)
        status = ls_h5_fail(file, name, "can't read the shape of");
    for (int i = 0; i < shape.rank && i < LS_H5_MAX_RANK; i++)
        shape.dims[i] = (int64_t)dims[i];
    H5Tclose(type);
    H5Sclose(space);
    if (status == LS_OK)
        *out = shape;
    return status;
}

ls_status ls_h5_describe(const ls_h5 *file, const char *name, ls_h5_shape *out)
{
    hid_t dataset = H5I_INVALID_HID;
    ls_status status = ls_h5_open_dataset(file, name, &dataset);
    if (status != LS_OK)
        return status;
    status = ls_h5_shape_of(file, name, dataset, out);
    H5Dclose(dataset);
    return status;
}

/* Transfers rows between memory and the file; `out` or `in` is NULL. */
static ls_status transfer_rows(const ls_h5 *file, const char *name, ls_h5_type type, int64_t first,
                               int64_t count, void *out, const void *in)
{
    const char *what = out != NULL ? "can't read" : "can't write";
    hid_t dataset = H5Dopen2(file->id, name, H5P_DEFAULT);
    if (dataset < 0)
        return ls_h5_fail(file, name, what);
    hid_t space = H5Dget_space(dataset), memory = H5I_INVALID_HID;
    hsize_t start[H5S_MAX_RANK] = {0}, dims[H5S_MAX_RANK] = {0};
    int rank = H5Sget_simple_extent_dims(space, dims, NULL);
    ls_status status = LS_OK;
    if (rank < 1 || (hsize_t)first > dims[0] || (hsize_t)count > dims[0] - (hsize_t)first) {
        status = ls_fail(LS_ERR_DATA, "%s: '/%s' has too few rows", file->path, name);
        goto out;
    }
    start[0] = (hsize_t)first;
    dims[0] = (hsize_t)count;
    memory = H5Screate_simple(rank, dims, NULL);
    if (count == 0)
        goto out;
    herr_t done = H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, dims, NULL);
    if (done >= 0)
        done = out != NULL
                   ? H5Dread(dataset, ls_h5_memory_type(type), memory, space, H5P_DEFAULT, out)
                   : H5Dwrite(dataset, ls_h5_memory_type(type), memory, space, H5P_DEFAULT, in);
    if (done < 0)
        status = ls_h5_fail(file, name, what);
out:
    if (memory >= 0)
        H5Sclose(memory);
    H5Sclose(space);
    if (H5Dclose(dataset) < 0 && status == LS_OK)
        status = ls_h5_fail(file, name, what);
    return status;
}

ls_status ls_h5_read(const ls_h5 *file, const char *name, ls_h5_type type, int64_t first,
                     int64_t count, void *out)
{
    return transfer_rows(file, name, type, first, count, out, NULL);
}

ls_status ls_h5_write(ls_h5 *file, const char *name, ls_h5_type type, int64_t first, int64_t count,
                      const void *rows)
{
    return transfer_rows(file, name, type, first, count, NULL, rows);
}

ls_status ls_h5_create_group(ls_h5 *file, const char *name)
{
    if (H5Lexists(file->id, name, H5P_DEFAULT) > 0)
        return LS_OK;
    const hid_t links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    const hid_t group = H5Gcreate2(file->id, name, links, H5P_DEFAULT, H5P_DEFAULT);
    const ls_status status = group < 0 ? ls_h5_fail(file, name, "can't create") : LS_OK;
    if (group >= 0)
        H5Gclose(group);
    H5Pclose(links);
    return status;
}

ls_status ls_h5_create_dataset(ls_h5 *file, const char *name, const ls_h5_shape *shape,
                               bool compress)
{
    enum { CHUNK_BYTES = 1 << 20 };
    hsize_t dims[LS_H5_MAX_RANK], chunk[LS_H5_MAX_RANK];
    hsize_t row = H5Tget_size(ls_h5_file_type(shape->type));
    for (int i = 0; i < shape->rank; i++) {
        dims[i] = chunk[i] = (hsize_t)shape->dims[i];
        row *= i > 0 ? dims[i] : 1;
    }
    hid_t links = H5Pcreate(H5P_LINK_CREATE), layout = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    H5Pset_obj_track_times(layout, 0); /* no time stamps: equal content gives equal bytes */
    if (compress && dims[0] > 0) {
        hsize_t rows = row < CHUNK_BYTES ? CHUNK_BYTES / row : 1;
        chunk[0] = rows < dims[0] ? rows : dims[0];
        H5Pset_chunk(layout, shape->rank, chunk);
        H5Pset_shuffle(layout);
        H5Pset_deflate(layout, 6);
        H5Pset_fletcher32(layout);
    }
    hid_t space = H5Screate_simple(shape->rank, dims, NULL);
    hid_t dataset =
        H5Dcreate2(file->id, name, ls_h5_file_type(shape->type), space, links, layout, H5P_DEFAULT);
    ls_status status = dataset < 0 ? ls_h5_fail(file, name, "can't create") : LS_OK;
    if (dataset >= 0)
        H5Dclose(dataset);
    H5Sclose(space);
    H5Pclose(layout);
    H5Pclose(links);
    return status;
}

const char *ls_h5_version(void)
{
    static char text[32];
    unsigned major = 0, minor = 0, release = 0;
    H5get_libversion(&major, &minor, &release);
    snprintf(text, sizeof text, "%u.%u.%u", major, minor, release);
    return text;
}
