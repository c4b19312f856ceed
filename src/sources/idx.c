#include "sources/idx.h"
#include "base/integer.h"
#include "base/memory.h"

#include <assert.h>
#include <errno.h>
#include <sha2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

enum { PIECE = 1 << 18 };

struct ls_idx {
    gzFile file;
    char *path;
    ls_idx_header header;
    int64_t elements_read;
    SHA2_CTX sha;
};

/* Reads and hashes exactly `bytes` bytes. */
static ls_status read_hashed(ls_idx *idx, void *out, int64_t bytes)
{
    unsigned char *at = out;
    while (bytes > 0) {
        unsigned want = bytes < PIECE ? (unsigned)bytes : PIECE;
        int got = gzread(idx->file, at, want);
        if (got <= 0) {
            int code;
            const char *reason = gzerror(idx->file, &code);
            if (code == Z_OK || code == Z_BUF_ERROR || code == Z_STREAM_END)
                return ls_fail(LS_ERR_DATA, "%s: truncated: ends too early", idx->path);
            return ls_fail(LS_ERR_DATA, "%s: can't read: %s", idx->path,
                           code == Z_ERRNO ? strerror(errno) : reason);
        }
        SHA256Update(&idx->sha, at, (size_t)got);
        at += got;
        bytes -= got;
    }
    return LS_OK;
}

