/* The seal: a digest of a whole file, kept in the 512-byte user block before its HDF5 content, so
 * that it can be verified before HDF5 parses a byte. HDF5 tools skip the block by themselves.
 *
 * The block is text, padded with zeros:
 *     LOCKSTEP SEAL 1\n
 *     xxh3-128 <32 hex digits> bytes <N>\n
 * where the digest is XXH3-128 of the N bytes that follow the block. */
#ifndef LS_DATA_SEAL_H
#define LS_DATA_SEAL_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/status.h>

enum { LS_SEAL_BYTES = 512, LS_DIGEST_TEXT = 33 };

typedef enum ls_seal {
    LS_SEAL_UNKNOWN, /* the file could not be read */
    LS_SEAL_ABSENT,  /* it carries no seal: it was written by something else */
    LS_SEAL_BROKEN,  /* it was read to its end and is not what was sealed */
    LS_SEAL_INTACT,
} ls_seal;

/* Writes the seal of a closed file that was created with a user block of LS_SEAL_BYTES, and has the
 * whole file on disk (fsync) before it returns. Local.
 * Errors: LS_ERR_FAILURE if it can't be read, written or synchronised. */
ls_status ls_seal_write(const char *path) LS_MUST_CHECK;

/* Looks for a seal and, where there is one, verifies it. Local.
 * seal    on return what was found, in case of an error, too: what can't be read may be whole
 * digest  the digest as hex digits, "" where there is no seal; may be NULL
 * Errors: LS_ERR_DATA if the file is missing, can't be read, or is not what was sealed. */
ls_status ls_seal_verify(const char *path, ls_seal *seal,
                         char digest[LS_DIGEST_TEXT]) LS_MUST_CHECK;

/* What can be known of a file without reading it. */
typedef struct ls_seal_mark {
    uint64_t device, inode; /* where it is, on this machine */
    int64_t bytes;
    bool sealed;
    char block[LS_SEAL_BYTES]; /* its first bytes, with its seal if it has one; then zeros */
} ls_seal_mark;

/* Looks at a file. Local. Errors: LS_ERR_DATA if it is missing or can't be read. */
ls_status ls_seal_look(const char *path, ls_seal_mark *out) LS_MUST_CHECK;

/* The digest of what follows the first LS_SEAL_BYTES, sealed or not. Local.
 * Errors: LS_ERR_DATA if it is missing or can't be read. */
ls_status ls_seal_digest(const char *path, char digest[LS_DIGEST_TEXT]) LS_MUST_CHECK;

#endif
