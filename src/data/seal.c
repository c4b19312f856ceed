#include "data/seal.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

static const char magic[] = "LOCKSTEP SEAL 1\n";
enum { PIECE = 1 << 20 };

/* As read(), continued after a signal or a short count. Returns the bytes read, -1 on error. */
static ssize_t read_full(int file, void *buffer, size_t bytes)
{
    size_t done = 0;
    while (done < bytes) {
        ssize_t got = read(file, (char *)buffer + done, bytes - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

/* Computes the digest of the content after the user block.
 * unreadable  code if the file can't be read; LS_ERR_DATA: reading an input, may be interrupted,
 *             too
 * bytes       on return, the length of the content */
static ls_status digest_content(int file, const char *path, ls_status unreadable,
                                char digest[LS_DIGEST_TEXT], uint64_t *bytes)
{
    XXH3_state_t *state = XXH3_createState();
    unsigned char *piece = ls_alloc(PIECE, 1);
    ls_status status = LS_OK;
    *bytes = 0;
    if (state == NULL || piece == NULL) {
        status = ls_fail(LS_ERR_FAILURE, "%s: out of memory for its digest", path);
        goto out;
    }
    XXH3_128bits_reset(state);
    if (lseek(file, LS_SEAL_BYTES, SEEK_SET) < 0) {
        status = ls_fail(unreadable, "%s: can't seek: %s", path, strerror(errno));
        goto out;
    }
    for (;;) {
        ssize_t got = read_full(file, piece, PIECE);
        if (got < 0) {
            status = ls_fail(unreadable, "%s: can't read: %s", path, strerror(errno));
            goto out;
        }
        if (got == 0)
            break;
        XXH3_128bits_update(state, piece, (size_t)got);
        *bytes += (uint64_t)got;
        status = unreadable == LS_ERR_DATA ? ls_interrupt_poll(LS_INTERRUPT_GRACE) : LS_OK;
        if (status != LS_OK)
            goto out;
    }
    XXH128_hash_t hash = XXH3_128bits_digest(state);
    snprintf(digest, LS_DIGEST_TEXT, "%016" PRIx64 "%016" PRIx64, (uint64_t)hash.high64,
             (uint64_t)hash.low64);
out:
    XXH3_freeState(state);
    ls_free(piece);
    return status;
}

static void format_seal(char block[LS_SEAL_BYTES], const char *digest, uint64_t bytes)
{
    memset(block, 0, LS_SEAL_BYTES);
    snprintf(block, LS_SEAL_BYTES, "%sxxh3-128 %s bytes %" PRIu64 "\n", magic, digest, bytes);
}

ls_status ls_seal_write(const char *path)
{
    int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0)
        return ls_fail(LS_ERR_FAILURE, "%s: can't open to seal it: %s", path, strerror(errno));
    char digest[LS_DIGEST_TEXT], block[LS_SEAL_BYTES];
    uint64_t bytes;
    ls_status status = digest_content(file, path, LS_ERR_FAILURE, digest, &bytes);
    if (status == LS_OK) {
        format_seal(block, digest, bytes);
        if (lseek(file, 0, SEEK_SET) < 0)
            status = ls_fail(LS_ERR_FAILURE, "%s: can't seek: %s", path, strerror(errno));
    }
    if (status == LS_OK)
        status = ls_write_all(file, path, block, sizeof block);
    if (status == LS_OK && fsync(file) != 0)
        status = ls_fail(LS_ERR_FAILURE, "%s: can't write: %s", path, strerror(errno));
    return ls_close_written(file, path, status);
}

ls_status ls_seal_verify(const char *path, ls_seal *seal, char digest_out[LS_DIGEST_TEXT])
{
    *seal = LS_SEAL_UNKNOWN;
    const ls_status readable = ls_check_readable(path);
    if (readable != LS_OK)
        return readable;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return ls_fail(LS_ERR_DATA, "%s: can't open: %s", path, strerror(errno));
    char digest[LS_DIGEST_TEXT] = "", found[LS_SEAL_BYTES], expected[LS_SEAL_BYTES];
    uint64_t bytes;
    ls_status status = LS_OK;
    ssize_t got = read_full(file, found, sizeof found);
    if (got < 0) {
        status = ls_fail(LS_ERR_DATA, "%s: can't read: %s", path, strerror(errno));
    } else if (got < (ssize_t)sizeof found || memcmp(found, magic, sizeof magic - 1) != 0) {
        *seal = LS_SEAL_ABSENT;
    } else {
        status = digest_content(file, path, LS_ERR_DATA, digest, &bytes);
        if (status == LS_OK) {
            format_seal(expected, digest, bytes);
            *seal = memcmp(found, expected, sizeof found) == 0 ? LS_SEAL_INTACT : LS_SEAL_BROKEN;
        }
        if (*seal == LS_SEAL_BROKEN)
            status = ls_fail(LS_ERR_DATA,
                             "%s: damaged or cut short: its content does not match the digest in "
                             "its seal",
                             path);
    }
    close(file);
    if (status == LS_OK && digest_out != NULL)
        memcpy(digest_out, digest, sizeof digest);
    return status;
}

ls_status ls_seal_look(const char *path, ls_seal_mark *out)
{
    struct stat found;
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return ls_fail(LS_ERR_DATA, "%s: can't open: %s", path, strerror(errno));
    *out = (ls_seal_mark){0};
    ls_status status = LS_OK;
    if (fstat(file, &found) != 0 || read_full(file, out->block, sizeof out->block) < 0)
        status = ls_fail(LS_ERR_DATA, "%s: can't read: %s", path, strerror(errno));
    close(file);
    if (status != LS_OK)
        return status;
    out->device = found.st_dev;
    out->inode = found.st_ino;
    out->bytes = found.st_size;
    out->sealed = memcmp(out->block, magic, sizeof magic - 1) == 0;
    return LS_OK;
}

ls_status ls_seal_digest(const char *path, char digest[LS_DIGEST_TEXT])
{
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return ls_fail(LS_ERR_DATA, "%s: can't open: %s", path, strerror(errno));
    uint64_t bytes;
    const ls_status status = digest_content(file, path, LS_ERR_DATA, digest, &bytes);
    close(file);
    return status;
}
