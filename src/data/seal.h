/* The seal: a digest of a file's HDF5 content, in the 512-byte user block before that content, so
 * that the file is verified before HDF5 parses it. HDF5 tools skip the user block.
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
    LS_SEAL_ABSENT,  /* the file has no seal: another program wrote it */
    LS_SEAL_BROKEN,  /* the file was read to its end and does not match its seal */
    LS_SEAL_INTACT,
} ls_seal;

/* Writes the seal of a closed file that has a user block of LS_SEAL_BYTES, and synchronises the
 * file (fsync). Local.
 * Errors: LS_ERR_FAILURE if the file can't be read, written or synchronised. */
ls_status ls_seal_write(const char *path) LS_MUST_CHECK;

/* Verifies the seal of a file, if it has one. Local.
 * seal    set on errors, too: LS_SEAL_UNKNOWN (unreadable, may be intact) or LS_SEAL_BROKEN
 * digest  on return the digest as hex digits, "" if there is no seal; may be NULL
 * Errors: LS_ERR_DATA if the file is missing, can't be read, or does not match its seal;
 * LS_INTERRUPTED. */
ls_status ls_seal_verify(const char *path, ls_seal *seal,
                         char digest[LS_DIGEST_TEXT]) LS_MUST_CHECK;

/* Identification of a file without reading its content. */
typedef struct ls_seal_mark {
    uint64_t device, inode; /* of the file, on this machine */
    int64_t bytes;
    bool sealed;
    char block[LS_SEAL_BYTES]; /* the file's first bytes, with the seal if any; zero-padded */
} ls_seal_mark;

/* Reads a file's first bytes and its metadata. Local.
 * Errors: LS_ERR_DATA if the file is missing or can't be read. */
ls_status ls_seal_look(const char *path, ls_seal_mark *out) LS_MUST_CHECK;

/* Computes the digest of the content after the first LS_SEAL_BYTES, sealed or not. Local.
 * Errors: LS_ERR_DATA if the file is missing or can't be read; LS_INTERRUPTED. */
ls_status ls_seal_digest(const char *path, char digest[LS_DIGEST_TEXT]) LS_MUST_CHECK;

#endif
