#include "base/file.h"
#include "base/memory.h"
#include "base/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

ls_status ls_path(char out[LS_PATH_MAX], const char *a, const char *b, const char *c)
{
    int length = snprintf(out, LS_PATH_MAX, "%s%s%s", a, b != NULL ? b : "", c != NULL ? c : "");
    if (length < 0 || length >= LS_PATH_MAX)
        return ls_fail(LS_ERR_USAGE, "%.60s...: path too long", a);
    return LS_OK;
}

ls_status ls_make_folder(const char *path)
{
    char part[LS_PATH_MAX];
    ls_status status = ls_path(part, path, NULL, NULL);
    if (status != LS_OK)
        return status;
    for (char *slash = part + 1; *part != '\0'; slash++) {
        if (*slash != '/' && *slash != '\0')
            continue;
        char kept = *slash;
        *slash = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return ls_fail(LS_ERR_FAILURE, "%s: can't create this folder: %s", part,
                           strerror(errno));
        if (kept == '\0')
            break;
        *slash = kept;
    }
    struct stat found;
    if (stat(path, &found) != 0 || !S_ISDIR(found.st_mode))
        return ls_fail(LS_ERR_FAILURE, "%s: is not a folder", path);
    return LS_OK;
}

ls_status ls_check_folder_of(const char *path)
{
    char copy[LS_PATH_MAX];
    struct stat found;
    ls_status status = ls_path(copy, path, NULL, NULL);
    if (status != LS_OK)
        return status;
    const char *folder = dirname(copy);
    if (stat(folder, &found) != 0 && errno == ENOENT)
        return ls_fail(LS_ERR_FAILURE, "%s: no such folder", folder);
    return LS_OK;
}

ls_status ls_hold_folder(int *out, const char *path)
{
    const int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return ls_fail(LS_ERR_FAILURE, "%s: can't open this folder: %s", path, strerror(errno));
    *out = folder;
    return LS_OK;
}

/* Synchronises the folder of `path`, so that a rename in it is durable. */
static ls_status sync_folder(const char *path)
{
    char copy[LS_PATH_MAX];
    ls_status status = ls_path(copy, path, NULL, NULL);
    if (status != LS_OK)
        return status;
    const char *name = dirname(copy);
    int folder = -1;
    status = ls_hold_folder(&folder, name);
    if (status != LS_OK)
        return status;
    /* EINVAL: the file system can't synchronise folders; ignored. */
    if (fsync(folder) != 0 && errno != EINVAL)
        status =
            ls_fail(LS_ERR_FAILURE, "%s: can't synchronise this folder: %s", name, strerror(errno));
    close(folder);
    return status;
}

ls_status ls_temporary_name(char out[LS_PATH_MAX], const char *path)
{
    char suffix[32];
    snprintf(suffix, sizeof suffix, ".%ld.tmp", (long)getpid());
    const ls_status status = ls_path(out, path, suffix, NULL);
    if (status == LS_OK)
        ls_temporary_note(out);
    return status;
}

ls_status ls_publish(const char *temporary, const char *path)
{
    if (rename(temporary, path) != 0) {
        ls_status status = ls_fail(LS_ERR_FAILURE, "%s: can't create: %s", path, strerror(errno));
        ls_temporary_remove(temporary);
        return status;
    }
    ls_temporary_forget(temporary);
    return sync_folder(path);
}

ls_status ls_replace_symlink(const char *link, const char *target)
{
    char temporary[LS_PATH_MAX];
    ls_status status = ls_path(temporary, link, ".new", NULL);
    if (status != LS_OK)
        return status;
    unlink(temporary);
    if (symlink(target, temporary) != 0)
        return ls_fail(LS_ERR_FAILURE, "%s: can't create this link: %s", temporary,
                       strerror(errno));
    return ls_publish(temporary, link);
}

ls_status ls_write_all(int file, const char *path, const void *bytes, size_t length)
{
    size_t done = 0;
    while (done < length) {
        const ssize_t written = write(file, (const char *)bytes + done, length - done);
        if (written < 0 && errno != EINTR)
            return ls_fail(LS_ERR_FAILURE, "%s: can't write: %s", path, strerror(errno));
        done += written > 0 ? (size_t)written : 0;
    }
    return LS_OK;
}