static uint32_t decode_big_endian(const unsigned char *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static int64_t get_element_bytes(ls_idx_type type)
{
    return type == LS_IDX_U8 ? 1 : type == LS_IDX_I16 ? 2 : 4;
}

const char *ls_idx_type_name(ls_idx_type type)
{
    return type == LS_IDX_U8 ? "uint8" : type == LS_IDX_I16 ? "int16" : "int32";
}

static ls_status read_header(ls_idx *idx)
{
    unsigned char magic[4], dim[4];
    ls_status status = read_hashed(idx, magic, sizeof magic);
    if (status != LS_OK)
        return status;
    ls_idx_header *h = &idx->header;
    if (magic[0] != 0 || magic[1] != 0 || magic[3] < 1 || magic[3] > LS_IDX_MAX_DIMS)
        return ls_fail(LS_ERR_DATA, "%s: not an IDX file of 1 to %d dimensions", idx->path,
                       LS_IDX_MAX_DIMS);
    if (magic[2] != LS_IDX_U8 && magic[2] != LS_IDX_I16 && magic[2] != LS_IDX_I32)
        return ls_fail(LS_ERR_DATA,
                       "%s: IDX element type 0x%02x; supported are uint8, int16 and int32",
                       idx->path, magic[2]);
    h->type = (ls_idx_type)magic[2];
    h->dims = magic[3];
    h->items = 1;
    for (int i = 0; i < h->dims; i++) {
        status = read_hashed(idx, dim, sizeof dim);
        if (status != LS_OK)
            return status;
        h->dim[i] = decode_big_endian(dim);
        if (h->dim[i] == 0)
            return ls_fail(LS_ERR_DATA, "%s: dimension %d is 0", idx->path, i + 1);
        if (i > 0)
            h->items *= h->dim[i];
        if (h->items > INT32_MAX)
            return ls_fail(LS_ERR_DATA, "%s: rows of 2^31 elements or more", idx->path);
    }
    h->elements = h->items * h->dim[0];
    return LS_OK;
}

/* Refuses a header that claims more elements than the file can hold, before memory is allocated.
 * The size of a file that is not regular is unknown. */
static ls_status check_size(const ls_idx *idx)
{
    enum { DEFLATE_MOST = 1032, SLACK = 4096 }; /* DEFLATE_MOST: its maximum expansion */
    const int64_t elements = idx->header.elements;
    int64_t most = INT64_MAX;
    struct stat found;
    if (stat(idx->path, &found) == 0 && S_ISREG(found.st_mode))
        most = found.st_size * (gzdirect(idx->file) ? 1 : DEFLATE_MOST) + SLACK;
    if (elements <= most / get_element_bytes(idx->header.type))
        return LS_OK;
    return ls_fail(LS_ERR_DATA, "%s: its header claims %lld elements, more than the file can hold",
                   idx->path, (long long)elements);
}

ls_status ls_idx_open(ls_idx **out, const char *path)
{
    ls_idx *idx = ls_alloc(1, sizeof *idx);
    if (idx == NULL)
        return LS_ERR_FAILURE;
    ls_status status = LS_OK;
    idx->path = ls_strdup(path);
    SHA256Init(&idx->sha);
    errno = 0;
    if (idx->path == NULL)
        status = LS_ERR_FAILURE;
    else if ((idx->file = gzopen(path, "rb")) == NULL)
        status = ls_fail(LS_ERR_DATA, "%s: can't open: %s", path,
                         errno != 0 ? strerror(errno) : "out of memory");
    else if (gzbuffer(idx->file, PIECE) == 0)
        status = read_header(idx);
    if (status == LS_OK)
        status = check_size(idx);
    if (status != LS_OK) {
        ls_idx_close(&idx);
        return status;
    }
    *out = idx;
    return LS_OK;
}

const ls_idx_header *ls_idx_describe(const ls_idx *idx)
{
    return &idx->header;
}

/* Counts `count` elements as read; the header must have them. */
static ls_status advance(ls_idx *idx, int64_t count)
{
    if (count > idx->header.elements - idx->elements_read)
        return ls_fail(LS_ERR_DATA, "%s: has fewer elements than requested", idx->path);
    idx->elements_read += count;
    return LS_OK;
}

ls_status ls_idx_read_u8(ls_idx *idx, int64_t count, uint8_t *out)
{
    assert(idx->header.type == LS_IDX_U8);
    ls_status status = advance(idx, count);
    return status == LS_OK ? read_hashed(idx, out, count) : status;
}

ls_status ls_idx_read_i32(ls_idx *idx, int64_t count, int32_t *out)
{
    const int64_t width = get_element_bytes(idx->header.type);
    unsigned char piece[4096];
    ls_status status = advance(idx, count);
    while (status == LS_OK && count > 0) {
        const int64_t some = ls_min((int64_t)sizeof piece / width, count);
        status = read_hashed(idx, piece, some * width);
        for (int64_t i = 0; status == LS_OK && i < some; i++) {
            const unsigned char *b = piece + i * width;
            switch (idx->header.type) {
            case LS_IDX_U8:
                out[i] = b[0];
                break;
            case LS_IDX_I16:
                out[i] = (int16_t)(uint16_t)(b[0] << 8 | b[1]);
                break;
            case LS_IDX_I32:
                out[i] = (int32_t)decode_big_endian(b);
                break;
            }
        }
        out += some;
        count -= some;
    }
    return status;
}

ls_status ls_idx_finish(ls_idx *idx, char sha256[LS_SHA256_TEXT])
{
    unsigned char piece[4096];
    int64_t bytes =
        (idx->header.elements - idx->elements_read) * get_element_bytes(idx->header.type);
    ls_status status = LS_OK;
    while (status == LS_OK && bytes > 0) {
        int64_t some = bytes < (int64_t)sizeof piece ? bytes : (int64_t)sizeof piece;
        status = read_hashed(idx, piece, some);
        bytes -= some;
    }
    if (status != LS_OK)
        return status;
    idx->elements_read = idx->header.elements;
    int code, beyond = gzread(idx->file, piece, 1);
    (void)gzerror(idx->file, &code);
    if (beyond < 0 || code == Z_BUF_ERROR) /* the checksum at the end is wrong or truncated */
        return ls_fail(LS_ERR_DATA, "%s: damaged at its end", idx->path);
    if (beyond > 0)
        return ls_fail(LS_ERR_DATA, "%s: longer than its header says", idx->path);
    SHA256End(&idx->sha, sha256);
    return LS_OK;
}

void ls_idx_close(ls_idx **idx)
{
    if (idx == NULL || *idx == NULL)
        return;
    if ((*idx)->file != NULL)
        gzclose_r((*idx)->file);
    ls_free((*idx)->path);
    ls_free(*idx);
    *idx = NULL;
}
