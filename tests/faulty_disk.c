#include "faulty_disk.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum { FILES = 256, NAME = 64, JOURNAL = 1 << 16 };

static struct {
    bool counts;
    disk_mishap mishap;
    int at, error;
    int operations;
    bool next_write_fails;
    char open[FILES][NAME]; /* by descriptor: the file's name; "" for files outside the folder */
    char journal[JOURNAL];
    size_t used;
} disk;

/* Finds the C library's function. ISO C has no cast from dlsym()'s result to a function. */
#define REAL(name)                                                                                 \
    __typeof__(&(name)) real;                                                                      \
    do {                                                                                           \
        void *found_ = dlsym(RTLD_NEXT, #name);                                                    \
        memcpy(&real, &found_, sizeof real);                                                       \
    } while (0)

void disk_arm(disk_mishap mishap, int at, int error)
{
    memset(&disk, 0, sizeof disk);
    disk.mishap = mishap;
    disk.at = at;
    disk.error = error;
    disk.counts = true;
}

void disk_disarm(void)
{
    disk.counts = false;
}

const char *disk_journal(void)
{
    return disk.journal;
}

int disk_open_files(void)
{
    int count = 0;
    for (int i = 0; i < FILES; i++)
        count += *disk.open[i] != '\0';
    return count;
}

static bool is_in_folder(const char *path)
{
    return disk.counts && strncmp(path, "run", 3) == 0 && (path[3] == '/' || path[3] == '\0');
}

static bool is_open(int file)
{
    return disk.counts && file >= 0 && file < FILES && *disk.open[file] != '\0';
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

enum { NO_ROOM, ROOM }; /* space that an operation needs */

/* Counts an operation. Returns true if it must fail; errno is then set. */
static bool operation_fails(const char *operation, const char *name, int needs)
{
    disk.used +=
        (size_t)snprintf(disk.journal + disk.used, JOURNAL - disk.used, "%s %s\n", operation, name);
    const int past = ++disk.operations - disk.at;
    if (!(disk.mishap == DISK_FAILS && past == 0) &&
        !(disk.mishap == DISK_FULL && past >= 0 && needs == ROOM))
        return false;
    errno = disk.error;
    return true;
}

/* Called after every operation; may end the process. */
static void operation_done(void)
{
    if (disk.mishap == DISK_CRASH && disk.operations == disk.at)
        _exit(DISK_CRASHED);
}

/* Returns the number of bytes that a write must write; 0 if it fails. */
static size_t granted_bytes(int file, size_t bytes)
{
    const bool fail = operation_fails("write", disk.open[file], ROOM) || disk.next_write_fails;
    disk.next_write_fails = disk.mishap == DISK_SHORT && disk.operations == disk.at;
    const size_t granted = fail ? 0 : disk.next_write_fails ? bytes / 2 : bytes;
    errno = granted == 0 ? disk.error : errno;
    return granted;
}

int open(const char *path, int flags, ...)
{
    REAL(open);
    mode_t mode = 0;
    if (flags & O_CREAT) {
        va_list args;
        va_start(args, flags);
        mode = va_arg(args, mode_t);
        va_end(args);
    }
    if (!is_in_folder(path))
        return real(path, flags, mode);
    if (operation_fails("open", base_name(path), flags & O_CREAT ? ROOM : NO_ROOM))
        return -1;
    const int file = real(path, flags, mode);
    if (file >= 0 && file < FILES)
        snprintf(disk.open[file], NAME, "%s", base_name(path));
    operation_done();
    return file;
}

ssize_t read(int file, void *bytes, size_t count)
{
    REAL(read);
    if (!is_open(file))
        return real(file, bytes, count);
    if (operation_fails("read", disk.open[file], NO_ROOM))
        return -1;
    const ssize_t got = real(file, bytes, count);
    operation_done();
    return got;
}

ssize_t write(int file, const void *bytes, size_t count)
{
    REAL(write);
    if (!is_open(file))
        return real(file, bytes, count);
    const size_t granted = granted_bytes(file, count);
    if (granted == 0)
        return -1;
    const ssize_t written = real(file, bytes, granted);
    operation_done();
    return written;
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t at)
{
    REAL(pwrite);
    if (!is_open(file))
        return real(file, bytes, count, at);
    const size_t granted = granted_bytes(file, count);
    if (granted == 0)
        return -1;
    const ssize_t written = real(file, bytes, granted, at);
    operation_done();
    return written;
}

/* The operations that take a descriptor and return 0 or -1. */
#define ON_FILE(name, parameters, arguments, needs)                                                \
    int name parameters                                                                            \
    {                                                                                              \
        REAL(name);                                                                                \
        if (!is_open(file))                                                                        \
            return real arguments;                                                                 \
        if (operation_fails(#name, disk.open[file], needs))                                        \
            return -1;                                                                             \
        const int result = real arguments;                                                         \
        operation_done();                                                                          \
        return result;                                                                             \
    }

ON_FILE(ftruncate, (int file, off_t length), (file, length), ROOM)
ON_FILE(fsync, (int file), (file), ROOM) /* a full disk may be detected only here */
ON_FILE(fdatasync, (int file), (file), ROOM)

/* A descriptor is closed even if close() failed. */
int close(int file)
{
    REAL(close);
    if (!is_open(file))
        return real(file);
    const bool fail = operation_fails("close", disk.open[file], NO_ROOM);
    const int error = errno, result = real(file);
    *disk.open[file] = '\0';
    operation_done();
    errno = fail ? error : errno;
    return fail ? -1 : result;
}

/* Reassigns a descriptor to a file outside the folder. */
int dup2(int from, int file)
{
    REAL(dup2);
    if (is_open(file))
        *disk.open[file] = '\0';
    return real(from, file);
}

/* The operations that take a path, or an old and a new one, and return 0 or -1. */
#define ON_PATH(name, parameters, arguments, needs)                                                \
    int name parameters                                                                            \
    {                                                                                              \
        REAL(name);                                                                                \
        if (!is_in_folder(path))                                                                   \
            return real arguments;                                                                 \
        if (operation_fails(#name, base_name(path), needs))                                        \
            return -1;                                                                             \
        const int result = real arguments;                                                         \
        operation_done();                                                                          \
        return result;                                                                             \
    }

ON_PATH(rename, (const char *from, const char *path), (from, path), ROOM)
ON_PATH(symlink, (const char *target, const char *path), (target, path), ROOM)
ON_PATH(mkdir, (const char *path, mode_t mode), (path, mode), ROOM)
ON_PATH(unlink, (const char *path), (path), NO_ROOM)
ON_PATH(access, (const char *path, int mode), (path, mode), NO_ROOM)

/* The C library reads directories with internal calls. */
int scandir(const char *path, struct dirent ***out, int (*filter)(const struct dirent *),
            int (*compare)(const struct dirent **, const struct dirent **))
{
    REAL(scandir);
    if (!is_in_folder(path))
        return real(path, out, filter, compare);
    if (operation_fails("scandir", base_name(path), NO_ROOM))
        return -1;
    const int count = real(path, out, filter, compare);
    operation_done();
    return count;
}