ls_status ls_close_written(int file, const char *path, ls_status status)
{
    if (close(file) != 0 && status == LS_OK)
        status = ls_fail(LS_ERR_FAILURE, "%s: can't close: %s", path, strerror(errno));
    return status;
}

ls_status ls_sync_file(const char *path)
{
    const int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return ls_fail(LS_ERR_FAILURE, "%s: can't open to write: %s", path, strerror(errno));
    ls_status status = LS_OK;
    if (fsync(file) != 0)
        status = ls_fail(LS_ERR_FAILURE, "%s: can't write: %s", path, strerror(errno));
    return ls_close_written(file, path, status);
}

ls_status ls_write_file(const char *path, const char *text, size_t length)
{
    char temporary[LS_PATH_MAX];
    ls_status status = ls_path(temporary, path, ".tmp", NULL);
    if (status == LS_OK)
        status = ls_check_folder_of(path);
    if (status != LS_OK)
        return status;
    ls_temporary_note(temporary);
    const int file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0) {
        ls_temporary_forget(temporary);
        return ls_fail(LS_ERR_FAILURE, "%s: can't create: %s", path, strerror(errno));
    }
    status = ls_write_all(file, path, text, length);
    if (status == LS_OK && fsync(file) != 0)
        status = ls_fail(LS_ERR_FAILURE, "%s: can't write: %s", path, strerror(errno));
    status = ls_close_written(file, path, status);
    if (status != LS_OK) {
        ls_temporary_remove(temporary);
        return status;
    }
    return ls_publish(temporary, path);
}

enum { BEGINNING = 128 };

/* Reads the first bytes of a file.
 * length  on return their number, 0 for a missing file; -1: the file can't be read, or is a folder
 *         or a pipe */
static void read_beginning(const char *path, unsigned char begin[BEGINNING], ptrdiff_t *length)
{
    struct stat about;
    *length = 0;
    if (stat(path, &about) != 0)
        return;
    FILE *file = S_ISREG(about.st_mode) ? fopen(path, "rbe") : NULL;
    *length = file == NULL ? -1 : (ptrdiff_t)fread(begin, 1, BEGINNING, file);
    if (file != NULL)
        fclose(file);
}

static ls_status refuse(const char *path, const char *kind)
{
    return ls_fail(LS_ERR_USAGE,
                   "%s: this file exists and is not of type %s: not overwritten; choose another "
                   "name",
                   path, kind);
}

ls_status ls_refuse_foreign(const char *path, const void *begin, size_t length, const char *kind)
{
    unsigned char found[BEGINNING];
    ptrdiff_t got;
    read_beginning(path, found, &got);
    const bool same = got >= (ptrdiff_t)length && memcmp(found, begin, length) == 0;
    return got == 0 || same ? LS_OK : refuse(path, kind);
}

ls_status ls_refuse_other_kind(const char *path,
                               bool (*is_kind)(const unsigned char *begin, size_t length),
                               const char *kind)
{
    unsigned char found[BEGINNING];
    ptrdiff_t got;
    read_beginning(path, found, &got);
    return got == 0 || (got > 0 && is_kind(found, (size_t)got)) ? LS_OK : refuse(path, kind);
}

ls_status ls_refuse_input(const char *path, const char *const *input, int count)
{
    struct stat out, in;
    for (int i = 0; i < count && stat(path, &out) == 0; i++)
        if (stat(input[i], &in) == 0 && S_ISREG(in.st_mode) && in.st_dev == out.st_dev &&
            in.st_ino == out.st_ino)
            return ls_fail(
                LS_ERR_USAGE,
                "%s: is to be read and to be written: choose another name for the output", path);
    return LS_OK;
}

ls_status ls_append_file(const char *path, const char *text, size_t length)
{
    const int file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (file < 0)
        return ls_fail(LS_ERR_FAILURE, "%s: can't open to write: %s", path, strerror(errno));
    const off_t before = lseek(file, 0, SEEK_END);
    ls_status status = ls_write_all(file, path, text, length);
    /* The error is the failed write, even if its part can't be removed. */
    if (status != LS_OK && before >= 0 && ftruncate(file, before) != 0)
        errno = 0;
    return ls_close_written(file, path, status);
}

ls_status ls_lock_file(int *out, const char *path)
{
    char host[128] = "", text[256];
    const int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0)
        return ls_fail(LS_ERR_FAILURE, "%s: can't open to write: %s", path, strerror(errno));
    if (flock(file, LOCK_EX | LOCK_NB) == 0) {
        gethostname(host, sizeof host - 1);
        const int length = snprintf(text, sizeof text, "process %ld on %s\n", (long)getpid(), host);
        /* The owner, for the message of a process that finds the file locked; optional. */
        if (ftruncate(file, 0) == 0 && write(file, text, (size_t)length) != length)
            (void)ftruncate(file, 0);
        *out = file;
        return LS_OK;
    }
    const bool taken = errno == EWOULDBLOCK;
    const ssize_t length = taken ? read(file, text, sizeof text - 1) : 0;
    close(file);
    *out = -1;
    if (!taken)
        return LS_OK;
    text[length > 0 ? length : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return ls_fail(LS_ERR_USAGE, "%s: locked by %s: wait until it ends, or choose another folder",
                   path, *text != '\0' ? text : "another process");
}

void ls_unlock_file(int *file)
{
    if (*file >= 0)
        close(*file);
    *file = -1;
}

ls_status ls_find_again(int file, const char *path, ls_found *out)
{
    struct stat held, there;
    *out = LS_FOUND_NONE;
    if (fstat(file, &held) != 0)
        return ls_fail(LS_ERR_FAILURE, "%s: can't access: %s", path, strerror(errno));
    if (stat(path, &there) == 0)
        *out = held.st_dev == there.st_dev && held.st_ino == there.st_ino ? LS_FOUND_SAME
                                                                          : LS_FOUND_OTHER;
    else if (errno != ENOENT && errno != ENOTDIR)
        return ls_fail(LS_ERR_FAILURE, "%s: can't access: %s", path, strerror(errno));
    return LS_OK;
}

ls_status ls_check_readable(const char *path)
{
    char byte;
    struct stat found;
    ls_status status = LS_OK;
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe would block */
    if (file < 0)
        return ls_fail(LS_ERR_DATA, "%s: can't open: %s", path, strerror(errno));
    if (fstat(file, &found) == 0 && (S_ISFIFO(found.st_mode) || S_ISCHR(found.st_mode)))
        status = ls_fail(LS_ERR_DATA, "%s: a pipe or a device, not a file", path);
    else if (read(file, &byte, 1) < 0)
        status = ls_fail(LS_ERR_DATA, "%s: can't read: %s", path, strerror(errno));
    close(file);
    return status;
}

ls_status ls_read_file(const char *path, size_t limit, ls_status missing, char **out,
                       size_t *length)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return ls_fail(missing, "%s: can't open: %s", path, strerror(errno));
    size_t room = 4096, used = 0;
    char *text = ls_alloc((int64_t)room + 1, 1);
    ls_status status = text == NULL ? LS_ERR_FAILURE : LS_OK;
    while (status == LS_OK) {
        used += fread(text + used, 1, room - used, file);
        if (used < room)
            break;
        char *larger = room < limit ? ls_alloc((int64_t)(2 * room) + 1, 1) : NULL;
        if (larger == NULL) {
            status = room < limit ? LS_ERR_FAILURE
                                  : ls_fail(missing, "%s: larger than %zu bytes", path, limit);
            break;
        }
        memcpy(larger, text, used);
        ls_free(text);
        text = larger;
        room *= 2;
    }
    if (status == LS_OK && ferror(file))
        status = ls_fail(missing, "%s: can't read: %s", path, strerror(errno));
    fclose(file);
    if (status != LS_OK) {
        ls_free(text);
        return status;
    }
    *out = text;
    *length = used;
    return LS_OK;
}
